//! The plugin's log, which the host keeps beside its own.
//!
//! A call may write 64 KiB, if its host is not set otherwise; what is beyond is dropped, and the
//! host says so. In native tests the lines go to standard error.

pub use crate::bindings::base::gatewright::plugin::log::Level;

/// Writes a line that is of use while a plugin is being written.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}

/// Writes a line that says what happened.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Writes a line about something that a person ought to look at some day.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Writes a line about something that went wrong.
pub fn error(message: &str) {
    write(Level::Error, message);
}

/// Writes a line of this level.
#[cfg(target_arch = "wasm32")]
pub fn write(level: Level, message: &str) {
    crate::bindings::base::gatewright::plugin::log::write(level, message);
}

/// Writes a line of this level.
#[cfg(not(target_arch = "wasm32"))]
#[expect(
    clippy::print_stderr,
    reason = "a native test has no host to take the line"
)]
pub fn write(level: Level, message: &str) {
    eprintln!("{level:?}: {message}");
}

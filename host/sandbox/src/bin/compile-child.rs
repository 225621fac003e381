//! The compiler's process, for the tests of this crate. The gateway runs its own binary instead.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatewright_sandbox::compile_child()
}

//! Developer commands. Each is one file beside this one.

#![forbid(unsafe_code)]

mod guest;
mod setup;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Gatewright's developer commands. Start with `cargo xtask setup`.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find or install a toolchain for WebAssembly and build all plugins with it.
    ///
    /// The components go to target/plugins/NAME.wasm, where the gateway's tests and the demo take
    /// them from. One whose content did not change is left alone. Run it again after each change to a
    /// plugin or the SDK: it takes a second or two where little is to be done.
    #[command(visible_alias = "plugins")]
    Setup(setup::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Setup(args) => setup::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            workspace::say(&format!("error: {message}"));
            ExitCode::FAILURE
        }
    }
}

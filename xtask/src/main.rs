//! Developer commands. Each is one file beside this one.

#![forbid(unsafe_code)]

mod bench;
mod cargo;
mod conformance;
mod debian;
mod demo;
mod fuzz;
mod guest;
mod peers;
mod setup;
mod test;
mod workspace;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// Gatewright's developer commands. `demo` and `test` do all set-up themselves.
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

    /// Measure what the gateway costs, beside what it could cost at best, in release builds.
    Bench(bench::Args),
    /// See the main job: sets up, builds the gateway, and runs its demo.
    Demo(demo::Args),
    /// Feed the readers of filters, paths and PATCH bodies with made-up inputs.
    ///
    /// Takes this toolchain, cargo-fuzz (`cargo install cargo-fuzz --locked`) and a C++ compiler. It is
    /// no part of `test`: a full run takes about half an hour.
    Fuzz(fuzz::Args),
    /// Run the public SCIM conformance tester alone, against the gateway as it was built last.
    Conformance,
    /// Run everything that has to hold before a change lands: sets up, then format, lints, all
    /// tests, documentation, the public SCIM conformance tester.
    Test(test::Args),
}

fn main() -> ExitCode {
    let done = match cli(std::env::args_os()).command {
        Command::Setup(args) => setup::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Demo(args) => demo::main(&args),
        Command::Fuzz(args) => fuzz::main(&args),
        Command::Conformance => conformance::check().map(|_| ()),
        Command::Test(args) => test::main(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            workspace::say(&format!("error: {message}"));
            ExitCode::FAILURE
        }
    }
}

/// Options may stand behind `--`, as `cargo run` has taught people: `cargo xtask demo -- --exit`.
fn cli(args: impl Iterator<Item = OsString>) -> Cli {
    Cli::parse_from(args.filter(|arg| arg != "--"))
}

#[cfg(test)]
mod tests {
    use super::{Command, cli};
    use clap::CommandFactory as _;

    #[test]
    fn options_may_stand_behind_two_hyphens() {
        for line in ["xtask demo --exit", "xtask demo -- --exit"] {
            let Command::Demo(demo) = cli(line.split(' ').map(Into::into)).command else {
                panic!("{line} is not the demo");
            };
            assert!(demo.exit, "{line}");
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}

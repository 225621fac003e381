//! `cargo xtask demo`: all set-up, then the show.

use crate::cargo::{cargo, program, run};
use crate::setup;
use crate::workspace::{Outcome, root};
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// End after the show instead of staying up.
    #[arg(long)]
    pub(crate) exit: bool,
    /// Where the gateway listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
}

pub(crate) fn main(args: &Args) -> Outcome {
    setup::run(&args.setup)?;
    // The profile that `cargo xtask test` uses too: its dependencies are optimised, and who runs
    // both compiles them once.
    run(
        "building the gateway (minutes, the first time)",
        cargo(&["build", "--package", "gatewright"]),
    )?;
    let mut demo = Command::new(program("debug", "gatewright"));
    demo.args(["demo", "--listen", &args.listen, "--policy"])
        .arg(root().join("target/plugins/contractors.wasm"));
    if args.exit {
        demo.arg("--exit");
    }
    run("gatewright demo", demo)
}

//! `cargo xtask bench`: builds the gateway and its benchmark in release, and runs it.

use crate::setup;
use crate::workspace::{Outcome, root};
use std::path::PathBuf;
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: setup::Args,
    /// A smoke run of some ten seconds, whose figures mean little.
    #[arg(long)]
    quick: bool,
    /// Figures as JSON on standard output, instead of a table.
    #[arg(long)]
    json: bool,
    /// Members of the large group, instead of 100,000 (1,000 with --quick).
    #[arg(long, value_name = "N")]
    members: Option<usize>,
    /// One part only: decisions, creates, lookups, groups or isolation.
    #[arg(long, value_name = "PART")]
    only: Option<String>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    setup::run(&args.setup)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Both at once: what they share is built once.
    let packages = ["--package", "gatewright", "--package", "gatewright-bench"];
    finish(
        Command::new(cargo)
            .args(["build", "--release"])
            .args(packages),
    )?;

    let mut bench = Command::new(built("gatewright-bench"));
    bench.env("GATEWRIGHT_BIN", built("gatewright"));
    for (flag, wanted) in [("--quick", args.quick), ("--json", args.json)] {
        if wanted {
            bench.arg(flag);
        }
    }
    if let Some(members) = args.members {
        bench.arg("--members").arg(members.to_string());
    }
    if let Some(only) = &args.only {
        bench.arg("--only").arg(only);
    }
    finish(&mut bench)
}

/// A program of the release build.
fn built(name: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target).join("release").join(name)
}

fn finish(command: &mut Command) -> Outcome {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .current_dir(root())
        .status()
        .map_err(|error| format!("{program} cannot be run: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{program} failed: {status}"))
    }
}

//! `cargo xtask bench`: builds the gateway and its benchmark in release, and runs it.

use crate::peers;
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
    /// Accounts that the part `redecide` decides anew, instead of 100,000 (2,000 with --quick).
    #[arg(long, value_name = "N")]
    accounts: Option<usize>,
    /// Users of the large directory of the part `scale`, instead of 1,000,000 (20,000 with
    /// --quick).
    #[arg(long, value_name = "N")]
    users: Option<usize>,
    /// The part `scale` alone: a million users and ten million memberships. It takes most of an
    /// hour and 10 GB of disk, and is in no other run.
    #[arg(long, conflicts_with = "only")]
    scale: bool,
    /// With --scale: keep the large directory in this folder; where an earlier run did, it is measured
    /// and not loaded again.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Beside other servers of SCIM, which are installed below target/peers with npm and pip. It
    /// takes some ten minutes, and is in no other run.
    #[arg(long, conflicts_with_all = ["only", "scale"])]
    peers: bool,
    /// One part only: decisions, creates, lookups, groups, replace, redecide, isolation, scale or
    /// peers.
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
    if args.peers || args.only.as_deref() == Some("peers") {
        bench.env("GATEWRIGHT_PEERS", peers::install()?);
    }
    for (flag, wanted) in [
        ("--quick", args.quick),
        ("--json", args.json),
        ("--scale", args.scale),
        ("--peers", args.peers),
    ] {
        if wanted {
            bench.arg(flag);
        }
    }
    for (option, number) in [
        ("--members", args.members),
        ("--accounts", args.accounts),
        ("--users", args.users),
    ] {
        if let Some(number) = number {
            bench.arg(option).arg(number.to_string());
        }
    }
    if let Some(data) = &args.data {
        bench.arg("--data").arg(data);
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

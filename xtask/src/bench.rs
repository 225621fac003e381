//! `cargo xtask bench`: builds the gateway and its benchmark in release, and runs it.

use crate::workspace::{Outcome, root};
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A smoke run of some ten seconds, whose figures mean little.
    #[arg(long)]
    quick: bool,
    /// Figures as JSON on standard output, instead of a table.
    #[arg(long)]
    json: bool,
    /// Members of the large group, instead of 100,000 (1,000 with --quick).
    #[arg(long, value_name = "N")]
    members: Option<usize>,
    /// One part only: decisions, creates, lookups or groups.
    #[arg(long, value_name = "PART")]
    only: Option<String>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    cargo(&["build", "--release", "--package", "gatewright"])?;
    let mut bench = vec![
        "bench",
        "--package",
        "gatewright-tests",
        "--bench",
        "gateway",
        "--",
    ];
    if args.quick {
        bench.push("--quick");
    }
    if args.json {
        bench.push("--json");
    }
    let members = args.members.map(|members| members.to_string());
    if let Some(members) = &members {
        bench.extend(["--members", members]);
    }
    if let Some(only) = &args.only {
        bench.extend(["--only", only]);
    }
    cargo(&bench)
}

/// Runs cargo on the workspace. Nothing is written to standard output but what the benchmark does.
fn cargo(args: &[&str]) -> Outcome {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(args)
        .current_dir(root())
        .status()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("cargo {} failed", args[0]))
    }
}

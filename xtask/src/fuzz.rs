//! `cargo xtask fuzz`: feeds the readers of what strangers send with inputs that a fuzzer makes up.

use crate::cargo::{cargo, run};
use crate::workspace::{Outcome, output};
use std::process::Command;

/// What can be fuzzed, where it is, and how many inputs are enough.
const TARGETS: [(&str, &str, u64); 4] = [
    ("filter", "tests/fuzz", 10_000_000),
    ("path", "tests/fuzz", 10_000_000),
    ("patch", "tests/fuzz", 10_000_000),
    ("request", "tests/fuzz/request", 1_000_000),
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// filter, path, patch or request; all of them, if not said.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TARGETS.map(|(name, ..)| name)))]
    target: Option<String>,
    /// Inputs of each target; if not said, 1 million whole requests and 10 million of each other.
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
}

pub(crate) fn main(args: &Args) -> Outcome {
    if output("cargo", &["fuzz", "--version"]).is_none() {
        let advice = "cargo-fuzz is missing: run `cargo install cargo-fuzz --locked`; it also \
                      wants a C++ compiler (`apt-get install g++`)";
        return Err(advice.to_owned());
    }
    for (target, folder, enough) in TARGETS {
        let runs = args.runs.unwrap_or(enough);
        if args.target.as_deref().is_none_or(|wanted| wanted == target) {
            run(
                &format!("fuzzing {target}, {runs} inputs"),
                fuzz(target, folder, runs),
            )?;
        }
    }
    Ok(())
}

/// The sanitizer for memory is left out: there is no unsafe code of ours to watch.
fn fuzz(target: &str, folder: &str, runs: u64) -> Command {
    let fuzz = ["fuzz", "run", "--fuzz-dir", folder, "--sanitizer", "none"];
    let mut command = cargo(&fuzz);
    command
        // The flags that instrument the code are a nightly compiler's; this has a stable one take
        // them as well.
        .env("RUSTC_BOOTSTRAP", "1")
        .arg(target)
        .arg("--")
        .arg(format!("-runs={runs}"))
        .args(["-max_len=4096", "-print_final_stats=1", "-verbosity=0"]);
    command
}

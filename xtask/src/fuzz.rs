//! `cargo xtask fuzz`: feeds the readers of what strangers send with inputs that a fuzzer makes up.

use crate::cargo::{cargo, run};
use crate::workspace::{Outcome, output};
use std::process::Command;

/// What can be fuzzed.
const TARGETS: [&str; 3] = ["filter", "path", "patch"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// filter, path or patch; all of them, if not said.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TARGETS))]
    target: Option<String>,
    /// Inputs of each target.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    runs: u64,
}

pub(crate) fn main(args: &Args) -> Outcome {
    if output("cargo", &["fuzz", "--version"]).is_none() {
        let advice = "cargo-fuzz is missing: run `cargo install cargo-fuzz --locked`; it also \
                      wants a C++ compiler (`apt-get install g++`)";
        return Err(advice.to_owned());
    }
    let runs = args.runs;
    for target in TARGETS {
        if args.target.as_deref().is_none_or(|wanted| wanted == target) {
            run(
                &format!("fuzzing {target}, {runs} inputs"),
                fuzz(target, runs),
            )?;
        }
    }
    Ok(())
}

/// The sanitizer for memory is left out: there is no unsafe code of ours to watch.
fn fuzz(target: &str, runs: u64) -> Command {
    let fuzz = [
        "fuzz",
        "run",
        "--fuzz-dir",
        "tests/fuzz",
        "--sanitizer",
        "none",
    ];
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

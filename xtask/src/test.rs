//! `cargo xtask test`: all set-up, then everything that has to hold before a change lands.

use crate::cargo::{cargo, run};
use crate::workspace::{Outcome, say};
use crate::{conformance, setup};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    setup: setup::Args,
}

pub(crate) fn main(args: &Args) -> Outcome {
    let began = Instant::now();
    setup::run(&args.setup)?;
    run("format", cargo(&["fmt", "--all", "--check"]))?;
    run(
        "building the gateway (minutes, the first time)",
        cargo(&["build", "--package", "gatewright"]),
    )?;
    let deny = ["--", "--deny", "warnings"];
    let clippy = [
        &["clippy", "--quiet", "--workspace", "--all-targets"][..],
        &deny,
    ]
    .concat();
    run("clippy", cargo(&clippy))?;
    let tally = test("tests", cargo(&["test", "--workspace", "--no-fail-fast"]))?;
    let mut doc = cargo(&["doc", "--quiet", "--workspace", "--no-deps"]);
    doc.env("RUSTDOCFLAGS", "--deny warnings");
    run("documentation", doc)?;
    let checks = conformance::check()?;
    licences()?;
    say(&format!(
        "all of it took {:.0} s",
        began.elapsed().as_secs_f32()
    ));
    // A line that counts, last, for who reads only the end.
    say(&format!(
        "{} passed, 0 failed, {} skipped",
        tally.passed + checks,
        tally.ignored
    ));
    Ok(())
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    ignored: usize,
}

/// Runs the tests, showing their output, and adds up what each binary says at its end.
fn test(what: &str, mut command: Command) -> Outcome<Tally> {
    say(&format!("== {what}"));
    let began = Instant::now();
    let failed = |error: std::io::Error| format!("cannot run cargo: {error}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.map_err(failed)?;
            add(&mut tally, &line);
            say(&line);
        }
    }
    let status = child.wait().map_err(failed)?;
    if !status.success() || tally.failed > 0 {
        return Err(format!("{what}: {} failed; see above", tally.failed));
    }
    say(&format!(
        "   done in {:.0} s",
        began.elapsed().as_secs_f32()
    ));
    Ok(tally)
}

/// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
fn add(tally: &mut Tally, line: &str) {
    let Some((_, counts)) = line
        .strip_prefix("test result: ")
        .and_then(|rest| rest.split_once(". "))
    else {
        return;
    };
    for count in counts.split("; ") {
        let Some((number, what)) = count.split_once(' ') else {
            continue;
        };
        let number: usize = number.parse().unwrap_or(0);
        match what {
            "passed" => tally.passed += number,
            "failed" => tally.failed += number,
            "ignored" => tally.ignored += number,
            _ => {}
        }
    }
}

/// Checks dependencies where cargo-deny is installed; it takes minutes to build, so it is not
/// installed here.
fn licences() -> Outcome {
    if crate::workspace::output("cargo", &["deny", "--version"]).is_none() {
        say("== dependencies: left out, cargo-deny is not installed (`cargo install cargo-deny`)");
        return Ok(());
    }
    run(
        "dependencies",
        cargo(&["deny", "--offline", "check", "bans", "licenses", "sources"]),
    )
}

#[cfg(test)]
mod tests {
    use super::{Tally, add};

    #[test]
    fn adds_up_what_test_binaries_say() {
        let mut tally = Tally::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
            "running 3 tests",
        ] {
            add(&mut tally, line);
        }
        assert_eq!((tally.passed, tally.failed, tally.ignored), (5, 1, 1));
    }
}

//! `gatewright plugin test`: fixtures in, answers compared, with what they cost.

use super::build::{built, find};
use super::workbench;
use crate::author::fixture::{Fixture, FixtureError};
use crate::author::project::Kind;
use crate::author::workbench::Run;
use crate::cli::output::{self, CliError};
use crate::telemetry::chain;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Run the project's fixtures, tests/*.json, in the sandbox of the gateway
///
/// Compares what the component that was built last answers with what each fixture expects, and
/// shows what it costs: instructions (the same on every machine), time on this one, memory and
/// output, with a warning near the limits. `gatewright plugin docs fixtures` has their form. Exits
/// with 1 where an answer is another one than expected.
#[derive(Args)]
pub(super) struct Test {
    /// Only fixtures whose name has this in it
    filter: Option<String>,
    /// Write what is answered into the fixtures, as what they expect from now on
    #[arg(long)]
    update: bool,
    /// The project's folder, or one below it
    #[arg(long, default_value = ".")]
    directory: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What became of one fixture.
struct Tested {
    fixture: Fixture,
    run: Run,
    is_as_expected: bool,
    updated: bool,
}

impl Test {
    pub(super) fn run(self) -> Result<(), CliError> {
        let project = find(&self.directory)?;
        let wasm = built(&project)?;
        let mut fixtures =
            Fixture::all(&project.fixtures(), project.kind).map_err(|error| usage(&error))?;
        if let Some(filter) = &self.filter {
            fixtures.retain(|fixture| fixture.name().contains(filter));
        }
        if fixtures.is_empty() {
            return Err(CliError::Usage(format!(
                "there is no fixture{} in {}: `gatewright plugin docs fixtures` has their form",
                match &self.filter {
                    Some(filter) => format!(" with \"{filter}\" in its name"),
                    None => String::new(),
                },
                project.fixtures().display()
            )));
        }
        let workbench = workbench(Some(&project.folder))?;
        let mut tested = Vec::new();
        for fixture in fixtures {
            let run = workbench
                .run(&wasm, &fixture)
                .map_err(|error| CliError::Failed(chain(&error)))?;
            let is_as_expected = fixture.expect.as_ref() == Some(&run.answer);
            let updated = self.update && !is_as_expected;
            if updated {
                fixture.accept(&run.answer).map_err(|error| usage(&error))?;
            }
            tested.push(Tested {
                fixture,
                run,
                is_as_expected,
                updated,
            });
        }
        let failed = tested
            .iter()
            .filter(|one| !one.is_as_expected && !one.updated);
        let failed = failed.count();
        match self.json {
            true => output::json(&as_json(&tested, project.kind)),
            false => print(&tested, project.kind),
        }
        match failed {
            0 => Ok(()),
            _ => Err(CliError::Failed(format!(
                "{failed} of {} fixtures: not as expected; where the new answers are right, \
                 `gatewright plugin test --update` accepts them",
                tested.len()
            ))),
        }
    }
}

fn usage(error: &FixtureError) -> CliError {
    CliError::Usage(chain(error))
}

fn word(tested: &Tested) -> &'static str {
    match (
        tested.is_as_expected,
        tested.updated,
        &tested.fixture.expect,
    ) {
        (true, ..) => "ok",
        (false, true, _) => "updated",
        (false, false, Some(_)) => "DIFFERENT",
        (false, false, None) => "EXPECTS NOTHING",
    }
}

fn near(tested: &Tested, kind: Kind) -> Vec<(&'static str, u64)> {
    let cost = tested.run.cost;
    let near = cost.map(|cost| cost.near(kind == Kind::Provider, tested.fixture.len()));
    near.unwrap_or_default()
}

fn print(tested: &[Tested], kind: Kind) {
    let rows: Vec<Vec<String>> = tested
        .iter()
        .map(|one| {
            let cost = one.run.cost.map(|cost| {
                [
                    cost.fuel.to_string(),
                    format!("{} us", cost.time.as_micros()),
                    format!("{} KiB", cost.memory.div_ceil(1024)),
                    format!("{} B", cost.output),
                ]
            });
            let cost = cost.unwrap_or_default();
            let first = [
                word(one).to_owned(),
                one.fixture.name(),
                one.fixture.len().to_string(),
            ];
            first
                .into_iter()
                .chain(cost)
                .chain([one.fixture.about.clone()])
                .collect()
        })
        .collect();
    let headings = [
        "", "fixture", "items", "fuel", "time", "memory", "output", "about",
    ];
    output::table(&headings, &rows);
    for one in tested {
        for (what, share) in near(one, kind) {
            output::line(&format!(
                "warning: {}: {share} % of the {what} that a call may use",
                one.fixture.name()
            ));
        }
        if one.is_as_expected {
            continue;
        }
        output::line(&format!(
            "\n{} ({}):",
            one.fixture.name(),
            one.fixture.path.display()
        ));
        match &one.fixture.expect {
            None => output::line(&format!("  answered {}", one.run.answer)),
            Some(expected) => differences(expected, &one.run.answer),
        }
        for failure in &one.run.failures {
            output::line(&format!("  {failure}"));
            for frame in &failure.frames {
                output::line(&format!("    at {}", frame.escape_debug()));
            }
        }
        for line in &one.run.log {
            output::line(&format!("  {:?}: {}", line.level, line.text.escape_debug()));
        }
    }
}

/// A line for each place where they differ.
fn differences(expected: &Value, found: &Value) {
    for change in json_patch::diff(expected, found).0 {
        let place = change.path().to_string();
        let shown = |value: &Value| {
            let at = value.pointer(&place);
            at.map_or_else(|| "nothing".to_owned(), Value::to_string)
        };
        output::line(&format!(
            "  {}: expected {}, found {}",
            if place.is_empty() {
                "all of it"
            } else {
                &place
            },
            shown(expected),
            shown(found)
        ));
    }
}

fn as_json(tested: &[Tested], kind: Kind) -> Value {
    let one = |one: &Tested| {
        let cost = one.run.cost.map(|cost| {
            let micros = u64::try_from(cost.time.as_micros()).unwrap_or(u64::MAX);
            json!({
                "fuel": cost.fuel, "micros": micros, "memory": cost.memory,
                "output": cost.output, "near": near(one, kind),
            })
        });
        json!({
            "fixture": one.fixture.name(),
            "outcome": word(one).to_lowercase().replace(' ', "-"),
            "items": one.fixture.len(),
            "expected": one.fixture.expect,
            "answered": one.run.answer,
            "cost": cost,
            "log": one.run.log.iter().map(|line| &line.text).collect::<Vec<_>>(),
            "failures": one.run.failures.iter().map(|error| json!({
                "message": error.to_string(), "frames": error.frames,
            })).collect::<Vec<_>>(),
        })
    };
    json!({ "fixtures": tested.iter().map(one).collect::<Vec<_>>() })
}

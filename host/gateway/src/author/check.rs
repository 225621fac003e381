//! What is to be said of a component before it is installed.

use super::fixture::Fixture;
use super::workbench::{Order, Workbench};
use crate::telemetry::chain;
use gatewright_sandbox::{Access, Inspection, LoadError, PluginKind};
use serde::Serialize;
use serde_json::Value;

/// Bytes beyond which a component is worth a thought: compiling it takes seconds.
const LARGE: usize = 8 << 20;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Good,
    /// It works, and could be better.
    Warning,
    /// It is not to be installed.
    Error,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// What was looked at.
    pub about: &'static str,
    /// What was found.
    pub found: String,
    /// What to do; none where nothing is to be done.
    pub remedy: Option<String>,
}

impl Finding {
    fn new(level: Level, about: &'static str, found: impl Into<String>, remedy: &str) -> Self {
        Self {
            level,
            about,
            found: found.into(),
            remedy: (!remedy.is_empty()).then(|| remedy.to_owned()),
        }
    }

    fn good(about: &'static str, found: impl Into<String>) -> Self {
        Self::new(Level::Good, about, found, "")
    }
}

/// Looks at a component, and tries it with fixtures.
pub fn check(workbench: &Workbench, wasm: &[u8], fixtures: &[Fixture]) -> Vec<Finding> {
    let inspection = match workbench.inspect(wasm) {
        Ok(inspection) => inspection,
        Err(error) => {
            return vec![Finding::new(
                Level::Error,
                "component",
                chain(&error),
                "a gateway would refuse it with these words",
            )];
        }
    };
    let mut found = vec![
        Finding::good(
            "component",
            format!("{} for contract {}", inspection.kind, inspection.contract),
        ),
        Finding::good("description", inspection.full_name()),
    ];
    if inspection.about.summary.trim().is_empty() {
        found.push(Finding::new(
            Level::Warning,
            "description",
            "it has no summary",
            "say in one sentence what it does (Rust: `description` in Cargo.toml)",
        ));
    }
    found.push(size(wasm.len()));
    found.push(names(&inspection));
    found.extend(imports(&inspection));
    found.extend(schema(&inspection.about.settings_schema));
    found.extend(determinism(workbench, wasm, fixtures));
    found.extend(costs(workbench, wasm, fixtures, inspection.kind));
    found
}

fn size(bytes: usize) -> Finding {
    let shown = format!("{} KiB", bytes.div_ceil(1024));
    match bytes > LARGE {
        false => Finding::good("size", shown),
        true => Finding::new(
            Level::Warning,
            "size",
            shown,
            "compiling it takes seconds at its first use; components in Rust have some 100 KiB \
             (lto, strip = \"debuginfo\")",
        ),
    }
}

fn names(inspection: &Inspection) -> Finding {
    match inspection.has_names {
        true => Finding::good("names", "a trap says in which function it happened"),
        false => Finding::new(
            Level::Warning,
            "names",
            "the functions have no names, so a trap will not say where it happened",
            "do not strip them (Rust: strip = \"debuginfo\" instead of true); a component of a script has \
             none, and its traps say where in the script",
        ),
    }
}

/// What it would be refused for is an error of loading, and told there.
fn imports(inspection: &Inspection) -> Vec<Finding> {
    let denied = |call: &&gatewright_sandbox::ImportedCall| call.access == Access::Denied;
    let mut denied: Vec<&str> = (inspection.calls.iter().filter(denied))
        .map(|call| call.import.split('@').next().unwrap_or(&call.import))
        .filter(|import| !import.starts_with("wasi:"))
        .collect();
    denied.dedup();
    let total = inspection.imports.len();
    if denied.is_empty() {
        let found = format!("{total} interfaces of the contract and of its standard library");
        return vec![Finding::good("imports", found)];
    }
    vec![Finding::new(
        Level::Warning,
        "imports",
        format!("calls of {} end the plugin's call", denied.join(", ")),
        "call only what `gatewright plugin docs imports` grants",
    )]
}

fn schema(schema: &Value) -> Vec<Finding> {
    let mut found = Vec::new();
    let settings = schema["properties"].as_object();
    let silent: Vec<&str> = settings
        .into_iter()
        .flatten()
        .filter(|(_, setting)| setting["description"].as_str().is_none_or(str::is_empty))
        .map(|(name, _)| name.as_str())
        .collect();
    if !silent.is_empty() {
        found.push(Finding::new(
            Level::Warning,
            "settings",
            format!("{} without a description", silent.join(", ")),
            "administrators read the descriptions (Rust: a doc comment of the field)",
        ));
    }
    if schema["additionalProperties"] != false {
        found.push(Finding::new(
            Level::Warning,
            "settings",
            "a misspelt setting is taken without a word",
            "refuse what is not known (Rust: #[serde(deny_unknown_fields)]; JSON Schema: \
             \"additionalProperties\": false)",
        ));
    }
    if found.is_empty() {
        let count = settings.map_or(0, serde_json::Map::len);
        found.push(Finding::good("settings", format!("{count}, all described")));
    }
    found
}

/// The same answers on fresh instances, in another order, and alone. A plugin has no clock of its own,
/// no randomness and no memory; what it can look at, and must not, is who else is asked about.
fn determinism(workbench: &Workbench, wasm: &[u8], fixtures: &[Fixture]) -> Vec<Finding> {
    let about = "determinism";
    let tried: Vec<&Fixture> = fixtures.iter().filter(|one| !one.is_empty()).collect();
    if tried.is_empty() {
        return vec![Finding::new(
            Level::Warning,
            about,
            "was not looked at: there are no fixtures with accounts or requests",
            "run it in the plugin's project, or name a folder of fixtures with --fixtures",
        )];
    }
    let mut found = Vec::new();
    for fixture in &tried {
        let answers = || -> Result<[Value; 4], LoadError> {
            let answer = |order| workbench.answer(wasm, fixture, order);
            Ok([
                answer(Order::Together)?,
                answer(Order::Together)?,
                answer(Order::Reversed)?,
                answer(Order::Alone)?,
            ])
        };
        let [first, again, reversed, alone] = match answers() {
            Ok(answers) => answers,
            Err(error) => {
                found.push(Finding::new(Level::Error, about, chain(&error), ""));
                continue;
            }
        };
        for (other, how) in [
            (again, "a second time"),
            (reversed, "with the accounts in another order"),
            (alone, "with each account alone"),
        ] {
            if let Some(difference) = difference(&first, &other) {
                found.push(Finding::new(
                    Level::Error,
                    about,
                    format!("{}: another answer {how}: {difference}", fixture.name()),
                    "a decision may depend on its own account and the context only: the gateway \
                     chooses the batches",
                ));
                break;
            }
        }
    }
    if found.is_empty() {
        let items: usize = tried.iter().map(|one| one.len()).sum();
        found.push(Finding::good(
            about,
            format!("{items} answers are the same again, in another order, and alone"),
        ));
    }
    found
}

/// Where two answers differ first, and how.
#[must_use]
pub fn difference(one: &Value, other: &Value) -> Option<String> {
    let changes = json_patch::diff(one, other);
    let first = changes.0.first()?;
    let place = first.path().to_string();
    let was = one
        .pointer(&place)
        .map_or("nothing".to_owned(), Value::to_string);
    let is = other
        .pointer(&place)
        .map_or("nothing".to_owned(), Value::to_string);
    Some(format!("at {place} {was} became {is}"))
}

fn costs(
    workbench: &Workbench,
    wasm: &[u8],
    fixtures: &[Fixture],
    kind: PluginKind,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for fixture in fixtures.iter().filter(|one| !one.is_empty()) {
        let Ok(run) = workbench.run(wasm, fixture) else {
            continue;
        };
        let near = run
            .cost
            .map(|cost| cost.near(kind == PluginKind::Provider, fixture.len()));
        for (what, share) in near.into_iter().flatten() {
            found.push(Finding::new(
                Level::Warning,
                "limits",
                format!(
                    "{}: {share} % of the {what} that a call may use",
                    fixture.name()
                ),
                "an account with more groups, or a slower machine, may go beyond it: `gatewright \
                 plugin docs limits`",
            ));
        }
    }
    if found.is_empty() && !fixtures.is_empty() {
        found.push(Finding::good("limits", "no fixture comes near them"));
    }
    found
}

//! How plugins do, for people.

use super::client::Connection;
use super::manage::cell;
use super::output::{self, CliError};
use serde_json::{Value, json};

/// Prints how the policies of one slot do, or of all.
pub(super) fn of_slots(to: &Connection, slot: Option<&str>) -> Result<(), CliError> {
    let slots = slot.map_or_else(|| vec!["lifecycle", "roles", "seats"], |slot| vec![slot]);
    let get = |slot: &&str| to.get(&to.path(&format!("/bindings/{slot}/health")));
    let found: Vec<Value> = slots.iter().map(get).collect::<Result<_, _>>()?;
    if to.json {
        output::json(&json!({ "slots": found }));
        return Ok(());
    }
    let mut rows = Vec::new();
    for one in &found {
        let state = match one["paused"] == true {
            true => "paused".to_owned(),
            false => cell(&one["breaker"], "state"),
        };
        rows.extend(plugins(&cell(one, "slot"), &state, &one["plugins"]));
        rows.extend(plugins(
            &cell(one, "slot"),
            &format!("shadow, {} differ", cell(&one["shadow"], "different")),
            &one["shadow"]["plugins"],
        ));
    }
    table("slot", &rows);
    for one in &found {
        let breaker = &one["breaker"];
        if breaker["since"].is_string() {
            output::line(&format!(
                "{}: {} since {}, tried {} times in vain; next at {}",
                cell(one, "slot"),
                cell(breaker, "state"),
                cell(breaker, "since"),
                cell(breaker, "tried_in_vain"),
                cell(breaker, "next_try"),
            ));
        }
    }
    Ok(())
}

/// Prints how the provider plugin of a directory does.
pub(super) fn of_directory(to: &Connection, health: &Value) {
    if to.json {
        output::json(health);
        return;
    }
    let rows = plugins(&cell(health, "directory"), "", &health["plugins"]);
    table("directory", &rows);
}

fn table(first: &str, rows: &[Vec<String>]) {
    let headings = [
        first, "state", "plugin", "digest", "calls", "rejected", "failed", "p50", "p99", "max",
        "memory", "output",
    ];
    output::table(&headings, rows);
}

/// A line for each plugin.
fn plugins(of: &str, state: &str, plugins: &Value) -> Vec<Vec<String>> {
    let plugins = plugins.as_array().into_iter().flatten();
    let row = |one: &Value| {
        let failed = one["failed"].as_object().into_iter().flatten();
        let failed: Vec<String> = failed
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        let micros = |name: &str| match one["micros"][name].as_u64() {
            Some(micros) => format!("{micros} us"),
            None => String::new(),
        };
        let bytes = |name: &str| match one[name].as_u64() {
            Some(bytes) => format!("{} KiB", bytes.div_ceil(1024)),
            None => String::new(),
        };
        let digest: String = cell(one, "digest").chars().take(12).collect();
        vec![
            of.to_owned(),
            state.to_owned(),
            cell(one, "plugin"),
            digest,
            cell(one, "calls"),
            cell(one, "rejected"),
            failed.join(", "),
            micros("p50"),
            micros("p99"),
            micros("max"),
            bytes("memory_peak"),
            bytes("output_peak"),
        ]
    };
    plugins.map(row).collect()
}

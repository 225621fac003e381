//! The people of the demo: decided, shown, compared.

use super::super::output::{CliError, line};
use super::talk::Talk;
use super::{table, text};
use crate::cli::manage;
use serde_json::{Value, json};

/// A row of the mapping.
pub(super) fn gives(group: &str, kind: &str, target: &str) -> Value {
    json!({ "group": { "name": group }, "kind": kind, "target": target })
}

pub(super) fn show_mapping(entries: &[Value]) {
    for entry in entries {
        let group = entry["group"]["name"].as_str().unwrap_or_default();
        line(&format!(
            "  group {group:12} gives {} {}",
            text(entry, "kind"),
            text(entry, "target")
        ));
    }
}

/// All accounts, once everything that happened so far is decided.
pub(super) fn decided(acme: &Talk) -> Result<Vec<Value>, CliError> {
    let revision = acme.get("")?["revision"].as_u64().unwrap_or(0);
    let answer = acme.get(&format!("/accounts?at_least={revision}"))?;
    let mut accounts = answer["accounts"].as_array().cloned().unwrap_or_default();
    accounts.sort_by_key(|account| text(account, "label"));
    Ok(accounts)
}

pub(super) fn show_all(accounts: &[Value]) {
    let rows: Vec<_> = accounts.iter().map(manage::account).collect();
    table(&["person", "status", "role", "seats", "why"], &rows);
}

/// Shows who changed, from what to what and why.
pub(super) fn show_changes(before: &[Value], after: &[Value]) {
    let mut rows = Vec::new();
    for now in after {
        let was = before.iter().find(|was| was["id"] == now["id"]);
        let Some(was) = was else { continue };
        let (was, now) = (manage::account(was), manage::account(now));
        if was[1..4] != now[1..4] {
            let show = |row: &[String]| row[2..4].join(", ");
            rows.push(vec![now[0].clone(), show(&was), show(&now), now[4].clone()]);
        }
    }
    if rows.is_empty() {
        line("  nobody changes");
        return;
    }
    table(&["person", "before", "after", "why"], &rows);
    let unchanged = after.len() - rows.len();
    line(&format!("  {unchanged} others stay as they are"));
}

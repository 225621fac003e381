//! What the gateway says of a component, for people.

use crate::cli::manage::cell;
use crate::cli::output;
use serde_json::Value;

/// Prints a report.
pub(super) fn print(report: &Value) {
    let outcome = match report["outcome"].as_str() {
        Some("installed") => "installed",
        Some("already-installed") => "was installed already; nothing changed",
        Some("checked") => "can be installed; nothing was",
        Some("inspected") => "a gateway would take it",
        _ => "installed",
    };
    output::line(&format!(
        "{} {}: {outcome}",
        cell(report, "name"),
        cell(report, "version")
    ));
    for (title, field) in [
        ("digest", "digest"),
        ("world", "world"),
        ("contract", "contract"),
        ("summary", "summary"),
    ] {
        output::line(&format!("  {title}: {}", cell(report, field)));
    }
    output::line(&format!(
        "  size: {} bytes; compiled in {} ms",
        cell(report, "size"),
        cell(report, "compile_ms")
    ));
    let settings: Vec<&str> = report["settings_schema"]["properties"]
        .as_object()
        .map(|settings| settings.keys().map(String::as_str).collect())
        .unwrap_or_default();
    output::line(&match settings.is_empty() {
        true => "  settings: none are named".to_owned(),
        false => format!(
            "  settings: {} (--json has the schema)",
            settings.join(", ")
        ),
    });
    output::line(match report["has_names"] == true {
        true => "  names of functions: yes",
        false => "  names of functions: no",
    });
    output::line("  imports:");
    let imports = report["imports"].as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = imports
        .map(|import| {
            let count = |field: &str| import[field].as_array().map_or(0, Vec::len).to_string();
            vec![
                cell(import, "name"),
                cell(import, "access"),
                count("granted"),
                count("answered_with_nothing"),
                count("denied"),
            ]
        })
        .collect();
    let headings = ["interface", "access", "granted", "nothing", "denied"];
    output::table_at(4, &headings, &rows);
    for warning in report["warnings"].as_array().into_iter().flatten() {
        let text = warning.as_str().unwrap_or_default();
        output::line(&format!("  warning: {text}"));
    }
}

/// Prints who uses a component.
pub(super) fn print_uses(title: &str, uses: &Value) {
    let uses = uses.as_array().map(Vec::as_slice).unwrap_or_default();
    if uses.is_empty() {
        return;
    }
    output::line(&format!("  {title}:"));
    let columns = ["by", "slot", "version", "directory", "plan", "organization"];
    let rows: Vec<Vec<String>> = uses
        .iter()
        .map(|one| columns.iter().map(|column| cell(one, column)).collect())
        .collect();
    output::table_at(4, &columns, &rows);
}

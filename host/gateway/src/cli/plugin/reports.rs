//! `gatewright plugin reports` and `replay`: calls that came to no decision.

use crate::cli::client::Connection;
use crate::cli::manage::{cell, show};
use crate::cli::output::{self, CliError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// List and show calls of policies that came to no decision, each with all that it takes to make
/// it again
///
/// One is kept of each policy and account, for 30 days, and 100 of an organization.
#[derive(Args)]
pub(super) struct Reports {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List them, the newest first
    List,
    /// Show what went wrong, with the guest's frames, its log, its settings and its input
    Show {
        /// Its id, as `list` and the alert say it: 1234-0
        id: String,
    },
}

impl Reports {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        match self.action {
            Action::List => {
                let answer = to.get(&to.path("/plugin-reports"))?;
                let columns = ["id", "slot", "plugin", "label", "count", "last", "message"];
                show(to, &answer, "reports", &columns);
            }
            Action::Show { id } => {
                let report = to.get(&to.path(&format!("/plugin-reports/{id}")))?;
                if to.json {
                    output::json(&report);
                } else {
                    print(&report);
                }
            }
        }
        Ok(())
    }
}

/// Make a call again that came to no decision, with the same input, settings and time
///
/// Nothing is changed by it. The same component gives the same result bit for bit; of a deadline,
/// that it was missed. Exits with 1 where the result is another one, which is what one hopes for
/// with --plugin.
#[derive(Args)]
#[command(after_long_help = "Examples:
  gatewright plugin replay 1234-0
  gatewright plugin replay 1234-0 --plugin acme-roles     # by the one installed last")]
pub(super) struct Replay {
    #[command(flatten)]
    connection: Connection,
    /// The report's id, as `plugin reports list` and the alert say it
    id: String,
    /// Another component than the one that was called: name or digest of an installed one
    #[arg(long)]
    plugin: Option<String>,
}

impl Replay {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let path = to.path(&format!("/plugin-reports/{}/replay", self.id));
        let body = match &self.plugin {
            Some(plugin) => json!({ "plugin": plugin }),
            None => json!({}),
        };
        let answer = to.post(&path, &body)?;
        if to.json {
            output::json(&answer);
        } else {
            heading(&answer);
            let is_same = answer["same"] == true;
            output::line(if is_same {
                "the same result, bit for bit:"
            } else {
                "another result. Then:"
            });
            result(&answer["then"]);
            if !is_same {
                output::line("now:");
                result(&answer["now"]);
            }
        }
        match answer["same"] == true {
            true => Ok(()),
            false => Err(CliError::Refused(
                "the result is another one than it was then".to_owned(),
            )),
        }
    }
}

fn heading(report: &Value) {
    output::line(&format!(
        "{} {}@{} in slot {}, about {} ({})",
        cell(report, "id"),
        cell(report, "plugin"),
        cell(report, "plugin_version"),
        cell(report, "slot"),
        cell(report, "label"),
        cell(report, "account"),
    ));
}

fn print(report: &Value) {
    heading(report);
    output::line(&format!(
        "{} times, from {} to {}",
        cell(report, "count"),
        cell(report, "since"),
        cell(report, "last"),
    ));
    result(&report["outcome"]);
    for (title, field) in [
        ("component", "digest"),
        ("settings", "settings"),
        ("grants", "grants"),
        ("limits", "limits"),
        ("told of all", "context"),
        ("told of the account", "input"),
    ] {
        output::line(&format!("  {title}: {}", cell(report, field)));
    }
    output::line(&format!("Make it again: {}", cell(report, "replay")));
}

fn result(outcome: &Value) {
    match outcome["outcome"].as_str() {
        Some("decided") => output::line(&format!("  decided: {}", outcome["decision"])),
        _ => output::line(&format!("  {}", cell(outcome, "message"))),
    }
    for frame in outcome["frames"].as_array().into_iter().flatten() {
        // A stranger's names: what a terminal would act on is spelled out.
        let frame = frame.as_str().unwrap_or_default().escape_debug();
        output::line(&format!("    at {frame}"));
    }
    for line in outcome["log"].as_array().into_iter().flatten() {
        output::line(&format!("    {}: {}", cell(line, "level"), line["text"]));
    }
}

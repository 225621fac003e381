//! `gatewright bindings`: which policies decide in which slot.

use super::client::Connection;
use super::manage::{cell, parse};
use super::output::{self, CliError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Args)]
pub(super) struct Bindings {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: BindingAction,
}

#[derive(Subcommand)]
enum BindingAction {
    /// List them: the policies of each slot, in the order of its chain
    List,
    /// Bind a plugin to a slot, or a chain of plugins; everybody is decided anew
    ///
    /// What was bound to the slot before is replaced as a whole. In a chain all are asked about the
    /// same, and what they want is put together: of statuses the most restrictive, of base roles the
    /// highest, and all custom roles and seats. Where several want the same, the first gives the
    /// reason. If one of them fails, the account keeps what it had.
    #[command(after_long_help = "Examples:
  gatewright bindings set seats group-seats --settings '{\"keep_when_leaving\": false}'
  gatewright bindings set lifecycle --chain '[
    {\"plugin\": \"group-lifecycle\", \"settings\": {\"when_in_no_group\": \"deactivate\"}},
    {\"plugin\": \"group-lifecycle\", \"settings\": {\"when_in_no_group\": \"delete\", \"grace\": \"30d\"}}
  ]'")]
    Set {
        /// lifecycle, roles or seats
        slot: String,
        /// Name or digest of an installed plugin
        #[arg(required_unless_present = "chain", conflicts_with = "chain")]
        plugin: Option<String>,
        /// Its settings, a JSON object
        #[arg(long, default_value = "{}", conflicts_with = "chain")]
        settings: String,
        /// Up to 8 plugins instead of one: a JSON list of objects with "plugin" and, as you like,
        /// "settings" and "grants"
        #[arg(long)]
        chain: Option<String>,
    },
    /// Return to what was bound before
    Rollback {
        /// lifecycle, roles or seats
        slot: String,
    },
}

impl Bindings {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let answer = match self.action {
            BindingAction::List => to.get(&to.path("/bindings"))?,
            BindingAction::Set {
                slot,
                plugin,
                settings,
                chain,
            } => {
                let body = match chain {
                    Some(chain) => json!({ "chain": parse("--chain", &chain)? }),
                    None => {
                        let settings = parse("--settings", &settings)?;
                        json!({ "plugin": plugin, "settings": settings })
                    }
                };
                to.put(&to.path(&format!("/bindings/{slot}")), &body)?
            }
            BindingAction::Rollback { slot } => {
                let path = to.path(&format!("/bindings/{slot}/rollback"));
                to.post(&path, &json!({}))?
            }
        };
        show(to, &answer);
        Ok(())
    }
}

/// A line for each policy, of a list of bindings or of one.
fn show(to: &Connection, answer: &Value) {
    if to.json {
        output::json(answer);
        return;
    }
    let one = std::slice::from_ref(answer);
    let bindings = answer["bindings"].as_array().map_or(one, Vec::as_slice);
    let mut rows = Vec::new();
    for binding in bindings {
        for policy in binding["chain"].as_array().into_iter().flatten() {
            let of_slot = ["slot", "version"].map(|name| cell(binding, name));
            let own = ["plugin", "digest", "settings"].map(|name| cell(policy, name));
            rows.push([&of_slot[..], &own].concat());
        }
    }
    output::table(&["slot", "version", "plugin", "digest", "settings"], &rows);
}

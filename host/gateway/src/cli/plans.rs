//! `gatewright plan` and `gatewright plans`: what a change would come to, and confirming it.

mod print;

use super::client::Connection;
use super::manage::{cell, document, parse, show};
use super::output::{self, CliError};
use clap::{Args, Subcommand};
use print::confirmed;
pub(super) use print::print;
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

/// How many accounts are printed where --all is not given.
const SHOWN: usize = 50;

/// How often the gateway is asked how far a plan is.
const POLL: Duration = Duration::from_millis(200);

#[derive(Args)]
pub(super) struct Plan {
    #[command(flatten)]
    connection: Connection,
    /// Another mapping: a JSON file as `gatewright mapping get` prints it
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Another catalogue: a JSON file as `gatewright catalogue get` prints it
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// Another binding of a slot: roles=PLUGIN, or roles=PLUGIN:{"default_role":"Viewer"} with settings.
    /// Can be given for each slot
    #[arg(long, value_name = "SLOT=PLUGIN")]
    bind: Vec<String>,
    /// A directory that is to come into force with it
    #[arg(long, value_name = "ID")]
    confirm_directory: Option<String>,
    /// For how many hours it can be confirmed
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    expires_hours: u32,
    /// Confirm it as soon as it is computed and printed
    #[arg(long)]
    confirm: bool,
    #[command(flatten)]
    confirmation: Confirmation,
    /// Print all accounts that change, not the first 50
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
pub(super) struct Confirmation {
    /// Who confirms, by email or account id: refused where that person would lose the owner role, or
    /// would not have it where a directory comes into force
    #[arg(long, value_name = "WHO")]
    acting: Option<String>,
    /// Accept that nobody, or not you, is owner afterwards: "I accept to be locked out"
    #[arg(long, value_name = "WORDS")]
    accept_lockout: Option<String>,
}

impl Confirmation {
    pub(super) fn body(&self) -> Value {
        let mut body = json!({});
        if let Some(acting) = &self.acting {
            body["acting"] = acting.as_str().into();
        }
        if let Some(words) = &self.accept_lockout {
            body["accept_lockout"] = words.as_str().into();
        }
        body
    }
}

impl Plan {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let mut body = json!({ "expires_hours": self.expires_hours });
        if let Some(file) = &self.mapping {
            body["mapping"] = document(file)?;
        }
        if let Some(file) = &self.catalogue {
            body["catalogue"] = document(file)?;
        }
        for bind in &self.bind {
            let (slot, binding) = binding(bind)?;
            body["bindings"][slot] = binding;
        }
        if let Some(directory) = &self.confirm_directory {
            body["confirm"] = directory.as_str().into();
        }
        let Proposed {
            id,
            plan: mut shown,
            accounts,
        } = propose(to, &body, self.all)?;
        if self.confirm {
            let path = to.path(&format!("/plans/{id}/confirm"));
            shown = to
                .post(&path, &self.confirmation.body())
                .map_err(|error| see(error, &id))?;
        }
        if to.json {
            shown["accounts"] = accounts.into();
            output::json(&shown);
            return Ok(());
        }
        print(&shown, &accounts);
        if self.confirm {
            confirmed(&shown);
        } else {
            output::line("");
            output::line(&format!(
                "Nothing has changed yet. To apply it: gatewright plans confirm {id}"
            ));
        }
        Ok(())
    }
}

/// A plan that was made and computed.
pub(super) struct Proposed {
    pub(super) id: String,
    pub(super) plan: Value,
    /// Those that it changes: the first, or all.
    pub(super) accounts: Vec<Value>,
}

/// Makes a plan and waits until it is computed.
pub(super) fn propose(to: &Connection, body: &Value, all: bool) -> Result<Proposed, CliError> {
    let made = to.post(&to.path("/plans"), body)?;
    let id = cell(&made, "id");
    let plan = wait(to, &id)?;
    if let Some(why) = plan["why"].as_str() {
        return Err(CliError::Refused(format!("plan {id}: {why}")));
    }
    let most = if all || to.json { usize::MAX } else { SHOWN };
    let accounts = accounts(to, &id, most)?;
    Ok(Proposed { id, plan, accounts })
}

/// Says where the plan is that could not be confirmed: a command that fails prints nothing else.
pub(super) fn see(error: CliError, id: &str) -> CliError {
    match error {
        CliError::Refused(why) => {
            CliError::Refused(format!("{why} (gatewright plans show {id} has the plan)"))
        }
        other => other,
    }
}

/// `roles=group-roles` or `roles=group-roles:{"default_role":"Viewer"}`.
fn binding(text: &str) -> Result<(&str, Value), CliError> {
    let usage = || {
        CliError::Usage(format!(
            "--bind {text}: write SLOT=PLUGIN or SLOT=PLUGIN:SETTINGS"
        ))
    };
    let (slot, rest) = text.split_once('=').ok_or_else(usage)?;
    let (plugin, settings) = match rest.split_once(':') {
        Some((plugin, settings)) => (plugin, parse("--bind", settings)?),
        None => (rest, json!({})),
    };
    if slot.is_empty() || plugin.is_empty() {
        return Err(usage());
    }
    Ok((slot, json!({ "plugin": plugin, "settings": settings })))
}

#[derive(Args)]
pub(super) struct Plans {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: PlansAction,
}

#[derive(Subcommand)]
enum PlansAction {
    /// List them, the oldest first
    List,
    /// Show one, with the accounts that it changes
    Show {
        /// Its id
        id: String,
        /// Only accounts that change in this way: gains, loses, role-up, role-down, activated,
        /// deactivated, deleted or failed
        #[arg(long)]
        kind: Option<String>,
    },
    /// What becomes of the users of a directory that one puts into force
    Links {
        /// Its id
        id: String,
        /// Only these: linked, new, waiting (for a person), or unlinked: accounts that no user claims
        #[arg(long)]
        kind: Option<String>,
    },
    /// Apply one as it was shown; refused where that is no longer so
    Confirm {
        /// Its id
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Forget one; nothing that it proposes comes into force
    Delete {
        /// Its id
        id: String,
    },
}

impl Plans {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        match self.action {
            PlansAction::List => {
                let answer = to.get(&to.path("/plans"))?;
                let columns = [
                    "id",
                    "state",
                    "/counts/accounts",
                    "changes",
                    "created",
                    "expires",
                ];
                show(to, &answer, "plans", &columns);
            }
            PlansAction::Show { id, kind } => {
                let mut plan = to.get(&to.path(&format!("/plans/{id}")))?;
                let filter = kind.map_or_else(String::new, |kind| format!("&kind={kind}"));
                let accounts = pages(to, &id, ("accounts", &filter), usize::MAX)?;
                if to.json {
                    plan["accounts"] = accounts.into();
                    output::json(&plan);
                } else {
                    print(&plan, &accounts);
                }
            }
            PlansAction::Links { id, kind } => {
                let filter = kind.map_or_else(String::new, |kind| format!("&kind={kind}"));
                let links = pages(to, &id, ("links", &filter), usize::MAX)?;
                let columns = ["label", "kind", "account", "message"];
                show(to, &json!({ "links": links }), "links", &columns);
            }
            PlansAction::Confirm { id, confirmation } => {
                let path = to.path(&format!("/plans/{id}/confirm"));
                let plan = to.post(&path, &confirmation.body())?;
                if to.json {
                    output::json(&plan);
                } else {
                    confirmed(&plan);
                }
            }
            PlansAction::Delete { id } => {
                let answer = to.delete(&to.path(&format!("/plans/{id}")))?;
                if to.json {
                    output::json(&answer);
                } else {
                    output::line(&format!("plan {id} is deleted"));
                }
            }
        }
        Ok(())
    }
}

/// Waits until a plan is computed, and says how far it is to a person who looks on.
fn wait(to: &Connection, id: &str) -> Result<Value, CliError> {
    let path = to.path(&format!("/plans/{id}"));
    let watched = !to.json && std::io::stderr().is_terminal();
    loop {
        let plan = to.get(&path)?;
        let computing = plan["state"] == "computing";
        if watched {
            let progress = &plan["progress"];
            let (done, all) = (&progress["considered"], &progress["of_about"]);
            let end = if computing { "" } else { "\n" };
            let mut to = std::io::stderr().lock();
            // Nobody to tell is no fault.
            let _ = write!(to, "\rcomputing: {done} of about {all} accounts{end}");
            let _ = to.flush();
        }
        if !computing {
            return Ok(plan);
        }
        std::thread::sleep(POLL);
    }
}

fn accounts(to: &Connection, id: &str, most: usize) -> Result<Vec<Value>, CliError> {
    pages(to, id, ("accounts", ""), most)
}

fn pages(
    to: &Connection,
    id: &str,
    (list, filter): (&str, &str),
    most: usize,
) -> Result<Vec<Value>, CliError> {
    let mut found = Vec::new();
    let mut after = String::new();
    while found.len() < most {
        let limit = (most - found.len()).min(1_000);
        let path = format!("/plans/{id}/{list}?limit={limit}{filter}{after}");
        let page = to.get(&to.path(&path))?;
        found.extend(page[list].as_array().cloned().unwrap_or_default());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    Ok(found)
}

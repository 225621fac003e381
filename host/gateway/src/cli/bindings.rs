//! `gatewright bindings`: which policies decide in which slot.

use super::client::Connection;
use super::health;
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
        #[command(flatten)]
        policies: Policies,
        #[command(flatten)]
        audit: Audit,
    },
    /// Show what calls of the policies come to and cost, and whether they are asked at all
    ///
    /// Counted since the gateway began or the binding changed. Times are of a call for up to 16
    /// accounts. A breaker is open where policies fail for half of the accounts or for all: nobody is
    /// decided until the next try.
    Health {
        /// lifecycle, roles or seats; without it all three
        slot: Option<String>,
    },
    /// List what was bound to a slot, how, by whom and why: the newest version first
    Versions {
        /// lifecycle, roles or seats
        slot: String,
    },
    /// Return to an earlier version with its settings; everybody is decided anew
    Rollback {
        /// lifecycle, roles or seats
        slot: String,
        /// The version, as `versions` lists it; without it, what was bound before
        #[arg(long, value_name = "VERSION")]
        to: Option<u64>,
        #[command(flatten)]
        audit: Audit,
    },
    /// Have a slot's policies not be asked: accounts keep what they have of it
    ///
    /// The other slots go on deciding, and what the identity provider says of who is active goes on
    /// taking effect. Binding, rolling back or activating something ends the pause.
    Pause {
        /// lifecycle, roles or seats
        slot: String,
        #[command(flatten)]
        audit: Audit,
    },
    /// Have them be asked again; everybody is decided anew
    Resume {
        /// lifecycle, roles or seats
        slot: String,
        #[command(flatten)]
        audit: Audit,
    },
    /// Try policies beside those that decide, and see for whom they want something else
    #[command(after_long_help = "Examples:
  gatewright bindings shadow start roles acme-roles --settings '{\"default\": \"Viewer\"}'
  gatewright bindings shadow differences roles
  gatewright bindings shadow activate roles --by ada@example.com --why 'tried for a week'")]
    Shadow {
        #[command(subcommand)]
        action: ShadowAction,
    },
}

#[derive(Subcommand)]
enum ShadowAction {
    /// Start: everybody is decided anew with the policies in force, and tried with these
    Start {
        /// lifecycle, roles or seats
        slot: String,
        #[command(flatten)]
        policies: Policies,
        #[command(flatten)]
        audit: Audit,
    },
    /// How many were tried, and for how many something else is wanted
    Status {
        /// lifecycle, roles or seats
        slot: String,
    },
    /// List the accounts for which something else is wanted, with what they have and would have
    Differences {
        /// lifecycle, roles or seats
        slot: String,
    },
    /// Bind what was tried; everybody is decided anew
    Activate {
        /// lifecycle, roles or seats
        slot: String,
        #[command(flatten)]
        audit: Audit,
    },
    /// Stop, and forget what it wanted
    Stop {
        /// lifecycle, roles or seats
        slot: String,
        #[command(flatten)]
        audit: Audit,
    },
}

/// Which policies.
#[derive(Args)]
struct Policies {
    /// Name or digest of an installed plugin
    #[arg(required_unless_present = "chain", conflicts_with = "chain")]
    plugin: Option<String>,
    /// Its settings, a JSON object
    #[arg(long, default_value = "{}", conflicts_with = "chain")]
    settings: String,
    /// What it may grant at most, a JSON object
    #[arg(long, conflicts_with = "chain")]
    grants: Option<String>,
    /// What a call of it may use, where that is less than the gateway allows, a JSON object with
    /// "time_ms", "memory_mib" or "output_kib"
    #[arg(long, conflicts_with = "chain")]
    limits: Option<String>,
    /// Up to 8 plugins instead of one: a JSON list of objects with "plugin" and, as you like,
    /// "settings", "grants" and "limits"
    #[arg(long)]
    chain: Option<String>,
}

/// What is kept with the change.
#[derive(Args)]
struct Audit {
    /// Who does this, kept with the change
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Why, kept with the change
    #[arg(long, value_name = "WORDS")]
    why: Option<String>,
}

impl Policies {
    fn body(&self, audit: &Audit) -> Result<Value, CliError> {
        let mut body = match &self.chain {
            Some(chain) => json!({ "chain": parse("--chain", chain)? }),
            None => {
                let settings = parse("--settings", &self.settings)?;
                json!({ "plugin": self.plugin, "settings": settings })
            }
        };
        for (name, option, given) in [
            ("grants", "--grants", &self.grants),
            ("limits", "--limits", &self.limits),
        ] {
            if let Some(given) = given {
                body[name] = parse(option, given)?;
            }
        }
        body["by"] = json!(audit.by);
        body["why"] = json!(audit.why);
        Ok(body)
    }
}

impl Audit {
    fn body(&self) -> Value {
        json!({ "by": self.by, "why": self.why })
    }
}

impl Bindings {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let path = |slot: &str, below: &str| to.path(&format!("/bindings/{slot}{below}"));
        let answer = match self.action {
            BindingAction::List => to.get(&to.path("/bindings"))?,
            BindingAction::Health { slot } => return health::of_slots(to, slot.as_deref()),
            BindingAction::Set {
                slot,
                policies,
                audit,
            } => to.put(&path(&slot, ""), &policies.body(&audit)?)?,
            BindingAction::Versions { slot } => {
                let answer = to.get(&path(&slot, "/versions?limit=100"))?;
                versions(to, &answer);
                return Ok(());
            }
            BindingAction::Rollback {
                slot,
                to: version,
                audit,
            } => {
                let mut body = audit.body();
                body["to"] = json!(version);
                to.post(&path(&slot, "/rollback"), &body)?
            }
            BindingAction::Pause { slot, audit } => {
                to.post(&path(&slot, "/pause"), &audit.body())?
            }
            BindingAction::Resume { slot, audit } => {
                to.post(&path(&slot, "/resume"), &audit.body())?
            }
            BindingAction::Shadow { action } => match action {
                ShadowAction::Activate { slot, audit } => {
                    to.post(&path(&slot, "/shadow/activate"), &audit.body())?
                }
                ShadowAction::Start {
                    slot,
                    policies,
                    audit,
                } => {
                    let answer = to.put(&path(&slot, "/shadow"), &policies.body(&audit)?)?;
                    shadow(to, &answer);
                    return Ok(());
                }
                ShadowAction::Status { slot } => {
                    shadow(to, &to.get(&path(&slot, "/shadow"))?);
                    return Ok(());
                }
                ShadowAction::Stop { slot, audit } => {
                    shadow(to, &to.post(&path(&slot, "/shadow/stop"), &audit.body())?);
                    return Ok(());
                }
                ShadowAction::Differences { slot } => {
                    return differences(to, &path(&slot, "/shadow/differences"));
                }
            },
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
        let state = if binding["paused"] == true {
            "paused"
        } else {
            "decides"
        };
        for policy in binding["chain"].as_array().into_iter().flatten() {
            let of_slot = ["slot", "version"].map(|name| cell(binding, name));
            let own = ["plugin", "digest", "settings"].map(|name| cell(policy, name));
            rows.push([&of_slot[..], &[state.to_owned()], &own].concat());
        }
    }
    let headings = ["slot", "version", "state", "plugin", "digest", "settings"];
    output::table(&headings, &rows);
}

/// A line for each version.
fn versions(to: &Connection, answer: &Value) {
    if to.json {
        output::json(answer);
        return;
    }
    let list = answer["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<String>> = list
        .iter()
        .map(|version| {
            let how = match (&version["to"], &version["plan"]) {
                (Value::Number(to), _) => format!("rolled back to {to}"),
                (_, Value::String(plan)) => format!("plan {plan}"),
                _ => cell(version, "how"),
            };
            let policies = version["chain"].as_array().map_or(&[][..], Vec::as_slice);
            let policies = policies
                .iter()
                .map(|one| format!("{} {}", cell(one, "plugin"), cell(one, "settings")));
            let policies = policies.collect::<Vec<_>>().join(", ");
            let [number, at, by, why] =
                ["version", "bound", "by", "why"].map(|name| cell(version, name));
            vec![number, at, how, by, why, policies]
        })
        .collect();
    output::table(&["version", "at", "how", "by", "why", "policies"], &rows);
}

/// How far what runs in shadow is.
fn shadow(to: &Connection, answer: &Value) {
    if to.json {
        output::json(answer);
        return;
    }
    let columns = [
        "slot",
        "started",
        "tried",
        "different",
        "failed",
        "by",
        "why",
    ];
    output::table(&columns, &[columns.map(|name| cell(answer, name)).to_vec()]);
    if let Some(why) = answer["stopped"].as_str() {
        output::line(&format!("stopped: {why}"));
    }
}

/// All differences, page by page.
fn differences(to: &Connection, path: &str) -> Result<(), CliError> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page = to.get(&format!("{path}?limit=1000{after}"))?;
        all.extend(page["differences"].as_array().cloned().unwrap_or_default());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    if to.json {
        output::json(&json!({ "differences": all }));
        return Ok(());
    }
    print_differences(&Value::Array(all));
    Ok(())
}

/// A line for each account for which something else is wanted.
pub(super) fn print_differences(all: &Value) {
    let all = all.as_array().into_iter().flatten();
    let rows: Vec<Vec<String>> = all
        .map(|one| {
            let wanted = match one["failure"].as_str() {
                Some(why) => format!("no decision: {why}"),
                None => holding(&one["shadow"]),
            };
            vec![cell(one, "label"), holding(&one["active"]), wanted]
        })
        .collect();
    output::table(&["account", "decided", "in shadow"], &rows);
}

/// Status and names of grants, in a line.
fn holding(holding: &Value) -> String {
    let lists = ["custom_roles", "seats"].map(|list| holding[list].as_array());
    let lists = lists.into_iter().flatten().flatten();
    let names = std::iter::once(&holding["role"]).chain(lists);
    let names = names.filter_map(|grant| grant["name"].as_str());
    let names: Vec<&str> = holding["status"]
        .as_str()
        .into_iter()
        .chain(names)
        .collect();
    names.join(", ")
}

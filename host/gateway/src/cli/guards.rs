//! `gatewright guards`, `holds`, `removals`, `explain` and `history`: what the guards keep from
//! happening, why an account has what it has, and who had what when.

use super::client::Connection;
use super::manage::{cell, created, show};
use super::output::{self, CliError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

const STATE: [&str; 8] = [
    "window_minutes",
    "number",
    "share_percent",
    "allowed",
    "removals",
    "deactivations",
    "tripped",
    "waiting",
];

#[derive(Args)]
pub(super) struct Guards {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: GuardAction,
}

#[derive(Subcommand)]
enum GuardAction {
    /// Show when the brake on mass removal trips, and how near it is
    Show,
    /// Set when it trips; what is not named is as shipped: 10 accounts or 5 % within 60 minutes
    Set {
        /// How long a removal counts: 1 to 10080
        #[arg(long, value_name = "MINUTES")]
        window_minutes: Option<u32>,
        /// So many accounts may lose something within that time, whatever their share
        #[arg(long)]
        number: Option<u32>,
        /// So many of a hundred may, where that is more; 100 lets everything through
        #[arg(long, value_name = "PERCENT")]
        share_percent: Option<u32>,
    },
}

impl Guards {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let path = to.path("/guards");
        let answer = match self.action {
            GuardAction::Show => to.get(&path)?,
            GuardAction::Set {
                window_minutes,
                number,
                share_percent,
            } => {
                let mut body = json!({});
                for (name, value) in [
                    ("window_minutes", window_minutes),
                    ("number", number),
                    ("share_percent", share_percent),
                ] {
                    if let Some(value) = value {
                        body[name] = value.into();
                    }
                }
                to.put(&path, &body)?
            }
        };
        created(to, &answer, &STATE);
        Ok(())
    }
}

/// Which accounts are meant.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Their ids
    accounts: Vec<String>,
    /// All of them
    #[arg(long)]
    all: bool,
}

impl Which {
    fn body(&self) -> Value {
        if self.all {
            json!({ "all": true })
        } else {
            json!({ "accounts": self.accounts })
        }
    }
}

#[derive(Args)]
pub(super) struct Holds {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: HoldAction,
}

#[derive(Subcommand)]
enum HoldAction {
    /// List what accounts keep though no policy wants it
    List,
    /// It was meant: the policies take it
    Approve(Which),
    /// It was not meant: the accounts keep it until their own facts change
    Reject(Which),
}

impl Holds {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let (name, which) = match self.action {
            HoldAction::List => {
                let answer = all(to, "/holds", "holds")?;
                let columns = ["account", "label", "why", "wanted", "since"];
                show(to, &with_why(answer), "holds", &columns);
                return Ok(());
            }
            HoldAction::Approve(which) => ("approve", which),
            HoldAction::Reject(which) => ("reject", which),
        };
        let answer = to.post(&to.path(&format!("/holds/{name}")), &which.body())?;
        created(to, &answer, &STATE);
        Ok(())
    }
}

fn with_why(mut answer: Value) -> Value {
    for hold in answer["holds"].as_array_mut().into_iter().flatten() {
        let why = match (&hold["pinned"], &hold["owner"]) {
            (Value::Bool(true), _) => "pinned by a person",
            (_, Value::Bool(true)) => "last owner",
            _ => "mass removal",
        };
        hold["why"] = why.into();
    }
    answer
}

#[derive(Args)]
pub(super) struct Removals {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: RemovalAction,
}

#[derive(Subcommand)]
enum RemovalAction {
    /// List what accounts lost within the window
    List,
    /// Give it back, and keep it so until the accounts' own facts change
    Restore(Which),
    /// It was meant: forget it
    Accept,
}

impl Removals {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let answer = match self.action {
            RemovalAction::List => {
                let answer = all(to, "/removals", "removals")?;
                let columns = ["account", "label", "at", "by_provider", "status", "lost"];
                show(to, &answer, "removals", &columns);
                return Ok(());
            }
            RemovalAction::Restore(which) => {
                to.post(&to.path("/removals/restore"), &which.body())?
            }
            RemovalAction::Accept => to.post(&to.path("/removals/accept"), &json!({}))?,
        };
        created(to, &answer, &STATE);
        Ok(())
    }
}

/// All pages of a list.
fn all(to: &Connection, path: &str, list: &str) -> Result<Value, CliError> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let answer = to.get(&to.path(&format!("{path}?limit=1000{after}")))?;
        items.extend(answer[list].as_array().cloned().unwrap_or_default());
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(json!({ list: items })),
        }
    }
}

#[derive(Args)]
pub(super) struct Explain {
    #[command(flatten)]
    connection: Connection,
    /// The account's id, or an email of its user
    account: String,
}

impl Explain {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let id = self.id()?;
        let answer = to.get(&to.path(&format!("/accounts/{id}/explain")))?;
        if to.json {
            output::json(&answer);
            return Ok(());
        }
        output::line(&format!(
            "{}: {} ({})",
            cell(&answer, "label"),
            cell(&answer, "status"),
            cell(&answer, "status_reason")
        ));
        let rows = |name: &str, columns: &[&str]| -> Vec<Vec<String>> {
            let items = answer[name].as_array().into_iter().flatten();
            items
                .map(|item| columns.iter().map(|column| cell(item, column)).collect())
                .collect()
        };
        output::line("\nhas");
        output::table(
            &["kind", "name", "why", "by", "since", "request"],
            &rows(
                "has",
                &["kind", "name", "reason", "/by/plugin", "since", "request"],
            ),
        );
        output::line("\nhas not");
        output::table(
            &["kind", "name", "why"],
            &rows("has_not", &["kind", "name", "why"]),
        );
        if let Some(why) = answer["held"]["why"].as_str() {
            let wanted = cell(&answer["held"], "wanted");
            output::line(&format!("\nheld: {why}; its policies want: {wanted}"));
        }
        output::line("\nhistory");
        output::table(
            &["from", "until", "kind", "name", "why", "why it ended"],
            &rows(
                "history",
                &["from", "until", "kind", "name", "reason", "ended_reason"],
            ),
        );
        Ok(())
    }

    fn id(&self) -> Result<String, CliError> {
        if !self.account.contains('@') {
            return Ok(self.account.clone());
        }
        let to = &self.connection;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("email", &self.account);
        let answer = to.get(&to.path(&format!("/accounts?{}", query.finish())))?;
        match answer["accounts"].as_array().map(Vec::as_slice) {
            Some([one]) => Ok(cell(one, "id")),
            Some([]) | None => Err(CliError::Refused(format!(
                "no account's user has the email {}",
                self.account
            ))),
            Some(several) => Err(CliError::Refused(format!(
                "{} is the email of several accounts: say which of {}",
                self.account,
                several
                    .iter()
                    .map(|one| cell(one, "id"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ))),
        }
    }
}

#[derive(Args)]
pub(super) struct History {
    #[command(flatten)]
    connection: Connection,
    /// The name of the role or seat; with --kind status: active, deactivated or deleted
    name: String,
    /// base-role, custom-role, seat or status
    #[arg(long, default_value = "base-role")]
    kind: String,
    /// At what time, such as 2026-03-03T12:00:00Z; without it, now
    #[arg(long)]
    at: Option<String>,
}

impl History {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("kind", &self.kind);
        query.append_pair("name", &self.name);
        query.append_pair("limit", "1000");
        if let Some(at) = &self.at {
            query.append_pair("at", at);
        }
        let query = query.finish();
        let mut accounts = Vec::new();
        let mut after = String::new();
        loop {
            let answer = to.get(&to.path(&format!("/history?{query}{after}")))?;
            accounts.extend(answer["accounts"].as_array().cloned().unwrap_or_default());
            match answer["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        let columns = ["label", "account", "from", "until", "reason"];
        show(to, &json!({ "accounts": accounts }), "accounts", &columns);
        Ok(())
    }
}

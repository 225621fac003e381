//! The commands that manage a running gateway.

use super::client::Connection;
use super::output::{self, CliError};
use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Display;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(super) struct Organizations {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: OrganizationAction,
}

#[derive(Subcommand)]
enum OrganizationAction {
    /// List them
    List,
    /// Create one; prints the key for its application, once
    Create {
        /// What people call it
        name: String,
    },
}

impl Organizations {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        match self.action {
            OrganizationAction::List => {
                let answer = to.get("/organizations")?;
                show(to, &answer, "organizations", &["id", "name", "created"]);
            }
            OrganizationAction::Create { name } => {
                let answer = to.post("/organizations", &json!({ "name": name }))?;
                created(to, &answer, &["id", "name", "api_key"]);
            }
        }
        Ok(())
    }
}

#[derive(Args)]
pub(super) struct Tokens {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: TokenAction,
}

#[derive(Subcommand)]
enum TokenAction {
    /// List them; the tokens themselves are kept nowhere
    List,
    /// Create one and print it, once
    Create {
        /// The directory it is for; without it, for the application
        #[arg(long)]
        directory: Option<String>,
    },
    /// Revoke one: requests with it are refused from now on
    Revoke {
        /// Its id
        id: String,
    },
}

impl Tokens {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        match self.action {
            TokenAction::List => {
                let answer = to.get(&to.path("/tokens"))?;
                let columns = ["id", "for", "directory", "hint", "created", "revoked"];
                show(to, &answer, "tokens", &columns);
            }
            TokenAction::Create { directory } => {
                let body = json!({ "directory": directory });
                let answer = to.post(&to.path("/tokens"), &body)?;
                created(to, &answer, &["id", "token"]);
            }
            TokenAction::Revoke { id } => {
                let answer = to.delete(&to.path(&format!("/tokens/{id}")))?;
                created(to, &answer, &["id", "hint", "revoked"]);
            }
        }
        Ok(())
    }
}

#[derive(Args)]
pub(super) struct Mapping {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: MappingAction,
}

#[derive(Subcommand)]
enum MappingAction {
    /// Say which group an entry means that names it by name or external id, where several match or the
    /// first one is gone
    Pin {
        /// The entry's id
        entry: String,
        /// The group's id
        group: String,
    },
    /// Print it as JSON
    Get,
    /// Replace it as a whole
    Set {
        /// A JSON file, as `get` prints it
        file: PathBuf,
    },
}

impl Mapping {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let path = to.path("/mapping");
        let answer = match self.action {
            MappingAction::Pin { entry, group } => to.post(
                &to.path(&format!("/mapping/{entry}/pin")),
                &json!({ "group": group }),
            )?,
            MappingAction::Get => to.get(&path)?,
            MappingAction::Set { file } => to.put(&path, &document(&file)?)?,
        };
        output::json(&answer);
        Ok(())
    }
}

/// Reads a mapping as `get` prints it, without what the gateway says itself: ids and pins.
pub(super) fn document(file: &Path) -> Result<Value, CliError> {
    let mut body: Value = read(file)?;
    let entries = body.get_mut("entries").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("id");
            entry.remove("pin");
        }
    }
    Ok(body)
}

#[derive(Args)]
pub(super) struct Events {
    #[command(flatten)]
    connection: Connection,
    /// Only events after this cursor
    #[arg(long)]
    after: Option<String>,
}

impl Events {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let mut after = self.after;
        loop {
            let cursor = after
                .as_ref()
                .map(|after| format!("&after={after}"))
                .unwrap_or_default();
            let answer = to.get(&to.path(&format!("/events?limit=1000{cursor}")))?;
            for event in answer["events"].as_array().into_iter().flatten() {
                if to.json {
                    output::line(&event.to_string());
                } else {
                    let cells = ["id", "at", "type"].map(|name| cell(event, name));
                    output::line(&format!("{}  {}", cells.join("  "), event["data"]));
                }
            }
            if answer["more"] != true {
                return Ok(());
            }
            after = answer["next"].as_str().map(str::to_owned);
        }
    }
}

#[derive(Args)]
pub(super) struct Alerts {
    #[command(flatten)]
    connection: Connection,
}

impl Alerts {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let answer = to.get(&to.path("/alerts"))?;
        show(
            to,
            &answer,
            "alerts",
            &[
                "slot", "kind", "account", "count", "since", "message", "report",
            ],
        );
        Ok(())
    }
}

/// A row for people: role and seats, each with its reason.
pub(super) fn account(account: &Value) -> Vec<String> {
    let seats: Vec<String> = account["seats"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|seat| cell(seat, "name"))
        .collect();
    let role = &account["role"];
    let mut why = vec![cell(role, "reason")];
    for seat in account["seats"].as_array().into_iter().flatten() {
        why.push(format!("{}: {}", cell(seat, "name"), cell(seat, "reason")));
    }
    vec![
        cell(account, "label"),
        cell(account, "status"),
        cell(role, "name"),
        seats.join(", "),
        why.join("; "),
    ]
}

pub(super) fn show(to: &Connection, answer: &Value, list: &str, columns: &[&str]) {
    if to.json {
        output::json(answer);
        return;
    }
    let rows: Vec<Vec<String>> = answer[list]
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| columns.iter().map(|column| cell(item, column)).collect())
        .collect();
    let headings: Vec<&str> = columns
        .iter()
        .map(|column| column.trim_start_matches('/'))
        .collect();
    output::table(&headings, &rows);
}

pub(super) fn created(to: &Connection, answer: &Value, fields: &[&str]) {
    if to.json {
        output::json(answer);
        return;
    }
    for field in fields {
        output::line(&format!(
            "{}: {}",
            field.trim_start_matches('/'),
            cell(answer, field)
        ));
    }
}

/// A field, or a JSON Pointer where the name begins with a slash.
pub(super) fn cell(item: &Value, name: &str) -> String {
    let value = if name.starts_with('/') {
        item.pointer(name)
    } else {
        item.get(name)
    };
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

pub(super) fn parse(option: &str, text: &str) -> Result<Value, CliError> {
    serde_json::from_str(text)
        .map_err(|error| CliError::Usage(format!("{option} is not JSON: {error}")))
}

/// Reads a JSON file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, CliError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| CliError::file("read", path, error))?;
    let wrong = |error: &dyn Display| CliError::Usage(format!("{}: {error}", path.display()));
    let mut json = serde_json::Deserializer::from_str(&text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| wrong(&error))?;
    json.end().map_err(|error| wrong(&error))?;
    Ok(read)
}

//! `gatewright requests`: the log of requests of a directory.

use super::client::Connection;
use super::manage::{cell, parse};
use super::output::{self, CliError, line};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Args)]
pub(super) struct Requests {
    #[command(flatten)]
    connection: Connection,
    /// The directory's id; not needed where there is only one
    #[arg(long, global = true)]
    directory: Option<String>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List them, the newest first
    List {
        /// About this user or group: id, userName, displayName, or what a lookup asked for
        #[arg(long)]
        user: Option<String>,
        /// With this status (409), or of this class (4xx)
        #[arg(long)]
        status: Option<String>,
        /// With this method
        #[arg(long)]
        method: Option<String>,
        /// From this time on: 2026-01-31T12:00:00Z
        #[arg(long)]
        after: Option<String>,
        /// Before this time
        #[arg(long)]
        before: Option<String>,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Show all that is kept of one
    Show {
        /// Its id: that of the answer's Gatewright-Request-Id
        id: String,
    },
    /// Run one again without any effect, and show what differs from then
    Replay {
        /// Its id
        id: String,
        /// Another provider plugin than the directory's: name or digest
        #[arg(long)]
        plugin: Option<String>,
        /// The plugin's settings, a JSON object
        #[arg(long)]
        settings: Option<String>,
    },
}

impl Requests {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let base = to.path(&format!("/directories/{}/requests", self.directory()?));
        match self.action {
            Action::List {
                user,
                status,
                method,
                after,
                before,
                limit,
            } => {
                let mut query = form_urlencoded::Serializer::new(String::new());
                let wanted = [
                    ("user", user),
                    ("status", status),
                    ("method", method),
                    ("after", after),
                    ("before", before),
                ];
                for (name, value) in wanted {
                    if let Some(value) = value {
                        query.append_pair(name, &value);
                    }
                }
                let requests = list(to, &format!("{base}?{}", query.finish()), limit)?;
                if to.json {
                    output::json(&json!({ "requests": requests }));
                } else {
                    table(&requests);
                }
            }
            Action::Show { id } => {
                let request = to.get(&format!("{base}/{id}"))?;
                if to.json {
                    output::json(&request);
                } else {
                    show(&request);
                }
            }
            Action::Replay {
                id,
                plugin,
                settings,
            } => {
                let mut body = json!({});
                if let Some(plugin) = plugin {
                    body["plugin"] = plugin.into();
                }
                if let Some(settings) = settings {
                    body["settings"] = parse("--settings", &settings)?;
                }
                let replayed = to.post(&format!("{base}/{id}/replay"), &body)?;
                if to.json {
                    output::json(&replayed);
                } else {
                    replay(&replayed);
                }
            }
        }
        Ok(())
    }

    fn directory(&self) -> Result<String, CliError> {
        if let Some(id) = &self.directory {
            return Ok(id.clone());
        }
        let answer = self.connection.get(&self.connection.path("/directories"))?;
        match answer["directories"].as_array().map(Vec::as_slice) {
            Some([only]) => Ok(cell(only, "id")),
            _ => Err(CliError::Usage(
                "--directory: there is not exactly one, so say which; `gatewright directories \
                 list` has their ids"
                    .into(),
            )),
        }
    }
}

/// Goes from page to page until there are enough.
fn list(to: &Connection, path: &str, limit: usize) -> Result<Vec<Value>, CliError> {
    let mut requests = Vec::new();
    let mut cursor = String::new();
    while requests.len() < limit {
        let page = (limit - requests.len()).min(1_000);
        let answer = to.get(&format!("{path}&limit={page}{cursor}"))?;
        requests.extend(answer["requests"].as_array().cloned().unwrap_or_default());
        match answer["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    Ok(requests)
}

fn table(requests: &[Value]) {
    let row = |request: &Value| {
        if let Some(left_out) = request["left_out"].as_u64() {
            let text = format!("{left_out} requests were left out");
            return vec![cell(request, "at"), String::new(), String::new(), text];
        }
        vec![
            cell(request, "at"),
            cell(request, "status"),
            cell(request, "method"),
            called(request),
            cell(request, "name"),
            cell(request, "repaired"),
            format!("{:.1}", request["took_ms"].as_f64().unwrap_or(0.0)),
            cell(request, "id"),
        ]
    };
    output::table(
        &[
            "at", "status", "method", "path", "about", "repaired", "ms", "id",
        ],
        &requests.iter().map(row).collect::<Vec<_>>(),
    );
}

/// The path below the directory, with its query in readable form.
fn called(request: &Value) -> String {
    let path = cell(request, "path");
    let below = path.splitn(5, '/').nth(4).unwrap_or(&path).to_owned();
    let query = cell(request, "query");
    let query: Vec<String> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut called = format!("/{below}");
    if !query.is_empty() {
        called = format!("{called}?{}", query.join("&"));
    }
    if called.chars().count() > 80 {
        called = called.chars().take(77).chain("...".chars()).collect();
    }
    called
}

fn show(request: &Value) {
    let field = |name: &str| cell(request, name);
    line(&format!("{} {}", field("method"), field("path")));
    for (name, label) in [
        ("query", "query"),
        ("id", "id"),
        ("at", "at"),
        ("status", "status"),
        ("took_ms", "took, ms"),
        ("revision", "revision"),
        ("token", "token"),
        ("name", "about"),
        ("resource_id", "about, id"),
    ] {
        if !field(name).is_empty() {
            line(&format!("{label}: {}", field(name)));
        }
    }
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        line(&format!("{name}: {}", value.as_str().unwrap_or_default()));
    }
    body("body", &request["body"]);
    changes("the provider plugin changed", &request["plugin"]["body"]);
    if let Some(query) = request["plugin"]["query"].as_str() {
        line(&format!(
            "the provider plugin changed the query to: {query}"
        ));
    }
    sentences("repaired", &request["repaired"]);
    sentences("ignored", &request["ignored"]);
    body("answer", &request["answer"]);
}

fn replay(replayed: &Value) {
    let (then, now) = (&replayed["then"], &replayed["now"]);
    let difference = &replayed["difference"];
    line(&format!("plugin: {}", cell(&replayed["plugin"], "name")));
    line(&format!(
        "status: {} then, {} now",
        then["status"], now["status"]
    ));
    if replayed["created_taken_away"] == true {
        line("what the request created then was taken away first, in this dry run alone");
    }
    if replayed["same"] == true {
        line("the same as then; nothing was written");
        return;
    }
    if let Some([then, now]) = difference["query"].as_array().map(Vec::as_slice) {
        line(&format!("query: {then} then, {now} now"));
    }
    changes("the request is understood differently", &difference["body"]);
    changes("the answer differs", &difference["answer"]);
    if difference["answer"].is_null() {
        line("the answer of then is not kept as a whole, so it is not compared");
    }
    sentences("repaired now", &now["repaired"]);
    sentences("ignored now", &now["ignored"]);
    line("nothing was written");
}

fn body(label: &str, body: &Value) {
    if body.is_null() {
        return;
    }
    let note = match (body["kept"].as_str(), body["secrets_removed"] == true) {
        (Some("cut"), _) => format!(", {} bytes, the beginning", body["bytes"]),
        (Some("nothing"), _) => {
            format!(", {} bytes, not kept: no JSON, or too large", body["bytes"])
        }
        (_, true) => ", without secrets".to_owned(),
        _ => String::new(),
    };
    line(&format!("{label}{note}:"));
    if body["json"].is_null() {
        line(body["text"].as_str().unwrap_or_default());
    } else {
        output::json(&body["json"]);
    }
}

/// A JSON Patch, a line for each operation.
fn changes(label: &str, patch: &Value) {
    let Some(operations) = patch.as_array().filter(|operations| !operations.is_empty()) else {
        return;
    };
    line(&format!("{label}:"));
    for operation in operations {
        let value = match &operation["value"] {
            Value::Null => String::new(),
            value => format!(" {value}"),
        };
        let (op, path) = (cell(operation, "op"), cell(operation, "path"));
        line(&format!("  {op} {path}{value}"));
    }
}

fn sentences(label: &str, list: &Value) {
    for text in list.as_array().into_iter().flatten() {
        line(&format!("{label}: {}", text.as_str().unwrap_or_default()));
    }
}

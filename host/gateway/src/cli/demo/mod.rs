//! `gatewright demo`: the main job in a minute, on a gateway in a temporary folder. Everything it
//! shows went over HTTP, as Okta, an administrator and the application would do it.

mod okta;
mod people;
mod talk;

use super::output::{self, CliError, line};
use super::run::{Ready, runtime, stop_signal};
use crate::clock::{Clock, Random};
use crate::directory::credentials::Secret;
use crate::gateway::{Gateway, Options};
use crate::telemetry::{self, LogFormat, chain};
use clap::Args;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use talk::Talk;
use tokio::sync::watch;

#[derive(Args)]
pub(super) struct Demo {
    /// End after the show instead of staying up
    #[arg(long)]
    exit: bool,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A role policy to drop in while the gateway runs; `cargo xtask demo` compiles one
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// What is logged, to standard error
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    log: String,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), CliError> {
        telemetry::start(LogFormat::Text, &self.log).map_err(CliError::Usage)?;
        if !self.listen.ip().is_loopback() {
            let problem = "--listen: the demo speaks plain HTTP, so it takes a loopback address";
            return Err(CliError::Usage(problem.into()));
        }
        let policy = self.policy.as_deref().map(read_policy).transpose()?;
        let folder = Folder::make()?;
        let mut options = Options::new(folder.0.clone());
        // What is shown is Okta's work of weeks in seconds.
        options.rate.per_second = 0;
        runtime(options.workers)?.block_on(async {
            let stopped = stop_signal()?;
            let random = Random::system();
            let key = Secret::generate(&random, "gwo_");
            let began = Instant::now();
            let gateway = Gateway::start(options, Clock::system(), random)?;
            gateway
                .admit_operator(&key, None)
                .map_err(|error| CliError::Failed(chain(&error)))?;
            let ready = Ready::listen(Arc::new(gateway), self.listen, None, None).await?;
            let url = ready.public_url.clone();
            line(&format!(
                "A gateway runs at {url}. It took {:.1} s to start, most of it to compile the \
                 built-in plugins, which is done once.",
                began.elapsed().as_secs_f64()
            ));
            let (end, ended) = watch::channel(false);
            let serving = tokio::spawn(ready.serve(ended));
            let show = {
                let (url, key) = (url.clone(), key.reveal().to_owned());
                tokio::task::spawn_blocking(move || show(&url, &key, policy.as_deref()))
            };
            let mut stop = stopped.clone();
            let shown = tokio::select! {
                shown = show => shown.map_err(|error| CliError::Failed(error.to_string()))?,
                _ = stop.wait_for(|stop| *stop) => Ok(None),
            };
            if let (Ok(Some(connection)), false) = (&shown, self.exit) {
                stay(&url, &key, connection);
                let mut stop = stopped;
                let _ = stop.wait_for(|stop| *stop).await;
            }
            end.send_replace(true);
            let _ = serving.await;
            shown.map(|_| ())
        })
    }
}

/// What stays up after the show.
struct Connection {
    organization: String,
    scim_base_url: String,
    token: String,
}

/// The folder of the demo's data, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self, CliError> {
        let name = format!("gatewright-demo-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).map_err(|error| CliError::file("make", &path, error))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn read_policy(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|error| CliError::file("read the policy", path, error))
}

fn show(url: &str, key: &str, policy: Option<&[u8]>) -> Result<Option<Connection>, CliError> {
    let operator = Talk::new(&format!("{url}/api/v1"), key);
    let organization = operator.post("/organizations", &json!({ "name": "Acme" }))?;
    let organization = text(&organization, "id");
    let acme = operator.below(&format!("/organizations/{organization}"));
    talk::chapter("1. An administrator connects Okta and maps groups");
    let mut directories = Vec::new();
    for name in ["Okta, custom app (PUT)", "Okta, catalogue app (PATCH)"] {
        let made = acme.post(
            "/directories",
            &json!({ "name": name, "provider": "okta", "phase": "enforcing" }),
        )?;
        line(&format!("  directory \"{name}\""));
        line(&format!("    base URL  {}", text(&made, "scim_base_url")));
        line(&format!(
            "    token     {}...  shown once",
            &text(&made, "token")[..12]
        ));
        directories.push(made);
    }
    let mut entries = vec![
        people::gives("Engineering", "base-role", "Admin"),
        people::gives("On-call", "seat", "on-call"),
        people::gives("Support", "seat", "responder"),
    ];
    acme.put("/mapping", &json!({ "entries": entries }))?;
    people::show_mapping(&entries);

    let [custom, catalogue] = &directories[..] else {
        return Ok(None);
    };
    talk::chapter("2. Okta's custom app pushes: every write is a PUT of the whole");
    okta::custom_app(&okta_talk(custom))?;
    talk::chapter("3. Okta's catalogue app pushes: PATCH, without a path");
    okta::catalogue_app(&okta_talk(catalogue))?;

    talk::chapter("4. What the policies made of it");
    let first = people::decided(&acme)?;
    people::show_all(&first);

    talk::chapter("5. The administrator edits the mapping: Support becomes a base role too");
    entries.push(people::gives("Support", "base-role", "Owner"));
    acme.put("/mapping", &json!({ "entries": entries }))?;
    let second = people::decided(&acme)?;
    people::show_changes(&first, &second);

    talk::chapter("6. A new policy is dropped in: no restart, no lost push");
    match policy {
        Some(wasm) => drop_in(&operator, &acme, wasm, &second)?,
        None => line(
            "  left out: give --policy FILE, a component of the role policy's world, or run \
             `cargo xtask demo`, which compiles one",
        ),
    }
    let events = acme.get("/events?limit=1000")?;
    let count = events["events"].as_array().map_or(0, Vec::len);
    line("");
    line(&format!(
        "The application can read all of it: {count} events, in order, from any point on \
         (GET /api/v1/events?after=CURSOR)."
    ));
    Ok(Some(Connection {
        organization,
        scim_base_url: text(custom, "scim_base_url"),
        token: text(custom, "token"),
    }))
}

fn drop_in(operator: &Talk, acme: &Talk, wasm: &[u8], before: &[Value]) -> Result<(), CliError> {
    let began = Instant::now();
    let plugin = operator.upload("/plugins", wasm)?;
    line(&format!(
        "  {} {} ({} KiB): {}",
        text(&plugin, "name"),
        text(&plugin, "version"),
        wasm.len() / 1_024,
        text(&plugin, "summary")
    ));
    line(&format!(
        "    checked, compiled and installed in {:.0} ms; sha256 {}...",
        began.elapsed().as_secs_f64() * 1_000.0,
        &text(&plugin, "digest")[..12]
    ));
    let began = Instant::now();
    let binding = acme.put("/bindings/roles", &json!({ "plugin": plugin["digest"] }))?;
    let bound = began.elapsed();
    let after = people::decided(acme)?;
    line(&format!(
        "    bound as version {} after it proved itself ({:.0} ms); everybody decided anew {:.0} \
         ms later",
        binding["version"],
        bound.as_secs_f64() * 1_000.0,
        (began.elapsed() - bound).as_secs_f64() * 1_000.0
    ));
    people::show_changes(before, &after);
    line("  Back in one call, should it be wrong: POST .../bindings/roles/rollback");
    Ok(())
}

fn okta_talk(directory: &Value) -> Talk {
    Talk::new(&text(directory, "scim_base_url"), &text(directory, "token")).aloud()
}

fn stay(url: &str, key: &Secret, connection: &Connection) {
    let api = format!("{url}/api/v1/organizations/{}", connection.organization);
    talk::chapter("It stays up until Ctrl-C. Try:");
    let scim = &connection.scim_base_url;
    line(&format!("  export GATEWRIGHT_URL={url}"));
    line(&format!("  export GATEWRIGHT_KEY={}", key.reveal()));
    line(&format!(
        "  export GATEWRIGHT_ORGANIZATION={}",
        connection.organization
    ));
    line("  gatewright accounts        # who has what, and why");
    line("  gatewright bindings list   # which policies decide");
    line("  gatewright events          # what the application is told");
    line(&format!(
        "  curl -H \"Authorization: Bearer $GATEWRIGHT_KEY\" {api}/accounts"
    ));
    line(&format!(
        "  curl -H \"Authorization: Bearer {}\" {scim}/Users",
        connection.token
    ));
}

/// A text field of an answer.
fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// A table, set in from the left.
fn table(headings: &[&str], rows: &[Vec<String>]) {
    output::table_at(2, headings, rows);
}

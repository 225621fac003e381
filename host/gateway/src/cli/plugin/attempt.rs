//! `gatewright plugin try`: a project's plugin in shadow on a running gateway.

use super::build::{build, find};
use crate::author::project::Project;
use crate::cli::bindings::print_differences;
use crate::cli::client::Connection;
use crate::cli::manage::cell;
use crate::cli::output::{self, CliError};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// Try the project's policy beside the one that decides, on a running gateway, and show for whom it
/// wants something else
///
/// Builds it, installs it, and starts it in shadow with the settings of [try] in
/// gatewright-plugin.toml: nobody's roles or seats change. It stays in shadow, so that live pushes are
/// tried as well: `bindings shadow differences`, `activate` and `stop` go on from here.
#[derive(Args)]
pub(super) struct Try {
    #[command(flatten)]
    connection: Connection,
    /// Its settings, a JSON object, instead of those in gatewright-plugin.toml
    #[arg(long)]
    settings: Option<String>,
    /// For how many seconds to wait until everybody was tried
    #[arg(long, default_value_t = 30)]
    wait: u64,
    /// The project's folder, or one below it
    #[arg(long, default_value = ".")]
    directory: PathBuf,
}

impl Try {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let project = find(&self.directory)?;
        let Some(slot) = project.kind.slot() else {
            return Err(CliError::Usage(format!(
                "a provider plugin has no shadow: `gatewright plugin install {}`, then `gatewright \
                 directories update ID --provider {}`; `gatewright requests replay ID --plugin {}` \
                 shows what it makes of a request that was logged",
                project.component().display(),
                project.name,
                project.name,
            )));
        };
        let settings = match &self.settings {
            Some(settings) => crate::cli::manage::parse("--settings", settings)?,
            None => project.settings.clone(),
        };
        let shadow = self.start(&project, slot, &settings)?;
        let differences = to.path(&format!("/bindings/{slot}/shadow/differences?limit=1000"));
        let found = to.get(&differences)?;
        if to.json {
            output::json(&json!({ "shadow": shadow, "differences": found["differences"] }));
            return Ok(());
        }
        let said = ["tried", "different", "failed"].map(|name| cell(&shadow, name));
        output::line(&format!(
            "{} were tried: something else is wanted for {}, no decision for {}",
            said[0], said[1], said[2]
        ));
        print_differences(&found["differences"]);
        output::line(&format!(
            "It goes on trying. Bind it: gatewright bindings shadow activate {slot}; end it: \
             gatewright bindings shadow stop {slot}"
        ));
        Ok(())
    }

    /// Starts it in shadow, and waits until all accounts were tried.
    fn start(&self, project: &Project, slot: &str, settings: &Value) -> Result<Value, CliError> {
        let to = &self.connection;
        let component = build(project)?;
        let bytes =
            std::fs::read(&component).map_err(|error| CliError::file("read", &component, error))?;
        let installed = to.upload("/plugins", &bytes)?;
        let body = json!({
            "plugin": installed["digest"], "settings": settings, "why": "gatewright plugin try",
        });
        let path = to.path(&format!("/bindings/{slot}/shadow"));
        let started = to.put(&path, &body)?;
        let began = Instant::now();
        loop {
            let shadow = to.get(&path)?;
            let decided = to.get(&to.path(""))?["decisions"]["upto_revision"].as_u64();
            let is_done = decided >= started["revision"].as_u64();
            if is_done || !shadow["stopped"].is_null() {
                return Ok(shadow);
            }
            if began.elapsed() > Duration::from_secs(self.wait) {
                if !to.json {
                    output::line(&format!(
                        "not everybody was tried within {} s; what there is so far:",
                        self.wait
                    ));
                }
                return Ok(shadow);
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

//! `gatewright plugin check`: what is to be said of a component before it is installed.

use super::build::find;
use super::workbench;
use crate::author::check::{Finding, Level, check};
use crate::author::fixture::Fixture;
use crate::author::project::{Kind, Project};
use crate::cli::output::{self, CliError};
use crate::telemetry::chain;
use clap::Args;
use gatewright_sandbox::PluginKind;
use serde_json::json;
use std::path::PathBuf;

/// Check a component: what a gateway would refuse, and what will trouble its users
///
/// Looks at world and contract, imports, size, names, settings, and tries it with fixtures: the same
/// answers a second time, in another order, and alone; and how near it comes to the limits. Exits
/// with 1 where something is an error.
#[derive(Args)]
pub(super) struct Check {
    /// A component; without it, the one of the project that is here
    file: Option<PathBuf>,
    /// A folder of fixtures; without it, the one of the project that is here
    #[arg(long, value_name = "FOLDER")]
    fixtures: Option<PathBuf>,
    /// The project's folder, or one below it
    #[arg(long, default_value = ".")]
    directory: PathBuf,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(self) -> Result<(), CliError> {
        // A component that was named needs no project; its fixtures are of one, if it is there.
        let project = match &self.file {
            None => Some(find(&self.directory)?),
            Some(_) => Project::find(&self.directory).ok(),
        };
        let file = match (&self.file, &project) {
            (Some(file), _) => file.clone(),
            (None, Some(project)) => project.component(),
            (None, None) => return Err(CliError::Usage("name a component".to_owned())),
        };
        let wasm = std::fs::read(&file).map_err(|error| CliError::file("read", &file, error))?;
        let own = project
            .as_ref()
            .filter(|project| project.component() == file);
        let folder = own.map(|project| project.folder.as_path());
        let workbench = workbench(folder)?;
        let folder = self.fixtures.or_else(|| own.map(Project::fixtures));
        let kind = own.map(|project| project.kind);
        let kind = kind.or_else(|| Some(kind_of(workbench.inspect(&wasm).ok()?.kind)));
        let fixtures = match (folder, kind) {
            (Some(folder), Some(kind)) => {
                Fixture::all(&folder, kind).map_err(|error| CliError::Usage(chain(&error)))?
            }
            _ => Vec::new(),
        };
        let findings = check(&workbench, &wasm, &fixtures);
        let errors = findings
            .iter()
            .filter(|one| one.level == Level::Error)
            .count();
        match self.json {
            true => output::json(&json!({ "file": file, "findings": findings })),
            false => print(&findings),
        }
        match errors {
            0 => Ok(()),
            _ => Err(CliError::Failed(format!("{errors} of these are errors"))),
        }
    }
}

fn kind_of(kind: PluginKind) -> Kind {
    match kind {
        PluginKind::Provider => Kind::Provider,
        PluginKind::Lifecycle => Kind::Lifecycle,
        PluginKind::Role => Kind::Role,
        PluginKind::Seat => Kind::Seat,
    }
}

fn print(findings: &[Finding]) {
    for finding in findings {
        let word = match finding.level {
            Level::Good => "ok     ",
            Level::Warning => "warning",
            Level::Error => "ERROR  ",
        };
        output::line(&format!("{word}  {}: {}", finding.about, finding.found));
        if let Some(remedy) = &finding.remedy {
            output::line(&format!("         {remedy}"));
        }
    }
}

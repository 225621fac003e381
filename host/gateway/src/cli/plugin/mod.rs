//! `gatewright plugin`: what plugin authors and those who install plugins do.

mod attempt;
mod build;
mod check;
mod docs;
mod inspect;
mod install;
mod installed;
mod new;
mod report;
mod reports;
mod test;

use super::output::CliError;
use crate::author::workbench::Workbench;
use crate::telemetry::chain;
use clap::{Args, Subcommand};
use std::path::Path;

#[derive(Args)]
pub(super) struct Plugin {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    New(new::NewProject),
    Build(build::Build),
    Test(test::Test),
    Check(check::Check),
    Inspect(inspect::Inspect),
    Try(attempt::Try),
    Docs(docs::Docs),
    /// List the installed ones
    List(installed::List),
    /// Show what one is, what it may call and who uses it
    Show(installed::Show),
    Install(install::Install),
    /// List the files of the watched folder, and what became of each
    Folder(installed::Folder),
    /// Remove one that nobody uses
    Remove(installed::Remove),
    Reports(reports::Reports),
    Replay(reports::Replay),
}

impl Plugin {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.action {
            Action::New(command) => command.run(),
            Action::Build(command) => command.run(),
            Action::Test(command) => command.run(),
            Action::Check(command) => command.run(),
            Action::Inspect(command) => command.run(),
            Action::Try(command) => command.run(),
            Action::Docs(command) => command.run(),
            Action::List(command) => command.run(),
            Action::Show(command) => command.run(),
            Action::Install(command) => command.run(),
            Action::Folder(command) => command.run(),
            Action::Remove(command) => command.run(),
            Action::Reports(command) => command.run(),
            Action::Replay(command) => command.run(),
        }
    }
}

/// A sandbox to try components in, with its machine code below a project's folder.
fn workbench(project: Option<&Path>) -> Result<Workbench, CliError> {
    let cache = project.map(|folder| folder.join(".gatewright/cache"));
    Workbench::start(cache.as_deref()).map_err(|error| CliError::Failed(chain(&error)))
}

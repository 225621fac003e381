//! `gatewright plugin`: what plugin authors and those who install plugins do.

mod install;
mod installed;
mod report;
mod reports;

use super::output::CliError;
use clap::{Args, Subcommand};

#[derive(Args)]
pub(super) struct Plugin {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
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

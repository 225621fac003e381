//! `gatewright plugin`: what plugin authors and those who install plugins do.

mod installed;

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
    /// Install a component
    Install(installed::Install),
}

impl Plugin {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self.action {
            Action::List(command) => command.run(),
            Action::Install(command) => command.run(),
        }
    }
}

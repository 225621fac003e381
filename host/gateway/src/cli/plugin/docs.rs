//! `gatewright plugin docs`: the contract in the terminal.

use crate::author::contract::{items, topics};
use crate::cli::output::{self, CliError};
use clap::Args;

/// Read the contract between gateway and plugins, and what goes with it
///
/// Without a topic: what there is. A topic is a part of the contract (types, policies), a chapter
/// (limits, fixtures), or the name of a record, a function or a world in it.
#[derive(Args)]
#[command(after_long_help = "Examples:
  gatewright plugin docs account
  gatewright plugin docs decide
  gatewright plugin docs fixtures")]
pub(super) struct Docs {
    /// What to read
    topic: Option<String>,
}

impl Docs {
    pub(super) fn run(self) -> Result<(), CliError> {
        let topics = topics();
        let Some(wanted) = self.topic else {
            let rows: Vec<Vec<String>> = topics
                .into_iter()
                .map(|(name, about, _)| vec![name, about])
                .collect();
            output::table(&["topic", "about"], &rows);
            output::line(
                "Names of records, functions and worlds are topics too: `account`, `decide`.",
            );
            return Ok(());
        };
        let chapter = topics.iter().find(|(name, _, _)| *name == wanted);
        let found = items(&wanted);
        if let Some((_, _, text)) = chapter {
            output::line(text.trim_end());
            return Ok(());
        }
        if found.is_empty() {
            return Err(CliError::Usage(format!(
                "nothing is called \"{}\": `gatewright plugin docs` lists the topics",
                wanted.escape_debug()
            )));
        }
        output::line(&found.join("\n\n"));
        Ok(())
    }
}

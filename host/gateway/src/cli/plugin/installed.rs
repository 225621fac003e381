//! Plugins of a running gateway: list, show, remove.

use super::report;
use crate::cli::client::Connection;
use crate::cli::manage::{created, show};
use crate::cli::output::{self, CliError};
use clap::Args;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    connection: Connection,
}

impl List {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let answer = to.get("/plugins")?;
        let columns = ["name", "version", "kind", "digest", "summary"];
        show(to, &answer, "plugins", &columns);
        Ok(())
    }
}

#[derive(Args)]
pub(super) struct Show {
    #[command(flatten)]
    connection: Connection,
    /// Its name (then the one installed last) or its digest
    plugin: String,
}

impl Show {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let answer = to.get(&path(&self.plugin))?;
        if to.json {
            output::json(&answer);
            return Ok(());
        }
        report::print(&answer);
        report::print_uses("used by", &answer["used_by"]);
        Ok(())
    }
}

#[derive(Args)]
pub(super) struct Folder {
    #[command(flatten)]
    connection: Connection,
}

impl Folder {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let answer = to.get("/plugins/folder")?;
        if let Some(problem) = answer["problem"].as_str().filter(|_| !to.json) {
            output::line(&format!("problem: {problem}"));
        }
        let columns = ["file", "state", "name", "version", "digest", "error"];
        show(to, &answer, "files", &columns);
        Ok(())
    }
}

#[derive(Args)]
pub(super) struct Remove {
    #[command(flatten)]
    connection: Connection,
    /// Its digest, or its name if no other one has it
    plugin: String,
}

impl Remove {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let answer = to.delete(&path(&self.plugin))?;
        created(to, &answer, &["name", "version", "digest"]);
        if !to.json {
            let title = "can be returned to only after it is installed again";
            report::print_uses(title, &answer["returned_to_by"]);
        }
        Ok(())
    }
}

fn path(plugin: &str) -> String {
    format!("/plugins/{}", utf8_percent_encode(plugin, NON_ALPHANUMERIC))
}

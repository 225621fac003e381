//! `gatewright catalogue`: which roles and seats there are.

use super::client::Connection;
use super::manage::{cell, read};
use super::output::{self, CliError};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct Catalogue {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: CatalogueAction,
}

#[derive(Subcommand)]
enum CatalogueAction {
    /// Print it as JSON
    Get,
    /// Replace it as a whole. A file with the version that `get` printed is refused where somebody
    /// else changed the catalogue meanwhile, and so is removing what is in use
    Set {
        /// A JSON file, as `get` prints it
        file: PathBuf,
    },
    /// List what it was, the newest version first
    Versions,
    /// Have the organization follow the default catalogue
    Follow,
    /// The catalogue of all organizations that have none of their own
    Default {
        #[command(subcommand)]
        action: DefaultAction,
    },
}

#[derive(Subcommand)]
enum DefaultAction {
    /// Print it as JSON
    Get,
    /// Replace it as a whole; organizations that follow it have it afterwards
    Set {
        /// A JSON file, as `get` prints it
        file: PathBuf,
    },
}

impl Catalogue {
    pub(super) fn run(self) -> Result<(), CliError> {
        const DEFAULT: &str = "/default-catalogue";
        let to = &self.connection;
        let path = to.path("/catalogue");
        let answer = match self.action {
            CatalogueAction::Get => to.get(&path)?,
            CatalogueAction::Set { file } => to.put(&path, &read::<Value>(&file)?)?,
            CatalogueAction::Follow => to.delete(&path)?,
            CatalogueAction::Versions => return versions(to),
            CatalogueAction::Default { action } => match action {
                DefaultAction::Get => to.get(DEFAULT)?,
                DefaultAction::Set { file } => to.put(DEFAULT, &read::<Value>(&file)?)?,
            },
        };
        output::json(&answer);
        Ok(())
    }
}

fn versions(to: &Connection) -> Result<(), CliError> {
    let answer = to.get(&to.path("/catalogue/versions?limit=100"))?;
    if to.json {
        output::json(&answer);
        return Ok(());
    }
    let names = |version: &Value, list: &str| {
        let things = version["catalogue"][list].as_array().into_iter().flatten();
        let names: Vec<String> = things.map(|thing| cell(thing, "name")).collect();
        names.join(", ")
    };
    let rows: Vec<Vec<String>> = answer["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|version| {
            vec![
                cell(version, "version"),
                cell(version, "at"),
                cell(version, "default"),
                names(version, "base_roles"),
                names(version, "custom_roles"),
                names(version, "seat_types"),
            ]
        })
        .collect();
    let headings = [
        "version",
        "since",
        "default",
        "base roles",
        "custom roles",
        "seats",
    ];
    output::table(&headings, &rows);
    Ok(())
}

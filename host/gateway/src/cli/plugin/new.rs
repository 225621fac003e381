//! `gatewright plugin new`: a project that builds and passes its tests as it comes.

use crate::author::project::{Kind, Language, Project};
use crate::author::template::{self, New};
use crate::cli::output::{self, CliError};
use crate::telemetry::chain;
use clap::{Args, ValueEnum};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

/// Make a project of a new plugin, which builds and passes its tests as it comes
///
/// Asks for what is not given, where there is somebody to ask.
#[derive(Args)]
#[command(after_long_help = "Examples:
  gatewright plugin new new-hires --kind role --language rust
  cd new-hires && gatewright plugin build && gatewright plugin test")]
pub(super) struct NewProject {
    /// The plugin's name: lower-case letters, digits and hyphens
    name: Option<String>,
    /// What kind of plugin it is
    #[arg(long)]
    kind: Option<Kind>,
    /// What it is written in
    #[arg(long)]
    language: Option<Language>,
    /// The project's folder; the name, if not given
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Make nothing new: write contract and SDK of this gateway into the project that is here
    #[arg(long, conflicts_with_all = ["name", "kind", "language"])]
    sdk: bool,
}

impl NewProject {
    pub(super) fn run(self) -> Result<(), CliError> {
        if self.sdk {
            let here = self.directory.unwrap_or_else(|| PathBuf::from("."));
            let project = Project::find(&here).map_err(usage)?;
            template::write_sdk(&project.folder, project.language).map_err(usage)?;
            output::line(&format!(
                "wrote .gatewright of {}, of version {}",
                project.name,
                env!("CARGO_PKG_VERSION")
            ));
            return Ok(());
        }
        let name = match self.name {
            Some(name) => name,
            None => ask("NAME", "Name of the plugin (new-hires): ")?,
        };
        let kind = match self.kind {
            Some(kind) => kind,
            None => choose("--kind", "Kind")?,
        };
        let language = match self.language {
            Some(language) => language,
            None => choose("--language", "Language")?,
        };
        let folder = self.directory.unwrap_or_else(|| PathBuf::from(&name));
        let new = New {
            name: &name,
            kind,
            language,
        };
        new.write(&folder).map_err(usage)?;
        output::line(&format!(
            "made {} ({kind}, {language}). Next:\n  cd {}\n  gatewright plugin build\n  gatewright plugin test",
            folder.display(),
            folder.display(),
        ));
        Ok(())
    }
}

fn usage(error: impl std::error::Error + 'static) -> CliError {
    CliError::Usage(chain(&error))
}

fn ask(option: &str, question: &str) -> Result<String, CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::Usage(format!(
            "{option} is not given, and there is nobody to ask: `gatewright plugin new --help`"
        )));
    }
    let _ = write!(io::stderr(), "{question}");
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| CliError::Failed(format!("cannot read the answer: {error}")))?;
    Ok(line.trim().to_owned())
}

/// One of the values of an option.
fn choose<T: ValueEnum>(option: &str, what: &str) -> Result<T, CliError> {
    let values = T::value_variants()
        .iter()
        .filter_map(ValueEnum::to_possible_value);
    let names: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
    let given = ask(option, &format!("{what} ({}): ", names.join(", ")))?;
    T::from_str(&given, true).map_err(|_| {
        CliError::Usage(format!(
            "{option}: \"{given}\" is none of {}",
            names.join(", ")
        ))
    })
}

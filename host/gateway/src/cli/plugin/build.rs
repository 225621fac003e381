//! `gatewright plugin build`: a project's component.

use crate::author::project::{Project, ProjectError};
use crate::cli::output::{self, CliError};
use crate::telemetry::chain;
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Build the component of the project that is here, into dist/
///
/// Says what is missing and how to get it, where a tool is. What a build prints goes to standard
/// error.
#[derive(Args)]
pub(super) struct Build {
    /// The project's folder, or one below it
    #[arg(long, default_value = ".")]
    directory: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Build {
    pub(super) fn run(self) -> Result<(), CliError> {
        let project = find(&self.directory)?;
        let began = Instant::now();
        let component = build(&project)?;
        let bytes = std::fs::metadata(&component).map_or(0, |file| file.len());
        let took = began.elapsed();
        if self.json {
            output::json(&json!({
                "component": component, "bytes": bytes, "ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            }));
        } else {
            output::line(&format!(
                "built {} ({} KiB) in {:.1} s. Next: gatewright plugin test",
                component.display(),
                bytes.div_ceil(1024),
                took.as_secs_f64(),
            ));
        }
        Ok(())
    }
}

/// The project here.
pub(super) fn find(directory: &Path) -> Result<Project, CliError> {
    Project::find(directory).map_err(|error| CliError::Usage(chain(&error)))
}

/// Builds it.
pub(super) fn build(project: &Project) -> Result<PathBuf, CliError> {
    project.build().map_err(|error| match error {
        ProjectError::Manifest { .. } | ProjectError::None(_) => CliError::Usage(chain(&error)),
        ProjectError::File { .. }
        | ProjectError::Missing { .. }
        | ProjectError::Failed { .. }
        | ProjectError::NoOutput(_) => CliError::Failed(chain(&error)),
    })
}

/// The component that was built last.
pub(super) fn built(project: &Project) -> Result<Vec<u8>, CliError> {
    let path = project.component();
    std::fs::read(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => CliError::Usage(format!(
            "there is no {}: run `gatewright plugin build` first",
            path.display()
        )),
        _ => CliError::file("read", &path, error),
    })
}

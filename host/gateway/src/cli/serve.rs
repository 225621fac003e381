//! `gatewright serve`.

use super::output::CliError;
use super::run::{Ready, runtime, stop_signal};
use crate::clock::{Clock, Random};
use crate::config::Config;
use crate::directory::credentials::Secret;
use crate::gateway::Gateway;
use crate::telemetry;
use clap::Args;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::info;

#[derive(Args)]
pub(super) struct Serve {
    /// The configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Read and check the configuration, then end
    #[arg(long)]
    check: bool,
}

impl Serve {
    pub(super) fn run(self) -> Result<(), CliError> {
        let config = Config::read(&self.config)?;
        if self.check {
            super::output::line("the configuration is fine");
            return Ok(());
        }
        telemetry::start(config.log_format, &config.log_level).map_err(CliError::Usage)?;
        runtime(config.options.workers)?.block_on(async {
            let stop = stop_signal()?;
            let random = Random::system();
            let key = operator_key(&config.operator_key_file, &random)?;
            let gateway = Gateway::start(config.options.clone(), Clock::system(), random)?;
            gateway
                .admit_operator(&key, None)
                .map_err(|error| CliError::Failed(telemetry::chain(&error)))?;
            let ready = Ready::listen(
                Arc::new(gateway),
                config.listen,
                config.tls.as_ref(),
                config.public_url.clone(),
            )
            .await?;
            ready.serve(stop).await;
            Ok(())
        })
    }
}

/// The operator's key out of its file, which is made with a new key at the first start.
fn operator_key(path: &Path, random: &Random) -> Result<Secret, CliError> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().len() >= 32 => Ok(Secret::presented(text.trim())),
        Ok(_) => Err(CliError::Usage(format!(
            "{} holds no operator key: delete it to have a new one made",
            path.display()
        ))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // Mostly the data folder, which the gateway itself makes only later.
            if let Some(folder) = path.parent() {
                let mut builder = std::fs::DirBuilder::new();
                builder
                    .recursive(true)
                    .mode(0o700)
                    .create(folder)
                    .map_err(|error| CliError::file("make the folder", folder, error))?;
            }
            let secret = Secret::generate(random, "gwo_");
            write_private(path, secret.reveal())?;
            info!(file = %path.display(), "made a new operator key");
            Ok(secret)
        }
        Err(error) => Err(CliError::file("read the operator key", path, error)),
    }
}

/// Writes a file that only its owner can read: first beside it, then in its place.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error| CliError::file("write", path, error);
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&beside).map_err(failed)?;
    writeln!(file, "{text}").map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_operator_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data/operator.key");
        let made = operator_key(&file, &Random::system()).unwrap();
        let again = operator_key(&file, &Random::system()).unwrap();
        assert_eq!(made.reveal(), again.reveal());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().unwrap()), 0o700);
    }
}

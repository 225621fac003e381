//! `gatewright dev`: a gateway with one organization and one directory, for test suites, plugin
//! authors and bug reports.

use super::manage::read;
use super::output::{self, CliError};
use super::run::{Ready, runtime, stop_signal};
use super::serve::write_private;
use crate::access::mapping::{self, NewEntry};
use crate::clock::{Clock, Random};
use crate::directory::credentials::Secret;
use crate::directory::organizations::{self, NewDirectory};
use crate::directory::schemas;
use crate::gateway::{Gateway, Options};
use crate::model::tenancy::{Behaviour, Phase};
use crate::plugins::bindings;
use crate::telemetry::{self, LogFormat, chain};
use clap::Args;
use gatewright_scim::schema::SchemaDefinition;
use gatewright_store::OrganizationId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

#[derive(Args)]
pub(super) struct Dev {
    /// Where its data is; made if it is not there
    #[arg(long, value_name = "DIR", default_value = "gatewright-dev")]
    data: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The provider plugin of its directory: generic, okta, entra, google, onelogin, jumpcloud, ping,
    /// cyberark
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// A JSON file with the mapping to start with, as `gatewright mapping set` takes it
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// A JSON file with the schemas that its directory declares, as `gatewright directories schemas
    /// set` takes it
    #[arg(long, value_name = "FILE")]
    schemas: Option<PathBuf>,
    /// SCIM requests in a second for each token; 0: as many as come
    #[arg(long, value_name = "N", default_value_t = 0)]
    rate: u32,
    /// The DNS resolver that is asked about domains; the system's where it is not said
    #[arg(long, value_name = "ADDR")]
    resolver: Option<SocketAddr>,
    /// A folder that is watched: components that are dropped into it are installed
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// A file with a span such as `31d` or `1h 30m` by which the time is moved on; it is read again
    /// whenever the time is asked, so that a test can wait for weeks
    #[arg(long, value_name = "FILE")]
    clock: Option<PathBuf>,
    /// What is logged, to standard error
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
}

/// What `dev.json` keeps.
#[derive(Serialize, Deserialize)]
struct Kept {
    organization: Uuid,
    directory: Uuid,
    token: String,
    api_key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemasFile {
    schemas: Vec<SchemaDefinition>,
}

/// `{"entries": [{"group": {"name": ...}, "kind": ..., "target": ...}]}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    entries: Vec<NewEntry>,
}

impl Dev {
    pub(super) fn run(self) -> Result<(), CliError> {
        telemetry::start(LogFormat::Text, &self.log).map_err(CliError::Usage)?;
        if !self.listen.ip().is_loopback() {
            let problem = "--listen: dev speaks plain HTTP and shows its keys, so it takes a \
                           loopback address only; use `gatewright serve` for others";
            return Err(CliError::Usage(problem.into()));
        }
        let entries: Option<MappingFile> = self.mapping.as_deref().map(read).transpose()?;
        let declared: Option<SchemasFile> = self.schemas.as_deref().map(read).transpose()?;
        let clock = self.clock()?;
        let mut options = Options::new(self.data.clone());
        options.rate.per_second = self.rate;
        options.resolver = self.resolver;
        options.plugin_folder = self.plugins.clone();
        runtime(options.workers)?.block_on(async {
            let stop = stop_signal()?;
            let gateway = Gateway::start(options, clock, Random::system())?;
            let kept = self.prepare(&gateway, entries, declared)?;
            let ready = Ready::listen(Arc::new(gateway), self.listen, None, None).await?;
            let url = &ready.public_url;
            let line = json!({
                "scim_base_url": format!("{url}/scim/v2/{}", kept.directory),
                "token": kept.token,
                "api_url": format!("{url}/api/v1"),
                "api_key": kept.api_key,
                "organization": kept.organization,
                "directory": kept.directory,
            });
            // The socket takes connections already: who reads the line may send at once.
            output::line(&line.to_string());
            ready.serve(stop).await;
            Ok(())
        })
    }

    fn clock(&self) -> Result<Clock, CliError> {
        let Some(file) = &self.clock else {
            return Ok(Clock::system());
        };
        Clock::shifted(file.clone()).map_err(|error| {
            CliError::Usage(format!("--clock {}: {}", file.display(), chain(&error)))
        })
    }

    fn prepare(
        &self,
        gateway: &Gateway,
        mapping: Option<MappingFile>,
        declared: Option<SchemasFile>,
    ) -> Result<Kept, CliError> {
        let file = self.data.join("dev.json");
        let kept = match std::fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                CliError::Usage(format!(
                    "{} is damaged ({error}): delete the folder to begin anew",
                    file.display()
                ))
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let kept = create(gateway)?;
                let text = json!(kept).to_string();
                write_private(&file, &text)?;
                kept
            }
            Err(error) => return Err(CliError::file("read", &file, error)),
        };
        let organization = OrganizationId::from(kept.organization);
        if let Some(name) = &self.provider {
            set_provider(gateway, organization, kept.directory, name)?;
        }
        let handle = gateway.store.organization(organization);
        let now = gateway.clock.now();
        if let Some(SchemasFile { schemas }) = declared {
            schemas::declare(&handle, now, kept.directory, &schemas)
                .map_err(|error| CliError::Usage(format!("--schemas: {}", chain(&error))))?;
            gateway.reconciler.wake(organization);
        }
        if let Some(MappingFile { entries }) = mapping {
            mapping::replace(&handle, now, &gateway.random, entries)
                .map_err(|error| CliError::Usage(format!("--mapping: {}", chain(&error))))?;
            gateway.reconciler.wake(organization);
        }
        Ok(kept)
    }
}

fn create(gateway: &Gateway) -> Result<Kept, CliError> {
    let now = gateway.clock.now();
    let (store, random) = (&gateway.store, &gateway.random);
    let bound = bindings::shipped(&gateway.plugins, now).map_err(|error| failed(&error))?;
    let provider = gateway
        .plugins
        .built_in("generic")
        .map_err(|error| failed(&error))?;
    let organization = organizations::create(store, random, now, "Development", bound)
        .map_err(|error| failed(&error))?
        .value;
    let new = NewDirectory {
        name: "Development".into(),
        provider,
        behaviour: Behaviour::default(),
    };
    let directory =
        organizations::create_directory(store, organization, random, now, new, Phase::Enforcing)
            .map_err(|error| failed(&error))?;
    let api_key = Secret::generate(random, "gwo_");
    gateway
        .admit_operator(&api_key, Some(organization.uuid()))
        .map_err(|error| failed(&error))?;
    Ok(Kept {
        organization: organization.uuid(),
        directory: directory.value.0,
        token: directory.secret.reveal().to_owned(),
        api_key: api_key.reveal().to_owned(),
    })
}

fn set_provider(
    gateway: &Gateway,
    organization: OrganizationId,
    directory: Uuid,
    name: &str,
) -> Result<(), CliError> {
    let wrong = |error: &dyn std::error::Error| format!("--provider: {error}");
    let provider = gateway
        .plugins
        .built_in(name)
        .map_err(|error| CliError::Usage(wrong(&error)))?;
    let record = organizations::directory(&gateway.store, organization, directory)
        .map_err(|error| failed(&error))?;
    if record.provider == provider {
        return Ok(());
    }
    let new = NewDirectory {
        name: record.name,
        provider,
        behaviour: record.behaviour,
    };
    let now = gateway.clock.now();
    organizations::update_directory(&gateway.store, organization, now, directory, new)
        .map_err(|error| failed(&error))?;
    Ok(())
}

fn failed(error: &(dyn std::error::Error + 'static)) -> CliError {
    CliError::Failed(chain(error))
}

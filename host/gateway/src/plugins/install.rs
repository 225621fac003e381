//! Installing a component, looking at one before, and removing one.

use super::usage::{self, Usage};
use super::{PluginError, Plugins};
use crate::clock::Timestamp;
use crate::directory::credentials::{hex, unhex};
use crate::model::plugins::{
    ComponentBytes, ComponentRecord, ComponentReport, Components, ImportedInterface,
};
use gatewright_sandbox::{Access, Inspection};
use gatewright_store::Read;
use sha2::{Digest, Sha256};
use std::time::Instant;
use tracing::info;

/// What became of a component that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was installed.
    Installed,
    /// It was there already, and nothing changed.
    AlreadyInstalled,
    /// It would be installed: it was looked at only.
    Checked,
}

/// A component that was handed in, with what is known of it.
#[derive(Clone, Debug)]
pub struct Received {
    /// SHA-256 of its bytes, in hexadecimal.
    pub digest: String,
    /// What is known of it.
    pub record: ComponentRecord,
    /// What became of it.
    pub outcome: Outcome,
}

impl Plugins {
    /// Installs a component: checks and describes it, and stores it under its digest. Installing
    /// it again changes nothing, and binds nothing either time.
    ///
    /// # Errors
    /// Where it is no plugin of this contract, or asks for more than a plugin may have.
    pub fn install(&self, wasm: &[u8]) -> Result<Received, PluginError> {
        self.receive(wasm, false)
    }

    pub(super) fn install_built_in_one(&self, wasm: &[u8]) -> Result<(), PluginError> {
        self.receive(wasm, true).map(drop)
    }

    /// Says what installing a component would come to. Nothing is stored.
    ///
    /// # Errors
    /// Those of installing it.
    pub fn check(&self, wasm: &[u8]) -> Result<Received, PluginError> {
        let (digest, known) = self.known(wasm)?;
        let (record, outcome) = match known {
            Some(known) => (self.with_report(&digest, known)?, Outcome::AlreadyInstalled),
            None => (self.look_at(wasm, false)?, Outcome::Checked),
        };
        let digest = hex(&digest);
        Ok(Received {
            digest,
            record,
            outcome,
        })
    }

    fn receive(&self, wasm: &[u8], built_in: bool) -> Result<Received, PluginError> {
        let (digest, known) = self.known(wasm)?;
        if let Some(known) = known {
            // A start is not to compile what an older gateway installed without a report.
            let record = match built_in {
                true => known,
                false => self.with_report(&digest, known)?,
            };
            return Ok(Received {
                digest: hex(&digest),
                record,
                outcome: Outcome::AlreadyInstalled,
            });
        }
        let record = self.look_at(wasm, built_in)?;
        let (stored, bytes) = (record.clone(), wasm.to_vec());
        self.store.system().write(move |tx| {
            tx.put::<Components>(&digest, &stored)?;
            tx.put::<ComponentBytes>(&digest, &bytes)?;
            Ok::<_, PluginError>(())
        })?;
        let digest = hex(&digest);
        info!(
            name = record.name,
            version = record.version,
            digest,
            "installed"
        );
        Ok(Received {
            digest,
            record,
            outcome: Outcome::Installed,
        })
    }

    fn known(&self, wasm: &[u8]) -> Result<([u8; 32], Option<ComponentRecord>), PluginError> {
        let digest: [u8; 32] = Sha256::digest(wasm).into();
        let known = self.store.system().read()?.get::<Components>(&digest)?;
        Ok((digest, known))
    }

    fn look_at(&self, wasm: &[u8], built_in: bool) -> Result<ComponentRecord, PluginError> {
        let began = Instant::now();
        let inspection = self.sandbox.inspect(wasm)?;
        let compile_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(ComponentRecord {
            built_in,
            installed: self.clock.now(),
            ..record(inspection, compile_ms)
        })
    }

    /// An installed component with its report, by digest or by name: then the one that was
    /// installed last.
    ///
    /// # Errors
    /// Where there is none.
    pub fn report(&self, wanted: &str) -> Result<(String, ComponentRecord), PluginError> {
        let (digest, record) = self.find(wanted)?;
        let key = unhex(&digest).unwrap_or_default();
        let record = self.with_report(&key, record)?;
        Ok((digest, record))
    }

    /// Looks again at a component that was installed before reports were kept.
    fn with_report(
        &self,
        digest: &[u8; 32],
        known: ComponentRecord,
    ) -> Result<ComponentRecord, PluginError> {
        if known.report.is_some() {
            return Ok(known);
        }
        let bytes = self
            .store
            .system()
            .read()?
            .get::<ComponentBytes>(digest)?
            .unwrap_or_default();
        let report = self.look_at(&bytes, known.built_in)?.report;
        let record = ComponentRecord { report, ..known };
        let (key, stored) = (*digest, record.clone());
        self.store.system().write(move |tx| {
            // It may have been removed meanwhile.
            if tx.contains::<Components>(&key)? {
                tx.put::<Components>(&key, &stored)?;
            }
            Ok::<_, PluginError>(())
        })?;
        Ok(record)
    }

    /// Removes a component that nobody uses. Answers what it was, and which kept versions of
    /// bindings could be returned to only after it is installed again.
    ///
    /// Whoever is binding it in this very moment can come too late: its accounts then keep what
    /// they have, an alert says why, and installing it again mends it.
    ///
    /// # Errors
    /// Where there is none or several of that name, it came with the gateway, or it is in use.
    pub fn remove(
        &self,
        wanted: &str,
    ) -> Result<(String, ComponentRecord, Vec<Usage>), PluginError> {
        let (digest, record) = self.find(wanted)?;
        let namesakes = self.installed()?;
        let namesakes = namesakes.iter().filter(|(_, one)| one.name == wanted);
        if digest != wanted && namesakes.count() > 1 {
            return Err(PluginError::Several {
                name: wanted.to_owned(),
            });
        }
        if record.built_in {
            return Err(PluginError::BuiltIn {
                name: record.name,
                version: record.version,
            });
        }
        let (uses, kept): (Vec<_>, Vec<_>) = usage::of(&self.store, &digest)?
            .into_iter()
            .partition(|usage| usage.holder.hinders_removal());
        if !uses.is_empty() {
            return Err(PluginError::InUse(uses));
        }
        let key = unhex(&digest).unwrap_or_default();
        self.store.system().write(move |tx| {
            tx.delete::<Components>(&key)?;
            tx.delete::<ComponentBytes>(&key)?;
            Ok::<_, PluginError>(())
        })?;
        self.unload(&digest);
        info!(
            name = record.name,
            version = record.version,
            digest,
            "removed"
        );
        Ok((digest, record, kept))
    }
}

/// A component as it is stored, but for when it was installed.
#[must_use]
pub fn record(inspection: Inspection, compile_ms: u64) -> ComponentRecord {
    let report = report(&inspection, compile_ms);
    ComponentRecord {
        name: inspection.about.name,
        version: inspection.about.version,
        kind: inspection.kind,
        summary: inspection.about.summary,
        settings_schema: inspection.about.settings_schema,
        size: inspection.size as u64,
        built_in: false,
        installed: Timestamp(0),
        report: Some(report),
    }
}

fn report(inspection: &Inspection, compile_ms: u64) -> ComponentReport {
    let imports = inspection.imports.iter().map(|name| {
        let of = |access: Access| {
            let calls = inspection.calls.iter();
            calls
                .filter(|call| call.import == *name && call.access == access)
                .map(|call| call.function.clone())
                .collect()
        };
        ImportedInterface {
            name: name.clone(),
            granted: of(Access::Granted),
            nothing: of(Access::Nothing),
            denied: of(Access::Denied),
        }
    });
    ComponentReport {
        contract: inspection.contract.clone(),
        imports: imports.collect(),
        has_names: inspection.has_names,
        compile_ms,
    }
}

//! `gatewright plugin inspect`: what a component is, without a gateway.

use super::{report, workbench};
use crate::cli::output::{self, CliError};
use crate::http::api::show_report;
use crate::plugins::install::record;
use crate::telemetry::chain;
use clap::Args;
use std::path::PathBuf;
use std::time::Instant;

/// Say what a component is and what it may call, without a gateway
#[derive(Args)]
pub(super) struct Inspect {
    /// A component
    file: PathBuf,
    /// Print the report as JSON, with the schema of its settings
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) fn run(self) -> Result<(), CliError> {
        let wasm =
            std::fs::read(&self.file).map_err(|error| CliError::file("read", &self.file, error))?;
        let workbench = workbench(None)?;
        let began = Instant::now();
        let inspection = workbench
            .inspect(&wasm)
            .map_err(|error| CliError::Failed(chain(&error)))?;
        let compile_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let digest = inspection.digest.to_string();
        let mut shown = show_report(&digest, &record(inspection, compile_ms));
        // Of a gateway that there is none of.
        for field in ["installed", "built_in"] {
            shown[field] = serde_json::Value::Null;
        }
        shown["outcome"] = serde_json::json!("inspected");
        match self.json {
            true => output::json(&shown),
            false => report::print(&shown),
        }
        Ok(())
    }
}

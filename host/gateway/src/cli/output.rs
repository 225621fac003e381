//! What the command line prints, and how it fails.

use crate::telemetry::chain;
use serde_json::Value;
use std::io::{self, Write};
use std::process::ExitCode;

/// Why a command failed. Exit codes: 1, it could not be done; 2, it was asked for wrongly.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// Something in the command, a file or the configuration is wrong.
    #[error("{0}")]
    Usage(String),
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The gateway did not start.
    #[error("the gateway did not start")]
    Start(#[from] crate::gateway::StartError),
    /// The socket is not to be had.
    #[error(transparent)]
    Listen(#[from] crate::http::listener::ListenError),
    /// A file cannot be used.
    #[error("{path}")]
    File {
        /// The file and what was to be done with it.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A running gateway said no.
    #[error("{0}")]
    Refused(String),
    /// A running gateway was not reached.
    #[error("cannot reach the gateway at {url}: is it running?")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// Why.
        #[source]
        source: Box<ureq::Error>,
    },
    /// Something failed inside.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::Config(_) => ExitCode::from(2),
            Self::Start(_)
            | Self::Listen(_)
            | Self::File { .. }
            | Self::Refused(_)
            | Self::Unreachable { .. }
            | Self::Failed(_) => ExitCode::FAILURE,
        }
    }

    pub(super) fn file(what: &str, path: &std::path::Path, source: io::Error) -> Self {
        Self::File {
            path: format!("cannot {what} {}", path.display()),
            source,
        }
    }
}

/// Prints one line to standard output. A reader that has gone away is no fault.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints a failure to standard error.
pub(super) fn error(error: &CliError) {
    let _ = writeln!(io::stderr().lock(), "gatewright: {}", chain(error));
}

/// Prints JSON, indented.
pub(super) fn json(value: &Value) {
    line(&serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string()));
}

/// Prints rows under headings, each column as wide as it needs.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) {
    table_at(0, headings, rows);
}

/// The same, set in from the left.
pub(super) fn table_at(indent: usize, headings: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let print = |cells: &[String]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        line(&format!("{:indent$}{}", "", padded.join("  ").trim_end()));
    };
    print(
        &headings
            .iter()
            .map(|heading| (*heading).to_owned())
            .collect::<Vec<_>>(),
    );
    for row in rows {
        print(row);
    }
}

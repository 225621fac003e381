//! Runs a gateway in this process until it is told to stop.

use super::output::CliError;
use crate::gateway::Gateway;
use crate::http::{Shared, listener, router};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::info;

/// A gateway that listens and does not serve yet.
pub(super) struct Ready {
    pub(super) gateway: Arc<Gateway>,
    /// What clients call it.
    pub(super) public_url: String,
    listener: TcpListener,
    tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
}

impl Ready {
    /// Listens. The port of an address with port 0 is in `public_url`.
    pub(super) async fn listen(
        gateway: Arc<Gateway>,
        address: SocketAddr,
        tls: Option<&(PathBuf, PathBuf)>,
        public_url: Option<String>,
    ) -> Result<Self, CliError> {
        let tls = tls
            .map(|(certificate, key)| listener::tls(certificate, key))
            .transpose()?;
        let listener = listener::bind(address).await?;
        let bound = listener.local_addr().unwrap_or(address);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let public_url = public_url.unwrap_or_else(|| format!("{scheme}://{bound}"));
        Ok(Self {
            gateway,
            public_url,
            listener,
            tls,
        })
    }

    /// Serves until `stop` becomes true.
    pub(super) async fn serve(self, stop: watch::Receiver<bool>) {
        let gateway = Arc::clone(&self.gateway);
        let shared = Shared {
            gateway: self.gateway,
            public_url: self.public_url.into(),
        };
        info!(url = %shared.public_url, "serving");
        listener::serve(self.listener, self.tls, router(shared), stop).await;
        // What was answered is in the log too, also where a connection still holds the gateway.
        let _ = gateway.run(|gateway| gateway.requests.flush()).await;
    }
}

/// Becomes true at SIGINT or SIGTERM.
pub(super) fn stop_signal() -> Result<watch::Receiver<bool>, CliError> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = watch::channel(false);
    let failed = |error: std::io::Error| CliError::Failed(format!("no signal handler: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        info!("stopping: requests under way may finish");
        sender.send_replace(true);
        // A second signal does not wait.
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(receiver)
}

/// A runtime for the whole process, in which so many requests are worked on at the same time.
///
/// A thread whose request has ended looks busy for a moment more, and the runtime would start
/// another one for the next: twice as many in the end, each of which keeps memory of its own.
pub(super) fn runtime(workers: usize) -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // One more, for what a command does beside them.
        .max_blocking_threads(workers + 1)
        .build()
        .map_err(|error| CliError::Failed(format!("the runtime did not start: {error}")))
}

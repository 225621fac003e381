//! Sockets: accepts connections, does TLS in each connection's own task, and drains on shutdown.
//!
//! Nothing that a client does in its handshake holds up the accept loop, a slow header ends by a
//! time-out, connections are capped, and an error of `accept` is waited out.

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tracing::{debug, info, warn};

const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
const HEADER_TIME: Duration = Duration::from_secs(30);
const DRAIN_TIME: Duration = Duration::from_secs(30);
const MAX_CONNECTIONS: usize = 4_096;
/// For a full table of file descriptors: it passes when connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why there is no listener.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: choose another address or stop what uses this one")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A certificate or key file cannot be read.
    #[error("{} holds no usable PEM {what}", .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// Certificate and key do not go together.
    #[error("certificate and key cannot be used together")]
    Tls(#[from] tokio_rustls::rustls::Error),
}

/// Listens on an address.
///
/// # Errors
/// Where it is taken, or not ours.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ListenError::Bind { address, source })
}

/// Reads certificate chain and key, both PEM. TLS 1.2 and 1.3; HTTP/2 and HTTP/1.1.
///
/// # Errors
/// Where a file cannot be read, or the two do not go together.
pub fn tls(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, ListenError> {
    let failed = |path: &Path, what| {
        let path = path.to_owned();
        move |source| ListenError::Pem { path, what, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|chain| {
            if chain.is_empty() {
                Err(pem::Error::NoItemsFound)
            } else {
                Ok(chain)
            }
        })
        .map_err(failed(certificate, "certificate"))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(failed(key, "private key"))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Serves until `stop` becomes true, then lets requests under way finish.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    let tls = tls.map(TlsAcceptor::from);
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let drain = GracefulShutdown::new();
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Of one connection, or of the process: neither is a reason to stop serving.
                warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = Connection {
            tls: tls.clone(),
            service: TowerToHyperService::new(router.clone()),
            watcher: drain.watcher(),
        };
        tokio::spawn(async move {
            connection.run(stream).await;
            drop(place);
        });
    }
    drop(listener);
    tokio::select! {
        () = drain.shutdown() => info!("all connections ended"),
        () = tokio::time::sleep(DRAIN_TIME) => warn!("connections were cut after the drain time"),
    }
}

struct Connection {
    tls: Option<TlsAcceptor>,
    service: TowerToHyperService<Router>,
    watcher: hyper_util::server::graceful::Watcher,
}

impl Connection {
    async fn run(self, stream: TcpStream) {
        // Answers are whole when they are written: nothing is to be waited for.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "nodelay");
        }
        match &self.tls {
            None => self.http(stream).await,
            Some(tls) => match tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.http(stream).await,
                Ok(Err(error)) => debug!(%error, "TLS handshake failed"),
                Err(_) => debug!("TLS handshake took too long"),
            },
        }
    }

    async fn http<S>(self, stream: S)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_buf_size(64 << 10);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(128);
        let connection = builder
            .serve_connection(TokioIo::new(stream), self.service)
            .into_owned();
        if let Err(error) = self.watcher.watch(connection).await {
            debug!(error, "connection ended");
        }
    }
}

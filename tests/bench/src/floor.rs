//! The floor: what any durable HTTP service of this make costs. The same server library with the
//! same settings, the same hand-over to threads that may block, the same parser of JSON, and one
//! group commit of the request's bytes by the same engine; no SCIM, no plugin, no index.

use gatewright_store::{Engine as _, RedbEngine, RedbOptions, Urgency, Verdict};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use serde_json::Value;
use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// With this first argument the benchmark is the floor's process.
pub(crate) const COMMAND: &str = "--serve-floor";

/// A running floor.
pub(crate) struct Floor {
    child: Child,
    /// `host:port`.
    pub(crate) address: String,
    _folder: TempDir,
}

impl Floor {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(COMMAND)
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            child,
            address: address.trim().to_owned(),
            _folder: folder,
        }
    }

    /// A request as bytes, with headers like those that the gateway gets.
    pub(crate) fn request(address: &str, method: &str, path: &str, body: &str) -> Vec<u8> {
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {:070}\r\n\
             accept: application/scim+json\r\ncontent-type: application/scim+json\r\n\
             content-length: {}\r\n\r\n{body}",
            0,
            body.len()
        )
        .into_bytes()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

struct Shared {
    engine: RedbEngine,
    keys: AtomicU64,
    constant: Mutex<Bytes>,
    workers: Arc<Semaphore>,
}

/// Serves until the process is ended.
pub(crate) fn serve(folder: &Path) {
    let engine = RedbEngine::open(&folder.join("floor.redb"), RedbOptions::default()).unwrap();
    let shared = Arc::new(Shared {
        engine,
        keys: AtomicU64::new(0),
        constant: Mutex::default(),
        workers: Arc::new(Semaphore::new(64)),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(Arc::clone(&shared), request));
                let mut builder = auto::Builder::new(TokioExecutor::new());
                builder
                    .http1()
                    .timer(TokioTimer::new())
                    .header_read_timeout(Duration::from_secs(30))
                    .max_buf_size(64 << 10);
                // The client hangs up when it has measured.
                let _ = builder
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
}

/// PUT sets the constant, GET answers it, POST stores what it gets. A GET of `/blocking` takes the
/// way over a thread that may block.
async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    Ok(match parts.method {
        Method::GET if parts.uri.path() == "/blocking" => {
            let constant = blocking(&shared, |shared| shared.constant.lock().unwrap().clone());
            response(StatusCode::OK, constant.await)
        }
        Method::GET => response(StatusCode::OK, shared.constant.lock().unwrap().clone()),
        Method::PUT => {
            let body = body.collect().await.unwrap().to_bytes();
            *shared.constant.lock().unwrap() = body;
            response(StatusCode::OK, Bytes::new())
        }
        _ => {
            let body = body.collect().await.unwrap().to_bytes();
            let stored = blocking(&shared, move |shared| {
                shared.store(&body);
                body
            });
            response(StatusCode::CREATED, stored.await)
        }
    })
}

/// As the gateway hands requests over.
async fn blocking<R: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> R + Send + 'static,
) -> R {
    let permit = Arc::clone(&shared.workers).acquire_owned().await.unwrap();
    let shared = Arc::clone(shared);
    let work = move || {
        let result = work(&shared);
        drop(permit);
        result
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

impl Shared {
    fn store(&self, body: &Bytes) {
        let parsed: Value = serde_json::from_slice(body).unwrap();
        assert!(parsed.is_object());
        let key = self
            .keys
            .fetch_add(1, Ordering::Relaxed)
            .to_be_bytes()
            .to_vec();
        let value = body.to_vec();
        let verdict = self.engine.transact(
            None,
            Urgency::Now,
            Box::new(move |transaction| {
                transaction.put(key.clone(), value.clone());
                Verdict::Commit
            }),
        );
        assert_eq!(verdict.unwrap(), Verdict::Commit);
    }
}

fn response(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/scim+json; charset=utf-8")
        .body(Full::new(body))
        .unwrap()
}

//! A client that costs little: requests are bytes, connections are kept, and of an answer it reads
//! what the benchmark needs.

use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

type Make = Arc<dyn Fn(usize) -> Vec<u8> + Send + Sync>;

/// Requests to send.
pub(crate) struct Load {
    address: String,
    concurrency: usize,
    status: u16,
    make: Make,
    count: usize,
    time: Duration,
    lenient: bool,
}

/// What came of them.
pub(crate) struct Run {
    /// Answers with the status that was wanted.
    pub(crate) count: usize,
    /// Answers with another one, of a load that takes those.
    pub(crate) refused: usize,
    /// From the first request to the last answer.
    pub(crate) elapsed: Duration,
    /// How long each took.
    pub(crate) latencies: Vec<Duration>,
    /// The newest revision that an answer named.
    pub(crate) revision: u64,
    /// Ids of what was created, in the order of the requests.
    pub(crate) ids: Vec<String>,
    /// Bytes of the last body.
    pub(crate) body: usize,
}

impl Load {
    /// Requests, each made from its number, whose answers must have this status.
    pub(crate) fn new(
        address: &str,
        concurrency: usize,
        status: u16,
        make: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self {
            address: address.to_owned(),
            concurrency,
            status,
            make: Arc::new(make),
            count: usize::MAX,
            time: Duration::MAX,
            lenient: false,
        }
    }

    /// So many.
    pub(crate) fn of(self, count: usize) -> Self {
        Self { count, ..self }
    }

    /// Answers with another status are counted; without this they end the benchmark.
    pub(crate) fn lenient(self) -> Self {
        Self {
            lenient: true,
            ..self
        }
    }

    /// For so long.
    pub(crate) fn during(self, time: Duration) -> Self {
        Self { time, ..self }
    }
}

impl Run {
    /// Answers per second.
    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency that this share of the requests kept below, in milliseconds.
    pub(crate) fn latency(&self, share: f64) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let place = (sorted.len() as f64 * share) as usize;
        sorted[place.min(sorted.len() - 1)].as_secs_f64() * 1_000.0
    }
}

/// Sends a load.
pub(crate) async fn drive(load: Load) -> Run {
    let next = Arc::new(AtomicUsize::new(0));
    let load = Arc::new(load);
    let mut connections = Vec::new();
    for _ in 0..load.concurrency {
        connections.push(Connection::open(&load.address).await);
    }
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let (load, next) = (Arc::clone(&load), Arc::clone(&next));
        tasks.spawn(async move {
            let mut seen = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= load.count || began.elapsed() >= load.time {
                    return seen;
                }
                let request = (load.make)(number);
                let sent = Instant::now();
                let reply = connection.send(&request).await;
                let latency = sent.elapsed();
                assert!(
                    reply.status == load.status || load.lenient,
                    "{}",
                    connection.text()
                );
                seen.push((number, latency, reply));
            }
        });
    }
    let mut seen: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let elapsed = began.elapsed();
    let answers = seen.len();
    seen.retain(|(_, _, reply)| reply.status == load.status);
    seen.sort_by_key(|(number, _, _)| *number);
    Run {
        count: seen.len(),
        refused: answers - seen.len(),
        elapsed,
        latencies: seen.iter().map(|(_, latency, _)| *latency).collect(),
        revision: seen
            .iter()
            .map(|(_, _, reply)| reply.revision)
            .max()
            .unwrap_or(0),
        body: seen.last().map_or(0, |(_, _, reply)| reply.body),
        ids: seen
            .into_iter()
            .filter_map(|(_, _, reply)| reply.id)
            .collect(),
    }
}

/// Of an answer.
struct Reply {
    status: u16,
    revision: u64,
    id: Option<String>,
    body: usize,
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::with_capacity(16 << 10),
        }
    }

    async fn send(&mut self, request: &[u8]) -> Reply {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        let head = loop {
            self.read().await;
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
        };
        let mut reply = Reply {
            status: 0,
            revision: 0,
            id: None,
            body: 0,
        };
        let text = std::str::from_utf8(&self.buffer[..head]).unwrap();
        let mut lines = text.split("\r\n");
        let status = lines.next().unwrap();
        reply.status = status.split(' ').nth(1).unwrap().parse().unwrap();
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap_or((line, ""));
            match name.to_ascii_lowercase().as_str() {
                "content-length" => reply.body = value.parse().unwrap(),
                "gatewright-revision" => reply.revision = value.parse().unwrap(),
                "location" => reply.id = value.rsplit('/').next().map(str::to_owned),
                _ => {}
            }
        }
        while self.buffer.len() < head + 4 + reply.body {
            self.read().await;
        }
        // Not everybody says where it is.
        if reply.status == 201 && reply.id.is_none() {
            let body: Value = serde_json::from_slice(&self.buffer[head + 4..]).unwrap();
            reply.id = body["id"].as_str().map(str::to_owned);
        }
        reply
    }

    async fn read(&mut self) {
        let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
        assert_ne!(read, 0, "the connection was closed: {}", self.text());
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }
}

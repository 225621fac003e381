//! Starts the compiler's process and holds it to its time.

use crate::job::{Job, Reply};
use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How to start a process that calls [`compile_child`](crate::compile_child), and its limits.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// The program: mostly the gateway's own.
    pub program: PathBuf,
    /// Its arguments: mostly a hidden subcommand.
    pub args: Vec<OsString>,
    /// Address space of the process, in bytes. 2 GiB is enough for 20 MB of Python.
    pub memory_bytes: u64,
    /// Wall time and processor time of the process. 60 s is plenty.
    pub time: Duration,
}

impl Compiler {
    /// With the limits that suit most: 2 GiB and 60 s.
    pub fn new<A: Into<OsString>>(
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            program: program.into(),
            args: args.into_iter().map(Into::into).collect(),
            memory_bytes: 2 << 30,
            time: Duration::from_secs(60),
        }
    }
}

/// The compiler's process gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum CompilerError {
    /// The program is missing or cannot be run.
    #[error("the compiler's process could not be started")]
    Start(#[source] io::Error),
    /// It took longer than it may: a component made to be slow, or a machine that is.
    #[error("the compiler was not done after {} s and was ended", .0.as_secs_f32())]
    Timeout(Duration),
    /// The operating system or the process itself ended it, mostly for want of memory or time.
    #[error("the compiler ended without an answer ({status}){}", said(.stderr))]
    Died {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it printed to standard error.
        stderr: String,
    },
    /// It could not do its work, through no fault of the component.
    #[error("the compiler failed: {0}")]
    Failed(String),
    /// What it wrote is not an answer.
    #[error("the compiler's answer is unreadable")]
    Garbled(#[source] serde_json::Error),
}

/// More than the largest inspection; a schema is bounded by the output limit before.
const MAX_REPLY: u64 = 16 << 20;

/// Of standard error, what a person will read.
const MAX_STDERR: u64 = 64 << 10;

/// Threads that compile. Each takes address space for its stack and its heap.
const COMPILE_THREADS: &str = "4";

impl Compiler {
    /// The limits as a job carries them.
    pub(crate) fn seconds(&self) -> u64 {
        self.time.as_secs().saturating_add(1)
    }

    pub(crate) fn run(&self, job: &Job, wasm: &[u8]) -> Result<Reply, CompilerError> {
        let mut header = serde_json::to_vec(job).map_err(CompilerError::Garbled)?;
        header.push(b'\n');
        let mut child = Command::new(&self.program)
            .args(&self.args)
            // It needs nothing of it, and there may be secrets among it.
            .env_clear()
            .env("RAYON_NUM_THREADS", COMPILE_THREADS)
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(CompilerError::Start)?;
        let result = self.converse(&mut child, &[&header, wasm]);
        // In all cases: nothing is left of it.
        let _ = child.kill();
        let status = child.wait().map_err(CompilerError::Start)?;
        let (stdout, stderr) = result?;
        if stdout.is_empty() {
            let stderr = String::from_utf8_lossy(&stderr).trim().to_owned();
            return Err(CompilerError::Died { status, stderr });
        }
        match serde_json::from_slice(&stdout).map_err(CompilerError::Garbled)? {
            Reply::Failed(why) => Err(CompilerError::Failed(why)),
            reply => Ok(reply),
        }
    }

    /// Writes the job and reads the answer at the same time, until both its outputs are closed.
    fn converse(
        &self,
        child: &mut Child,
        input: &[&[u8]],
    ) -> Result<(Vec<u8>, Vec<u8>), CompilerError> {
        let deadline = Instant::now() + self.time;
        let stdout = collect(child.stdout.take(), MAX_REPLY)?;
        let stderr = collect(child.stderr.take(), MAX_STDERR)?;
        let stdin = child.stdin.take();
        thread::scope(|scope| {
            scope.spawn(move || {
                // A process that died early does not read: its status says more than this error.
                let mut stdin = stdin?;
                input.iter().try_for_each(|part| stdin.write_all(part)).ok()
            });
            let received = self
                .receive(&stdout, deadline)
                .and_then(|out| Ok((out, self.receive(&stderr, deadline)?)));
            if received.is_err() {
                // Also ends the writing thread, for which the scope waits.
                let _ = child.kill();
            }
            received
        })
    }

    fn receive(
        &self,
        from: &Receiver<Vec<u8>>,
        deadline: Instant,
    ) -> Result<Vec<u8>, CompilerError> {
        let left = deadline.saturating_duration_since(Instant::now());
        match from.recv_timeout(left) {
            Ok(bytes) => Ok(bytes),
            Err(RecvTimeoutError::Timeout) => Err(CompilerError::Timeout(self.time)),
            Err(RecvTimeoutError::Disconnected) => Ok(Vec::new()),
        }
    }
}

/// Reads a pipe to its end on a thread of its own. What is beyond the limit stays unread.
fn collect(
    pipe: Option<impl Read + Send + 'static>,
    limit: u64,
) -> Result<Receiver<Vec<u8>>, CompilerError> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new()
        .name("compiler-pipe".into())
        .spawn(move || {
            let mut bytes = Vec::new();
            if let Some(pipe) = pipe {
                let _ = pipe.take(limit).read_to_end(&mut bytes);
            }
            // Nobody listens any more after a timeout.
            let _ = sender.send(bytes);
        })
        .map_err(CompilerError::Start)?;
    Ok(receiver)
}

fn said(stderr: &str) -> String {
    match stderr {
        "" => String::new(),
        text => format!(": {}", text.escape_debug()),
    }
}

//! The compiler: a limited process of the same binary. wasmtime promises nothing about the time
//! and memory that compiling a hostile component takes, so that happens where the operating system
//! sets the bounds.

use crate::Digest;
use crate::call::Guest;
use crate::deadline;
use crate::engine::{self, Layout};
use crate::job::{Job, Prepared, Reply, Setup, Task};
use crate::limits::{Budget, MAX_MEMORY};
use crate::report::{About, ComponentError, Inspection};
use crate::settings::{self, Schema};
use crate::shape;
use crate::snapshot::Instrumented;

use rustix::process::{Resource, Rlimit, setrlimit};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::{fs, time::Duration};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Does one job of the compiler: reads it from standard input, limits its own process, and answers
/// on standard output. The whole of what the program named in `Compiler` has to do.
///
/// It limits the process for good, so nothing else can run in it.
#[must_use]
pub fn compile_child() -> ExitCode {
    let reply = work().unwrap_or_else(|error| Reply::Failed(error.to_string()));
    let written = serde_json::to_vec(&reply)
        .map_err(io::Error::from)
        .and_then(|json| io::stdout().write_all(&json));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What ends a job: the component's fault or the machine's.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Refused(#[from] ComponentError),
    #[error(transparent)]
    Failed(#[from] wasmtime::Error),
}

fn work() -> io::Result<Reply> {
    let mut input = io::stdin().lock();
    let mut line = String::new();
    input.read_line(&mut line)?;
    let job: Job = serde_json::from_str(&line)?;
    limit(&job)?;
    let mut wasm = Vec::new();
    input.read_to_end(&mut wasm)?;
    Ok(match run(&job, &wasm) {
        Ok(reply) => reply,
        Err(Stop::Refused(error)) => Reply::Refused(error),
        Err(Stop::Failed(error)) => Reply::Failed(format!("{error:#}")),
    })
}

fn limit(job: &Job) -> io::Result<()> {
    let exactly = |limit| Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    setrlimit(Resource::As, exactly(job.memory_bytes))?;
    setrlimit(Resource::Cpu, exactly(job.seconds))?;
    setrlimit(Resource::Fsize, exactly(job.memory_bytes))?;
    // A dump would hold the settings.
    setrlimit(Resource::Core, exactly(0))?;
    Ok(())
}

fn run(job: &Job, wasm: &[u8]) -> Result<Reply, Stop> {
    shape::check_file(wasm)?;
    let engine = engine::confined()?;
    match &job.task {
        Task::Inspect => {
            let component = compile(&engine, wasm)?;
            let (inspection, _) = inspect(&component, wasm, &job.budget)?;
            Ok(Reply::Inspected(inspection))
        }
        Task::Prepare {
            settings,
            layout,
            output,
        } => {
            let prepared = prepare(&engine, wasm, &job.budget, settings, *layout, output)?;
            Ok(Reply::Prepared(prepared))
        }
    }
}

/// Finds out what the component is, by its interfaces and by asking it.
fn inspect(
    component: &Component,
    wasm: &[u8],
    budget: &Budget,
) -> Result<(Inspection, Guest), ComponentError> {
    let kind = shape::kind(component)?;
    let imports = shape::imports(component)?;
    let guest = Guest::new(component).map_err(|error| ComponentError::mismatch(&error))?;
    let description = guest.describe(budget).map_err(ComponentError::Trial)?.value;
    let about = About::parse(description)?;
    Schema::parse(&about.settings_schema)?;
    let guest = guest.named(&about.name, &about.version);
    let inspection = Inspection {
        digest: Digest::of(wasm),
        kind,
        contract: shape::CONTRACT.to_owned(),
        about,
        imports,
        calls: guest.imported_calls().to_vec(),
        has_names: shape::has_names(wasm),
        size: wasm.len(),
    };
    Ok((inspection, guest))
}

fn prepare(
    engine: &Engine,
    wasm: &[u8],
    budget: &Budget,
    settings: &serde_json::Value,
    layout: Layout,
    output: &Path,
) -> Result<Prepared, Stop> {
    // Checked first on its own, so that faults of the component are not told as wizer tells them.
    let instrumented = Instrumented::new(wasm);
    let component = compile(engine, instrumented.as_ref().map_or(wasm, |i| &i.wasm))?;
    let (inspection, guest) = inspect(&component, wasm, budget)?;
    Schema::parse(&inspection.about.settings_schema)?.check(settings)?;

    let running = guest
        .start("plugin.configure", budget)
        .map_err(ComponentError::Trial)?;
    let (running, problems) = running
        .configure(&settings.to_string())
        .map_err(ComponentError::Trial)?;
    problems.map_err(settings::refused)?;

    let (mut store, instance) = running.into_parts();
    // Reading is our own work: time and room enough for all memories.
    deadline::arm(&mut store, Duration::from_secs(30));
    store.set_hostcall_fuel(2 * MAX_MEMORY as usize);
    let snapshot = match instrumented {
        // The guest's memory would keep the handle of a stream that no later instance has, and its
        // next print or panic would fail.
        Ok(_) if store.data().has_handles => Err("it prints while it is configured".to_owned()),
        Ok(instrumented) => instrumented
            .snapshot(store, instance)
            .map_err(|error| error.root_cause().to_string()),
        Err(error) => Err(error.root_cause().to_string()),
    };
    let (code, setup) = match &snapshot {
        Ok(snapshot) => (snapshot.as_slice(), Setup::Snapshot),
        Err(why) => (wasm, Setup::EachCall { why: why.clone() }),
    };
    let code = engine::compiling_for(layout)?.precompile_component(code)?;
    fs::write(output, &code).map_err(wasmtime::Error::from)?;
    Ok(Prepared {
        inspection,
        setup,
        code: Digest::of(&code),
    })
}

fn compile(engine: &Engine, wasm: &[u8]) -> Result<Component, ComponentError> {
    Component::new(engine, wasm).map_err(|error| ComponentError::Malformed {
        why: error.root_cause().to_string(),
    })
}

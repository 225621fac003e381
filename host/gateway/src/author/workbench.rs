//! The gateway's sandbox without a gateway: what a component answers to a fixture, and what that
//! costs.

use super::fixture::{Fixture, Readable, Told, failed, provided, rejected};
use gatewright_sandbox::{
    CallError, Called, Compiler, ComponentError, Config, Decisions, Grants, Inspection, Limits,
    LoadError, LogLine, Plugin, Provider, Sandbox, StartError, types,
};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use std::{env, io};
use tempfile::TempDir;

/// How often a call is made to tell its time: the median of so many.
const TIMES: usize = 15;

/// Why there is no workbench.
#[derive(Debug, thiserror::Error)]
pub enum WorkbenchError {
    /// The program's own path is not to be had.
    #[error("the program does not find itself, and it is its own compiler")]
    Program(#[source] io::Error),
    /// There is no temporary folder.
    #[error("no temporary folder can be made")]
    Folder(#[source] io::Error),
    /// The sandbox does not start.
    #[error("the sandbox does not start")]
    Start(#[from] StartError),
    /// The component cannot be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// Two sandboxes: one that is as fast as the gateway's, and one that counts instructions.
pub struct Workbench {
    timed: Sandbox,
    counted: Sandbox,
    _temporary: Option<TempDir>,
}

/// What a component answered to a fixture.
#[derive(Debug)]
pub struct Run {
    /// As fixtures have it.
    pub answer: Value,
    /// What the call for all of it cost; none where the settings were refused.
    pub cost: Option<Cost>,
    /// What it logged and printed, in the first call.
    pub log: Vec<LogLine>,
    /// Where calls failed: the message and the guest's functions.
    pub failures: Vec<CallError>,
}

/// What a call cost. Of a provider plugin: the dearest of its calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// WebAssembly instructions, about; the same each time.
    pub fuel: u64,
    /// The median of some calls, on this machine.
    pub time: Duration,
    /// The most bytes of linear memory.
    pub memory: u64,
    /// Bytes of the answer.
    pub output: u64,
}

impl Cost {
    fn of<T>(called: &Called<T>) -> Self {
        Self {
            fuel: called.fuel.unwrap_or(0),
            time: called.elapsed,
            memory: called.memory,
            output: called.output,
        }
    }

    fn max(self, other: Self) -> Self {
        Self {
            fuel: self.fuel.max(other.fuel),
            time: self.time.max(other.time),
            memory: self.memory.max(other.memory),
            output: self.output.max(other.output),
        }
    }

    /// What of the gateway's limits, if it is as they are by default, is used by more than four
    /// fifths, each with its share in percent.
    #[must_use]
    pub fn near(&self, is_provider: bool, items: usize) -> Vec<(&'static str, u64)> {
        let limits = limits(is_provider);
        let more = u32::try_from(items.saturating_sub(1)).unwrap_or(u32::MAX);
        let time = limits.time + limits.time_per_extra_item * more;
        let shares = [
            (
                "time",
                self.time.as_micros() as u64,
                time.as_micros() as u64,
            ),
            ("memory", self.memory, limits.memory),
            ("output", self.output, limits.output),
        ];
        let shares = shares.into_iter();
        let shares = shares.map(|(name, used, of)| (name, used * 100 / of.max(1)));
        shares.filter(|(_, share)| *share > 80).collect()
    }
}

/// In which order and company accounts are asked about. A policy must not care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// All together, as they stand.
    Together,
    /// All together, the last first.
    Reversed,
    /// Each alone.
    Alone,
}

fn limits(is_provider: bool) -> Limits {
    match is_provider {
        true => Limits::for_provider(),
        false => Limits::default(),
    }
}

impl Workbench {
    /// Starts one, with machine code kept in a folder, or in one that goes with it.
    ///
    /// # Errors
    /// Where the folder cannot be used.
    pub fn start(cache: Option<&Path>) -> Result<Self, WorkbenchError> {
        let program = env::current_exe().map_err(WorkbenchError::Program)?;
        let temporary = match cache {
            Some(_) => None,
            None => Some(tempfile::tempdir().map_err(WorkbenchError::Folder)?),
        };
        let cache = cache.or(temporary.as_ref().map(TempDir::path));
        let cache = cache.unwrap_or(Path::new(".")).to_owned();
        let config = |counts_fuel: bool| Config {
            slots: 2,
            counts_fuel,
            ..Config::new(cache.clone(), Compiler::new(&program, ["compile-plugin"]))
        };
        Ok(Self {
            timed: Sandbox::start(config(false))?,
            counted: Sandbox::start(config(true))?,
            _temporary: temporary,
        })
    }

    /// What the component is.
    ///
    /// # Errors
    /// Where it is none that a gateway would take.
    pub fn inspect(&self, wasm: &[u8]) -> Result<Inspection, LoadError> {
        self.timed.inspect(wasm)
    }

    /// What it answers to a fixture, and what that costs.
    ///
    /// # Errors
    /// Where it cannot be loaded. That it refuses the settings is an answer.
    pub fn run(&self, wasm: &[u8], fixture: &Fixture) -> Result<Run, LoadError> {
        let counted = match load(&self.counted, wasm, fixture)? {
            Ok(plugin) => plugin,
            Err(refused) => return Ok(refused),
        };
        let mut run = ask(&counted, fixture, Order::Together);
        if let (Some(cost), Ok(timed)) = (&mut run.cost, load(&self.timed, wasm, fixture)?) {
            let mut times: Vec<Duration> = (0..TIMES)
                .filter_map(|_| ask(&timed, fixture, Order::Together).cost)
                .map(|cost| cost.time)
                .collect();
            times.sort();
            cost.time = times.get(times.len() / 2).copied().unwrap_or(cost.time);
        }
        Ok(run)
    }

    /// What it answers where accounts come in another order or company.
    ///
    /// # Errors
    /// Where it cannot be loaded.
    pub fn answer(&self, wasm: &[u8], fixture: &Fixture, order: Order) -> Result<Value, LoadError> {
        Ok(match load(&self.timed, wasm, fixture)? {
            Ok(plugin) => ask(&plugin, fixture, order).answer,
            Err(refused) => refused.answer,
        })
    }
}

/// The plugin with the fixture's settings, or that it refused them.
fn load(
    sandbox: &Sandbox,
    wasm: &[u8],
    fixture: &Fixture,
) -> Result<Result<Plugin, Run>, LoadError> {
    let is_provider = matches!(fixture.told, Told::Requests(_));
    let loaded = sandbox.load(
        wasm,
        &fixture.settings,
        limits(is_provider),
        Grants::default(),
    );
    match loaded {
        Ok(plugin) => Ok(Ok(plugin)),
        Err(LoadError::Component(ComponentError::Settings { problems })) => {
            let told = problems.iter().map(|one| match one.pointer.as_str() {
                "" => one.message.clone(),
                pointer => format!("{pointer}: {}", one.message),
            });
            Ok(Err(Run {
                answer: json!({ "settings_refused": told.collect::<Vec<_>>() }),
                cost: None,
                log: Vec::new(),
                failures: Vec::new(),
            }))
        }
        Err(error) => Err(error),
    }
}

fn ask(plugin: &Plugin, fixture: &Fixture, order: Order) -> Run {
    match (&fixture.told, plugin) {
        (Told::Requests(requests), Plugin::Provider(provider)) => pass(provider, requests),
        (Told::Accounts { context, accounts }, plugin) => {
            let told: Vec<types::Account> =
                accounts.iter().map(|one| one.account.clone()).collect();
            match plugin {
                Plugin::Lifecycle(policy) => {
                    decide(&told, order, |part| policy.decide(context, part))
                }
                Plugin::Role(policy) => decide(&told, order, |part| policy.decide(context, part)),
                Plugin::Seat(policy) => {
                    decide(accounts, order, |part| policy.decide(context, part))
                }
                Plugin::Provider(_) => mismatch(),
            }
        }
        (Told::Requests(_), _) => mismatch(),
    }
}

/// The manifest names another kind than the component is of.
fn mismatch() -> Run {
    let failed = "the component is of another kind than gatewright-plugin.toml says";
    Run {
        answer: json!({ "failed": failed }),
        cost: None,
        log: Vec::new(),
        failures: Vec::new(),
    }
}

fn decide<I: Clone, D: Readable>(
    inputs: &[I],
    order: Order,
    call: impl Fn(&[I]) -> Result<Decisions<D>, CallError>,
) -> Run {
    let mut run = Run {
        answer: Value::Null,
        cost: None,
        log: Vec::new(),
        failures: Vec::new(),
    };
    let mut answers: Vec<Value> = Vec::with_capacity(inputs.len());
    let asked: Vec<I> = match order {
        Order::Together | Order::Alone => inputs.to_vec(),
        Order::Reversed => inputs.iter().rev().cloned().collect(),
    };
    let mut part = |part: &[I], run: &mut Run| match call(part) {
        Ok(called) => {
            let cost = Cost::of(&called);
            run.cost = Some(run.cost.map_or(cost, |before| before.max(cost)));
            run.log.extend(called.log);
            answers.extend(called.value.iter().map(|one| match one {
                Ok(decision) => decision.readable(),
                Err(why) => rejected(why),
            }));
            true
        }
        Err(error) if part.len() == 1 => {
            answers.push(failed(&error));
            run.log.extend(error.log.iter().cloned());
            run.failures.push(error);
            true
        }
        Err(_) => false,
    };
    // Where a batch fails the gateway finds out about whom, and so is each asked about alone.
    if order == Order::Alone || !part(&asked, &mut run) {
        for one in asked.chunks(1) {
            part(one, &mut run);
        }
    }
    if order == Order::Reversed {
        answers.reverse();
    }
    run.answer = Value::Array(answers);
    run
}

fn pass(provider: &Provider, requests: &[(types::Request, Option<types::Answer>)]) -> Run {
    let mut run = Run {
        answer: Value::Null,
        cost: None,
        log: Vec::new(),
        failures: Vec::new(),
    };
    let mut answers = Vec::with_capacity(requests.len());
    for (request, answer) in requests {
        let wants = provider.wants(&request.method, &request.resource);
        let normalized = wants
            .normalize
            .then(|| note(&mut run, provider.normalize(request)));
        let presented = answer
            .as_ref()
            .filter(|_| wants.present)
            .map(|answer| note(&mut run, provider.present(request, answer)));
        let wanted = (wants.normalize, wants.present);
        answers.push(provided(wanted, normalized, presented));
    }
    run.answer = Value::Array(answers);
    run
}

/// Takes a call of a provider plugin down.
fn note<T>(
    run: &mut Run,
    called: Result<Called<Result<T, types::Refusal>>, CallError>,
) -> Result<T, Value> {
    match called {
        Ok(called) => {
            let cost = Cost::of(&called);
            run.cost = Some(run.cost.map_or(cost, |before| before.max(cost)));
            run.log.extend(called.log);
            called
                .value
                .map_err(|refusal| json!({ "refused": refusal.message }))
        }
        Err(error) => {
            let told = failed(&error);
            run.log.extend(error.log.iter().cloned());
            run.failures.push(error);
            Err(told)
        }
    }
}

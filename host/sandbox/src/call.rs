//! One call is one fresh instance: nothing a guest does is seen by the next call.

use crate::bindings::base::exports::gatewright::plugin::plugin::GuestIndices;
use crate::deadline;
use crate::failure::{self, CallError, Stage};
use crate::limits::Budget;
use crate::log::{LogBook, LogLine};
use crate::meter::Meter;
use crate::report::ImportedCall;
use crate::shim::{self, State};
use crate::types::{Description, Problem, Timestamp};
use std::time::{Duration, Instant};
use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::{Error, Result, Store};

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called<T> {
    /// The answer.
    pub value: T,
    /// What the plugin logged and printed, up to the limit.
    pub log: Vec<LogLine>,
    /// From before the instance was made until the answer was there, without the host's checks.
    pub elapsed: Duration,
    /// The most bytes of linear memory that it had at a time, the snapshot's included.
    pub memory: u64,
    /// Bytes of the answer, as [`Limits::output`](crate::Limits) counts them; 0 where a kind of
    /// plugin has no such limit for one answer.
    pub output: u64,
    /// WebAssembly instructions that ran, about; the same each time for the same call. None where
    /// the sandbox does not count them.
    pub fuel: Option<u64>,
}

impl<T> Called<T> {
    /// The same call with another view of its answer.
    pub(crate) fn map<R>(self, f: impl FnOnce(T) -> R) -> Called<R> {
        Called {
            value: f(self.value),
            log: self.log,
            elapsed: self.elapsed,
            memory: self.memory,
            output: self.output,
            fuel: self.fuel,
        }
    }
}

/// Handles are memory of the host, of which wasmtime would give a guest 100,000.
const MAX_HANDLES: usize = 100;

/// A component that is linked and type-checked: instances come from it, on any thread.
#[derive(Clone)]
pub(crate) struct Guest {
    pre: InstancePre<State>,
    base: GuestIndices,
    calls: Vec<ImportedCall>,
    /// `name@version`, for errors.
    name: String,
    /// What every instance is configured with before its call, where there is no snapshot.
    settings: Option<String>,
    counts_fuel: bool,
}

impl Guest {
    /// A guest without a name yet, which stands for a component that is configured already or is
    /// about to be.
    pub(crate) fn new(component: &Component) -> Result<Self> {
        let mut linker = Linker::new(component.engine());
        let calls = shim::link(&mut linker, component)?;
        let pre = linker.instantiate_pre(component)?;
        Ok(Self {
            base: GuestIndices::new(&pre)?,
            pre,
            calls,
            name: String::new(),
            settings: None,
            counts_fuel: false,
        })
    }

    /// What it may call of the host, and what it gets by that.
    pub(crate) fn imported_calls(&self) -> &[ImportedCall] {
        &self.calls
    }

    pub(crate) fn named(mut self, name: &str, version: &str) -> Self {
        self.name = format!("{name}@{version}");
        self
    }

    /// Has each instance configured before its call.
    pub(crate) fn configured_each_time(mut self, settings: String) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Has each call say how much it ran, where the machine code counts it.
    pub(crate) fn counting_fuel(mut self, counts: bool) -> Self {
        self.counts_fuel = counts;
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pre(&self) -> &InstancePre<State> {
        &self.pre
    }

    /// Makes an instance and has `call` call it.
    ///
    /// `now` is what the guest's wall clock says; none denies it.
    pub(crate) fn call<R>(
        &self,
        export: &'static str,
        budget: &Budget,
        now: Option<Timestamp>,
        call: impl FnOnce(&mut Store<State>, &Instance) -> Result<R>,
    ) -> Result<Called<R>, CallError> {
        let mut running = self.start(export, budget)?;
        if let Some(settings) = &self.settings {
            let (configured, problems) = running.configure(settings)?;
            running = configured;
            if let Err(problems) = problems {
                let why = format!("refused settings that it took before: {problems:?}");
                return Err(running.garbage(why));
            }
        }
        let (running, value) = running.step(now, call)?;
        Ok(running.finish(value))
    }

    /// Asks the plugin what it is.
    pub(crate) fn describe(&self, budget: &Budget) -> Result<Called<Description>, CallError> {
        let running = self.start("plugin.describe", budget)?;
        let (running, description) = running.step(None, |store, instance| {
            self.base.load(&mut *store, instance)?.call_describe(store)
        })?;
        Ok(running.finish(description))
    }

    /// A fresh instance, on which nothing was called.
    pub(crate) fn start(
        &self,
        export: &'static str,
        budget: &Budget,
    ) -> Result<Running<'_>, CallError> {
        let begin = Instant::now();
        let state = State {
            meter: Meter::new(budget),
            log: LogBook::new(budget.log),
            now: None,
            has_handles: false,
        };
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.meter);
        // Counts what goes from guest to host, call by call; it would be 128 MiB.
        store.set_hostcall_fuel(usize::try_from(budget.output).unwrap_or(usize::MAX));
        store.set_max_component_handles(MAX_HANDLES);
        // Without end: what bounds a call is its time.
        let fuelled = match self.counts_fuel {
            true => store.set_fuel(u64::MAX),
            false => Ok(()),
        };
        // A store begins with its deadline in the past, and a component may run code at its start.
        deadline::arm(&mut store, budget.time);
        let result = fuelled.and_then(|()| self.pre.instantiate(&mut store));
        let halted = Halted {
            guest: self,
            export,
            begin,
            store,
            output: budget.output,
        };
        match result {
            Ok(instance) => Ok(Running {
                time: budget.time,
                halted,
                instance,
            }),
            Err(error) => Err(halted.fail(&error, Stage::Starting)),
        }
    }
}

/// An instance between two calls. A call that fails consumes it, because after a trap its store is
/// of no more use.
pub(crate) struct Running<'a> {
    halted: Halted<'a>,
    instance: Instance,
    time: Duration,
}

/// What a failure is made from.
struct Halted<'a> {
    guest: &'a Guest,
    export: &'static str,
    begin: Instant,
    store: Store<State>,
    /// The most bytes of output that it may have.
    output: u64,
}

impl Running<'_> {
    /// Hands over the settings. The clock is denied: the time would stay in the snapshot for ever.
    pub(crate) fn configure(
        self,
        settings: &str,
    ) -> Result<(Self, std::result::Result<(), Vec<Problem>>), CallError> {
        let base = &self.halted.guest.base;
        self.step(None, |store, instance| {
            base.load(&mut *store, instance)?
                .call_configure(store, settings)
        })
    }

    /// One call with the whole of the deadline before it.
    fn step<R>(
        mut self,
        now: Option<Timestamp>,
        call: impl FnOnce(&mut Store<State>, &Instance) -> Result<R>,
    ) -> Result<(Self, R), CallError> {
        let store = &mut self.halted.store;
        deadline::arm(store, self.time);
        store.data_mut().now = now;
        match call(store, &self.instance) {
            Ok(value) => Ok((self, value)),
            Err(error) => Err(self.halted.fail(&error, Stage::Calling)),
        }
    }

    /// The store and the instance, for the one who takes a snapshot of them.
    pub(crate) fn into_parts(self) -> (Store<State>, Instance) {
        (self.halted.store, self.instance)
    }

    fn finish<R>(self, value: R) -> Called<R> {
        let elapsed = self.halted.begin.elapsed();
        let counts = self.halted.guest.counts_fuel;
        let left = counts.then(|| self.halted.store.get_fuel().ok()).flatten();
        let state = self.halted.store.into_data();
        let memory = state.meter.memory();
        let (log, _) = state.log.finish();
        Called {
            value,
            log,
            elapsed,
            memory,
            output: 0,
            fuel: left.map(|left| u64::MAX - left),
        }
    }

    fn garbage(self, why: String) -> CallError {
        let (name, export) = (&self.halted.guest.name, self.halted.export);
        let called = self.finish(());
        CallError::garbage(name, export, why, called)
    }
}

impl Halted<'_> {
    fn fail(self, error: &Error, stage: Stage) -> CallError {
        let kind = (
            failure::classify(error, stage, self.output),
            failure::frames(error),
        );
        let elapsed = self.begin.elapsed();
        let state = self.store.into_data();
        CallError::new(&self.guest.name, self.export, kind, state, elapsed)
    }
}

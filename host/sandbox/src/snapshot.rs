//! The component as it is after `configure`, as a component again: every call then starts from
//! there, and none sees what another left behind.

use crate::shim::State;
use std::cell::OnceCell;
use std::future::pending;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wasmtime::component::{ComponentNamedList, Instance, Lift, WasmList};
use wasmtime::{Error, Result, Store, format_err};
use wasmtime_wizer::{ComponentContext, ComponentInstanceState, Wizer};

/// A component with added exports that read its memories and globals.
pub(crate) struct Instrumented<'a> {
    wizer: Wizer,
    context: ComponentContext<'a>,
    /// To be compiled, configured and handed to [`Instrumented::snapshot`].
    pub(crate) wasm: Vec<u8>,
}

impl<'a> Instrumented<'a> {
    /// Fails for components inside of components (QuickJS), among others.
    pub(crate) fn new(wasm: &'a [u8]) -> Result<Self> {
        let mut wizer = Wizer::new();
        // What initialises is an export of the contract, which wizer must not take away.
        wizer.keep_init_func(true);
        let (context, instrumented) = wizer.instrument_component(wasm)?;
        Ok(Self {
            wizer,
            context,
            wasm: instrumented,
        })
    }

    /// Reads an instance of the instrumented component, whose deadline and output limit must
    /// leave room for that: it hands over its memory.
    pub(crate) fn snapshot(&self, store: Store<State>, instance: Instance) -> Result<Vec<u8>> {
        let mut reader = Reader {
            store,
            instance,
            failure: OnceCell::new(),
        };
        let poll = {
            let future = pin!(self.wizer.snapshot_component(&self.context, &mut reader));
            future.poll(&mut Context::from_waker(Waker::noop()))
        };
        match (poll, reader.failure.into_inner()) {
            (Poll::Ready(wasm), None) => wasm,
            (_, Some(error)) => Err(error),
            (Poll::Pending, None) => Err(format_err!("the snapshot never became ready")),
        }
    }
}

/// wizer has this ready behind its feature `wasmtime`, which brings a cache, garbage collection,
/// threads and a WIT parser along.
struct Reader {
    store: Store<State>,
    instance: Instance,
    failure: OnceCell<Error>,
}

impl Reader {
    /// Calls one of wizer's exports. The trait leaves no way to return an error, so on an error the
    /// future never becomes ready and [`Instrumented::snapshot`] finds the error here.
    async fn read<R>(&mut self, interface: &str, function: &str) -> R
    where
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        match self.try_read(interface, function) {
            Ok(result) => result,
            Err(error) => {
                self.failure.get_or_init(|| error);
                pending().await
            }
        }
    }

    fn try_read<R>(&mut self, interface: &str, function: &str) -> Result<R>
    where
        R: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let missing = || format_err!("the instrumented component lacks {interface}#{function}");
        let (_, interface_index) = self
            .instance
            .get_export(&mut self.store, None, interface)
            .ok_or_else(missing)?;
        let (_, index) = self
            .instance
            .get_export(&mut self.store, Some(&interface_index), function)
            .ok_or_else(missing)?;
        self.instance
            .get_typed_func::<(), R>(&mut self.store, index)?
            .call(&mut self.store, ())
    }
}

impl ComponentInstanceState for Reader {
    async fn call_func_ret_list_u8(
        &mut self,
        instance: &str,
        func: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) {
        let (bytes,): (WasmList<u8>,) = self.read(instance, func).await;
        contents(bytes.as_le_slice(&self.store));
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.read::<(i32,)>(instance, func).await.0
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.read::<(i64,)>(instance, func).await.0
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.read::<(f32,)>(instance, func).await.0.to_bits()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.read::<(f64,)>(instance, func).await.0.to_bits()
    }
}

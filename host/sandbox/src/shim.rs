//! What a plugin finds where it expects an operating system: nothing.
//!
//! The standard libraries of Rust and C link some thirty functions of WASI 0.2 and call a few of
//! them before the plugin's own code runs. Those few answer with nothing, with a fixed value, or
//! collect what is printed; each other one ends the call with an error that names it. Nothing here
//! waits, and nothing may: a deadline does not interrupt host code. Every answer is the same each
//! time, so that a call can be repeated bit for bit.

use crate::bindings::base::gatewright::plugin::log::Level;
use crate::log::{LogBook, Stream};
use crate::meter::Meter;
use crate::report::{Access, ImportedCall};
use crate::shape;
use crate::types::Timestamp;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{
    Component, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType,
};
use wasmtime::{Result, StoreContextMut};

/// The data of a store: what belongs to one call.
pub(crate) struct State {
    pub(crate) meter: Meter,
    pub(crate) log: LogBook,
    /// The time that the call is told. None denies the clock: while a plugin is configured, because
    /// a snapshot would keep that time for ever, and where the call has no time.
    pub(crate) now: Option<Timestamp>,
    /// Whether the guest ever asked for a stream. Its handle table then has an entry that a
    /// snapshot cannot carry over.
    pub(crate) has_handles: bool,
}

/// What ends a call of a function that is not granted. Found again by its type.
#[derive(Debug, thiserror::Error)]
#[error("called {0}, which this host does not grant")]
pub(crate) struct Denied(pub(crate) String);

/// Stands for every resource of WASI: streams, descriptors, pollables. The host keeps nothing but
/// a number behind a handle, so one type does; a guest cannot mix them up, because the component's
/// own tables are typed.
struct Nothing;

// Both types have the exact shape that WASI gives them, of which the host uses a part.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<Nothing>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

type Call<'a> = StoreContextMut<'a, State>;
type Handle = Resource<Nothing>;
/// What the methods of streams return.
type Streamed<T> = Result<(std::result::Result<T, StreamError>,)>;

const STDIN: u32 = 0;
const STDOUT: u32 = 1;
const STDERR: u32 = 2;
/// Every pollable.
const READY: u32 = 3;

/// Defines what `component` imports, under the names and versions that it uses itself. Interfaces
/// that [`shape`] does not allow were refused before.
///
/// `Linker::define_unknown_imports_as_traps` is of no use for the rest: it takes no account of
/// versions, and defines anew the resources that one interface has from another.
///
/// Answers what the component may call by that, in the order of its imports.
pub(crate) fn link(linker: &mut Linker<State>, component: &Component) -> Result<Vec<ImportedCall>> {
    let engine = component.engine();
    let mut calls = Vec::new();
    for (import, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else {
            continue;
        };
        let mut instance = linker.instance(import)?;
        for (name, item) in interface.exports(engine) {
            match item.ty {
                ComponentItem::Resource(_) => {
                    let ty = ResourceType::host::<Nothing>();
                    instance.resource(name, ty, |_, _| Ok(()))?;
                }
                ComponentItem::ComponentFunc(_) => calls.push(ImportedCall {
                    import: import.to_owned(),
                    function: name.to_owned(),
                    access: define(&mut instance, import, name)?,
                }),
                // A plain type needs no definition.
                _ => {}
            }
        }
    }
    Ok(calls)
}

/// The complete list of what a plugin may call, and what it gets by that.
fn define(to: &mut LinkerInstance<'_, State>, import: &str, name: &str) -> Result<Access> {
    let mut access = Access::Nothing;
    let defined = match (shape::unversioned(import), name) {
        ("gatewright:plugin/log", "write") => {
            access = Access::Granted;
            to.func_wrap(
                name,
                |mut call: Call<'_>, (level, message): (Level, String)| {
                    call.data_mut().log.write(level, &message);
                    Ok(())
                },
            )
        }
        ("wasi:cli/environment", "get-environment") => to.func_wrap(name, |_: Call<'_>, ()| {
            Ok((Vec::<(String, String)>::new(),))
        }),
        ("wasi:cli/environment", "get-arguments") => {
            to.func_wrap(name, |_: Call<'_>, ()| Ok((Vec::<String>::new(),)))
        }
        ("wasi:filesystem/preopens", "get-directories") => to.func_wrap(name, |_: Call<'_>, ()| {
            Ok((Vec::<(Handle, String)>::new(),))
        }),
        ("wasi:cli/stdin", "get-stdin") => stream(to, name, STDIN),
        ("wasi:cli/stdout", "get-stdout") => stream(to, name, STDOUT),
        ("wasi:cli/stderr", "get-stderr") => stream(to, name, STDERR),
        (
            "wasi:cli/terminal-stdin" | "wasi:cli/terminal-stdout" | "wasi:cli/terminal-stderr",
            _,
        ) if name.starts_with("get-terminal-") => {
            to.func_wrap(name, |_: Call<'_>, ()| Ok((None::<Handle>,)))
        }
        ("wasi:io/streams", "[method]input-stream.read" | "[method]input-stream.blocking-read") => {
            to.func_wrap(name, |_: Call<'_>, _: (Handle, u64)| -> Streamed<Vec<u8>> {
                Ok((Err(StreamError::Closed),))
            })
        }
        ("wasi:io/streams", "[method]output-stream.check-write") => to
            .func_wrap(name, |_: Call<'_>, _: (Handle,)| -> Streamed<u64> {
                Ok((Ok(4096),))
            }),
        (
            "wasi:io/streams",
            "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush",
        ) => {
            access = Access::Granted;
            to.func_wrap(name, print)
        }
        (
            "wasi:io/streams",
            "[method]output-stream.flush" | "[method]output-stream.blocking-flush",
        ) => to.func_wrap(name, |_: Call<'_>, _: (Handle,)| -> Streamed<()> {
            Ok((Ok(()),))
        }),
        // Newer C libraries wait for a stream to be ready before they write to it. All pollables
        // here are of streams, which always are: nothing waits.
        (
            "wasi:io/streams",
            "[method]output-stream.subscribe" | "[method]input-stream.subscribe",
        ) => to.func_wrap(name, |mut call: Call<'_>, _: (Handle,)| {
            call.data_mut().has_handles = true;
            Ok((Handle::new_own(READY),))
        }),
        ("wasi:io/poll", "[method]pollable.block") => {
            to.func_wrap(name, |_: Call<'_>, _: (Handle,)| Ok(()))
        }
        ("wasi:io/poll", "[method]pollable.ready") => {
            to.func_wrap(name, |_: Call<'_>, _: (Handle,)| Ok((true,)))
        }
        ("wasi:io/poll", "poll") => to.func_wrap(name, |_: Call<'_>, (all,): (Vec<Handle>,)| {
            Ok(((0_u32..)
                .zip(&all)
                .map(|(index, _)| index)
                .collect::<Vec<u32>>(),))
        }),
        // Seeds hash maps, whose order is the same each time therefore. Randomness that secrets
        // are made of stays denied.
        ("wasi:random/insecure-seed", _) if name.ends_with("insecure-seed") => {
            to.func_wrap(name, |_: Call<'_>, ()| Ok(((7_u64, 7_u64),)))
        }
        // Stands still: how long something takes is none of a decision's business.
        ("wasi:clocks/monotonic-clock", "now") => {
            to.func_wrap(name, |_: Call<'_>, ()| Ok((0_u64,)))
        }
        ("wasi:clocks/wall-clock", "now") => {
            access = Access::Granted;
            let denied = format!("{import}#{name}");
            to.func_wrap(name, move |call: Call<'_>, ()| match call.data().now {
                Some(now) => Ok((datetime(now),)),
                None => Err(Denied(denied.clone()).into()),
            })
        }
        _ => {
            access = Access::Denied;
            let denied = format!("{import}#{name}");
            to.func_new(name, move |_, _, _, _| Err(Denied(denied.clone()).into()))
        }
    };
    defined.map(|()| access)
}

fn stream(to: &mut LinkerInstance<'_, State>, name: &str, number: u32) -> Result<()> {
    to.func_wrap(name, move |mut call: Call<'_>, ()| {
        call.data_mut().has_handles = true;
        Ok((Handle::new_own(number),))
    })
}

fn print(mut call: Call<'_>, (handle, bytes): (Handle, Vec<u8>)) -> Streamed<()> {
    let stream = match handle.rep() {
        STDERR => Stream::Error,
        _ => Stream::Output,
    };
    call.data_mut().log.print(stream, &bytes);
    Ok((Ok(()),))
}

fn datetime(milliseconds: Timestamp) -> Datetime {
    Datetime {
        seconds: milliseconds / 1000,
        // Below a thousand million, so it fits.
        nanoseconds: (milliseconds % 1000) as u32 * 1_000_000,
    }
}

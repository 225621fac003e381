//! What a component looks like from outside: which file it is, which world, which imports.

use crate::report::{ComponentError, PluginKind};
use wasmparser::{KnownCustom, Name, Parser, Payload};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

/// The version of the contract that this host speaks.
pub(crate) const CONTRACT: &str = "0.1.0";

/// The namespace of the contract's interfaces.
const PACKAGE: &str = "gatewright:plugin/";

/// A component of more bytes is not looked at. Python's are 18 MB.
const MAX_SIZE: usize = 64 << 20;

/// The WASI packages that the standard libraries of the usual languages link. Their functions are
/// answered by the shim, most of them with an error.
const WASI_PACKAGES: [&str; 6] = ["cli", "clocks", "filesystem", "io", "random", "sockets"];

/// Looks at the first bytes alone, so that a file which cannot be a plugin costs nothing, and
/// precompiled code is never handed on.
pub(crate) fn check_file(wasm: &[u8]) -> Result<(), ComponentError> {
    if Engine::detect_precompiled(wasm).is_some() {
        return Err(ComponentError::Precompiled);
    }
    if Parser::is_core_wasm(wasm) {
        return Err(ComponentError::CoreModule);
    }
    if !Parser::is_component(wasm) {
        return Err(ComponentError::NotWasm);
    }
    if wasm.len() > MAX_SIZE {
        return Err(ComponentError::TooLarge {
            bytes: wasm.len(),
            limit: MAX_SIZE,
        });
    }
    Ok(())
}

/// The kind of plugin, by the one interface beside `plugin` that it exports.
pub(crate) fn kind(component: &Component) -> Result<PluginKind, ComponentError> {
    let engine = component.engine();
    let mut interfaces: Vec<(&str, &str)> = Vec::new();
    let ty = component.component_type();
    for (name, _) in ty.exports(engine) {
        if let Some((interface, version)) = contract_name(name) {
            if version != CONTRACT {
                return Err(ComponentError::OtherContract {
                    found: version.to_owned(),
                });
            }
            interfaces.push((interface, name));
        }
    }
    let kinds: Vec<PluginKind> = interfaces
        .iter()
        .filter_map(|(interface, _)| PluginKind::of_interface(interface))
        .collect();
    match kinds[..] {
        [kind]
            if interfaces
                .iter()
                .any(|(interface, _)| *interface == "plugin") =>
        {
            Ok(kind)
        }
        _ => Err(ComponentError::NotOnePlugin {
            found: interfaces
                .iter()
                .map(|(_, name)| (*name).to_owned())
                .collect(),
        }),
    }
}

/// The names of the component's imports, all of which the host can answer.
pub(crate) fn imports(component: &Component) -> Result<Vec<String>, ComponentError> {
    let engine = component.engine();
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for (name, item) in component.component_type().imports(engine) {
        let is_interface = matches!(item.ty, ComponentItem::ComponentInstance(_));
        if let Some((_, version)) = contract_name(name)
            && version != CONTRACT
        {
            return Err(ComponentError::OtherContract {
                found: version.to_owned(),
            });
        }
        let list = match is_interface && is_granted(name) {
            true => &mut known,
            false => &mut unknown,
        };
        list.push(name.to_owned());
    }
    if unknown.is_empty() {
        Ok(known)
    } else {
        Err(ComponentError::Imports { names: unknown })
    }
}

/// Whether the largest module of the component says what its functions are called. Others, such as
/// the adapters that tools add, have names of no use.
pub(crate) fn has_names(wasm: &[u8]) -> bool {
    let mut largest = 0;
    let mut in_largest = false;
    let mut named = false;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload {
            Ok(Payload::ModuleSection {
                unchecked_range, ..
            }) => {
                in_largest = unchecked_range.len() > largest;
                if in_largest {
                    largest = unchecked_range.len();
                    named = false;
                }
            }
            Ok(Payload::CustomSection(section)) if in_largest => {
                if let KnownCustom::Name(names) = section.as_known() {
                    named |= names
                        .into_iter()
                        .any(|subsection| matches!(subsection, Ok(Name::Function(_))));
                }
            }
            Ok(_) => {}
            // It did not compile then either.
            Err(_) => return false,
        }
    }
    named
}

/// An import's name without its version, which is the guest's own.
pub(crate) fn unversioned(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

fn is_granted(import: &str) -> bool {
    let Some((package, version)) = import
        .strip_prefix("wasi:")
        .and_then(|rest| rest.split_once('/'))
        .and_then(|(package, rest)| Some((package, rest.split_once('@')?.1)))
    else {
        return matches!(
            unversioned(import),
            "gatewright:plugin/types" | "gatewright:plugin/log"
        );
    };
    WASI_PACKAGES.contains(&package) && version.starts_with("0.2.")
}

/// Interface and version, if `name` is one of the contract's.
fn contract_name(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_contract_and_what_std_links_is_granted() {
        for granted in [
            "gatewright:plugin/log@0.1.0",
            "gatewright:plugin/types@0.1.0",
            "wasi:cli/stdout@0.2.6",
            "wasi:sockets/tcp@0.2.9",
        ] {
            assert!(is_granted(granted), "{granted}");
        }
        for refused in [
            "gatewright:plugin/store@0.1.0",
            "wasi:http/outgoing-handler@0.2.6",
            "wasi:cli/stdout@0.3.0",
            "wasi:cli/stdout",
            "other:cli/stdout@0.2.0",
            "log",
        ] {
            assert!(!is_granted(refused), "{refused}");
        }
    }

    #[test]
    fn each_wrong_file_has_its_own_answer() {
        assert!(matches!(
            check_file(b"\0asm\x01\0\0\0"),
            Err(ComponentError::CoreModule)
        ));
        assert!(matches!(
            check_file(b"#!/bin/sh"),
            Err(ComponentError::NotWasm)
        ));
        assert!(matches!(check_file(b""), Err(ComponentError::NotWasm)));
        assert!(check_file(b"\0asm\x0d\0\x01\0").is_ok());
    }
}

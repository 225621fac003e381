//! What is loaded, and what is refused with which words.

use crate::harness::{
    account, compiler, component, context, load, patient, role, sandbox, sandbox_in,
};
use gatewright_sandbox::{
    Access, Allocation, Compiler, CompilerError, ComponentError, Config, FailureKind, Grants,
    Limits, LoadError, PluginKind, Sandbox, Setup,
};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

fn refused(wasm: &[u8]) -> ComponentError {
    match sandbox().inspect(wasm) {
        Err(LoadError::Component(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// The same component with a name in it replaced by one of the same length.
fn patched(name: &str, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut wasm = component(name);
    let mut found = 0;
    for at in 0..wasm.len() - from.len() {
        if wasm[at..].starts_with(from.as_bytes()) {
            wasm[at..at + to.len()].copy_from_slice(to.as_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "{from} is not in {name}");
    wasm
}

#[test]
fn an_inspection_tells_what_a_component_is() {
    let wasm = component("hostile");
    let inspection = sandbox().inspect(&wasm).unwrap();
    assert_eq!(inspection.kind, PluginKind::Role);
    assert_eq!(inspection.contract, "0.1.0");
    assert_eq!(inspection.about.name, "hostile");
    assert_eq!(inspection.size, wasm.len());
    assert!(inspection.has_names);
    assert!(inspection.about.settings_schema.is_object());
    assert!(
        inspection
            .imports
            .iter()
            .any(|import| import.starts_with("wasi:cli/"))
    );
    let access = |function: &str| {
        let found = inspection
            .calls
            .iter()
            .find(|call| call.function == function);
        found.map(|call| call.access)
    };
    let print = "[method]output-stream.write";
    assert_eq!(access(print), Some(Access::Granted));
    let nothing = "[method]output-stream.check-write";
    assert_eq!(access(nothing), Some(Access::Nothing));
    assert_eq!(access("subscribe-duration"), Some(Access::Denied));
    assert_eq!(
        sandbox().inspect(&component("okta")).unwrap().kind,
        PluginKind::Provider
    );
}

#[test]
fn what_is_no_plugin_is_refused_with_a_remedy() {
    let core = refused(b"\0asm\x01\0\0\0");
    assert!(
        core.to_string().contains("wasm-tools component new"),
        "{core}"
    );
    let text = refused(b"fn main() {}");
    assert!(text.to_string().contains("wasm32-wasip2"), "{text}");
    let broken = refused(b"\0asm\x0d\0\x01\0\xff\xff");
    assert!(
        matches!(broken, ComponentError::Malformed { .. }),
        "{broken}"
    );
    let empty = refused(b"\0asm\x0d\0\x01\0");
    assert!(
        matches!(empty, ComponentError::NotOnePlugin { .. }),
        "{empty}"
    );
}

#[test]
fn machine_code_is_never_taken() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = sandbox_in(directory.path());
    sandbox
        .load(
            &component("generic"),
            &json!({}),
            Limits::for_provider(),
            Grants::default(),
        )
        .unwrap();
    let code = fs::read(cached(directory.path(), "code")).unwrap();
    let error = refused(&code);
    assert!(matches!(error, ComponentError::Precompiled), "{error}");
}

#[test]
fn another_version_of_the_contract_is_named() {
    let wasm = patched(
        "generic",
        "gatewright:plugin/provider@0.1.0",
        "gatewright:plugin/provider@0.2.0",
    );
    assert_eq!(
        refused(&wasm).to_string(),
        "built for contract 0.2.0, this host speaks 0.1.0"
    );
}

#[test]
fn an_unknown_world_is_told_with_what_was_found() {
    let wasm = patched(
        "generic",
        "gatewright:plugin/provider@0.1.0",
        "gatewright:plugin/diviner0@0.1.0",
    );
    let error = refused(&wasm);
    assert!(
        matches!(error, ComponentError::NotOnePlugin { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("diviner0"), "{error}");
}

#[test]
fn imports_beyond_the_contract_are_refused_by_name() {
    let wasm = patched("hostile", "wasi:cli/stderr@", "wasi:xxx/stderr@");
    match refused(&wasm) {
        ComponentError::Imports { names } => {
            assert!(
                names
                    .iter()
                    .all(|name| name.starts_with("wasi:xxx/stderr@"))
            );
        }
        other => panic!("{other}"),
    }
}

#[test]
fn settings_are_checked_against_the_schema_and_by_the_plugin() {
    let problems = |settings| match load("hostile", &settings) {
        Err(LoadError::Component(ComponentError::Settings { problems })) => problems,
        other => panic!("{other:?}"),
    };
    let by_schema = problems(json!({ "behaviour": "dance", "needle": 7 }));
    let places: Vec<_> = by_schema.iter().map(|p| p.pointer.as_str()).collect();
    assert!(places.contains(&"/behaviour"), "{by_schema:?}");
    assert!(places.contains(&"/needle"), "{by_schema:?}");
    let by_plugin = problems(json!({ "behaviour": "loop", "when": "user-name-contains" }));
    assert_eq!(by_plugin[0].pointer, "/needle");
    assert_eq!(problems(json!([]))[0].pointer, "");
}

#[test]
fn a_plugin_that_fails_when_configured_is_not_loaded() {
    let kind = |behaviour| {
        let settings = json!({ "behaviour": behaviour, "when": "configure" });
        match load("hostile", &settings) {
            Err(LoadError::Component(ComponentError::Trial(error))) => {
                assert_eq!(error.export, "plugin.configure");
                assert!(error.plugin.starts_with("hostile@"));
                error.kind.clone()
            }
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(kind("trap"), FailureKind::Trap(_)));
    assert_eq!(kind("allocate"), FailureKind::Memory);
    assert_eq!(kind("recurse"), FailureKind::Stack);
}

#[test]
fn the_second_load_needs_no_compiler() {
    let directory = tempfile::tempdir().unwrap();
    let wasm = component("hostile");
    let settings = json!({ "behaviour": "refuse" });
    let load =
        |sandbox: &Sandbox| sandbox.load(&wasm, &settings, Limits::default(), Grants::default());
    let policy = role(load(&sandbox_in(directory.path())));
    assert_eq!(policy.loaded().setup(), &Setup::Snapshot);

    let no_compiler = || Compiler {
        program: "/nowhere/compiler".into(),
        ..compiler()
    };
    let config = || Config {
        slots: 8,
        ..Config::new(directory.path().join("cache"), no_compiler())
    };
    let again = role(load(&Sandbox::start(config()).unwrap()));
    assert_eq!(again.loaded().inspection(), policy.loaded().inspection());

    // The key covers the settings.
    let other = Sandbox::start(config()).unwrap().load(
        &wasm,
        &json!({ "behaviour": "trap" }),
        Limits::default(),
        Grants::default(),
    );
    assert!(
        matches!(other, Err(LoadError::Compiler(CompilerError::Start(_)))),
        "{other:?}"
    );
}

#[test]
fn a_damaged_cache_entry_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    let load = || {
        sandbox_in(directory.path()).load(
            &component("generic"),
            &json!({}),
            Limits::for_provider(),
            Grants::default(),
        )
    };
    load().unwrap();
    let mode = fs::metadata(directory.path().join("cache"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);

    let file = cached(directory.path(), "code");
    let whole = fs::read(&file).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&file, &damaged).unwrap();
    load().unwrap();
    assert_ne!(fs::read(&file).unwrap(), damaged);

    fs::write(cached(directory.path(), "json"), "{").unwrap();
    load().unwrap();
    // Nothing is left lying about.
    let files = fs::read_dir(directory.path().join("cache"))
        .unwrap()
        .count();
    assert_eq!(files, 2);
}

/// The one file of that extension in the cache.
fn cached(directory: &Path, extension: &str) -> std::path::PathBuf {
    fs::read_dir(directory.join("cache"))
        .expect("the cache exists")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|e| e == extension))
        .expect("a file of that kind")
}

#[test]
fn bindings_with_the_same_settings_share_what_is_loaded() {
    let settings = json!({ "behaviour": "garbage" });
    let first = role(load("hostile", &settings));
    let second = role(load("hostile", &settings));
    assert!(std::ptr::eq(
        first.loaded().inspection(),
        second.loaded().inspection()
    ));
}

#[test]
fn the_compiler_is_held_to_its_limits() {
    let directory = tempfile::tempdir().unwrap();
    let inspect = |compiler| {
        let config = Config {
            slots: 1,
            ..Config::new(directory.path().join("cache"), compiler)
        };
        match Sandbox::start(config).unwrap().inspect(&component("okta")) {
            Err(LoadError::Compiler(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let slow = inspect(Compiler {
        program: "/bin/sleep".into(),
        args: vec!["100".into()],
        time: Duration::from_millis(100),
        ..compiler()
    });
    assert!(matches!(slow, CompilerError::Timeout(_)), "{slow:?}");

    let cramped = inspect(Compiler {
        memory_bytes: 24 << 20,
        ..compiler()
    });
    assert!(
        matches!(
            cramped,
            CompilerError::Failed(_) | CompilerError::Died { .. }
        ),
        "{cramped:?}"
    );

    let silent = inspect(Compiler {
        program: "/bin/false".into(),
        ..compiler()
    });
    assert!(matches!(silent, CompilerError::Died { .. }), "{silent:?}");
}

#[test]
fn plugins_also_run_without_a_pool() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config {
        // More address space than a process has.
        slots: 200_000,
        ..Config::new(directory.path().join("cache"), compiler())
    };
    let sandbox = Sandbox::start(config).unwrap();
    assert!(matches!(sandbox.allocation(), Allocation::OnDemand { .. }));
    let policy = role(sandbox.load(
        &component("hostile"),
        &json!({ "behaviour": "allocate", "when": "user-name-contains", "needle": "mallory" }),
        patient(),
        Grants::default(),
    ));
    let called = policy.decide(&context(), &[account("ada")]).unwrap();
    assert!(called.value[0].is_ok());
    let error = policy
        .decide(&context(), &[account("mallory")])
        .unwrap_err();
    assert_eq!(error.kind, FailureKind::Memory);
}

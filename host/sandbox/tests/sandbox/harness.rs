//! A sandbox with a cache of its own, the components, and accounts to decide.

use gatewright_sandbox::types::{
    Account, AccountStatus, BaseRole, Catalogue, Context, CustomRole, SeatType, User,
};
use gatewright_sandbox::{
    Compiler, Config, Grants, Limits, LoadError, Plugin, Provider, RolePolicy, Sandbox,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The bytes of a component.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let directory = std::env::var_os("GATEWRIGHT_PLUGINS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins"),
        PathBuf::from,
    );
    let file = directory.join(format!("{name}.wasm"));
    match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) => panic!(
            "run `cargo xtask setup` first ({}: {error})",
            file.display()
        ),
    }
}

/// How the tests start the compiler.
pub(crate) fn compiler() -> Compiler {
    let none: [&str; 0] = [];
    Compiler::new(env!("CARGO_BIN_EXE_gatewright-compile-child"), none)
}

/// A sandbox with few slots and a cache that is its own.
pub(crate) fn sandbox_in(directory: &Path) -> Sandbox {
    Sandbox::start(Config {
        slots: 8,
        ..Config::new(directory.join("cache"), compiler())
    })
    .expect("the sandbox starts")
}

/// The sandbox that most tests share, so that each component is compiled once.
pub(crate) fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceLock<(Sandbox, TempDir)> = OnceLock::new();
    let (sandbox, _) = SANDBOX.get_or_init(|| {
        let directory = tempfile::tempdir().expect("a directory");
        (sandbox_in(directory.path()), directory)
    });
    sandbox
}

/// Loads a component with default limits and all grants.
pub(crate) fn load(name: &str, settings: &Value) -> Result<Plugin, LoadError> {
    sandbox().load(
        &component(name),
        settings,
        Limits::default(),
        Grants::default(),
    )
}

/// The hostile policy, set on accounts whose user name contains `mallory`.
pub(crate) fn hostile(behaviour: &str) -> RolePolicy {
    hostile_with(behaviour, Limits::default(), Grants::default())
}

pub(crate) fn hostile_with(behaviour: &str, limits: Limits, grants: Grants) -> RolePolicy {
    let settings = json!({
        "behaviour": behaviour, "when": "user-name-contains", "needle": "mallory",
    });
    role(sandbox().load(&component("hostile"), &settings, limits, grants))
}

/// Default limits and time enough to reach the others on a machine that is busy.
pub(crate) fn patient() -> Limits {
    Limits {
        time: std::time::Duration::from_secs(10),
        ..Limits::default()
    }
}

pub(crate) fn role(plugin: Result<Plugin, LoadError>) -> RolePolicy {
    match plugin {
        Ok(Plugin::Role(policy)) => policy,
        other => panic!("no role policy: {other:?}"),
    }
}

pub(crate) fn provider(name: &str) -> Provider {
    let limits = Limits::for_provider();
    match sandbox().load(&component(name), &json!({}), limits, Grants::default()) {
        Ok(Plugin::Provider(provider)) => provider,
        other => panic!("no provider: {other:?}"),
    }
}

pub(crate) fn context() -> Context {
    let base = |name: &str, rank| BaseRole {
        name: name.to_owned(),
        rank,
        is_default: rank == 3,
    };
    Context {
        now: 1_750_000_000_123,
        catalogue: Catalogue {
            base_roles: vec![base("Owner", 1), base("Editor", 2), base("Viewer", 3)],
            custom_roles: vec![CustomRole {
                name: "Auditor".to_owned(),
                permissions: vec!["log.read".to_owned()],
            }],
            seat_types: vec![SeatType {
                name: "Full".to_owned(),
                capacity: None,
                is_default: true,
            }],
        },
        organization: "org".to_owned(),
        extra: vec![],
    }
}

pub(crate) fn account(user_name: &str) -> Account {
    let user = User {
        id: format!("u-{user_name}"),
        directory: "d".to_owned(),
        provider: "generic".to_owned(),
        external_id: None,
        user_name: user_name.to_owned(),
        display_name: None,
        email: None,
        active: true,
        attributes: vec![],
        custom_attributes: vec![],
        created: 0,
        modified: 0,
        extra: vec![],
    };
    Account {
        id: format!("a-{user_name}"),
        status: AccountStatus::Active,
        users: vec![user],
        memberships: vec![],
        grants: vec![],
        signals: vec![],
        mapping: vec![],
        mapping_options: vec![],
        decided: None,
        created: 0,
        extra: vec![],
    }
}

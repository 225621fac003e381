//! Microseconds per decision, a fresh instance each, on one thread and on two.
//!
//! `cargo run --release -p gatewright-sandbox --example throughput [COMPONENT [SETTINGS]]`, after
//! `cargo xtask setup`. Without arguments it measures `group-roles`. It is its own compiler.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use gatewright_sandbox::types::{
    Account, AccountStatus, Attribute, AttributeValue, BaseRole, Catalogue, Context, GrantKind,
    MappingEntry, Membership, User,
};
use gatewright_sandbox::{Compiler, Config, Grants, Limits, Plugin, RolePolicy, Sandbox};
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

const CALLS: usize = 3000;
const COMPILE: &str = "--compile";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let component = args
        .next()
        .unwrap_or_else(|| "target/plugins/group-roles.wasm".to_owned());
    if component == COMPILE {
        return Ok(gatewright_sandbox::compile_child());
    }
    let settings = serde_json::from_str(args.next().as_deref().unwrap_or("{}"))?;
    let cache = env::temp_dir().join(format!("gatewright-throughput-{}", std::process::id()));
    let compiler = Compiler::new(env::current_exe()?, [COMPILE]);
    let sandbox = Sandbox::start(Config::new(cache.clone(), compiler))?;

    let wasm = fs::read(component)?;
    let begin = Instant::now();
    let plugin = sandbox.load(&wasm, &settings, Limits::default(), Grants::default())?;
    println!(
        "{} in {}: loaded in {:?} as {:?}",
        plugin.loaded().inspection().full_name(),
        sandbox.allocation(),
        begin.elapsed(),
        plugin.loaded().setup()
    );
    let Plugin::Role(policy) = plugin else {
        return Err("measures role policies only".into());
    };
    let (context, account) = sample();
    for batch in [1, 100] {
        for threads in [1, 2] {
            measure(&policy, &context, &vec![account.clone(); batch], threads);
        }
    }
    fs::remove_dir_all(cache)?;
    Ok(ExitCode::SUCCESS)
}

fn measure(policy: &RolePolicy, context: &Context, batch: &[Account], threads: usize) {
    let calls = CALLS / batch.len().max(1).isqrt();
    let run = || -> Vec<Duration> {
        let call = |_| {
            let begin = Instant::now();
            // A call that fails, for want of processor time, is one to be seen in the figures.
            let _ = policy.decide(context, batch);
            begin.elapsed()
        };
        for i in 0..calls / 10 {
            call(i);
        }
        (0..calls).map(call).collect()
    };
    let begin = Instant::now();
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
            .collect()
    });
    // The warm-up ran in that time too, a tenth as many calls.
    let rate = (times.len() * batch.len()) as f64 / begin.elapsed().as_secs_f64() * 1.1;
    times.sort_unstable();
    println!(
        "{threads} thread(s), batch of {:3}: {:7.1} µs per call, {rate:8.0} decisions/s",
        batch.len(),
        times[times.len() / 2].as_secs_f64() * 1e6,
    );
}

/// An account in 50 groups, of which five mean something.
fn sample() -> (Context, Account) {
    let roles = ["Owner", "Admin", "Editor", "Commenter", "Viewer"];
    let base_role = |(rank, name): (u32, &&str)| BaseRole {
        name: (*name).to_owned(),
        rank,
        is_default: rank == 5,
    };
    let user = User {
        id: "u-1".to_owned(),
        directory: "d-1".to_owned(),
        provider: "generic".to_owned(),
        external_id: None,
        user_name: "ada@example.com".to_owned(),
        display_name: None,
        email: None,
        active: true,
        attributes: [("title", "Engineer"), ("userType", "Employee")]
            .map(|(name, value)| Attribute {
                name: name.to_owned(),
                value: AttributeValue::Text(value.to_owned()),
            })
            .into(),
        custom_attributes: vec![],
        created: 0,
        modified: 0,
        extra: vec![],
    };
    let membership = |i: u32| Membership {
        user: Some(0),
        group: format!("g-{i}"),
        group_name: format!("Engineering team {i}"),
        group_external_id: None,
        since: 1_700_000_000_000,
        ended: None,
    };
    let entry = |place: u32| MappingEntry {
        membership: place,
        kind: GrantKind::BaseRole,
        target: place + 1,
        position: place,
    };
    let context = Context {
        now: 1_750_000_000_000,
        catalogue: Catalogue {
            base_roles: (1..).zip(&roles).map(base_role).collect(),
            custom_roles: vec![],
            seat_types: vec![],
        },
        organization: "o-1".to_owned(),
        extra: vec![],
    };
    let account = Account {
        id: "a-1".to_owned(),
        status: AccountStatus::Active,
        users: vec![user],
        memberships: (0..50).map(membership).collect(),
        grants: vec![],
        signals: vec![],
        mapping: (0..4).map(entry).collect(),
        mapping_options: vec![],
        decided: None,
        created: 0,
        extra: vec![],
    };
    (context, account)
}

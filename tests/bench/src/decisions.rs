//! A decision of `group-roles` about an account in 50 groups with 200 rules: through the sandbox,
//! a fresh instance for each call, beside the same crate called natively.

use crate::bench::{Bench, median};
use crate::report::{Aim, Figure};
use gatewright_sandbox::{Compiler, Config, Grants, Limits, Plugin, RolePolicy, Sandbox, types};
use gatewright_sdk::{self as sdk, GrantKind, RolePolicy as _, testing};
use gatewright_tests::{binary, plugin};
use group_roles::{GroupRoles, Settings};
use serde_json::json;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const GROUPS: usize = 50;
const RULES: usize = 200;
/// As many accounts as the reconciler decides in one call.
const BATCH: usize = 16;

pub(crate) fn run(bench: &mut Bench) {
    let folder = tempfile::tempdir().unwrap();
    let compiler = Compiler::new(binary(), ["compile-plugin"]);
    let sandbox = Sandbox::start(Config::new(folder.path().join("cache"), compiler)).unwrap();
    // It is the speed that is measured: on a busy machine the deadline would end the benchmark.
    let limits = Limits {
        time: Duration::from_secs(10),
        ..Limits::default()
    };
    let loaded = sandbox.load(
        &plugin("group-roles"),
        &json!({}),
        limits,
        Grants::default(),
    );
    let Plugin::Role(policy) = loaded.unwrap() else {
        panic!("group-roles is no role policy")
    };
    let native = GroupRoles::configure(Settings::default()).unwrap();
    let context = context();
    let account = account(&context);
    let (wit_context, wit_account) = (to_host::context(&context), to_host::account(&account));
    agree(
        &policy,
        &native,
        (&wit_context, &wit_account),
        (&context, &account),
    );

    let natively = || {
        black_box(native.decide(black_box(&context), black_box(&account))).unwrap();
    };
    // A plugin owns what it decides about: this much any boundary costs.
    let copied = || {
        let (context, account) = (context.clone(), account.clone());
        black_box(native.decide(black_box(&context), black_box(&account))).unwrap();
    };
    let one = [wit_account.clone()];
    let many = vec![wit_account; BATCH];
    let sandboxed = |accounts: &[types::Account]| {
        let called = policy
            .decide(black_box(&wit_context), black_box(accounts))
            .unwrap();
        assert!(black_box(called.value).iter().all(Result::is_ok));
    };
    let single = || sandboxed(&one);
    let batch = || sandboxed(&many);
    let mut sides = [
        Side::new(1, &natively),
        Side::new(1, &copied),
        Side::new(1, &single),
        Side::new(BATCH, &batch),
    ];
    for _ in 0..bench.scale.rounds {
        for side in &mut sides {
            let rate = |threads| rate(bench, threads, side.work) * side.accounts as f64;
            let (alone, together) = (rate(1), rate(2));
            side.alone.push(alone);
            side.together.push(together);
        }
    }
    let [native, copied, single, batch] =
        sides.map(|side| (median(side.alone), median(side.together)));
    let micros = |rate: f64| 1_000_000.0 / rate;
    for (what, (alone, _), aim) in [
        ("decision, one account a call", single, Aim::AtMost(4.0)),
        ("decision, 16 accounts a call", batch, Aim::AtMost(4.0)),
        (
            "decision, native, with a copy of the input",
            copied,
            Aim::None,
        ),
    ] {
        bench.report.add(Figure {
            what: what.to_owned(),
            measured: micros(alone),
            beside: "native",
            peer: micros(native.0),
            unit: "us",
            aim,
        });
    }
    for (what, (alone, together), aim) in [
        (
            "decisions, one a call, on two threads",
            single,
            Aim::AtLeast(1.8),
        ),
        (
            "decisions, 16 a call, on two threads",
            batch,
            Aim::AtLeast(1.8),
        ),
        ("decisions, native, on two threads", native, Aim::None),
    ] {
        bench.report.add(Figure {
            what: what.to_owned(),
            measured: together,
            beside: "on one thread",
            peer: alone,
            unit: "/s",
            aim,
        });
    }
}

/// One way to decide, and its rates in accounts per second.
struct Side<'a> {
    /// That one call decides about.
    accounts: usize,
    work: &'a (dyn Fn() + Sync),
    alone: Vec<f64>,
    together: Vec<f64>,
}

impl<'a> Side<'a> {
    fn new(accounts: usize, work: &'a (dyn Fn() + Sync)) -> Self {
        Self {
            accounts,
            work,
            alone: Vec::new(),
            together: Vec::new(),
        }
    }
}

/// Calls per second of so many threads.
fn rate(bench: &Bench, threads: usize, work: &(dyn Fn() + Sync)) -> f64 {
    let turn = bench.scale.turn / 2;
    let calls = AtomicUsize::new(0);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while began.elapsed() < turn {
                    work();
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    calls.into_inner() as f64 / began.elapsed().as_secs_f64()
}

/// Both must decide the same, or they are not comparable.
fn agree(
    policy: &RolePolicy,
    native: &GroupRoles,
    (wit_context, wit_account): (&types::Context, &types::Account),
    (context, account): (&sdk::Context, &sdk::Account),
) {
    let called = policy
        .decide(wit_context, std::slice::from_ref(wit_account))
        .unwrap();
    let sandboxed = called.value.into_iter().next().unwrap().unwrap();
    let native = native.decide(context, account).unwrap();
    let sandboxed: Vec<_> = sandboxed
        .roles
        .iter()
        .map(|role| (&role.name, &role.reason))
        .collect();
    let native: Vec<_> = native
        .roles
        .iter()
        .map(|role| (&role.name, &role.reason))
        .collect();
    assert_eq!(sandboxed, native);
    assert!(!native.is_empty());
}

fn context() -> sdk::Context {
    let mut context = testing::context();
    context
        .catalogue
        .custom_roles
        .extend((0..20).map(|number| sdk::CustomRole {
            name: format!("Custom {number}"),
            permissions: vec!["invoice.read".to_owned()],
        }));
    context
}

/// Four rules for each of 50 groups: a base role, two custom roles, a seat.
fn account(context: &sdk::Context) -> sdk::Account {
    let group = |number: usize| format!("Department {number}");
    let mut account = testing::account("ada@example.com");
    for number in 0..GROUPS {
        account = account.in_group(&group(number));
    }
    for number in 0..RULES {
        let (kind, target) = match number % 4 {
            0 => (
                GrantKind::BaseRole,
                ["Admin", "Editor", "Viewer"][number % 3].to_owned(),
            ),
            1 | 2 => (GrantKind::CustomRole, format!("Custom {}", number % 20)),
            _ => (GrantKind::Seat, "Full".to_owned()),
        };
        account = account.maps(&group(number / 4), kind, &target);
    }
    let mut account = account.build_in(context);
    // Ids as the store makes them, of one afternoon: their length is copied into the sandbox, and
    // how soon two of them differ is what comparing them costs.
    for membership in &mut account.memberships {
        membership.group = id(&membership.group);
    }
    account
}

/// A UUID of version 7 for a name, always the same one.
fn id(name: &str) -> String {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let bits = hasher.finish();
    let (high, low) = (bits >> 48, bits & 0xffff_ffff_ffff);
    format!(
        "018f3a{:02x}-{high:04x}-7{:03x}-8{:03x}-{low:012x}",
        bits & 0xff,
        high >> 4,
        low >> 36
    )
}

/// The same values in the host's types.
mod to_host {
    use super::{sdk, types};

    pub(super) fn context(from: &sdk::Context) -> types::Context {
        types::Context {
            now: from.now,
            catalogue: types::Catalogue {
                base_roles: (from.catalogue.base_roles.iter())
                    .map(|role| types::BaseRole {
                        name: role.name.clone(),
                        rank: role.rank,
                        is_default: role.is_default,
                    })
                    .collect(),
                custom_roles: (from.catalogue.custom_roles.iter())
                    .map(|role| types::CustomRole {
                        name: role.name.clone(),
                        permissions: role.permissions.clone(),
                    })
                    .collect(),
                seat_types: (from.catalogue.seat_types.iter())
                    .map(|seat| types::SeatType {
                        name: seat.name.clone(),
                        capacity: seat.capacity,
                        is_default: seat.is_default,
                    })
                    .collect(),
            },
            organization: from.organization.clone(),
            extra: Vec::new(),
        }
    }

    /// Of an account with users, memberships and mapping, and nothing else.
    pub(super) fn account(from: &sdk::Account) -> types::Account {
        assert!(from.grants.is_empty() && from.signals.is_empty());
        assert!(from.mapping_options.is_empty());
        types::Account {
            id: from.id.clone(),
            status: types::AccountStatus::Active,
            users: from.users.iter().map(user).collect(),
            memberships: from.memberships.iter().map(membership).collect(),
            grants: Vec::new(),
            signals: Vec::new(),
            mapping: from.mapping.iter().map(entry).collect(),
            mapping_options: Vec::new(),
            decided: from.decided,
            created: from.created,
            extra: Vec::new(),
        }
    }

    fn user(from: &sdk::User) -> types::User {
        assert!(from.attributes.is_empty() && from.custom_attributes.is_empty());
        types::User {
            id: from.id.clone(),
            directory: from.directory.clone(),
            provider: from.provider.clone(),
            external_id: from.external_id.clone(),
            user_name: from.user_name.clone(),
            display_name: from.display_name.clone(),
            email: from.email.clone(),
            active: from.active,
            attributes: Vec::new(),
            custom_attributes: Vec::new(),
            created: from.created,
            modified: from.modified,
            extra: Vec::new(),
        }
    }

    fn membership(from: &sdk::Membership) -> types::Membership {
        types::Membership {
            user: from.user,
            group: from.group.clone(),
            group_name: from.group_name.clone(),
            group_external_id: from.group_external_id.clone(),
            since: from.since,
            ended: from.ended,
        }
    }

    fn entry(from: &sdk::MappingEntry) -> types::MappingEntry {
        types::MappingEntry {
            membership: from.membership,
            kind: match from.kind {
                sdk::GrantKind::BaseRole => types::GrantKind::BaseRole,
                sdk::GrantKind::CustomRole => types::GrantKind::CustomRole,
                sdk::GrantKind::Seat => types::GrantKind::Seat,
            },
            target: from.target,
            position: from.position,
        }
    }
}

//! A mapping change that concerns everybody: how fast all accounts are decided anew, what it costs
//! another organization's pushes meanwhile, how long a plan of it takes, and how soon a push is
//! decided where nothing else goes on.

use crate::bench::{Bench, Gateway, Requests, median};
use crate::client::{Load, Run};
use crate::report::{Aim, Figure};
use gatewright_tests::Organization;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Groups of the organization. Each account is in two of them.
const GROUPS: usize = 50;
/// How often the mapping is changed: once with nothing else going on, and once beside the pushes.
const ROUNDS: usize = 3;
/// Accounts that are decided in a second.
const RATE: f64 = 10_000.0;
/// How soon a push is to be decided, in milliseconds.
const SOON: f64 = 50.0;
/// Pushes whose decision is waited for.
const PUSHES: usize = 200;

pub(crate) fn run(bench: &mut Bench) {
    let accounts = bench.scale.accounts;
    let gateway = Gateway::start();
    gateway.warm_up();
    prepare(bench, &gateway, accounts);
    let other = Neighbour::create(bench, &gateway);
    soon(bench, &gateway, accounts);

    plan(bench, &gateway, accounts);
    let (mut rates, mut alone, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for version in 1..=2 * bench.scale.rounds.min(ROUNDS) {
        let revision = change(&gateway, version);
        let began = Instant::now();
        let pushed = (version % 2 == 0).then(|| other.push(bench, bench.scale.turn));
        gateway.decided(revision);
        let rate = accounts as f64 / began.elapsed().as_secs_f64();
        match pushed {
            None => rates.push(rate),
            Some(run) => {
                beside.push(run);
                alone.push(other.push(bench, bench.scale.turn));
            }
        }
        bench.say(&format!("{rate:.0} accounts decided in a second"));
    }
    bench.report.add(Figure {
        what: format!("{accounts} accounts decided anew"),
        measured: median(rates),
        beside: "the aim",
        peer: RATE,
        unit: "/s",
        aim: Aim::AtLeast(1.0),
    });
    pushes(bench, &alone, &beside);
}

/// Half of the groups give something else in every other version of the mapping: four entries for
/// each group.
fn mapping(version: usize) -> Value {
    let entries: Vec<Value> = (0..GROUPS)
        .flat_map(|number| {
            let changed = number < GROUPS / 2 && version % 2 == 1;
            let seat = if changed { "on-call" } else { "responder" };
            let role = if number % 2 == 0 { "Standard" } else { "Admin" };
            [
                ("base-role", role),
                ("custom-role", "deployer"),
                ("custom-role", if changed { "auditor" } else { "buyer" }),
                ("seat", seat),
            ]
            .map(|(kind, target)| {
                json!({ "group": { "name": group(number) }, "kind": kind, "target": target })
            })
        })
        .collect();
    json!({ "entries": entries })
}

fn group(number: usize) -> String {
    format!("Department {number}")
}

fn prepare(bench: &mut Bench, gateway: &Gateway, accounts: usize) {
    const STEP: usize = 50_000;
    let api = gateway.api();
    let mut catalogue = api.get("/catalogue").expect(200).json();
    catalogue["custom_roles"] = ["deployer", "auditor", "buyer"]
        .map(|name| json!({ "name": name, "permissions": [format!("{name}:all")] }))
        .into_iter()
        .collect();
    let _ = api.put("/catalogue", &catalogue).expect(200);
    // It is wanted, here, that half of all accounts lose something.
    let everything = json!({ "share_percent": 100 });
    let _ = api.put("/guards", &everything).expect(200);
    let _ = api.put("/mapping", &mapping(0)).expect(200);
    let mut users = Vec::new();
    while users.len() < accounts {
        let count = STEP.min(accounts - users.len());
        let run = bench.drive(gateway.creates(users.len(), 64).of(count));
        users.extend(run.ids);
        bench.say(&format!("{} of {accounts} users", users.len()));
    }
    for number in 0..GROUPS {
        // Its own, and those of the group beside it within the half: who is in a group of the first
        // half is in two of them.
        let half = GROUPS / 2;
        let next = number / half * half + (number + 1) % half;
        let members: Vec<Value> = [number, next]
            .into_iter()
            .flat_map(|first| users.iter().skip(first).step_by(GROUPS))
            .map(|id| json!({ "value": id }))
            .collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": group(number),
            "members": members,
        });
        let _ = gateway.scim().post("/Groups", &body).expect(201);
    }
    let began = Instant::now();
    gateway.settle();
    let seconds = began.elapsed().as_secs();
    bench.say(&format!(
        "all are in their groups, decided {seconds} s later"
    ));
}

/// From the answer to a push to the answer that has its decision.
fn soon(bench: &mut Bench, gateway: &Gateway, accounts: usize) {
    let mut waits = Vec::new();
    for number in 0..PUSHES {
        let create = gateway.creates(accounts + number, 1).of(1);
        let run = bench.drive(create);
        let began = Instant::now();
        gateway.decided(run.revision);
        waits.push(began.elapsed());
        std::thread::sleep(Duration::from_millis(10));
    }
    waits.sort_unstable();
    for (share, place) in [("median", PUSHES / 2), ("p99", PUSHES * 99 / 100)] {
        bench.report.add(Figure {
            what: format!("a push's revision in decisions, {share}"),
            measured: waits[place].as_secs_f64() * 1_000.0,
            beside: "the limit",
            peer: SOON,
            unit: "ms",
            aim: Aim::AtMost(1.0),
        });
    }
}

/// A plan of the change, which is not confirmed.
fn plan(bench: &mut Bench, gateway: &Gateway, accounts: usize) {
    let began = Instant::now();
    let proposal = json!({ "mapping": mapping(1) });
    let plan = gateway.api().post("/plans", &proposal).expect(201).id();
    let path = format!("/plans/{plan}");
    let shown = loop {
        let shown = gateway.api().get(&path).expect(200).json();
        if shown["state"] != "computing" {
            break shown;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(shown["state"], "ready", "{shown}");
    let changed = shown["counts"]["accounts"].as_u64().unwrap();
    assert!(
        changed.abs_diff(accounts as u64 / 2) <= GROUPS as u64,
        "{shown}"
    );
    bench.report.add(Figure {
        what: format!("a plan over {accounts} accounts"),
        measured: accounts as f64 / seconds,
        beside: "the aim of deciding",
        peer: RATE,
        unit: "/s",
        aim: Aim::None,
    });
    let _ = gateway.api().delete(&path).expect(200);
}

/// Changes the mapping, and answers the revision that has the change.
fn change(gateway: &Gateway, version: usize) -> u64 {
    let _ = gateway.api().put("/mapping", &mapping(version)).expect(200);
    gateway.revision()
}

fn pushes(bench: &mut Bench, alone: &[Run], beside: &[Run]) {
    let rate = |runs: &[Run]| median(runs.iter().map(Run::rate).collect());
    let p99 = |runs: &[Run]| median(runs.iter().map(|run| run.latency(0.99)).collect());
    bench.report.add(Figure {
        what: "another organization's pushes meanwhile".to_owned(),
        measured: rate(beside),
        beside: "the same alone",
        peer: rate(alone),
        unit: "/s",
        aim: Aim::AtLeast(0.8),
    });
    bench.report.add(Figure {
        what: "their p99".to_owned(),
        measured: p99(beside),
        beside: "the same alone",
        peer: p99(alone),
        unit: "ms",
        aim: Aim::AtMost(2.0),
    });
}

/// Another organization, which adds and removes a member of a group.
struct Neighbour {
    requests: Requests,
    group: String,
    user: String,
}

impl Neighbour {
    fn create(bench: &Bench, gateway: &Gateway) -> Self {
        let organization = Organization::of(gateway.api(), "Neighbour", "okta");
        let user = organization.user("ada@example.com").id();
        let group = organization.group("Engineering", &[]).id();
        let neighbour = Self {
            requests: Requests::new(&organization.base_url, &organization.token),
            group,
            user,
        };
        // Its plugins are loaded with the first push.
        neighbour.push(bench, bench.scale.turn / 2);
        neighbour
    }

    fn push(&self, bench: &Bench, time: Duration) -> Run {
        let (requests, path) = (self.requests.clone(), format!("/Groups/{}", self.group));
        let user = self.user.clone();
        let patch = Load::new(&self.requests.address, 1, 204, move |number| {
            let member = json!([{ "value": user }]);
            let operation = match number % 2 {
                0 => json!({ "op": "add", "path": "members", "value": member }),
                _ => json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") }),
            };
            let body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [operation],
            });
            requests.bytes("PATCH", &path, &body.to_string())
        });
        bench.drive(patch.during(time))
    }
}

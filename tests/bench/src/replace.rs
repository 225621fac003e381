//! A PUT that lists all members of a large group, as providers send it where one per cent changed:
//! what it writes must be what changed, and not the group. What is written is counted twice: by the
//! event log, which names each user who came and left, and by the bytes that the kernel counts.

use crate::bench::{Bench, median};
use crate::report::{Aim, Figure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Members of the group.
const MEMBERS: usize = 10_000;
/// Those who leave each time, and those who come in their place.
const CHANGED: usize = 100;

pub(crate) fn run(bench: &mut Bench) {
    let members = if bench.scale.quick { 1_000 } else { MEMBERS };
    bench.populate(members + CHANGED);
    let ids: Vec<String> = bench.users[..members].to_vec();
    let others: Vec<String> = bench.users[members..members + CHANGED].to_vec();
    let group = create(bench, &ids);
    bench.gateway().settle();

    // In the second half of a round the others go and the first come back.
    let (first, rest) = ids.split_at(CHANGED);
    let second: Vec<String> = [&others, rest].concat();
    let (mut puts, mut patches) = (Vec::new(), Vec::new());
    for _ in 0..bench.scale.rounds {
        puts.push(put(bench, &group, &second));
        puts.push(put(bench, &group, &ids));
        patches.push(patch(bench, &group, first, &others));
        patches.push(patch(bench, &group, &others, first));
    }
    for cost in puts.iter().chain(&patches) {
        assert_eq!((cost.added, cost.removed), (CHANGED, CHANGED));
    }
    let rows = Aim::AtMost(1.0);
    let figures: [(Named, Aim); 4] = [
        (
            ("members who came, as events tell", "", |cost| {
                cost.added as f64
            }),
            rows,
        ),
        (
            ("members who left, as events tell", "", |cost| {
                cost.removed as f64
            }),
            rows,
        ),
        // What is decided in its wake is in it.
        (
            ("to the disk", "KiB", |cost| cost.bytes / 1_024.0),
            Aim::AtMost(1.3),
        ),
        (("to the answer", "ms", |cost| cost.milliseconds), Aim::None),
    ];
    for ((what, unit, figure), aim) in figures {
        let of = |costs: &[Cost]| median(costs.iter().map(figure).collect());
        bench.report.add(Figure {
            what: format!("PUT of {members}, {CHANGED} new: {what}"),
            measured: of(&puts),
            beside: "PATCH of the same",
            peer: of(&patches),
            unit,
            aim,
        });
    }
}

/// A figure of a change, with its name and its unit.
type Named = (&'static str, &'static str, fn(&Cost) -> f64);

/// What a change cost.
struct Cost {
    added: usize,
    removed: usize,
    bytes: f64,
    milliseconds: f64,
}

fn create(bench: &Bench, members: &[String]) -> String {
    let scim = bench.gateway().scim();
    scim.post("/Groups", &body(members)).expect(201).id()
}

fn put(bench: &Bench, group: &str, members: &[String]) -> Cost {
    cost(bench, "PUT", group, &body(members))
}

fn patch(bench: &Bench, group: &str, gone: &[String], new: &[String]) -> Cost {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [
            { "op": "remove", "path": "members", "value": values(gone) },
            { "op": "add", "path": "members", "value": values(new) },
        ],
    });
    cost(bench, "PATCH", group, &body)
}

fn cost(bench: &Bench, method: &str, group: &str, body: &Value) -> Cost {
    let gateway = bench.gateway();
    let (revision, written) = (gateway.revision(), written(gateway.process()));
    let path = format!("/Groups/{group}?attributes=displayName");
    let (scim, body) = (gateway.scim(), body.to_string());
    let headers = [("Content-Type", "application/scim+json")];
    let began = Instant::now();
    let answer = scim.send(method, &path, &headers, Some(body.as_bytes()));
    let milliseconds = began.elapsed().as_secs_f64() * 1_000.0;
    let _ = answer.expect(200);
    // Decisions write as well, and so does the log of requests, which waits up to 200 ms.
    gateway.settle();
    std::thread::sleep(Duration::from_millis(500));
    let bytes = self::written(gateway.process()) - written;
    let after = format!("/events?limit=1000&after={revision}-4294967295");
    let events = gateway.api().get(&after).expect(200).json();
    let named = |kind: &str| {
        let events = events["events"].as_array().unwrap().iter();
        let lists = events.filter(|event| event["type"] == kind);
        lists
            .map(|event| event["data"]["users"].as_array().unwrap().len())
            .sum()
    };
    Cost {
        added: named("group.members_added"),
        removed: named("group.members_removed"),
        bytes,
        milliseconds,
    }
}

/// Bytes that a process has sent to the disk so far.
fn written(process: u32) -> f64 {
    let counts = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    let line = counts.lines().find(|line| line.starts_with("write_bytes:"));
    line.unwrap()["write_bytes: ".len()..].parse().unwrap()
}

fn body(members: &[String]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "replaced",
        "members": values(members),
    })
}

fn values(ids: &[String]) -> Vec<Value> {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

//! Changes of one member of a group, whose cost must not depend on the size of the group.

use crate::bench::{Bench, median};
use crate::client::Load;
use crate::floor::Floor;
use crate::report::{Aim, Figure};
use serde_json::{Value, json};
use std::time::Instant;

/// Users that come and go.
const SPARE: usize = 64;

pub(crate) fn run(bench: &mut Bench) {
    let members = bench.scale.members;
    bench.populate(members + SPARE);
    bench.gateway().settle();
    bench.say("everybody is decided");
    let small = create(bench, "small");
    put(bench, &small, "small", 10);
    let large = create(bench, "large");
    replace(bench, &large, members);
    bench.gateway().settle();
    bench.say("everybody is decided again");
    for concurrency in [1, 8] {
        patches(bench, &small, &large, concurrency);
    }
}

fn create(bench: &Bench, name: &str) -> String {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
        "members": [],
    });
    bench
        .gateway()
        .scim()
        .post("/Groups", &body)
        .expect(201)
        .id()
}

/// Puts the first users into a group, and answers with the bytes it took.
fn put(bench: &Bench, group: &str, name: &str, members: usize) -> usize {
    let members: Vec<Value> = bench.users[..members]
        .iter()
        .map(|id| json!({ "value": id }))
        .collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": name,
        "members": members,
    });
    let answer = bench
        .gateway()
        .scim()
        .put(&format!("/Groups/{group}"), &body);
    let _ = answer.expect(200);
    body.to_string().len()
}

/// The large group as a whole: once with everybody new, then with nothing new.
fn replace(bench: &mut Bench, group: &str, members: usize) {
    for what in ["filling it", "again, nothing new"] {
        let began = Instant::now();
        let bytes = put(bench, group, "large", members);
        let measured = began.elapsed().as_secs_f64() * 1_000.0;
        let address = bench.floor().address.clone();
        let filler = format!("[{}0]", "0,".repeat(bytes / 2));
        let load = Load::new(&address.clone(), 1, 201, move |_| {
            Floor::request(&address, "POST", "/", &format!("{{\"members\":{filler}}}"))
        });
        let floor = bench.drive(load.of(1));
        bench.report.add(Figure {
            what: format!("PUT of a group of {members}, {what}"),
            measured,
            beside: "floor: as many bytes",
            peer: floor.latency(0.5),
            unit: "ms",
            aim: Aim::None,
        });
    }
}

fn patches(bench: &mut Bench, small: &str, large: &str, concurrency: usize) {
    let turn = bench.scale.turn / 2;
    let spare: Vec<String> = bench.users[bench.users.len() - SPARE..].to_vec();
    let mut groups = [(small, 0, Vec::new()), (large, 0, Vec::new())];
    for _ in 0..bench.scale.rounds * 2 {
        for (group, done, costs) in &mut groups {
            let requests = bench.gateway().requests.clone();
            let (spare, path, first) = (spare.clone(), format!("/Groups/{group}"), *done);
            let load = Load::new(&requests.address.clone(), concurrency, 204, move |number| {
                let turn = first + number;
                let user = &spare[turn % SPARE];
                // All of them come, then all of them go.
                let coming = (turn / SPARE).is_multiple_of(2);
                requests.bytes("PATCH", &path, &patch(user, coming))
            });
            let run = bench.drive(load.during(turn));
            *done += run.count;
            costs.push(1_000.0 / run.rate());
            // What there is to decide is not to be the other's burden.
            bench.gateway().decided(run.revision);
        }
    }
    let [(_, _, small), (_, _, large)] = groups;
    bench.report.add(Figure {
        what: format!(
            "PATCH of one member of {}, by {concurrency}",
            bench.scale.members
        ),
        measured: median(large),
        beside: "the same in a group of 10",
        peer: median(small),
        unit: "ms",
        aim: Aim::AtMost(1.2),
    });
}

fn patch(user: &str, coming: bool) -> String {
    let operation = match coming {
        true => json!({ "op": "add", "path": "members", "value": [{ "value": user }] }),
        false => json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") }),
    };
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [operation],
    })
    .to_string()
}

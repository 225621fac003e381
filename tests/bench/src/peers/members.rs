//! Changes of one member of a group, as the group grows.

use super::peer::Peer;
use super::{Column, compare, middle};
use crate::bench::Bench;
use crate::client::Load;
use crate::report::Aim;
use serde_json::{Value, json};

/// Members of the group.
const SIZES: [usize; 3] = [10, 1_000, 10_000];
/// Users that come and go.
const SPARE: usize = 16;
/// Members that one PATCH adds to fill the group.
const BATCH: usize = 1_000;

pub(super) fn run(bench: &mut Bench, peers: &mut [Peer]) {
    let sizes = if bench.scale.quick {
        &SIZES[..1]
    } else {
        &SIZES[..]
    };
    let groups: Vec<String> = peers.iter().map(|peer| peer.group(bench)).collect();
    let mut filled = 0;
    for size in sizes {
        for (peer, group) in peers.iter_mut().zip(&groups) {
            peer.populate(bench, size + SPARE);
            peer.fill(bench, group, (filled, *size));
            peer.settle();
            bench.say(&format!("{}: a group of {size}", peer.name));
        }
        filled = *size;
        at(bench, peers, &groups, *size);
    }
}

fn at(bench: &mut Bench, peers: &[Peer], groups: &[String], size: usize) {
    let mut rates = vec![Vec::new(); peers.len()];
    let mut done = vec![0; peers.len()];
    for _ in 0..bench.scale.rounds {
        for (place, peer) in peers.iter().enumerate() {
            let load = peer.patches(&groups[place], size, done[place]);
            let run = bench.drive(load.lenient().during(bench.scale.turn));
            done[place] += run.count;
            if run.count > 0 {
                rates[place].push(run.rate());
            }
            peer.settle();
        }
    }
    let rates: Column = rates.into_iter().map(middle).collect();
    let what = format!("PATCHes of one member of {size}, by 1");
    compare(bench, peers, &what, "/s", (&rates, Aim::AtLeast(10.0)));
    let each = rates
        .iter()
        .map(|rate| rate.map(|rate| 1_000.0 / rate))
        .collect();
    let what = format!("a PATCH of one member of {size}");
    compare(bench, peers, &what, "ms", (&each, Aim::None));
}

impl Peer {
    fn group(&self, bench: &Bench) -> String {
        let requests = self.requests.clone();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": "large",
            "members": [],
        });
        let load = Load::new(&self.requests.address, 1, 201, move |_| {
            requests.bytes("POST", "/Groups", &body.to_string())
        });
        bench.drive(load.of(1)).ids.remove(0)
    }

    /// Adds the users of these places to a group.
    fn fill(&self, bench: &Bench, group: &str, (from, until): (usize, usize)) {
        let users = self.users[SPARE + from..SPARE + until].to_vec();
        let (requests, path) = (self.requests.clone(), format!("/Groups/{group}"));
        let batches = users.len().div_ceil(BATCH);
        let load = Load::new(&self.requests.address, 1, self.patched, move |number| {
            let first = number * BATCH;
            let members: Vec<Value> = users[first..users.len().min(first + BATCH)]
                .iter()
                .map(|id| json!({ "value": id }))
                .collect();
            let add = json!({ "op": "add", "path": "members", "value": members });
            requests.bytes("PATCH", &path, &patch(&add))
        });
        bench.drive(load.of(batches));
    }

    /// Users who come and go, one in each request.
    fn patches(&self, group: &str, size: usize, first: usize) -> Load {
        let spare = self.users[..SPARE.min(size)].to_vec();
        let (requests, path) = (self.requests.clone(), format!("/Groups/{group}"));
        let remove = self.remove;
        Load::new(&self.requests.address, 1, self.patched, move |number| {
            let turn = first + number;
            let user = &spare[turn % spare.len()];
            // All of them come, then all of them go.
            let operation = match (turn / spare.len()).is_multiple_of(2) {
                true => json!({ "op": "add", "path": "members", "value": [{ "value": user }] }),
                false => remove(user),
            };
            requests.bytes("PATCH", &path, &patch(&operation))
        })
    }
}

fn patch(operation: &Value) -> String {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [operation],
    })
    .to_string()
}

//! Loading: over the port, as a provider would, with the reconciler running.

use super::memory::Memory;
use super::{Directory, FILLED};
use crate::bench::{Bench, Gateway};
use crate::client::Load;
use serde_json::{Value, json};

/// Users that are created between two lines on the terminal.
const STEP: usize = 50_000;

impl Directory {
    /// A gateway with so many users, [`FILLED`] groups with so many of them, and so many groups.
    pub(super) fn load(
        bench: &Bench,
        name: &str,
        users: usize,
        members: usize,
        groups: usize,
    ) -> Self {
        let gateway = Gateway::start();
        gateway.warm_up();
        let mut directory = Self {
            gateway,
            users: Vec::new(),
            filled: Vec::new(),
            members,
            groups,
        };
        let tell = |directory: &Self, what: &str| {
            let memory = Memory::of(directory.gateway.process());
            let disk = directory.gateway.disk() >> 20;
            bench.say(&format!("{name}: {what}; {memory}, {disk} MiB on disk"));
        };
        tell(&directory, "started");
        while directory.users.len() < users {
            let first = directory.users.len();
            let creates = directory.gateway.creates(first, 64);
            let run = bench.drive(creates.of(STEP.min(users - first)));
            directory.users.extend(run.ids);
            tell(&directory, &format!("{} users", directory.users.len()));
        }
        for number in 0..FILLED {
            directory.fill(bench, number);
            if (number + 1).is_multiple_of(FILLED / 10) {
                let memberships = (number + 1) * members;
                tell(&directory, &format!("{memberships} memberships"));
            }
        }
        let requests = directory.gateway.requests.clone();
        let empty = Load::new(&requests.address.clone(), 64, 201, move |number| {
            requests.bytes("POST", "/Groups", &group(FILLED + number, &[]))
        });
        bench.drive(empty.of(groups - FILLED));
        tell(&directory, &format!("{groups} groups"));
        // A wait is answered after 5 seconds at most: a line for each would be a minute's dozen.
        let revision = directory.gateway.revision();
        let path = format!("/accounts?limit=1&at_least={revision}");
        let mut waits: usize = 0;
        while directory.gateway.api().get(&path).status != 200 {
            waits += 1;
            if waits.is_multiple_of(12) {
                tell(&directory, "waiting for decisions");
            }
        }
        tell(&directory, "everybody is decided");
        directory
    }

    /// Creates a group with its members, who are spread over all users.
    fn fill(&mut self, bench: &Bench, number: usize) {
        let step = self.users.len() / self.members;
        let members: Vec<&String> = self
            .users
            .iter()
            .skip(number % step)
            .step_by(step)
            .take(self.members)
            .collect();
        let body = group(number, &members);
        let requests = self.gateway.requests.clone();
        let create = Load::new(&requests.address.clone(), 1, 201, move |_| {
            requests.bytes("POST", "/Groups", &body)
        });
        self.filled.extend(bench.drive(create.of(1)).ids);
    }
}

/// The name of a numbered group. The mapping has entries for some of them.
pub(super) fn group_name(number: usize) -> String {
    format!("Team {number}")
}

fn group(number: usize, members: &[&String]) -> String {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": group_name(number),
        "externalId": format!("00g{number:017}"),
        "members": members,
    })
    .to_string()
}

//! Loading: over the port, as a provider would, with the reconciler running.

use super::memory::Memory;
use super::{Directory, EACH, FILLED};
use crate::bench::{Bench, Gateway};
use crate::client::Load;
use serde_json::{Value, json};
use std::path::Path;

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
            fresh: true,
        };
        directory.complete(bench, name, users);
        directory
    }

    /// The same in a folder where it stays; loaded if it is not there yet.
    pub(super) fn kept(bench: &Bench, folder: &Path, users: usize) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        // Which ids they have is not to be asked of the gateway, whose memory is measured.
        let list = folder.join("ids.json");
        let gateway = Gateway::start_in(Some(folder));
        let mut directory = Self {
            gateway,
            users: Vec::new(),
            filled: Vec::new(),
            members: users / EACH,
            groups: users / EACH,
            fresh: !list.exists(),
        };
        if directory.fresh {
            directory.gateway.warm_up();
            directory.complete(bench, "large", users);
            let ids = json!([directory.users, directory.filled]);
            std::fs::write(&list, ids.to_string()).unwrap();
        } else {
            let text = std::fs::read_to_string(&list).unwrap();
            (directory.users, directory.filled) = serde_json::from_str(&text).unwrap();
            assert_eq!(directory.users.len(), users, "{}", list.display());
            directory.gateway.settle();
        }
        directory
    }

    fn complete(&mut self, bench: &Bench, name: &str, users: usize) {
        let (members, groups) = (self.members, self.groups);
        let tell = |directory: &Self, what: &str| {
            let memory = Memory::of(directory.gateway.process());
            let disk = directory.gateway.disk() >> 20;
            bench.say(&format!("{name}: {what}; {memory}, {disk} MiB on disk"));
        };
        tell(self, "started");
        while self.users.len() < users {
            let first = self.users.len();
            let creates = self.gateway.creates(first, 64);
            let run = bench.drive(creates.of(STEP.min(users - first)));
            self.users.extend(run.ids);
            tell(self, &format!("{} users", self.users.len()));
        }
        for number in 0..FILLED {
            self.fill(bench, number);
            if (number + 1).is_multiple_of(FILLED / 10) {
                let memberships = (number + 1) * members;
                tell(self, &format!("{memberships} memberships"));
            }
        }
        let requests = self.gateway.requests.clone();
        let empty = Load::new(&requests.address.clone(), 64, 201, move |number| {
            requests.bytes("POST", "/Groups", &group(FILLED + number, &[]))
        });
        bench.drive(empty.of(groups - FILLED));
        tell(self, &format!("{groups} groups"));
        // A wait is answered after 5 seconds at most: a line for each would be a minute's dozen.
        let revision = self.gateway.revision();
        let path = format!("/accounts?limit=1&at_least={revision}");
        let mut waits: usize = 0;
        while self.gateway.api().get(&path).status != 200 {
            waits += 1;
            if waits.is_multiple_of(12) {
                tell(self, "waiting for decisions");
            }
        }
        tell(self, "everybody is decided");
    }

    /// Creates a group with its members, who are spread over all users.
    pub(super) fn fill(&mut self, bench: &Bench, number: usize) {
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

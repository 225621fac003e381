//! Lookups by what providers look by, in a large directory beside a small one.

use super::{Directory, load};
use crate::bench::{Bench, name};
use crate::client::Load;
use crate::report::{Aim, Figure};

/// What is looked up: the type, the attribute, and the value of a numbered resource.
type Lookup = (&'static str, &'static str, fn(usize) -> String);

const LOOKUPS: [Lookup; 6] = [
    ("Users", "userName", name),
    ("Users", "externalId", |number| format!("00u{number:017}")),
    ("Users", "emails.value", name),
    ("Users", "displayName", |number| {
        format!("Ada Lovelace {number}")
    }),
    ("Groups", "displayName", load::group_name),
    ("Groups", "externalId", |number| format!("00g{number:017}")),
];

pub(super) fn run(bench: &mut Bench, small: &Directory, large: &Directory) {
    for concurrency in [1, 8] {
        for lookup in LOOKUPS {
            let costs = bench.turns(&[&|| lookups(small, lookup, concurrency), &|| {
                lookups(large, lookup, concurrency)
            }]);
            let (resource, attribute, _) = lookup;
            let many = large.count(resource);
            bench.report.add(Figure {
                what: format!("{attribute} in {many} {resource}, by {concurrency}"),
                measured: costs[1],
                beside: "the same in 1000",
                peer: costs[0],
                unit: "ms",
                aim: Aim::AtMost(1.3),
            });
        }
    }
}

impl Directory {
    fn count(&self, resource: &str) -> usize {
        match resource {
            "Users" => self.users.len(),
            _ => self.groups,
        }
    }
}

/// Lookups all over the directory, each of which finds one resource.
pub(super) fn lookups(
    directory: &Directory,
    (resource, attribute, value): Lookup,
    concurrency: usize,
) -> Load {
    let requests = directory.gateway.requests.clone();
    let count = directory.count(resource);
    Load::new(&requests.address.clone(), concurrency, 200, move |number| {
        let value = value(number * 7_919 % count).replace(' ', "%20");
        let path = format!(
            "/{resource}?filter={attribute}%20eq%20%22{value}%22&excludedAttributes=members"
        );
        requests.bytes("GET", &path, "")
    })
}

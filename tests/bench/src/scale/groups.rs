//! Groups without their members: what a provider reads to see which there are must not cost what
//! their members do.

use super::{Directory, FILLED};
use crate::bench::Bench;
use crate::client::Load;
use crate::report::{Aim, Figure};

pub(super) fn run(bench: &mut Bench, tens: &Directory, large: &Directory) {
    // The first hundred that were created: the groups with members.
    let page = format!("/Groups?count={FILLED}&excludedAttributes=members");
    let list = |directory: &Directory| {
        let (requests, page) = (directory.gateway.requests.clone(), page.clone());
        Load::new(&requests.address.clone(), 1, 200, move |_| {
            requests.bytes("GET", &page, "")
        })
    };
    let read = |directory: &Directory| {
        let (requests, groups) = (directory.gateway.requests.clone(), directory.filled.clone());
        Load::new(&requests.address.clone(), 1, 200, move |number| {
            let id = &groups[number % groups.len()];
            requests.bytes(
                "GET",
                &format!("/Groups/{id}?excludedAttributes=members"),
                "",
            )
        })
    };
    let list = bench.turns(&[&|| list(tens), &|| list(large)]);
    let read = bench.turns(&[&|| read(tens), &|| read(large)]);
    for (what, costs) in [
        ("GET of a page of 100 groups", list),
        ("GET of a group", read),
    ] {
        bench.report.add(Figure {
            what: format!("{what} of {}, no members", large.members),
            measured: costs[1],
            beside: "the same with groups of 10",
            peer: costs[0],
            unit: "ms",
            aim: Aim::AtMost(1.3),
        });
    }
}

//! Creates, lookups and pages.

use super::peer::Peer;
use super::{Column, compare, middle};
use crate::bench::{Bench, name, user};
use crate::client::Load;
use crate::report::Aim;

/// Connections.
const CONCURRENCY: usize = 8;
/// Users of a page.
const PAGE: usize = 1_000;

pub(super) fn run(bench: &mut Bench, peers: &mut [Peer]) {
    creates(bench, peers);
    let page = if bench.scale.quick { 50 } else { PAGE };
    for peer in &mut *peers {
        peer.populate(bench, page);
    }
    let lookups = turns(bench, peers, CONCURRENCY, |peer| {
        let (requests, users) = (peer.requests.clone(), peer.users.len());
        Box::new(move |number| {
            let name = name(number * 7_919 % users);
            requests.bytes(
                "GET",
                &format!("/Users?filter=userName%20eq%20%22{name}%22"),
                "",
            )
        })
    });
    let what = format!("lookups by userName by {CONCURRENCY}");
    compare(bench, peers, &what, "/s", (&lookups, Aim::AtLeast(5.0)));
    let pages = turns(bench, peers, 1, |peer| {
        let requests = peer.requests.clone();
        Box::new(move |_| requests.bytes("GET", &format!("/Users?startIndex=1&count={page}"), ""))
    });
    let pages = pages
        .into_iter()
        .map(|rate| rate.map(|rate| 1_000.0 / rate))
        .collect();
    compare(
        bench,
        peers,
        &format!("a page of {page} users"),
        "ms",
        (&pages, Aim::None),
    );
}

fn creates(bench: &mut Bench, peers: &mut [Peer]) {
    let turn = bench.scale.turn;
    let mut rates = vec![Vec::new(); peers.len()];
    let mut refused = vec![0; peers.len()];
    for _ in 0..bench.scale.rounds {
        for (place, peer) in peers.iter_mut().enumerate() {
            let run = bench.drive(peer.creates().lenient().during(turn));
            refused[place] += run.refused;
            if run.count > 0 {
                rates[place].push(run.rate());
            }
            // Where some were refused, the numbers of the others are not known.
            peer.users.extend(run.ids);
            peer.settle();
        }
    }
    let figures: Column = rates.into_iter().map(middle).collect();
    let what = format!("durable creates by {CONCURRENCY}");
    compare(bench, peers, &what, "/s", (&figures, Aim::AtLeast(8.0)));
    for (peer, refused) in peers.iter().zip(refused) {
        if refused > 0 {
            let name = peer.name;
            bench
                .report
                .note(format!("{what}: {name} refused {refused} others"));
        }
    }
}

impl Peer {
    /// Creates of users that it does not have yet.
    fn creates(&self) -> Load {
        let (requests, first) = (self.requests.clone(), self.users.len());
        Load::new(&self.requests.address, CONCURRENCY, 201, move |number| {
            requests.bytes("POST", "/Users", &user(first + number))
        })
    }

    /// Sees to it that it has so many users.
    pub(super) fn populate(&mut self, bench: &Bench, users: usize) {
        while self.users.len() < users {
            let missing = users - self.users.len();
            let run = bench.drive(self.creates().of(missing.min(1_000)));
            self.users.extend(run.ids);
            bench.say(&format!(
                "{}: {} of {users} users",
                self.name,
                self.users.len()
            ));
        }
        self.settle();
    }
}

type Make = Box<dyn Fn(usize) -> Vec<u8> + Send + Sync>;

/// The same reads of each peer, in turns: for each the median of answers in a second.
fn turns(
    bench: &Bench,
    peers: &[Peer],
    concurrency: usize,
    make: impl Fn(&Peer) -> Make,
) -> Column {
    let mut rates = vec![Vec::new(); peers.len()];
    for _ in 0..bench.scale.rounds {
        for (peer, rates) in peers.iter().zip(&mut rates) {
            let load = Load::new(&peer.requests.address, concurrency, 200, make(peer));
            let run = bench.drive(load.lenient().during(bench.scale.turn));
            if run.count > 0 {
                rates.push(run.rate());
            }
        }
    }
    rates.into_iter().map(middle).collect()
}

//! Durable creates: how fast they are acknowledged, and how fast they are decided.

use crate::bench::{Bench, median, user};
use crate::client::Load;
use crate::floor::Floor;
use crate::report::{Aim, Figure};
use std::time::Instant;

pub(crate) fn run(bench: &mut Bench) {
    for concurrency in [1, 8, 64] {
        at(bench, concurrency);
    }
}

fn at(bench: &mut Bench, concurrency: usize) {
    let turn = bench.scale.turn;
    // Started before anything is timed.
    let _ = (bench.floor(), bench.gateway());
    let mut floors = Vec::new();
    let mut acknowledged = Vec::new();
    let mut decided = Vec::new();
    for _ in 0..bench.scale.rounds {
        let address = bench.floor().address.clone();
        let load = Load::new(&bench.floor().address, concurrency, 201, move |number| {
            Floor::request(&address, "POST", "/", &user(number))
        });
        floors.push(bench.drive(load.during(turn)).rate());

        let first = bench.users.len();
        let began = Instant::now();
        let run = bench.drive(bench.gateway().creates(first, concurrency).during(turn));
        acknowledged.push(run.rate());
        bench.gateway().decided(run.revision);
        decided.push(run.count as f64 / began.elapsed().as_secs_f64());
        bench.users.extend(run.ids);
    }
    let floor = median(floors);
    for (how, rates, aim) in [
        ("acknowledged", acknowledged, Aim::AtLeast(0.5)),
        ("decided", decided, Aim::None),
    ] {
        bench.report.add(Figure {
            what: format!("creates by {concurrency}, {how}"),
            measured: median(rates),
            beside: "floor: JSON and group commit",
            peer: floor,
            unit: "/s",
            aim,
        });
    }
}

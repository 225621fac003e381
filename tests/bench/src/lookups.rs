//! Lookups of a user by name, as providers do before each create.

use crate::bench::{Bench, median, name};
use crate::client::Load;
use crate::floor::Floor;
use crate::report::{Aim, Figure};

pub(crate) fn run(bench: &mut Bench) {
    bench.populate(200);
    bench.gateway().settle();
    for concurrency in [1, 8, 64] {
        at(bench, concurrency);
    }
}

fn at(bench: &mut Bench, concurrency: usize) {
    let users = bench.users.len();
    let requests = bench.gateway().requests.clone();
    let lookups = move || {
        let own = requests.clone();
        Load::new(&requests.address, concurrency, 200, move |number| {
            // A step that has no divisor in common with most numbers: neighbours are far apart.
            let name = name(number * 7_919 % users);
            own.bytes(
                "GET",
                &format!("/Users?filter=userName%20eq%20%22{name}%22"),
                "",
            )
        })
    };
    let size = bench.drive(lookups().of(1)).body;
    let address = bench.floor().address.clone();
    let constant = move |path: &'static str| {
        let own = address.clone();
        Load::new(&address, concurrency, 200, move |_| {
            Floor::request(&own, "GET", path, "")
        })
    };
    let address = bench.floor().address.clone();
    let set = Load::new(&address.clone(), 1, 200, move |_| {
        Floor::request(&address, "PUT", "/", &"x".repeat(size))
    });
    bench.drive(set.of(1));

    let turn = bench.scale.turn;
    let (mut rates, mut constants, mut blocking) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.scale.rounds {
        constants.push(bench.drive(constant("/").during(turn)).rate());
        rates.push(bench.drive(lookups().during(turn)).rate());
        blocking.push(bench.drive(constant("/blocking").during(turn)).rate());
    }
    let measured = median(rates);
    for (beside, peers, aim) in [
        ("constant of the same size", constants, Aim::AtLeast(0.5)),
        ("the same by a blocking thread", blocking, Aim::AtLeast(0.5)),
    ] {
        bench.report.add(Figure {
            what: format!("lookups by userName by {concurrency}"),
            measured,
            beside,
            peer: median(peers),
            unit: "/s",
            aim,
        });
    }
}

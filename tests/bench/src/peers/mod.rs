//! Other servers of SCIM, with the same client, the same bodies and in the same run.
//!
//! Each has what its documentation advises. Durable are those whose create is on the disk when it is
//! answered; the others keep everything in memory and are told for what they explain.

mod members;
mod peer;
mod requests;

use crate::bench::{Bench, median};
use crate::report::{Aim, Figure};
use peer::Peer;

pub(crate) fn run(bench: &mut Bench) {
    let mut peers = Peer::all(bench);
    requests::run(bench, &mut peers);
    members::run(bench, &mut peers);
}

/// What each peer costs or does, in the order of the peers; none where it could not.
type Column = Vec<Option<f64>>;

/// The gateway, which is the first, beside each peer. An aim is for the best durable one.
fn compare(
    bench: &mut Bench,
    peers: &[Peer],
    what: &str,
    unit: &'static str,
    (figures, aim): (&Column, Aim),
) {
    let Some(measured) = figures[0] else {
        return;
    };
    let more_is_better = unit == "/s";
    let best = (1..peers.len())
        .filter(|place| peers[*place].durable)
        .filter_map(|place| Some((place, figures[place]?)))
        .max_by(|(_, a), (_, b)| match more_is_better {
            true => a.total_cmp(b),
            false => b.total_cmp(a),
        });
    for place in 1..peers.len() {
        let Some(peer) = figures[place] else {
            let name = peers[place].name;
            bench
                .report
                .note(format!("{what}: {name} answered none of it"));
            continue;
        };
        let aimed = best.is_some_and(|(best, _)| best == place);
        bench.report.add(Figure {
            what: what.to_owned(),
            measured,
            beside: peers[place].name,
            peer,
            unit,
            aim: if aimed { aim } else { Aim::None },
        });
    }
}

/// The middle of what was measured, if anything was.
fn middle(figures: Vec<f64>) -> Option<f64> {
    (!figures.is_empty()).then(|| median(figures))
}

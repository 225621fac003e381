//! What a hostile policy of one organization costs another: the p99 of its pushes, beside the same
//! with a decent policy in the hostile one's place.

use crate::bench::Bench;
use crate::report::{Aim, Figure};
use gatewright_tests::isolation::Isolation;

pub(crate) fn run(bench: &mut Bench) {
    // Its phases have a length of their own: a p99 takes some hundred pushes.
    if bench.scale.quick {
        bench.say("isolation takes minutes: left out of a quick run");
        return;
    }
    for cost in Isolation::measure().costs() {
        bench.report.add(Figure {
            what: format!("p99 of pushes beside a policy: {}", cost.behaviour),
            measured: cost.hostile.as_secs_f64() * 1_000.0,
            beside: "with a decent one",
            peer: cost.decent.as_secs_f64() * 1_000.0,
            unit: "ms",
            aim: Aim::AtMost(1.5),
        });
    }
}

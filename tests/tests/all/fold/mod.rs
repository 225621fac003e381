//! Random facts of one or two directories, mappings, settings, times, signals, seats by hand, imports,
//! pauses and answers to what the brake holds, in real gateways with the shipped policies, beside a
//! model that decides everybody after each single change: whatever is decided at once, and whatever
//! is killed in between, everybody has what the model says.
//!
//! `GATEWRIGHT_SEED=N` says where the random numbers begin, `GATEWRIGHT_ROUNDS=N` how long it goes on.
//! What fails prints both.

mod driver;
mod history;
mod model;

use crate::shared::Dice;
use driver::{Driver, Pace};
use gatewright_tests::{Server, Start};
use history::{History, Part, Round, Temper};
use std::thread;

/// Rounds, where nobody says otherwise.
const ROUNDS: u64 = 8;

/// Organizations with a history of their own, for each temper: one with a directory, and one with two.
const HISTORIES: usize = 2;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |number| number.parse().unwrap())
}

/// Something for each organization, all at once.
fn each(drivers: &mut [(usize, Driver)], work: impl Fn(usize, &mut Driver) + Sync) {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = drivers
            .iter_mut()
            .map(|(history, driver)| scope.spawn(move || work(*history, driver)))
            .collect();
        // All of them end, and the first that failed says why.
        let ended: Vec<_> = running
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        for one in ended {
            if let Err(why) = one {
                std::panic::resume_unwind(why);
            }
        }
    });
}

#[test]
fn however_it_is_batched_everybody_has_what_a_fold_of_the_history_gives() {
    let seed = number("GATEWRIGHT_SEED", 0x5eed);
    let rounds = number("GATEWRIGHT_ROUNDS", ROUNDS);
    let mut dice = Dice(seed);
    let mut server = Server::start(Start {
        clock: true,
        ..Start::default()
    });
    let tempers = [
        Temper::Access,
        Temper::Seats,
        Temper::Owners,
        Temper::Guarded,
    ];
    let mut histories = Vec::new();
    let mut drivers = Vec::new();
    for temper in tempers.into_iter().cycle().take(tempers.len() * HISTORIES) {
        let place = histories.len();
        let is_second = place >= tempers.len();
        let directories = 1 + usize::from(is_second);
        let history = History::new(temper, directories, (dice.below(1 << 30) as u64) << 20);
        let often = if is_second {
            Pace::Sometimes
        } else {
            Pace::Always
        };
        for pace in [Pace::Seldom, often] {
            let name = format!("{temper:?} {place}, waited for {pace:?}");
            let driver = Driver::new(
                &server.api(),
                name,
                temper,
                pace,
                (directories, &history.rules()),
            );
            drivers.push((place, driver));
        }
        histories.push(history);
    }
    let mut hours = 0;
    for at in 0..rounds {
        let round = Round::random(&mut dice);
        let parts: Vec<Part> = histories
            .iter_mut()
            .map(|history| history.round(round))
            .collect();
        let moment = format!(
            "GATEWRIGHT_SEED={seed} GATEWRIGHT_ROUNDS={}, {round:?}",
            at + 1
        );
        each(&mut drivers, |place, driver| {
            driver.run(&parts[place], &moment);
        });
        if round.killed {
            server.restart();
        }
        if !round.late {
            each(&mut drivers, |place, driver| {
                driver.check(&parts[place].before, &parts[place], &moment);
            });
        }
        hours += round.hours;
        server.move_on(&format!("{hours}h"));
        each(&mut drivers, |place, driver| {
            driver.check(&parts[place].after, &parts[place], &moment);
        });
    }
}

//! `kill -9` at random moments under concurrent pushes. After each restart everything that was
//! acknowledged is there, nothing is half-applied, and the event log tells what the state shows.

mod replay;
mod state;
mod writer;

use gatewright_tests::Server;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use writer::{Dice, Writer};

const KILLS: u64 = 5;
const WRITERS: u64 = 4;
const GROUPS: u64 = 3;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_half_applied() {
    let seed = std::env::var("GATEWRIGHT_SEED").map_or(0x5eed, |seed| seed.parse().unwrap());
    let mut dice = Dice::new(seed);
    let mut server = Server::generic();
    let groups: Vec<String> = (0..GROUPS)
        .map(|n| server.group(&format!("group-{n}"), &[]).id())
        .collect();
    let entries = json!({ "entries": [
        { "group": { "name": "group-0" }, "kind": "base-role", "target": "Admin" },
        { "group": { "name": "group-1" }, "kind": "seat", "target": "on-call" },
    ] });
    let _ = server.api().put("/mapping", &entries).expect(200);
    let mut writers: Vec<Writer> = (0..WRITERS)
        .map(|number| Writer::new(number, dice.fork(), &groups))
        .collect();
    for round in 0..KILLS {
        let moment = Duration::from_millis(200 + dice.below(1_000));
        push(&mut server, &mut writers, moment, true);
        server.restart();
        state::check(
            &server,
            &mut writers,
            &format!("GATEWRIGHT_SEED={seed}, kill {round}"),
        );
    }
    push(&mut server, &mut writers, Duration::from_millis(500), false);
    state::check(
        &server,
        &mut writers,
        &format!("GATEWRIGHT_SEED={seed}, without a kill"),
    );
    assert!(server.stop().success());
    server.restart();
    state::check(
        &server,
        &mut writers,
        &format!("GATEWRIGHT_SEED={seed}, after a clean stop"),
    );
    let acknowledged: usize = writers.iter().map(|writer| writer.revisions.len()).sum();
    assert!(
        acknowledged > 100,
        "only {acknowledged} writes were acknowledged"
    );
}

/// Lets all writers push until the moment has come, and ends them or the server.
fn push(server: &mut Server, writers: &mut [Writer], moment: Duration, kill: bool) {
    let stop = AtomicBool::new(false);
    let client = server.scim();
    thread::scope(|scope| {
        for writer in writers {
            let (client, stop) = (client.clone(), &stop);
            scope.spawn(move || writer.push(&client, stop));
        }
        thread::sleep(moment);
        if kill {
            server.kill();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

//! A directory of a million users and ten million memberships beside one of a thousand: what grows
//! with the directory's size, which ought to be nothing that a provider asks for all the time, and
//! what the gateway keeps in memory.

mod groups;
mod load;
mod lookups;
mod memory;

use crate::bench::{Bench, Gateway};

/// Groups with members, as many as a page of a listing has.
const FILLED: usize = 100;
/// How many of them each user is in.
const EACH: usize = 10;

/// A gateway with a directory of a known size.
struct Directory {
    gateway: Gateway,
    /// The ids of its users.
    users: Vec<String>,
    /// The ids of its groups with members.
    filled: Vec<String>,
    /// How many members each of them has.
    members: usize,
    /// How many groups there are in all; the others are empty.
    groups: usize,
    /// Whether this run has loaded it.
    fresh: bool,
}

pub(crate) fn run(bench: &mut Bench) {
    // Its users are in as many groups as those of the large one: an answer lists them.
    let small = Directory::load(bench, "small", 1_000, 1_000 / EACH, 1_000);
    let tens = Directory::load(bench, "groups of 10", 1_000, 10, FILLED);
    let users = bench.scale.users;
    let mut large = match bench.data.clone() {
        Some(folder) => Directory::kept(bench, &folder, users),
        None => Directory::load(bench, "large", users, users / EACH, users / EACH),
    };
    if large.fresh {
        memory::loaded(bench, &large);
    }
    large.gateway.read_file();
    let note =
        "the system has the database's file in its memory when lookups and pages are measured";
    bench.report.note(note.to_owned());
    lookups::run(bench, &small, &large);
    groups::run(bench, &tens, &large);
    memory::restarted(bench, &mut large);
    memory::written(bench, &mut large);
}

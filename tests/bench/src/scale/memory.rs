//! What the gateway's process keeps in memory, as the kernel counts it.

use super::{Directory, load};
use crate::bench::{Bench, name};
use crate::client::Load;
use crate::report::{Aim, Figure};
use std::fmt;
use std::time::Duration;

/// What it may keep at most, in MiB.
const LIMIT: f64 = 500.0;
/// For how long the mixed reads go on.
const READS: Duration = Duration::from_secs(60);

/// A process's resident memory in MiB. What the kernel caches of its files is not in it.
pub(super) struct Memory {
    /// Now.
    resident: f64,
    /// The most since it was started.
    peak: f64,
}

impl Memory {
    pub(super) fn of(process: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            kib / 1_024.0
        };
        Self {
            resident: field("VmRSS:"),
            peak: field("VmHWM:"),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident, peak } = self;
        write!(f, "{resident:.0} MiB resident, {peak:.0} at the peak")
    }
}

/// Behind the load, when everybody is decided.
pub(super) fn loaded(bench: &mut Bench, directory: &Directory) {
    report(bench, directory, "after loading");
}

/// Behind a restart, and behind a minute of reads of all kinds.
pub(super) fn restarted(bench: &mut Bench, directory: &mut Directory) {
    directory.gateway.restart();
    report(bench, directory, "after a restart");
    let run = bench.drive(reads(directory).during(match bench.scale.quick {
        true => bench.scale.turn,
        false => READS,
    }));
    bench.say(&format!("{:.0} mixed reads in a second", run.rate()));
    report(bench, directory, "after mixed reads");
}

/// Behind more of the largest requests there are, each a group with a tenth of all users.
pub(super) fn written(bench: &mut Bench, directory: &mut Directory) {
    const GROUPS: usize = 5;
    let kept = directory.filled.len();
    for number in 0..GROUPS {
        directory.fill(bench, directory.groups + number);
    }
    directory.gateway.settle();
    report(bench, directory, &format!("after {GROUPS} more groups"));
    if bench.data.is_none() {
        return;
    }
    // The next run is to find it as this one did, and closed.
    for group in directory.filled.split_off(kept) {
        let scim = directory.gateway.scim();
        let _ = scim.delete(&format!("/Groups/{group}")).expect(204);
    }
    directory.gateway.settle();
    directory.gateway.stop();
}

fn report(bench: &mut Bench, directory: &Directory, when: &str) {
    let Memory { resident, peak } = Memory::of(directory.gateway.process());
    let memberships = directory.members * super::FILLED;
    let kinds = [
        ("resident", resident, Aim::AtMost(1.0)),
        ("peak", peak, Aim::None),
    ];
    for (kind, measured, aim) in kinds {
        bench.report.add(Figure {
            what: format!("{kind}, {memberships} memberships, {when}"),
            measured,
            beside: "the limit",
            peer: LIMIT,
            unit: "MiB",
            aim,
        });
    }
}

/// Lookups, users, groups without members, pages, and now and then a whole large group.
fn reads(directory: &Directory) -> Load {
    let requests = directory.gateway.requests.clone();
    let (users, groups) = (directory.users.clone(), directory.filled.clone());
    Load::new(&requests.address.clone(), 8, 200, move |number| {
        let at = number * 7_919 % users.len();
        let group = &groups[at % groups.len()];
        let find = |attribute: &str, value: &str| {
            let value = value.replace(' ', "%20");
            format!("/Users?filter={attribute}%20eq%20%22{value}%22")
        };
        let path = match number % 10 {
            _ if number % 1_000 == 999 => format!("/Groups/{group}"),
            _ if number % 100 == 99 => "/Users?count=1000".to_owned(),
            0..4 => find("userName", &name(at)),
            4 => find("externalId", &format!("00u{at:017}")),
            5 => find("emails.value", &name(at)),
            6 => find("displayName", &format!("Ada Lovelace {at}")),
            7 => {
                let name = load::group_name(at % groups.len()).replace(' ', "%20");
                format!("/Groups?filter=displayName%20eq%20%22{name}%22&excludedAttributes=members")
            }
            8 => format!("/Groups/{group}?excludedAttributes=members"),
            _ => format!("/Users/{}", users[at]),
        };
        requests.bytes("GET", &path, "")
    })
}

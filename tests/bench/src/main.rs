//! What the gateway costs, beside what it could cost at best: each figure has its floor or its
//! peer in the same run, and the two are measured in turns, so that a machine that gets slower
//! meanwhile makes both slower. Run it with `cargo xtask bench`.
//!
//! The gateway is the real binary in a process of its own, with Okta's plugin and all three
//! policies bound and its reconciler running. Client, gateway and floor share the machine: where
//! there are two cores, a third of what is measured is the client.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark: what fails ends it, and it speaks on the terminal"
)]

mod bench;
mod client;
mod creates;
mod decisions;
mod floor;
mod groups;
mod isolation;
mod lookups;
mod peers;
mod redecide;
mod replace;
mod report;
mod scale;

use bench::{Bench, Scale};
use std::path::{Path, PathBuf};
use std::time::Instant;

const USAGE: &str = "\
cargo xtask bench [--quick] [--json] [--members N] [--accounts N] [--users N]
                  [--data DIR] [--scale | --peers | --only PART]

  --quick       a smoke run of some ten seconds; its figures mean little
  --json        figures as JSON on standard output, instead of a table
  --members N   members of the large group (default 100000, with --quick 1000)
  --accounts N  accounts that the part `redecide` decides anew (default 100000, with --quick 2000);
                1000000 take more than 20 GB of disk
  --users N     users of the large directory of the part `scale` (default 1000000, with
                --quick 20000); each is in 10 of 100 groups
  --scale       the part `scale` alone, the same as --only scale; it takes most of an hour and
                10 GB of disk, and is in no other run
  --data DIR    with --scale: keeps the large directory in DIR; where an earlier run did, it is
                measured and not loaded again
  --peers       beside other servers of SCIM, which `cargo xtask bench --peers` installs into
                target/peers; it takes some ten minutes, and is in no other run
  --only PART   decisions, creates, lookups, groups, replace, redecide, isolation,
                scale or peers";

type Part = (&'static str, fn(&mut Bench));

/// Run only where they are asked for: one is long, one needs what others install.
const APART: [&str; 2] = ["scale", "peers"];

/// In this order: the later parts need the users that the earlier ones created.
const PARTS: [Part; 9] = [
    ("decisions", decisions::run),
    ("creates", creates::run),
    ("lookups", lookups::run),
    ("groups", groups::run),
    ("replace", replace::run),
    ("redecide", redecide::run),
    ("isolation", isolation::run),
    ("scale", scale::run),
    ("peers", peers::run),
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [command, data] = args.as_slice()
        && command == floor::COMMAND
    {
        return floor::serve(Path::new(data));
    }
    let options = Options::read(args);
    let began = Instant::now();
    let mut bench = Bench::new(options.scale, options.data);
    for (name, part) in PARTS {
        if options
            .only
            .as_ref()
            .map_or(!APART.contains(&name), |only| only == name)
        {
            bench.say(&format!("{name} ..."));
            part(&mut bench);
        }
    }
    let seconds = began.elapsed().as_secs();
    if options.json {
        println!("{:#}", bench.report.json(seconds));
    } else {
        print!("{}", bench.report.table(seconds));
    }
}

struct Options {
    json: bool,
    only: Option<String>,
    data: Option<PathBuf>,
    scale: Scale,
}

impl Options {
    fn read(args: Vec<String>) -> Self {
        let mut options = Self {
            json: false,
            only: None,
            data: None,
            scale: Scale::full(),
        };
        let (mut members, mut accounts, mut users) = (None, None, None);
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--json" => options.json = true,
                "--quick" => options.scale = Scale::quick(),
                "--only" => options.only = args.next(),
                "--scale" => options.only = Some("scale".to_owned()),
                "--peers" => options.only = Some("peers".to_owned()),
                "--users" => users = args.next().and_then(|number| number.parse().ok()),
                "--data" => options.data = args.next().map(PathBuf::from),
                "--accounts" => accounts = args.next().and_then(|number| number.parse().ok()),
                "--members" => members = args.next().and_then(|number| number.parse().ok()),
                _ => {
                    eprintln!("{USAGE}");
                    std::process::exit(2);
                }
            }
        }
        if let Some(only) = &options.only
            && !PARTS.iter().any(|(name, _)| name == only)
        {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
        options.scale.members = members.unwrap_or(options.scale.members);
        options.scale.accounts = accounts.unwrap_or(options.scale.accounts);
        options.scale.users = users.unwrap_or(options.scale.users);
        options
    }
}

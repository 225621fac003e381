//! What a hostile policy of one organization costs another one: the latency of its pushes, in one
//! run, beside those with nothing else going on and with a decent policy in the same place.

use crate::{Client, Organization, Server, plugin};
use serde_json::{Value, json};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long one phase of one round lasts.
const PHASE: Duration = Duration::from_millis(400);
const ROUNDS: usize = 10;
/// The hostile organization pushes 50 times in a second, whatever its policy does.
const PACE: Duration = Duration::from_millis(20);
const BEHAVIOURS: [&str; 9] = [
    "loop",
    "allocate",
    "recurse",
    "trap",
    "flood",
    "big-output",
    "garbage",
    "sleep",
    "wrong-count",
];

/// The 99th percentile of the pushes of an organization, by what another one does.
pub struct Isolation(Vec<Cost>);

/// With one behaviour.
pub struct Cost {
    /// What the other organization's policy does.
    pub behaviour: &'static str,
    /// The other organization does nothing.
    pub alone: Duration,
    /// It pushes, and its policy is decent.
    pub decent: Duration,
    /// It pushes, and its policy misbehaves for every account.
    pub hostile: Duration,
    /// How many pushes were measured in each.
    pub pushes: [usize; 3],
}

impl Cost {
    /// What the misbehaving costs: beside the same pushes with a decent policy.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.hostile.as_secs_f64() / self.decent.as_secs_f64()
    }

    /// What the other organization costs altogether.
    #[must_use]
    pub fn ratio_to_alone(&self) -> f64 {
        self.hostile.as_secs_f64() / self.alone.as_secs_f64()
    }
}

impl Isolation {
    /// Measures with the binary that the harness runs. Takes about two minutes.
    #[must_use]
    pub fn measure() -> Self {
        let server = Server::generic();
        let wasm = plugin("hostile");
        let installed = server.api().install(&wasm);
        let digest = installed["digest"].as_str().unwrap().to_owned();
        let hostile = Organization::create(&server.api(), "hostile");
        let other = Organization::create(&server.api(), "other");
        let mut victim = Pusher::new(&other.scim, "victim");
        let mut attacker = Pusher::new(&hostile.scim, "attacker");
        let costs = BEHAVIOURS.map(|behaviour| {
            let bad = json!({ "plugin": digest, "settings": { "behaviour": behaviour } });
            let good = json!({ "plugin": "group-roles" });
            let mut samples: [Vec<Duration>; 3] = Default::default();
            // The three take turns, so that what the machine does meanwhile meets all of them.
            for _ in 0..ROUNDS {
                for (phase, binding) in [&good, &good, &bad].into_iter().enumerate() {
                    let _ = hostile.operator.put("/bindings/roles", binding).expect(200);
                    let attacker = (phase > 0).then_some(&mut attacker);
                    phase_of(&mut victim, attacker, &mut samples[phase]);
                }
            }
            let pushes = [0, 1, 2].map(|phase| samples[phase].len());
            let [alone, decent, hostile] = samples.map(p99);
            Cost {
                behaviour,
                alone,
                decent,
                hostile,
                pushes,
            }
        });
        Self(costs.into())
    }

    /// One for each behaviour.
    #[must_use]
    pub fn costs(&self) -> &[Cost] {
        &self.0
    }
}

impl fmt::Display for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "p99 of an organization's pushes, in ms, beside another organization that is ..."
        )?;
        writeln!(
            f,
            "{:12} {:>8} {:>8} {:>8} {:>15} {:>14}",
            "", "silent", "decent", "hostile", "hostile/decent", "hostile/silent"
        )?;
        for cost in &self.0 {
            let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
            writeln!(
                f,
                "{:12} {:8.2} {:8.2} {:8.2} {:15.2} {:14.2}",
                cost.behaviour,
                ms(cost.alone),
                ms(cost.decent),
                ms(cost.hostile),
                cost.ratio(),
                cost.ratio_to_alone()
            )?;
        }
        Ok(())
    }
}

fn phase_of(victim: &mut Pusher, attacker: Option<&mut Pusher>, samples: &mut Vec<Duration>) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop = &stop;
        if let Some(attacker) = attacker {
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let _ = attacker.push();
                    thread::sleep(PACE);
                }
            });
        }
        // Not measured: the change of the binding is still being decided about.
        let began = Instant::now();
        while began.elapsed() < PHASE / 4 {
            let _ = victim.push();
        }
        while began.elapsed() < PHASE + PHASE / 4 {
            samples.push(victim.push());
        }
        stop.store(true, Ordering::Relaxed);
    });
}

fn p99(mut samples: Vec<Duration>) -> Duration {
    samples.sort_unstable();
    samples[samples.len() * 99 / 100]
}

/// Creates users and changes them, in turn.
struct Pusher {
    client: Client,
    name: &'static str,
    pushed: u64,
    newest: String,
}

impl Pusher {
    fn new(client: &Client, name: &'static str) -> Self {
        Self {
            client: client.clone(),
            name,
            pushed: 0,
            newest: String::new(),
        }
    }

    /// The time until the answer.
    fn push(&mut self) -> Duration {
        self.pushed += 1;
        let body = if self.pushed % 2 == 1 {
            self.user()
        } else {
            Self::patch(self.pushed)
        };
        let began = Instant::now();
        if self.pushed % 2 == 1 {
            let reply = self.client.post("/Users", &body);
            let took = began.elapsed();
            self.newest = reply.expect(201).id();
            took
        } else {
            let reply = self.client.patch(&format!("/Users/{}", self.newest), &body);
            let took = began.elapsed();
            let _ = reply.expect(200);
            took
        }
    }

    fn user(&self) -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("{}-{}@example.com", self.name, self.pushed),
            "active": true,
        })
    }

    fn patch(number: u64) -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "displayName", "value": number.to_string() }],
        })
    }
}

//! A history, done to a real gateway by who would do it: the identity provider, the application, the
//! operator.

mod act;
mod settings;

use super::history::{GROUPS, Part, Temper};
use super::model::{CAPACITY, Full, GroupKey, Rules, SCARCE, View};
use crate::shared::Dice;
use gatewright_tests::{Client, Organization};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// When what happens is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// Only where it counts, and at the end of a round.
    Seldom,
    Sometimes,
    /// Behind everything that happens.
    Always,
}

pub(super) struct Driver {
    pub(super) name: String,
    temper: Temper,
    pace: Pace,
    dice: Dice,
    organization: Organization,
    /// The directories, and what their providers use.
    directories: Vec<(String, Client)>,
    /// By directory and person.
    users: BTreeMap<(usize, usize), String>,
    accounts: BTreeMap<usize, String>,
    /// The newest group of each place.
    groups: BTreeMap<usize, String>,
    all_groups: BTreeMap<GroupKey, String>,
    made: [usize; GROUPS],
    nested: BTreeSet<(usize, usize)>,
    /// Whether there was an active owner, and whether one was deactivated since.
    owned: bool,
    excused: bool,
    /// Who has one of the few seats.
    seated: BTreeSet<usize>,
    /// What happened last, for whoever has to find out what went wrong.
    log: Vec<String>,
    /// Of which round that is.
    moment: String,
}

/// How much of what happened is told.
const TOLD: usize = 40;

impl Driver {
    pub(super) fn new(
        api: &Client,
        name: String,
        temper: Temper,
        pace: Pace,
        (directories, rules): (usize, &Rules),
    ) -> Self {
        let organization = Organization::create(api, &name);
        let domain = "/domains/acme.test";
        let _ = organization.operator.put(domain, &json!({})).expect(200);
        let by = json!({ "by": "operator" });
        let verify = format!("{domain}/verify");
        let _ = organization.operator.post(&verify, &by).expect(200);
        let mut all = vec![(organization.directory.clone(), organization.scim.clone())];
        for place in 1..directories {
            let body = json!({
                "name": format!("{place}"), "provider": "generic", "phase": "enforcing",
            });
            let made = organization.operator.post("/directories", &body);
            let made = made.expect(201).json();
            let text = |field: &str| made[field].as_str().unwrap().to_owned();
            let scim = Client::new(&text("scim_base_url"), Some(&text("token")));
            all.push((text("id"), scim));
        }
        let driver = Self {
            name,
            temper,
            pace,
            dice: Dice(5),
            organization,
            directories: all,
            users: BTreeMap::new(),
            accounts: BTreeMap::new(),
            groups: BTreeMap::new(),
            all_groups: BTreeMap::new(),
            made: [0; GROUPS],
            nested: BTreeSet::new(),
            owned: false,
            excused: false,
            seated: BTreeSet::new(),
            log: Vec::new(),
            moment: String::new(),
        };
        driver.catalogue(Full::default());
        driver.guard(temper == Temper::Guarded);
        driver.set(rules);
        driver
    }

    /// Does what happens in a round.
    pub(super) fn run(&mut self, part: &Part, moment: &str) {
        self.log.push(moment.to_owned());
        moment.clone_into(&mut self.moment);
        for event in &part.events {
            self.log.push(format!("  {event:?}"));
            if event.alone {
                let _ = self.settle();
            }
            self.excused |= event.ends;
            self.act(&event.act, moment);
            let waits = match self.pace {
                Pace::Seldom => false,
                Pace::Sometimes => self.dice.below(3) == 0,
                Pace::Always => true,
            };
            if event.alone || waits {
                let _ = self.settle();
            }
        }
    }

    /// Compares what everybody has with what the model says. What a policy is asked again for comes
    /// by itself, so it may take a moment.
    pub(super) fn check(&mut self, wanted: &BTreeMap<usize, View>, part: &Part, moment: &str) {
        let began = Instant::now();
        loop {
            let has = self.views();
            let mut differences = self.differences(&has, wanted);
            let seated = of_scarce(&has);
            if self.temper == Temper::Owners && !part.paused {
                differences.extend(self.unjust(&seated, &of_scarce(wanted), part));
            }
            if differences.is_empty() {
                self.seated = seated;
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "{moment}: {}: what people have, and should:\n{}\n{}",
                self.name,
                differences.join("\n"),
                self.log[self.log.len().saturating_sub(TOLD)..].join("\n")
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Which of those who are to have one of the few seats has it is a question of who came first.
    /// Nobody loses one to another, though, and there are as many as the rule says.
    fn unjust(
        &self,
        seated: &BTreeSet<usize>,
        wanted: &BTreeSet<usize>,
        part: &Part,
    ) -> Option<String> {
        let before = &self.seated & &part.steady;
        let full = part.full;
        // Beyond that only who got one when nobody was refused.
        let is_bounded = seated.len() <= CAPACITY || seated.is_subset(&self.seated);
        let just = seated.is_subset(wanted)
            && before.is_subset(seated)
            && match full {
                Full::Wait => is_bounded && seated.len() >= wanted.len().min(CAPACITY),
                Full::Refuse => is_bounded,
                Full::Overflow => seated == wanted,
            };
        let told = || format!("  {SCARCE}, {full:?}: {seated:?} of {wanted:?}, before: {before:?}");
        (!just).then(told)
    }

    fn differences(
        &self,
        has: &BTreeMap<usize, View>,
        wanted: &BTreeMap<usize, View>,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        if has.keys().ne(wanted.keys()) {
            differences.push(format!("{:?} {:?}", has.keys(), wanted.keys()));
            return differences;
        }
        let compared = |view: &View| {
            let mut view = view.clone();
            if self.temper == Temper::Owners {
                view.seats.remove(SCARCE);
            }
            view
        };
        for (place, has_it) in has {
            let (has_it, wants) = (&compared(has_it), &compared(&wanted[place]));
            // The last owner is held, whoever of several comes last.
            let held = View {
                role: Some("Owner".into()),
                ..wants.clone()
            };
            let mut others = has.iter().filter(|(other, _)| *other != place);
            let is_last = !others.any(|(_, other)| is_active_owner(other));
            let is_held = self.temper == Temper::Owners && is_last && *has_it == held;
            if has_it != wants && !is_held {
                differences.push(format!("  u{place}: {has_it:?}\n      {wants:?}"));
            }
        }
        differences
    }

    fn views(&mut self) -> BTreeMap<usize, View> {
        let names = |grants: &Value| -> BTreeSet<String> {
            let grants = grants.as_array().unwrap().iter();
            grants
                .map(|grant| grant["name"].as_str().unwrap().to_owned())
                .collect()
        };
        let mut views = BTreeMap::new();
        let accounts = self.settle();
        let held = self.held();
        for account in accounts {
            let label = account["label"].as_str().unwrap();
            let place: usize = label
                .trim_start_matches('u')
                .split('@')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let id = account["id"].as_str().unwrap();
            let known = self.accounts.entry(place).or_insert_with(|| id.to_owned());
            assert_eq!(known, id, "{}: {label} has one account", self.name);
            let view = View {
                status: account["status"].as_str().unwrap().to_owned(),
                role: account["role"]["name"].as_str().map(str::to_owned),
                custom: names(&account["custom_roles"]),
                seats: names(&account["seats"]),
                held: held.get(id).copied(),
            };
            views.insert(place, view);
        }
        views
    }

    /// The accounts for which the brake holds something, and whether a person said that it stays.
    fn held(&self) -> BTreeMap<String, bool> {
        if self.temper != Temper::Guarded {
            return BTreeMap::new();
        }
        let holds = self.organization.operator.get("/holds?limit=1000");
        let holds = holds.expect(200).json();
        let holds = holds["holds"].as_array().unwrap().iter();
        holds
            .map(|hold| {
                let account = hold["account"].as_str().unwrap().to_owned();
                (account, hold["pinned"].as_bool().unwrap())
            })
            .collect()
    }

    /// Waits until everything is decided. Whatever happened to roles, there is an owner if there was
    /// one.
    fn settle(&mut self) -> Vec<Value> {
        let accounts = loop {
            let accounts = self.organization.accounts();
            if accounts.iter().all(|one| one["undecided_since"].is_null()) {
                break accounts;
            }
        };
        let is_owner = |one: &Value| one["status"] == "active" && one["role"]["name"] == "Owner";
        let owned = accounts.iter().any(is_owner);
        assert!(
            owned || !self.owned || self.excused,
            "{}: {}: no owner is left\n{}",
            self.moment,
            self.name,
            self.log[self.log.len().saturating_sub(TOLD)..].join("\n")
        );
        self.owned = owned;
        self.excused = false;
        accounts
    }
}

fn of_scarce(views: &BTreeMap<usize, View>) -> BTreeSet<usize> {
    let has = views.iter().filter(|(_, view)| view.seats.contains(SCARCE));
    has.map(|(place, _)| *place).collect()
}

fn is_active_owner(view: &View) -> bool {
    view.status == "active" && view.role.as_deref() == Some("Owner")
}

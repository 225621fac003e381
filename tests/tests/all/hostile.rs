//! A role policy that misbehaves, in each way there is: no push is lost, who can be decided is
//! decided, and an alert says whose fault it is.

use crate::shared::Tenant;
use gatewright_tests::{Reply, plugin};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// One way to misbehave, and what the alert must say of it.
struct Misdeed {
    behaviour: &'static str,
    /// The alert is of one of these.
    kinds: &'static [&'static str],
    /// One of these is in the alert's message. Memory and time may run out in either order.
    says: &'static [&'static str],
    frame: Option<&'static str>,
}

const CALL: Misdeed = Misdeed {
    behaviour: "",
    kinds: &["policy-failed"],
    says: &[],
    frame: None,
};
const ANSWER: Misdeed = Misdeed {
    kinds: &["decision-rejected"],
    ..CALL
};
const DEADLINE: &str = "it was not done at its deadline";

#[test]
fn one_that_loops() {
    misbehaves(&Misdeed {
        behaviour: "loop",
        says: &[DEADLINE],
        ..CALL
    });
}

#[test]
fn one_that_allocates_without_end() {
    let says = &["it wanted more memory than it may have", DEADLINE];
    misbehaves(&Misdeed {
        behaviour: "allocate",
        says,
        ..CALL
    });
}

#[test]
fn one_that_recurses_without_end() {
    let frame = Some("hostile::misdeeds::recurse");
    let says = &["its stack is exhausted"];
    misbehaves(&Misdeed {
        behaviour: "recurse",
        says,
        frame,
        ..CALL
    });
}

#[test]
fn one_that_traps() {
    let frame = Some("hostile::misdeeds::commit");
    let says =
        &["it trapped (wasm trap: wasm `unreachable` instruction executed): a bug in the policy ("];
    misbehaves(&Misdeed {
        behaviour: "trap",
        says,
        frame,
        ..CALL
    });
}

#[test]
fn one_that_answers_megabytes() {
    // Alone, the call has no room for it. A large batch has room for one such answer, and then it is
    // that decision which is too large.
    let says = &[
        "its output is larger than it may be; in bytes, 1048576 are allowed",
        "bytes, and 1048576 are allowed",
        DEADLINE,
    ];
    misbehaves(&Misdeed {
        behaviour: "big-output",
        kinds: &["policy-failed", "decision-rejected"],
        says,
        ..CALL
    });
}

#[test]
fn one_that_sleeps() {
    let says = &["which this host does not grant"];
    misbehaves(&Misdeed {
        behaviour: "sleep",
        says,
        ..CALL
    });
}

#[test]
fn one_that_forgets_an_answer() {
    let says = &["its answer breaks the contract"];
    misbehaves(&Misdeed {
        behaviour: "wrong-count",
        says,
        ..CALL
    });
}

#[test]
fn one_that_answers_garbage() {
    let says = &["the decision is invalid", "the plugin may not grant"];
    misbehaves(&Misdeed {
        behaviour: "garbage",
        says,
        ..ANSWER
    });
}

#[test]
fn one_that_names_an_entry_that_there_is_not() {
    // Mallory is in a group that the mapping names, and the others are in none.
    let says = &[
        "its base role \"Standard\" names place 1 of the account's mapping, which has 1 entry",
        "its base role \"Standard\" names place 0 of the account's mapping, which has no entries",
    ];
    misbehaves(&Misdeed {
        behaviour: "bad-index",
        says,
        ..ANSWER
    });
}

#[test]
fn one_that_refuses() {
    let says = &["the plugin refused: I would rather not"];
    misbehaves(&Misdeed {
        behaviour: "refuse",
        says,
        ..ANSWER
    });
}

#[test]
fn one_that_grants_what_its_binding_may_not() {
    let says = &["the plugin may not grant the base role Owner"];
    misbehaves(&Misdeed {
        behaviour: "ungranted",
        says,
        ..ANSWER
    });
}

/// What it prints is its own business, and costs nobody a decision.
#[test]
fn one_that_prints() {
    let attacked = Attacked::new("print");
    attacked.bind("print", "always", 200);
    let _ = attacked.tenant.user("carol@example.com");
    for account in attacked.tenant.accounts() {
        assert_eq!(account["role"]["reason"], "default role", "{account}");
        assert!(account["stale"].is_null(), "{account}");
    }
    assert!(attacked.alerts().is_empty(), "{:?}", attacked.alerts());
}

/// What is printed beyond the limit is dropped. It takes time, and that has a limit too.
#[test]
fn one_that_prints_megabytes() {
    let misdeed = Misdeed {
        behaviour: "flood",
        says: &[DEADLINE],
        ..CALL
    };
    let attacked = Attacked::new("flood");
    attacked.bind("flood", "user-name-contains", 200);
    attacked.push_crowd(20);
    attacked.others_are_decided();
    let tried = |account: &Value| {
        account["role"]["reason"] == "default role" || !account["stale"].is_null()
    };
    let mallory = attacked.until("mallory@example.com", tried);
    if !mallory["stale"].is_null() {
        accuses(&mallory["stale"]["message"], &misdeed);
    }
    attacked.deactivate(&attacked.mallory, "mallory@example.com");
    let operator = &attacked.tenant.operator;
    let _ = operator
        .post("/bindings/roles/rollback", &json!({}))
        .expect(200);
    attacked.recovers(22);
}

/// It never gets as far as being bound: what was there before goes on deciding.
#[test]
fn one_that_misbehaves_when_configured() {
    let attacked = Attacked::new("configure");
    for behaviour in ["loop", "allocate", "recurse", "trap", "sleep"] {
        let reply = attacked.bind(behaviour, "configure", 400);
        assert!(
            reply.text.contains("hostile"),
            "{behaviour}: {}",
            reply.text
        );
        let bound = attacked
            .tenant
            .operator
            .get("/bindings/roles")
            .expect(200)
            .json();
        assert_eq!(bound["plugin"], "group-roles");
        assert_eq!(bound["version"], 1);
    }
    let _ = attacked.tenant.user("carol@example.com");
    let carol = attacked.tenant.account("carol@example.com");
    assert_eq!(carol["role"]["name"], "Standard");
}

/// Between decent policies it does what it does alone, and they decide for everybody else.
#[test]
fn one_in_the_middle_of_a_chain() {
    for misdeed in [
        Misdeed {
            behaviour: "loop",
            says: &[DEADLINE],
            ..CALL
        },
        Misdeed {
            behaviour: "ungranted",
            says: &["the plugin may not grant the base role Owner"],
            ..ANSWER
        },
    ] {
        let attacked = Attacked::new("middle");
        attacked.bind_in_chain(&misdeed);
        to_mallory(&attacked, &misdeed);
    }
}

fn misbehaves(misdeed: &Misdeed) {
    let attacked = Attacked::new(misdeed.behaviour);
    attacked.bind(misdeed.behaviour, "user-name-contains", 200);
    to_mallory(&attacked, misdeed);
    to_everybody(misdeed);
}

/// What is bound misbehaves to one account.
fn to_mallory(attacked: &Attacked, misdeed: &Misdeed) {
    let tenant = &attacked.tenant;
    attacked.push_crowd(20);
    attacked.rename("mallory", &attacked.mallory);
    let mallory = attacked.becomes_stale("mallory@example.com", misdeed);
    assert_eq!(
        mallory["users"][0]["display_name"], "mallory",
        "the push is there"
    );

    attacked.others_are_decided();
    let alerts = attacked.alerts();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    blames(&alerts[0], misdeed);
    assert_eq!(alerts[0]["account"], mallory["id"]);
    attacked.happens_again(&alerts[0]["report"], misdeed);

    // Being stale does not keep anybody in.
    attacked.deactivate(&attacked.mallory, "mallory@example.com");

    let _ = tenant
        .operator
        .post("/bindings/roles/rollback", &json!({}))
        .expect(200);
    attacked.recovers(22);
}

fn to_everybody(misdeed: &Misdeed) {
    let attacked = Attacked::new(misdeed.behaviour);
    let tenant = &attacked.tenant;
    attacked.bind(misdeed.behaviour, "always", 200);
    attacked.push_crowd(20);
    for label in ["ada@example.com", "mallory@example.com"] {
        attacked.becomes_stale(label, misdeed);
    }
    // Who was never decided about has nothing, and nothing pretends otherwise.
    for n in 0..20 {
        let label = format!("crowd-{n}@example.com");
        let account = attacked.until(&label, |account| !account["stale"].is_null());
        assert!(account["role"].is_null(), "{account}");
        assert_eq!(account["status"], "deactivated");
        assert!(account["decided"].is_null(), "{account}");
    }
    let alerts = attacked.alerts();
    assert!(!alerts.is_empty());
    for alert in &alerts {
        blames(alert, misdeed);
    }
    let behind = tenant.operator.get("").expect(200).json();
    assert!(behind["decisions"]["lag_ms"].as_u64() > Some(0), "{behind}");
    let upto = behind["decisions"]["upto_revision"].as_u64();
    assert!(upto < behind["revision"].as_u64(), "{behind}");
    attacked.deactivate(&attacked.ada, "ada@example.com");

    let shipped = json!({ "plugin": "group-roles" });
    let _ = tenant.operator.put("/bindings/roles", &shipped).expect(200);
    attacked.recovers(22);
    let caught_up = tenant.operator.get("").expect(200).json();
    assert_eq!(caught_up["decisions"]["lag_ms"], 0, "{caught_up}");
    let upto = &caught_up["decisions"]["upto_revision"];
    assert_eq!(*upto, caught_up["revision"], "{caught_up}");
}

/// An organization whose two accounts were decided before the hostile plugin came.
struct Attacked {
    tenant: Tenant,
    digest: String,
    ada: String,
    mallory: String,
}

impl Attacked {
    fn new(name: &str) -> Self {
        let tenant = Tenant::new(name);
        let wasm = plugin("hostile");
        let installed = tenant.api().install(&wasm);
        let digest = installed["digest"].as_str().unwrap().to_owned();
        tenant.map(&[("Admins", "base-role", "Admin")]);
        let ada = tenant.user("ada@example.com").id();
        let mallory = tenant.user("mallory@example.com").id();
        let _ = tenant.group("Admins", &[&mallory]);
        assert_eq!(
            tenant.account("mallory@example.com")["role"]["name"],
            "Admin"
        );
        Self {
            tenant,
            digest,
            ada,
            mallory,
        }
    }

    fn bind(&self, behaviour: &str, when: &str, status: u16) -> Reply {
        self.tenant
            .operator
            .put("/bindings/roles", &self.bound(behaviour, when))
            .expect(status)
    }

    /// Sets it on mallory, between two policies of which each would do alone.
    fn bind_in_chain(&self, misdeed: &Misdeed) {
        let decent = json!({ "plugin": "group-roles" });
        let hostile = self.bound(misdeed.behaviour, "user-name-contains");
        let chain = json!({ "chain": [decent, hostile, decent] });
        let operator = &self.tenant.operator;
        let _ = operator.put("/bindings/roles", &chain).expect(200);
    }

    fn bound(&self, behaviour: &str, when: &str) -> Value {
        let settings = json!({ "behaviour": behaviour, "when": when, "needle": "mallory" });
        let grants = json!({ "base_roles": { "only": ["Standard"] } });
        json!({ "plugin": self.digest, "settings": settings, "grants": grants })
    }

    fn push_crowd(&self, size: usize) {
        for n in 0..size {
            let label = format!("crowd-{n}@example.com");
            let id = self.tenant.user(&label).id();
            let there = self
                .tenant
                .scim
                .get(&format!("/Users/{id}"))
                .expect(200)
                .json();
            assert_eq!(there["userName"], *label);
        }
    }

    fn rename(&self, name: &str, user: &str) {
        let patch = replace(&json!({ "displayName": name }));
        let _ = self
            .tenant
            .scim
            .patch(&format!("/Users/{user}"), &patch)
            .expect(200);
    }

    /// Waits for the account to be stale for the misdeed's reason, with all that it had.
    fn becomes_stale(&self, label: &str, misdeed: &Misdeed) -> Value {
        let account = self.until(label, |account| !account["stale"].is_null());
        assert_eq!(account["stale"]["slot"], "roles");
        accuses(&account["stale"]["message"], misdeed);
        let role = if label.starts_with("mallory") {
            "Admin"
        } else {
            "Standard"
        };
        assert_eq!(account["role"]["name"], role, "{account}");
        assert_eq!(account["status"], "active", "{account}");
        assert!(account["undecided_since"].as_u64().is_some(), "{account}");
        account
    }

    /// Those who share a batch with the poisoned account are decided, by the same plugin.
    fn others_are_decided(&self) {
        let others: Vec<String> = (0..20).map(|n| format!("crowd-{n}@example.com")).collect();
        for label in others.iter().map(String::as_str).chain(["ada@example.com"]) {
            let account = self.until(label, |account| account["undecided_since"].is_null());
            assert_eq!(account["role"]["reason"], "default role", "{account}");
            assert_eq!(account["status"], "active");
            assert!(account["stale"].is_null(), "{account}");
        }
    }

    /// The call that failed is kept, and comes to the same when it is made again.
    fn happens_again(&self, report: &Value, misdeed: &Misdeed) {
        let operator = &self.tenant.operator;
        let path = format!("/plugin-reports/{}", report.as_str().unwrap());
        let shown = operator.get(&path).expect(200).json();
        assert_eq!(shown["label"], "mallory@example.com", "{shown}");
        assert_eq!(shown["settings"]["behaviour"], misdeed.behaviour);
        accuses(&shown["message"], misdeed);
        let again = operator.post(&format!("{path}/replay"), &json!({}));
        let again = again.expect(200).json();
        accuses(&again["now"]["message"], misdeed);
        assert_eq!(again["now"]["digest"], *self.digest);
        // Whether time or memory or a frame's depth runs out first is the machine's to say.
        let by_chance = misdeed.says.len() > 1 && misdeed.says.contains(&DEADLINE);
        assert!(by_chance || again["same"] == true, "{again:#}");
        let shipped = json!({ "plugin": "group-roles" });
        let mended = operator.post(&format!("{path}/replay"), &shipped);
        // Its settings are the hostile one's, which the shipped policy does not have.
        let _ = mended.expect(400);
    }

    /// Takes effect with the answer, whatever the policy does.
    fn deactivate(&self, user: &str, label: &str) {
        let patch = replace(&json!({ "active": false }));
        let _ = self
            .tenant
            .scim
            .patch(&format!("/Users/{user}"), &patch)
            .expect(200);
        let account = self.look(label);
        assert_eq!(account["status"], "deactivated", "{account}");
        assert_eq!(
            account["status_reason"],
            "the identity provider deactivated the user"
        );
    }

    /// A decent policy is bound again: everybody is decided and nothing is left to complain of.
    fn recovers(&self, accounts: usize) {
        let decided = self.tenant.accounts();
        assert_eq!(decided.len(), accounts);
        for account in &decided {
            assert!(account["undecided_since"].is_null(), "{account}");
            let mallory = account["label"] == "mallory@example.com";
            let role = if mallory { "Admin" } else { "Standard" };
            assert_eq!(account["role"]["name"], role, "{account}");
        }
        assert!(self.alerts().is_empty(), "{:?}", self.alerts());
    }

    fn alerts(&self) -> Vec<Value> {
        let body = self.tenant.application.get("/alerts").expect(200).json();
        body["alerts"].as_array().unwrap().clone()
    }

    /// The account as it is now, decided or not.
    fn look(&self, label: &str) -> Value {
        let path = format!("/accounts?email={label}");
        let found = self.tenant.application.get(&path).expect(200).json();
        found["accounts"][0].clone()
    }

    fn until(&self, label: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let account = self.look(label);
            if holds(&account) {
                return account;
            }
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "never: {account}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn replace(value: &Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "value": value }],
    })
}

fn blames(alert: &Value, misdeed: &Misdeed) {
    assert_eq!(alert["slot"], "roles");
    let kind = alert["kind"].as_str().unwrap();
    // The one about everybody has a kind of its own.
    let everybody = alert["account"].is_null() && kind == "policy-failing";
    assert!(misdeed.kinds.contains(&kind) || everybody, "{alert}");
    accuses(&alert["message"], misdeed);
    if let Some(frame) = misdeed.frame {
        let frames = alert["details"].as_array().unwrap();
        assert!(frames.iter().any(|found| found == frame), "{alert}");
    }
}

/// The text names plugin, export and what happened.
fn accuses(message: &Value, misdeed: &Misdeed) {
    let message = message.as_str().unwrap();
    assert!(message.starts_with("plugin hostile@"), "{message}");
    assert!(message.contains("role-policy.decide: "), "{message}");
    assert!(
        misdeed.says.iter().any(|says| message.contains(says)),
        "{message}"
    );
}

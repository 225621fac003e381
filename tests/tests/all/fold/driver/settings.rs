//! The settings of policies and guards, as the operator sends them.

use super::Driver;
use crate::fold::history::Temper;
use crate::fold::model::{ASSIGNED, CAPACITY, Full, Hours, Leaving, Rules, SCARCE, Status};
use serde_json::{Map, Value, json};

impl Driver {
    /// Sets the policies as the rules have them. Only what is asked for is said: the rest is what the
    /// policies do by themselves.
    pub(super) fn set(&self, rules: &Rules) {
        let mut lifecycle = json!({
            "when_user_deleted": ended(rules.when_user_deleted),
        });
        if let Some(status) = rules.in_no_group {
            lifecycle["when_in_no_group"] = ended(status).into();
        }
        if rules.assigned {
            let names = ASSIGNED.map(|group| format!("G{group}"));
            lifecycle["assigned_groups"] = json!(names);
        }
        if let Some(grace) = rules.grace {
            lifecycle["grace"] = hours(grace);
        }
        if let Some(presence) = rules.presence {
            let mut told = json!({ "over_directory": presence.over_directory });
            if presence.only_chat {
                told["sources"] = json!(["chat"]);
            }
            if let Some(age) = presence.max_age {
                told["max_age"] = hours(age);
            }
            lifecycle["presence"] = told;
        }
        let mut roles = json!({ "default_role": rules.default_role });
        if let Some(grace) = rules.role_grace {
            roles["grace"] = hours(grace);
        }
        let mut seats = leaving(rules.leaving);
        seats.insert("default_seat".into(), rules.default_seat.into());
        if let Some(own) = rules.on_call {
            seats.insert("seat_types".into(), json!({ "on-call": leaving(own) }));
        }
        if rules.keeps_deactivated {
            seats.insert("when_deactivated".into(), "keep".into());
        }
        let seats = Value::Object(seats);
        for (slot, plugin, settings) in [
            ("lifecycle", "group-lifecycle", lifecycle),
            ("roles", "group-roles", roles),
            ("seats", "group-seats", seats),
        ] {
            let body = json!({ "plugin": plugin, "settings": settings });
            let path = format!("/bindings/{slot}");
            let _ = self.organization.operator.put(&path, &body).expect(200);
        }
    }

    pub(super) fn catalogue(&self, full: Full) {
        let mut scarce = json!({ "name": SCARCE });
        if self.temper == Temper::Owners {
            scarce["capacity"] = CAPACITY.into();
            let what = match full {
                Full::Wait => "wait",
                Full::Refuse => "refuse",
                Full::Overflow => "overflow",
            };
            scarce["when_full"] = what.into();
        }
        let catalogue = json!({
            "base_roles": [
                { "name": "Owner" }, { "name": "Admin" },
                { "name": "Standard", "default": true }, { "name": "Viewer" },
            ],
            "custom_roles": [{ "name": "Auditor" }, { "name": "Billing" }],
            "seat_types": [
                { "name": "viewer", "default": true }, { "name": "responder" }, scarce,
            ],
        });
        let _ = self
            .organization
            .operator
            .put("/catalogue", &catalogue)
            .expect(200);
    }

    /// The brake lets nothing through, or everything: how many may lose something in between is a
    /// question of which of them are decided first.
    pub(super) fn guard(&self, strict: bool) {
        let guards = json!({ "number": 0, "share_percent": if strict { 0 } else { 100 } });
        let _ = self
            .organization
            .operator
            .put("/guards", &guards)
            .expect(200);
    }
}

fn ended(status: Status) -> &'static str {
    match status {
        Status::Deleted => "delete",
        Status::Active | Status::Deactivated => "deactivate",
    }
}

fn hours(hours: Hours) -> Value {
    format!("{hours}h").into()
}

fn leaving(leaving: Leaving) -> Map<String, Value> {
    let told = match leaving {
        Leaving::Keep => json!({ "keep_when_leaving": true }),
        Leaving::For(grace) => json!({ "keep_when_leaving": false, "grace": hours(grace) }),
        Leaving::Take => json!({ "keep_when_leaving": false }),
    };
    told.as_object().cloned().unwrap_or_default()
}

//! What the event log says that the state is.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The state that follows from the events alone.
#[derive(Default)]
pub(super) struct Replay {
    /// User name and whether active, by user.
    pub(super) users: BTreeMap<String, (String, bool)>,
    /// Group and user.
    pub(super) members: BTreeSet<(String, String)>,
    /// Status, by account.
    pub(super) accounts: BTreeMap<String, String>,
    /// Account, kind and name.
    pub(super) grants: BTreeSet<(String, String, String)>,
    /// The revisions that have events.
    pub(super) revisions: BTreeSet<u64>,
}

impl Replay {
    /// Replays the log, whose order is checked as well.
    pub(super) fn of(events: &[Value], at: &str) -> Self {
        let mut replay = Self::default();
        let mut last = None;
        for event in events {
            let place = place(event);
            let follows = match last {
                None => true,
                // No event of a change is missing, and no change is in the log twice.
                Some((revision, number)) if revision == place.0 => place.1 == number + 1,
                Some((revision, _)) => place.0 > revision && place.1 == 0,
            };
            assert!(follows, "{at}: {place:?} after {last:?}");
            assert_eq!(event["revision"], place.0, "{at}");
            last = Some(place);
            replay.revisions.insert(place.0);
            replay.apply(event["type"].as_str().unwrap(), &event["data"], at);
        }
        replay
    }

    fn apply(&mut self, kind: &str, data: &Value, at: &str) {
        let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        let grant = || (text("account"), text("kind"), text("name"));
        let news = match kind {
            "user.created" => {
                let user = (text("user_name"), data["active"] == true);
                self.users.insert(text("user"), user).is_none()
            }
            "user.updated" => {
                let user = (text("user_name"), data["active"] == true);
                self.users.insert(text("user"), user).is_some()
            }
            "user.deleted" => {
                let gone = text("user");
                self.members.retain(|(_, user)| *user != gone);
                self.users.remove(&gone).is_some()
            }
            "group.members_added" => {
                users(data).all(|user| self.members.insert((text("group"), user)))
            }
            "group.members_removed" => {
                users(data).all(|user| self.members.remove(&(text("group"), user)))
            }
            "account.created" => self
                .accounts
                .insert(text("account"), "deactivated".into())
                .is_none(),
            "account.activated" | "account.deactivated" | "account.deleted" => {
                let status = kind
                    .trim_start_matches("account.")
                    .replace("activated", "active");
                let status = status.replace("deactive", "deactivated");
                self.accounts.insert(text("account"), status.clone()) != Some(status)
            }
            "grant.added" => self.grants.insert(grant()),
            "grant.removed" => self.grants.remove(&grant()),
            _ => true,
        };
        assert!(news, "{at}: {kind} tells nothing new: {data}");
    }
}

fn users(data: &Value) -> impl Iterator<Item = String> + '_ {
    let users = data["users"].as_array().into_iter().flatten();
    users.map(|user| user.as_str().unwrap().to_owned())
}

/// Revision and number within it.
fn place(event: &Value) -> (u64, u32) {
    let id = event["id"].as_str().unwrap();
    let (revision, number) = id.split_once(['.', '-', ':']).unwrap();
    (revision.parse().unwrap(), number.parse().unwrap())
}

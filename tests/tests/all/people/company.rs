//! A company of 200 that has used the application for a while connects Okta, lives with it, and leaves
//! it again: one test for each sentence.

use super::{Connection, enter, person, preview};
use crate::plans::{holding, labels, shown};
use gatewright_tests::{Client, Organization, Reply, Server, Start};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The application's accounts. The last 20 are not in Okta.
const ACCOUNTS: usize = 200;
const IN_OKTA: usize = 180;

/// What groups give.
const MAPPING: [(&str, &str, &str); 4] = [
    ("Owners", "base-role", "Owner"),
    ("Engineering", "base-role", "Admin"),
    ("Support", "base-role", "Standard"),
    ("On-call", "seat", "on-call"),
];

/// Who is what before: an owner, two admins, and others.
const OWNER: usize = 0;
const FORMER_ADMIN: usize = 2;

/// Who is in which group of Okta's.
const ENGINEERS: std::ops::Range<usize> = 1..2;
const SUPPORT: std::ops::Range<usize> = 10..60;
const ON_CALL: std::ops::Range<usize> = 60..65;

struct Acme {
    server: Server,
    _folder: TempDir,
    organization: Organization,
    okta: Connection,
    /// Okta's users, as the accounts are numbered.
    users: Vec<String>,
    /// Okta's groups by name.
    groups: BTreeMap<&'static str, String>,
}

impl Deref for Acme {
    type Target = Organization;

    fn deref(&self) -> &Organization {
        &self.organization
    }
}

fn name(number: usize) -> String {
    format!("p{number:03}")
}

fn email(number: usize) -> String {
    format!("p{number:03}@acme.test")
}

/// The data of a gateway that Acme is in, not yet connected to Okta: made once, and copied by each
/// test.
struct Template {
    folder: TempDir,
    organization: String,
    api_key: String,
    /// Okta's directory: its id and its token.
    okta: (String, String),
}

static TEMPLATE: Mutex<Weak<Template>> = Mutex::new(Weak::new());

impl Template {
    /// The one there is. It is there as long as a test holds it.
    fn get() -> Arc<Self> {
        let mut template = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(template) = template.upgrade() {
            return template;
        }
        let made = Arc::new(Self::make());
        *template = Arc::downgrade(&made);
        made
    }

    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::start(Start {
            folder: Some(folder.path().to_owned()),
            ..Start::default()
        });
        let organization = server
            .api()
            .post("/organizations", &json!({ "name": "Acme" }));
        let created = organization.expect(201).json();
        let text = |body: &Value, field: &str| body[field].as_str().unwrap().to_owned();
        let operator = server
            .api()
            .below(&format!("/organizations/{}", text(&created, "id")));
        let row = |(group, kind, target): (&str, &str, &str)| json!({ "group": { "name": group }, "kind": kind, "target": target });
        let entries = json!({ "entries": MAPPING.map(row) });
        let _ = operator.put("/mapping", &entries).expect(200);
        let alone = json!({ "plugin": "group-roles", "settings": { "keep_local": false } });
        let _ = operator.put("/bindings/roles", &alone).expect(200);
        let role = |number: usize| match number {
            OWNER => "Owner",
            1 | FORMER_ADMIN => "Admin",
            _ => "Standard",
        };
        let accounts: Vec<Value> = (0..ACCOUNTS)
            .map(|number| person(&name(number), role(number)))
            .collect();
        let accounts = json!({ "accounts": accounts });
        let imported = operator.put("/accounts/import", &accounts).expect(200);
        let imported = imported.json();
        let results = imported["results"].as_array().unwrap();
        assert!(results.iter().all(|one| one["result"] == "created"));
        let _ = operator.put("/domains/acme.test", &json!({})).expect(200);
        let by = json!({ "by": "operator" });
        let _ = operator.post("/domains/acme.test/verify", &by).expect(200);
        let okta = json!({ "name": "Okta", "provider": "okta" });
        let okta = operator.post("/directories", &okta).expect(201).json();
        let made = Self {
            organization: text(&created, "id"),
            api_key: text(&created, "api_key"),
            okta: (text(&okta, "id"), text(&okta, "token")),
            folder,
        };
        let _ = server.stop();
        made
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => copy(&path, &to),
            false => {
                let _ = fs::copy(&path, &to).unwrap();
            }
        }
    }
}

impl Acme {
    /// What the application has is imported, and nothing came from Okta.
    fn before(lifecycle: &Value) -> Self {
        let template = Template::get();
        let folder = tempfile::tempdir().unwrap();
        copy(template.folder.path(), folder.path());
        let server = Server::start(Start {
            clock: true,
            folder: Some(folder.path().to_owned()),
            ..Start::default()
        });
        let operator = server
            .api()
            .below(&format!("/organizations/{}", template.organization));
        let (okta, token) = template.okta.clone();
        let shown = operator.get(&format!("/directories/{okta}")).expect(200);
        let base_url = shown.json()["scim_base_url"].as_str().unwrap().to_owned();
        let scim = Client::new(&base_url, Some(&token));
        let rule = json!({ "plugin": "group-lifecycle", "settings": lifecycle });
        let _ = operator.put("/bindings/lifecycle", &rule).expect(200);
        Self {
            organization: Organization {
                id: template.organization.clone(),
                directory: okta.clone(),
                base_url,
                token,
                scim: scim.clone(),
                operator,
                application: server.api().with_token(Some(&template.api_key)),
            },
            server,
            _folder: folder,
            okta: Connection { id: okta, scim },
            users: Vec::new(),
            groups: BTreeMap::new(),
        }
    }

    /// Okta has pushed users and groups.
    fn pushed(lifecycle: &Value) -> Self {
        let mut acme = Self::before(lifecycle);
        // The first call of Okta's: whether a user is there.
        let look = "/Users?filter=userName%20eq%20%22p000%40acme.test%22&startIndex=1&count=100";
        let found = acme.okta.scim.get(look).expect(200).json();
        assert_eq!(found["totalResults"], 0);
        acme.users = (0..IN_OKTA)
            .map(|number| acme.push_user(&email(number)))
            .collect();
        for (group, members) in [
            ("Owners", OWNER..OWNER + 1),
            ("Engineering", ENGINEERS),
            ("Support", SUPPORT),
            ("On-call", ON_CALL),
        ] {
            let members: Vec<&str> = acme.users[members].iter().map(String::as_str).collect();
            let id = acme.okta.group(group, &members);
            acme.groups.insert(group, id);
        }
        acme
    }

    /// It was confirmed as the plan showed it.
    fn confirmed(lifecycle: &Value) -> Self {
        let acme = Self::pushed(lifecycle);
        let plan = preview(&acme, &acme.okta.id);
        let _ = acme.confirm(&plan, &email(OWNER)).expect(200);
        let _ = acme.accounts();
        acme
    }

    /// As Okta creates a user.
    fn push_user(&self, email: &str) -> String {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": email, "name": { "givenName": "P", "familyName": email },
            "emails": [{ "primary": true, "value": email, "type": "work" }],
            "displayName": email, "locale": "en-US", "externalId": format!("00u-{email}"),
            "groups": [], "password": "1mz050nq", "active": true,
        });
        self.okta.scim.post("/Users", &body).expect(201).id()
    }

    /// As Okta activates or deactivates a user.
    fn set_active(&self, number: usize, active: bool) {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "value": { "active": active } }],
        });
        let path = format!("/Users/{}", self.users[number]);
        let _ = self.okta.scim.patch(&path, &body).expect(200);
    }

    fn join(&self, group: &str, number: usize) {
        let member = json!([{ "value": self.users[number], "display": email(number) }]);
        let operation = json!({ "op": "add", "path": "members", "value": member });
        self.okta
            .patch(&format!("/Groups/{}", self.groups[group]), &operation);
    }

    fn leave(&self, group: &str, number: usize) {
        let path = format!("members[value eq \"{}\"]", self.users[number]);
        let operation = json!({ "op": "remove", "path": path });
        self.okta
            .patch(&format!("/Groups/{}", self.groups[group]), &operation);
    }

    fn confirm(&self, plan: &Value, acting: &str) -> Reply {
        let body = json!({ "plan": plan["id"], "acting": acting });
        enter(self, &self.okta.id, "confirm", &body)
    }

    /// An account of the application's, once everything is decided.
    fn person(&self, number: usize) -> Value {
        let path = format!(
            "/accounts?email={}&at_least={}",
            email(number),
            self.revision()
        );
        let found = self.decided(&path).expect(200).json();
        found["accounts"][0].clone()
    }

    fn role(&self, number: usize) -> String {
        self.person(number)["role"]["name"]
            .as_str()
            .unwrap_or("nothing")
            .to_owned()
    }

    fn seats(&self, number: usize) -> Vec<String> {
        let person = self.person(number);
        super::names(&person["seats"])
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    fn path(&self, number: usize, rest: &str) -> String {
        let id = self.person(number)["id"].as_str().unwrap().to_owned();
        format!("/accounts/{id}/{rest}")
    }

    fn signal(&self, number: usize, active: bool) {
        let path = self.path(number, "signals/chat");
        let body = json!({ "active": active });
        let _ = self.application.put(&path, &body).expect(200);
    }

    /// What everybody has, by account.
    fn state(&self) -> BTreeMap<String, (String, Option<String>, Vec<String>)> {
        let accounts = self.accounts();
        let rows = accounts.iter();
        rows.map(|one| (one["id"].as_str().unwrap().to_owned(), holding(one)))
            .collect()
    }

    fn list(&self, what: &str) -> Vec<Value> {
        let path = format!("/{what}?limit=1000");
        let page = self.operator.get(&path).expect(200).json();
        page[what].as_array().unwrap().clone()
    }

    fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < Duration::from_secs(30), "never: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn nothing() -> Value {
    json!({})
}

#[test]
fn what_the_application_has_is_imported_with_its_roles_and_nobody_claims_it() {
    let acme = Acme::before(&nothing());
    let accounts = acme.accounts();
    assert_eq!(accounts.len(), ACCOUNTS);
    for (number, account) in accounts.iter().enumerate() {
        let role = match number {
            OWNER => "Owner",
            1 | FORMER_ADMIN => "Admin",
            _ => "Standard",
        };
        assert_eq!(
            (&account["label"], &account["link"], &account["status"]),
            (&json!(name(number)), &json!("unlinked"), &json!("active"))
        );
        assert_eq!(account["role"]["name"], role);
        assert_eq!(super::names(&account["seats"]), ["viewer"]);
    }
}

#[test]
fn what_okta_pushes_before_the_confirmation_changes_nothing() {
    let acme = Acme::pushed(&nothing());
    let before = acme.state();
    acme.set_active(100, false);
    acme.leave("Support", 10);
    assert_eq!(acme.state(), before);
    assert_eq!(before.len(), ACCOUNTS);
    let events = acme.events(1_000);
    assert_eq!(super::count(&events, "account.linked"), 0);
    assert_eq!(super::count(&events, "account.deactivated"), 0);
}

#[test]
fn a_plan_shows_the_links_the_unlinked_and_the_downgrade_of_a_former_admin() {
    let acme = Acme::pushed(&nothing());
    let _ = acme.push_user("new@acme.test");
    let _ = acme.push_user("stranger@elsewhere.test");
    let plan = preview(&acme, &acme.okta.id);
    assert_eq!(
        plan["links"],
        json!({ "linked": IN_OKTA, "new": 2, "waiting": 0, "unlinked": ACCOUNTS - IN_OKTA })
    );
    let id = plan["id"].as_str().unwrap();
    let unlinked = format!("/plans/{id}/links?kind=unlinked");
    let unlinked = acme.operator.get(&unlinked).expect(200).json();
    let mut left = labels(unlinked["links"].as_array().unwrap());
    left.sort_unstable();
    let expected: Vec<String> = (IN_OKTA..ACCOUNTS).map(name).collect();
    assert_eq!(left, expected);
    // The former admin is in no group that gives that, and is the only one who loses anything.
    assert_eq!(
        labels(plan["most_losses"].as_array().unwrap()),
        [email(FORMER_ADMIN)]
    );
    let down = shown(&acme, &plan, "&kind=role-down");
    assert_eq!(labels(&down), [email(FORMER_ADMIN)]);
    let former = &down[0];
    assert_eq!(
        (
            &former["before"]["role"]["name"],
            &former["after"]["role"]["name"],
            &former["after"]["role"]["reason"]
        ),
        (&json!("Admin"), &json!("Standard"), &json!("default role"))
    );
    assert_eq!(plan["counts"]["activated"], 2);
    assert_eq!(
        (
            &plan["owners"]["count"],
            &plan["owners"]["accounts"][0]["label"]
        ),
        (&json!(1), &json!(email(OWNER)))
    );
}

#[test]
fn a_confirmation_that_would_leave_no_owner_or_lock_out_who_acts_is_refused() {
    let acme = Acme::pushed(&nothing());
    let plan = preview(&acme, &acme.okta.id);
    let refused = acme.confirm(&plan, &email(1)).expect(409);
    assert!(refused.text.contains(&email(1)), "{}", refused.text);
    acme.leave("Owners", OWNER);
    let plan = preview(&acme, &acme.okta.id);
    assert_eq!(plan["owners"]["remains"], false);
    let refused = acme.confirm(&plan, &email(OWNER)).expect(409);
    assert!(refused.text.contains("last active"), "{}", refused.text);
    assert_eq!(acme.role(OWNER), "Owner");
    assert_eq!(super::phase(&acme, &acme.okta.id), "receiving");
}

#[test]
fn a_confirmation_does_what_its_plan_showed_and_the_unlinked_keep_what_they_have() {
    let acme = Acme::pushed(&nothing());
    let mut promised = acme.state();
    let plan = preview(&acme, &acme.okta.id);
    for one in shown(&acme, &plan, "") {
        let account = one["account"].as_str().unwrap().to_owned();
        promised.insert(account, holding(&one["after"]));
    }
    let done = acme.confirm(&plan, &email(OWNER)).expect(200);
    assert_eq!(done.json()["phase"], "enforcing");
    assert_eq!(acme.state(), promised);
    let roles = [OWNER, 1, FORMER_ADMIN, 10, 100, 199].map(|number| acme.role(number));
    assert_eq!(
        roles,
        [
            "Owner", "Admin", "Standard", "Standard", "Standard", "Standard"
        ]
    );
    assert_eq!(acme.seats(60), ["on-call", "viewer"]);
    assert_eq!(acme.list("holds"), Vec::<Value>::new());
    assert_eq!(
        (
            acme.person(100)["link"].clone(),
            acme.person(199)["link"].clone()
        ),
        (json!("linked"), json!("unlinked"))
    );
    // From now on Okta manages roles, and says so.
    let path = acme.path(100, "roles/Admin");
    let refused = acme.application.put(&path, &nothing()).expect(409);
    assert!(refused.text.contains("Okta"), "{}", refused.text);
    let path = acme.path(199, "roles/Viewer");
    let _ = acme.application.put(&path, &nothing()).expect(200);
    // And whom it deactivates is out at once.
    acme.set_active(100, false);
    assert_eq!(acme.person(100)["status"], "deactivated");
}

#[test]
fn an_on_call_seat_stays_after_the_group_until_somebody_takes_it_by_hand() {
    let acme = Acme::confirmed(&nothing());
    let path = acme.path(60, "seats/on-call");
    let refused = acme.application.delete(&path).expect(409);
    assert!(refused.text.contains("On-call"), "{}", refused.text);
    acme.leave("On-call", 60);
    let seat = acme.person(60)["seats"][0].clone();
    assert_eq!(
        (&seat["name"], &seat["reason"]),
        (
            &json!("on-call"),
            &json!("member of \"On-call\", kept after leaving")
        )
    );
    acme.server.move_on("400d");
    let named = json!({ "op": "replace", "path": "displayName", "value": "Later" });
    acme.okta
        .patch(&format!("/Users/{}", acme.users[60]), &named);
    assert_eq!(acme.seats(60), ["on-call", "viewer"], "for ever");
    let _ = acme.application.delete(&path).expect(200);
    assert_eq!(acme.seats(60), ["viewer"]);
    acme.okta
        .patch(&format!("/Users/{}", acme.users[60]), &named);
    acme.join("Support", 60);
    assert_eq!(acme.seats(60), ["viewer"], "it does not come back");
}

#[test]
fn a_wrong_group_deletion_is_held_and_those_for_whom_it_is_rejected_keep_what_they_had() {
    let acme = Acme::confirmed(&nothing());
    // Support gives so much that those in it lose something with it.
    let mut raised = MAPPING;
    raised[2].2 = "Admin";
    acme.map(&raised);
    assert_eq!(acme.role(59), "Admin");
    let path = format!("/Groups/{}", acme.groups["Support"]);
    let _ = acme.okta.scim.delete(&path).expect(204);
    let admins = |acme: &Acme| {
        let accounts = acme.accounts();
        SUPPORT
            .filter(|number| {
                let mut accounts = accounts.iter();
                let account = accounts.find(|one| one["email"] == email(*number));
                account.unwrap()["role"]["name"] == "Admin"
            })
            .collect::<Vec<_>>()
    };
    let kept = admins(&acme);
    assert_eq!((kept.len(), acme.list("holds").len()), (40, 40));
    let alerts = acme.operator.get("/alerts").expect(200);
    assert!(alerts.text.contains("mass-removal"), "{}", alerts.text);
    // Ten had lost it: they are listed, and get it back.
    assert_eq!(acme.list("removals").len(), 10);
    let all = json!({ "all": true });
    let _ = acme.operator.post("/removals/restore", &all).expect(200);
    assert_eq!(admins(&acme).len(), SUPPORT.len());
    let _ = acme.operator.post("/holds/reject", &all).expect(200);
    // Whatever is decided about everybody, and however late.
    acme.map(&raised[..3]);
    acme.server.move_on("2d");
    acme.map(&raised);
    assert_eq!(admins(&acme).len(), SUPPORT.len());
    // Until somebody's own facts change again.
    acme.join("On-call", 30);
    assert_eq!(acme.role(30), "Standard");
    assert_eq!(admins(&acme).len(), SUPPORT.len() - 1);
}

#[test]
fn presence_keeps_an_account_active_after_it_is_unassigned() {
    let rule = json!({
        "assigned_groups": ["Support", "Owners", "Engineering", "On-call"],
        "presence": { "sources": ["chat"] },
    });
    let acme = Acme::confirmed(&rule);
    acme.signal(10, true);
    for number in [10, 11] {
        acme.leave("Support", number);
    }
    assert_eq!(acme.person(10)["status"], "active");
    assert_eq!(acme.person(11)["status"], "deactivated");
    acme.server.move_on("30d");
    acme.leave("Support", 12);
    assert_eq!(acme.person(10)["status"], "active", "however long");
    acme.signal(10, false);
    assert_eq!(acme.person(10)["status"], "deactivated");
}

#[test]
fn who_is_in_no_group_any_more_is_deleted_when_the_grace_is_over() {
    let rule = json!({ "when_in_no_group": "delete", "grace": "30d" });
    let acme = Acme::confirmed(&rule);
    acme.leave("Support", 10);
    acme.leave("Support", 11);
    assert_eq!(acme.person(10)["status"], "active");
    acme.server.move_on("29d");
    acme.join("Support", 11);
    assert_eq!(acme.person(10)["status"], "active", "a day is left");
    acme.server.move_on("31d");
    acme.until("deleted", |acme| acme.person(10)["status"] == "deleted");
    let events = acme.events(1_000);
    assert_eq!(super::count(&events, "account.deleted"), 1);
    assert_eq!(acme.person(11)["status"], "active", "who came back in time");
    assert_eq!(acme.person(100)["status"], "active", "who never was in one");
}

#[test]
fn after_uninstalling_every_account_keeps_what_it_has_and_people_may_change_it_again() {
    let acme = Acme::confirmed(&nothing());
    acme.set_active(100, false);
    acme.leave("On-call", 60);
    let before = acme.state();
    let over = json!({ "facts": "keep", "days": 30 });
    let done = enter(&acme, &acme.okta.id, "uninstall", &over).expect(200);
    assert_eq!(done.json()["phase"], "uninstalled");
    assert_eq!(acme.state(), before);
    let accounts = acme.accounts();
    assert!(accounts.iter().all(|one| one["link"] == "unlinked"));
    let _ = acme.okta.scim.get("/Users").expect(401);
    // Whatever is decided about everybody, and when the facts are gone.
    acme.map(&[]);
    acme.server.move_on("31d");
    acme.until("erased", |acme| {
        super::count(&acme.events(1_000), "directory.erased") == 1
    });
    assert_eq!(acme.state(), before);
    let path = acme.path(FORMER_ADMIN, "roles/Admin");
    let _ = acme.application.put(&path, &nothing()).expect(200);
    assert_eq!(acme.role(FORMER_ADMIN), "Admin");
}

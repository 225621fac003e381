//! The log of requests of a directory, seen through the API and the command line.

use crate::process::{Serving, manage};
use crate::shared::Tenant;
use gatewright_tests::{Client, Organization, Reply, Server, Start};
use serde_json::{Value, json};
use std::time::Duration;

/// A directory's log.
struct Log {
    operator: Client,
    path: String,
}

impl Log {
    fn of(organization: &Organization) -> Self {
        Self {
            operator: organization.operator.clone(),
            path: format!("/directories/{}/requests", organization.directory),
        }
    }

    fn of_server(server: &Server) -> Self {
        Self {
            operator: server.api(),
            path: format!("/directories/{}/requests", server.field("directory")),
        }
    }

    fn list(&self, query: &str) -> Vec<Value> {
        let page = self.operator.get(&format!("{}?{query}", self.path));
        let page = page.expect(200).json();
        page["requests"].as_array().unwrap().clone()
    }

    /// Method and status of each, the newest first.
    fn lines(&self, query: &str) -> Vec<String> {
        let list = self.list(query);
        let line = |row: &Value| format!("{} {}", row["method"].as_str().unwrap(), row["status"]);
        list.iter().map(line).collect()
    }

    fn show(&self, id: &str) -> Reply {
        self.operator.get(&format!("{}/{id}", self.path))
    }

    /// The one that an answer belongs to.
    fn of_answer(&self, reply: &Reply) -> Value {
        let id = reply.header("gatewright-request-id").unwrap();
        self.show(id).expect(200).json()
    }
}

fn send(client: &Client, method: &str, path: &str, body: &Value) -> Reply {
    let headers = [
        ("Content-Type", "application/scim+json"),
        ("User-Agent", "probe/7"),
    ];
    client.send(method, path, &headers, Some(body.to_string().as_bytes()))
}

#[test]
fn a_write_is_logged_with_all_that_became_of_it() {
    let server = Server::with("okta", json!({ "entries": [] }));
    let log = Log::of_server(&server);
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@acme.test", "password": "hunter2!hunter2!", "groups": [],
        "active": true, "shoeSize": 42,
    });
    let created = send(&server.scim(), "POST", "/Users?attributes=userName", &body).expect(201);
    let logged = log.of_answer(&created);
    let fields = json!({
        "method": "POST", "query": "attributes=userName", "status": 201,
        "revision": created.revision(), "resource_id": created.id(), "name": "ada@acme.test",
        "masked": false,
    });
    gatewright_tests::contains(&logged, &fields).unwrap();
    assert!(logged["path"].as_str().unwrap().ends_with("/Users"));
    assert_eq!(logged["headers"]["user-agent"], "probe/7");
    assert!(logged["headers"].get("authorization").is_none());
    assert!(logged["took_ms"].as_f64().unwrap() > 0.0);
    let tokens = server.api().get("/tokens").json();
    let own = tokens["tokens"].as_array().unwrap().iter();
    let ids: Vec<&Value> = own.map(|token| &token["id"]).collect();
    assert!(ids.contains(&&logged["token"]), "{logged}");
    // What came in, but for the password.
    let came = &logged["body"];
    assert_eq!(
        (&came["kept"], &came["secrets_removed"]),
        (&json!("whole"), &json!(true))
    );
    assert_eq!(came["json"]["shoeSize"], 42);
    assert_eq!(came["json"]["password"], "(removed)");
    assert!(!logged.to_string().contains("hunter2"));
    // What the plugin made of it, as a patch and in words; what was ignored; the answer.
    let patch = logged["plugin"]["body"].as_array().unwrap();
    let removed = json!({ "op": "remove", "path": "/password" });
    assert!(patch.contains(&removed), "{logged:#}");
    let repaired = logged["repaired"].to_string();
    let told = created.header("gatewright-repaired").unwrap();
    assert!(
        repaired.contains("password") && told.contains("password"),
        "{repaired}"
    );
    assert!(
        logged["ignored"].to_string().contains("shoeSize"),
        "{logged:#}"
    );
    assert_eq!(logged["answer"]["json"], created.json());
}

#[test]
fn reads_refusals_and_deletions_are_found_by_whom_they_are_about() {
    let tenant = Tenant::new("Found");
    let log = Log::of(&tenant);
    let lookup = "/Users?filter=userName%20eq%20%22Ada@acme.test%22";
    let _ = tenant.scim.get(lookup).expect(200);
    let ada = tenant.user("ada@acme.test").id();
    let _ = tenant.user("bob@acme.test");
    let again = json!({ "userName": "ADA@acme.test" });
    let taken = tenant.scim.post("/Users", &again).expect(409);
    let path = format!("/Users/{ada}");
    let _ = tenant.scim.get(&path).expect(200);
    let _ = tenant.scim.delete(&path).expect(204);
    let _ = tenant.scim.get(&path).expect(404);
    let all = [
        "GET 404",
        "DELETE 204",
        "GET 200",
        "POST 409",
        "POST 201",
        "GET 200",
    ];
    assert_eq!(log.lines("user=ada@ACME.test"), all);
    // The refused one and the lookup name her, and have no id.
    let by_id = ["GET 404", "DELETE 204", "GET 200", "POST 201"];
    assert_eq!(log.lines(&format!("user={ada}")), by_id);
    assert_eq!(log.list(&format!("user={ada}"))[1]["name"], "ada@acme.test");
    assert_eq!(log.lines("user=nobody@acme.test"), [""; 0]);
    assert_eq!(log.lines("status=409"), ["POST 409"]);
    assert_eq!(
        log.lines("status=4xx&user=ada@acme.test"),
        ["GET 404", "POST 409"]
    );
    assert_eq!(log.lines("method=delete"), ["DELETE 204"]);
    assert_eq!(log.lines("status=5xx"), [""; 0]);
    let refused = log.of_answer(&taken);
    assert_eq!(refused["answer"]["json"]["scimType"], "uniqueness");
    assert_eq!(refused["revision"], Value::Null);

    // By time.
    let at = refused["at"].as_str().unwrap();
    let before = log.list(&format!("before={at}&user=ada@acme.test"));
    let after = log.list(&format!("after={at}&user=ada@acme.test"));
    assert!(before.iter().all(|row| row["at"].as_str().unwrap() < at));
    assert!(after.iter().all(|row| row["at"].as_str().unwrap() >= at));
    assert_eq!(before.len() + after.len(), all.len());

    // By page.
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("{}?limit=4{cursor}", log.path);
        let page = tenant.operator.get(&path).expect(200).json();
        let rows = page["requests"].as_array().unwrap();
        assert!(rows.len() <= 4);
        pages.extend(rows.iter().map(|row| row["id"].clone()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let whole: Vec<Value> = log
        .list("limit=1000")
        .iter()
        .map(|row| row["id"].clone())
        .collect();
    assert_eq!(pages, whole);
    assert_eq!(pages.len(), 7);

    // What is asked for wrongly.
    for wrong in [
        "status=7",
        "status=x",
        "after=yesterday",
        "cursor=7",
        "limit=0",
    ] {
        let refused = tenant
            .operator
            .get(&format!("{}?{wrong}", log.path))
            .expect(400);
        let name = wrong.split('=').next().unwrap();
        assert!(refused.json()["detail"].as_str().unwrap().contains(name));
    }
    let _ = log.show(&ada).expect(404);
    // Another directory of the organization has its own, and another organization none of it.
    let other = tenant.another("Other log");
    let foreign = format!("/directories/{}/requests", tenant.directory);
    let _ = other.operator.get(&foreign).expect(404);
    assert_eq!(Log::of(&other).lines(""), [""; 0]);
}

#[test]
fn groups_and_their_names_are_found_too() {
    let tenant = Tenant::new("Groups found");
    let log = Log::of(&tenant);
    let ada = tenant.user("ada@acme.test").id();
    let group = tenant.group("Staff", &[]).id();
    let path = format!("/Groups/{group}");
    let add =
        json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": ada }] }] });
    let _ = tenant.scim.patch(&path, &add).expect(204);
    assert_eq!(log.lines("user=staff"), ["PATCH 204", "POST 201"]);
    assert_eq!(
        log.lines(&format!("user={group}")),
        ["PATCH 204", "POST 201"]
    );
}

#[test]
fn personal_values_are_masked_where_the_directory_says_so() {
    let tenant = Tenant::new("Masked");
    let log = Log::of(&tenant);
    let directory = format!("/directories/{}", tenant.directory);
    let mask = json!({ "mask_personal_values": true });
    let changed = tenant.operator.patch(&directory, &mask).expect(200).json();
    assert_eq!(changed["mask_personal_values"], true);
    let body = json!({
        "userName": "grace@acme.test", "name": { "familyName": "Hopper" },
        "emails": [{ "value": "grace@acme.test", "type": "work" }],
        "phoneNumbers": [{ "value": "+1 555 0100" }], "password": "hunter2!",
    });
    let created = tenant.scim.post("/Users", &body).expect(201);
    let _ = tenant.scim.post("/Users", &body).expect(409);
    let lookup = "/Users?filter=userName%20eq%20%22grace@acme.test%22";
    let _ = tenant.scim.get(lookup).expect(200);
    let _ = tenant
        .scim
        .delete(&format!("/Users/{}", created.id()))
        .expect(204);
    let found = log.list("user=grace@acme.test");
    assert_eq!(found.len(), 4, "they are found nevertheless");
    for row in found {
        let text = log.show(row["id"].as_str().unwrap()).expect(200).text;
        for personal in ["grace", "Hopper", "555 0100", "hunter2"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
        assert!(text.contains("\"masked\":true"));
    }
    let logged = log.of_answer(&created);
    assert_eq!(logged["body"]["json"]["emails"][0]["type"], "work");
    assert_eq!(logged["resource_id"], created.id());
    // Nor is it on the disk, but in the facts.
    let _ = tenant
        .operator
        .patch(&directory, &json!({ "mask_personal_values": false }));
    assert!(log.list("limit=1")[0]["masked"] == true);
}

#[test]
fn a_wrong_token_is_told_to_the_directory_that_the_path_names() {
    let tenant = Tenant::new("Wrong token");
    let log = Log::of(&tenant);
    let stranger = tenant.scim.with_token(Some("gwd_stolen_or_mistyped"));
    let body = json!({ "userName": "mallory@evil.test" });
    let refused = stranger.post("/Users?filter=x", &body).expect(401);
    let _ = tenant.scim.with_token(None).get("/Groups").expect(401);
    assert_eq!(log.lines(""), ["GET 401", "POST 401"]);
    let logged = log.of_answer(&refused);
    assert_eq!(
        (&logged["token"], &logged["query"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(logged["body"], Value::Null);
    assert!(!logged.to_string().contains("gwd_") && !logged.to_string().contains("mallory"));
    // A stranger cannot fill it: ten in a minute, or twenty where a minute ends meanwhile.
    for _ in 0..100 {
        let _ = stranger.get("/Users").expect(401);
    }
    let _ = tenant.user("ada@acme.test");
    let rows = log.lines("limit=1000");
    assert_eq!(rows[0], "POST 201");
    assert!(rows.len() <= 21, "{} rows", rows.len());
}

#[test]
fn what_cannot_be_kept_is_not_and_what_is_long_is_cut() {
    let tenant = Tenant::new("Cut");
    let log = Log::of(&tenant);
    let scim = [("Content-Type", "application/scim+json")];
    let form = b"userName=ada&password=hunter2".as_slice();
    let refused = tenant
        .scim
        .send("POST", "/Users", &scim, Some(form))
        .expect(400);
    let body = &log.of_answer(&refused)["body"];
    assert_eq!(body["kept"], "nothing");
    assert_eq!(body["bytes"], form.len());
    let long = json!({ "displayName": "Long", "externalId": "x".repeat(70_000) });
    let created = tenant.scim.post("/Groups", &long).expect(201);
    let logged = log.of_answer(&created);
    assert_eq!(logged["body"]["kept"], "cut");
    assert_eq!(logged["body"]["text"].as_str().unwrap().len(), 64 << 10);
    assert_eq!(logged["answer"]["kept"], "cut");
    let large = vec![b' '; (1 << 20) + 1];
    let refused = tenant
        .scim
        .send("POST", "/Users", &scim, Some(&large))
        .expect(413);
    assert_eq!(log.of_answer(&refused)["status"], 413);
}

/// `gatewright serve` with a configuration, and an organization in it.
fn serve(folder: &std::path::Path, more: &str) -> (Serving, Client) {
    let config = folder.join("gatewright.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[storage]\npath = \"data\"\n\
         [operator]\nkey_file = \"operator.key\"\n[log]\nformat = \"json\"\n{more}"
    );
    std::fs::write(&config, text).unwrap();
    let serving = Serving::start(&config);
    let key = std::fs::read_to_string(folder.join("operator.key")).unwrap();
    let api = Client::new(&format!("{}/api/v1", serving.url), Some(key.trim()));
    (serving, api)
}

#[test]
fn the_log_has_a_size_and_can_be_off() {
    let folder = tempfile::tempdir().unwrap();
    let (_serving, api) = serve(folder.path(), "[requests]\nmax_rows = 20\n");
    let acme = Organization::create(&api, "acme");
    let log = Log::of(&acme);
    for number in 0..50 {
        let _ = acme.user(&format!("user-{number}@acme.test"));
        // Of several batches.
        if number % 10 == 9 {
            assert!(!log.list("limit=1").is_empty());
        }
    }
    let left = log.list("limit=1000");
    assert_eq!(left.len(), 20);
    assert_eq!(left[0]["name"], "user-49@acme.test");
    assert_eq!(left[19]["name"], "user-30@acme.test");
    assert_eq!(
        log.lines("user=user-0@acme.test"),
        [""; 0],
        "the index goes too"
    );

    let folder = tempfile::tempdir().unwrap();
    let (_serving, api) = serve(folder.path(), "[requests]\nmax_rows = 0\n");
    let acme = Organization::create(&api, "acme");
    let _ = acme.user("ada@acme.test");
    assert_eq!(Log::of(&acme).lines(""), [""; 0]);
}

#[test]
fn a_shutdown_loses_no_row_and_says_what_was_left_out() {
    let mut server = Server::start(Start::default());
    let last = server.user("ada@acme.test");
    assert!(server.stop().success());
    server.restart();
    let log = Log::of_server(&server);
    assert_eq!(log.of_answer(&last)["status"], 201);
    // Reads beyond what a provider does are counted, not written; writes are all there.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let client = server.scim();
            scope.spawn(move || {
                for _ in 0..400 {
                    let _ = client.get("/Users?count=0").expect(200);
                }
            });
        }
    });
    let _ = server.user("bob@acme.test");
    // What was left out is told with the next batch.
    std::thread::sleep(Duration::from_millis(300));
    let _ = server.user("cleo@acme.test");
    let rows = log.list("limit=1000").into_iter().chain({
        let first = log.operator.get(&format!("{}?limit=1000", log.path)).json();
        let next = first["next"]
            .as_str()
            .map(|next| format!("limit=1000&cursor={next}"));
        next.map_or_else(Vec::new, |next| log.list(&next))
    });
    let rows: Vec<Value> = rows.collect();
    let left_out: u64 = rows.iter().filter_map(|row| row["left_out"].as_u64()).sum();
    let reads = rows.iter().filter(|row| row["method"] == "GET").count() as u64;
    assert_eq!(reads + left_out, 1_600, "each is there or counted");
    for name in ["bob@acme.test", "cleo@acme.test"] {
        assert_eq!(log.lines(&format!("user={name}")), ["POST 201"]);
    }
}

#[test]
fn the_command_line_lists_and_shows_them() {
    let server = Server::with("okta", json!({ "entries": [] }));
    let body = json!({ "userName": "ada@acme.test", "password": "hunter2!hunter2!" });
    let created = send(&server.scim(), "POST", "/Users", &body).expect(201);
    let _ = send(&server.scim(), "POST", "/Users", &body).expect(409);
    let lookup = "/Users?filter=userName%20eq%20%22ada@acme.test%22";
    let _ = server.scim().get(lookup).expect(200);
    let go = |arguments: &[&str]| manage(&server, arguments).well();
    let table = go(&["requests", "list", "--user", "ada@acme.test"]);
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(
        table.contains("/Users?filter=userName eq \"ada@acme.test\""),
        "{table}"
    );
    let refused = go(&["requests", "list", "--status", "4xx", "--limit", "1"]);
    assert!(
        refused.contains("409") && refused.lines().count() == 2,
        "{refused}"
    );
    let id = created.header("gatewright-request-id").unwrap();
    let shown = go(&["requests", "show", id]);
    for part in [
        "remove /password",
        "\"userName\": \"ada@acme.test\"",
        "status: 201",
        "probe/7",
    ] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    assert!(!shown.contains("hunter2"));
    let json: Value = serde_json::from_str(&go(&["requests", "show", id, "--json"])).unwrap();
    assert_eq!(json["id"], id);
    let json: Value = serde_json::from_str(&go(&["requests", "list", "--json"])).unwrap();
    assert_eq!(json["requests"].as_array().unwrap().len(), 3);
    let replayed = go(&["requests", "replay", id]);
    for part in ["plugin: okta", "the same as then", "nothing was written"] {
        assert!(replayed.contains(part), "no {part} in {replayed}");
    }
    let replayed = go(&["requests", "replay", id, "--plugin", "generic"]);
    for part in [
        "plugin: generic",
        "add /password \"(removed)\"",
        "nothing was written",
    ] {
        assert!(replayed.contains(part), "no {part} in {replayed}");
    }
    let json: Value = serde_json::from_str(&go(&["requests", "replay", id, "--json"])).unwrap();
    assert_eq!(json["same"], true);
    manage(&server, &["requests", "show", "nothing"]).failed(1, &["404", "nothing"]);
    let _ = server
        .api()
        .post("/directories", &json!({ "name": "Second" }))
        .expect(201);
    manage(&server, &["requests", "list"]).failed(2, &["--directory"]);
    let own = server.field("directory");
    let _ = go(&["requests", "list", "--directory", &own]);
}

fn replay(log: &Log, reply: &Reply, with: &Value) -> Value {
    let id = reply.header("gatewright-request-id").unwrap();
    let path = format!("{}/{id}/replay", log.path);
    log.operator.post(&path, with).expect(200).json()
}

#[test]
fn a_replay_shows_the_same_and_writes_nothing() {
    let tenant = Tenant::new("Replayed");
    let log = Log::of(&tenant);
    let scim = &tenant.scim;
    let ada = tenant.user("ada@acme.test");
    let group = tenant.group("Staff", &[&ada.id()]);
    let title =
        json!({ "Operations": [{ "op": "replace", "path": "title", "value": "Countess" }] });
    let path = format!("/Users/{}", ada.id());
    let patched = scim.patch(&path, &title).expect(200);
    let listed = scim.get("/Groups").expect(200);
    let searched = scim
        .post("/Users/.search", &json!({ "filter": "title pr" }))
        .expect(200);
    let refused = scim
        .post("/Users", &json!({ "userName": "ADA@acme.test" }))
        .expect(409);
    let state = || {
        let facts = ["/Users", "/Groups"].map(|path| scim.get(path).expect(200).json());
        (facts, tenant.revision(), tenant.events(1_000).len())
    };
    // What was pushed is decided, so that nothing moves by itself any more.
    let _ = tenant.accounts();
    let before = state();
    for reply in [&ada, &patched, &group, &listed, &searched, &refused] {
        let replayed = replay(&log, reply, &json!({}));
        assert_eq!(replayed["same"], true, "{replayed:#}");
        assert_eq!(replayed["now"]["status"], reply.status);
        assert_eq!(replayed["plugin"]["name"], "generic");
    }
    assert_eq!(replay(&log, &ada, &json!({}))["created_taken_away"], true);
    // The group's members are those of the dry run.
    let replayed = replay(&log, &group, &json!({}));
    assert_eq!(replayed["now"]["answer"]["members"][0]["value"], ada.id());
    assert_eq!(state(), before, "nothing was written");
    // The facts have moved on: the difference says where.
    let _ = scim
        .put(
            &path,
            &json!({ "userName": "ada@acme.test", "nickName": "A" }),
        )
        .expect(200);
    let moved = replay(&log, &patched, &json!({}));
    let nick = json!({ "op": "add", "path": "/nickName", "value": "A" });
    assert!(
        moved["difference"]["answer"]
            .as_array()
            .unwrap()
            .contains(&nick),
        "{moved:#}"
    );
    assert_eq!(moved["same"], false);
    // A deletion is there again as often as one likes.
    let deleted = scim.delete(&path).expect(204);
    let gone = replay(&log, &deleted, &json!({}));
    assert_eq!(gone["difference"]["status"], json!([204, 404]));
    assert_eq!(gone["now"]["answer"]["status"], "404");
}

#[test]
fn a_replay_through_another_plugin_shows_what_it_would_mend() {
    let tenant = Tenant::new("Replayed by Okta");
    let log = Log::of(&tenant);
    let body =
        json!({ "userName": "grace@acme.test", "password": "hunter2!hunter2!", "groups": [] });
    let created = tenant.scim.post("/Users", &body).expect(201);
    let okta = replay(&log, &created, &json!({ "plugin": "okta" }));
    assert_eq!(okta["plugin"]["name"], "okta");
    assert_eq!(okta["now"]["status"], 201);
    let removed = json!({ "op": "remove", "path": "/password" });
    let difference = okta["difference"]["body"].as_array().unwrap();
    assert!(difference.contains(&removed), "{okta:#}");
    assert!(!okta["now"]["repaired"].as_array().unwrap().is_empty());
    assert!(!okta.to_string().contains("hunter2"));
    // The directory itself still goes through the generic one.
    assert_eq!(
        replay(&log, &created, &json!({}))["plugin"]["name"],
        "generic"
    );
    assert_eq!(tenant.scim.get("/Users").json()["totalResults"], 1);
}

#[test]
fn what_is_not_there_as_a_whole_is_not_replayed() {
    let tenant = Tenant::new("Not replayed");
    let log = Log::of(&tenant);
    let refused = |reply: &Reply, why: &str| {
        let id = reply.header("gatewright-request-id").unwrap();
        let path = format!("{}/{id}/replay", log.path);
        let answer = log.operator.post(&path, &json!({})).expect(409).json();
        assert!(answer["detail"].as_str().unwrap().contains(why), "{answer}");
    };
    let long = json!({ "displayName": "Long", "externalId": "x".repeat(70_000) });
    refused(&tenant.scim.post("/Groups", &long).expect(201), "64 KiB");
    let stranger = tenant.scim.with_token(Some("gwd_wrong"));
    refused(&stranger.get("/Users").expect(401), "no token");
    let created = tenant.user("ada@acme.test");
    let path = format!(
        "{}/{}/replay",
        log.path,
        created.header("gatewright-request-id").unwrap()
    );
    let unknown = log
        .operator
        .post(&path, &json!({ "plugin": "nothing" }))
        .expect(404);
    assert!(
        unknown.json()["detail"]
            .as_str()
            .unwrap()
            .contains("nothing")
    );
    let wrong = json!({ "plugin": "group-roles" });
    assert!(
        log.operator
            .post(&path, &wrong)
            .expect(400)
            .text
            .contains("provider")
    );
    let directory = format!("/directories/{}", tenant.directory);
    let mask = json!({ "mask_personal_values": true });
    let _ = tenant.operator.patch(&directory, &mask).expect(200);
    refused(&tenant.user("bob@acme.test"), "masked");
    let _ = log
        .operator
        .post(
            &format!("{}/{}/replay", log.path, tenant.directory),
            &json!({}),
        )
        .expect(404);
}

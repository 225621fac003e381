use super::{RuleRoles, Settings};
use gatewright_sdk::testing::{self, AccountBuilder};
use gatewright_sdk::{GrantKind, RolePolicy};

fn policy(settings: &str) -> RuleRoles {
    RuleRoles::configure(testing::settings::<Settings>(settings).unwrap()).unwrap()
}

/// Name and reason of each role.
fn decide(settings: &str, account: AccountBuilder) -> Vec<(String, String)> {
    let decision = policy(settings).decide(&testing::context(), &account.build());
    let roles = decision.unwrap().roles.into_iter();
    roles.map(|role| (role.name, role.reason)).collect()
}

fn roles(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |&(name, reason): &(&str, &str)| (name.to_owned(), reason.to_owned());
    expected.iter().map(owned).collect()
}

/// Settings with two rules and these fields beside them.
fn settings(beside: &str) -> String {
    format!(
        r#"{{"rules": [
            {{"when": "user.title == 'Controller' && 'Finance' in groups",
              "grant": {{"custom_role": "Auditor"}}, "reason": "controllers audit"}},
            {{"when": "user.userType == 'Lead'",
              "grant": {{"base_role": "Admin"}}, "reason": "leads administer"}}
        ]{beside}}}"#
    )
}

const ALONE: &str = "";
const BESIDE: &str = r#", "as_mapped": false, "keep_local": false, "default": false"#;

fn ada() -> AccountBuilder {
    testing::account("ada@example.com")
        .attribute("title", "Controller")
        .in_group("Finance")
        .maps("Finance", GrantKind::BaseRole, "Editor")
        .maps("Finance", GrantKind::CustomRole, "Billing")
}

#[test]
fn rules_stand_beside_what_the_mapping_gives() {
    let mapped = "member of \"Finance\"";
    assert_eq!(
        decide(&settings(ALONE), ada()),
        roles(&[
            ("Editor", mapped),
            ("Billing", mapped),
            ("Auditor", "controllers audit")
        ])
    );
    let audits = roles(&[("Auditor", "controllers audit")]);
    assert_eq!(decide(&settings(BESIDE), ada()), audits);
}

#[test]
fn the_highest_base_role_of_all_that_apply_counts() {
    let lead = ada().attribute("userType", "Lead");
    assert_eq!(
        decide(&settings(ALONE), lead)[0],
        roles(&[("Admin", "leads administer")])[0]
    );
    let owner = testing::account("ada@example.com")
        .attribute("userType", "Lead")
        .in_group("Board")
        .maps("Board", GrantKind::BaseRole, "Owner");
    assert_eq!(
        decide(&settings(ALONE), owner),
        roles(&[("Owner", "member of \"Board\"")])
    );
}

#[test]
fn who_gets_no_base_role_has_the_default_if_it_is_wanted() {
    let bob = || testing::account("bob@example.com");
    let default = roles(&[("Viewer", "default role")]);
    assert_eq!(decide(&settings(ALONE), bob()), default);
    assert_eq!(decide(&settings(BESIDE), bob()), []);
}

#[test]
fn what_was_given_by_hand_stays_if_it_is_wanted() {
    let given = || {
        testing::account("ada@example.com")
            .attribute("userType", "Lead")
            .has(GrantKind::BaseRole, "Editor", "manual")
            .has(GrantKind::CustomRole, "Billing", "import")
    };
    assert_eq!(
        decide(&settings(ALONE), given()),
        roles(&[
            ("Editor", "given by manual"),
            ("Billing", "given by import")
        ])
    );
    let leads = roles(&[("Admin", "leads administer")]);
    assert_eq!(decide(&settings(BESIDE), given()), leads);
}

#[test]
fn what_rules_say_is_the_grants_own_reason_in_place_of_the_mapping() {
    // A role that the mapping gives as well has the mapping's reason.
    let mapped = ada().maps("Finance", GrantKind::CustomRole, "Auditor");
    let all = decide(&settings(ALONE), mapped);
    let auditor = all.iter().find(|(name, _)| name == "Auditor").unwrap();
    assert_eq!(auditor.1, "member of \"Finance\"");
}

#[test]
fn settings_are_checked() {
    let problem = |settings: &str| {
        let settings = testing::settings::<Settings>(settings)?;
        match RuleRoles::configure(settings) {
            Ok(_) => panic!("it was taken"),
            Err(mut problems) => Err::<(), _>(problems.remove(0)),
        }
    };
    for (settings, pointer) in [
        ("{}", ""),
        (r#"{"rules": []}"#, "/rules"),
        (
            r#"{"rules": [{"when": "true", "grant": {"seat": "Full"}, "reason": "x"}]}"#,
            "/rules/0/grant",
        ),
        (
            r#"{"rules": [{"when": "tru", "grant": {"base_role": "Admin"}, "reason": "x"}]}"#,
            "/rules/0/when",
        ),
        (
            r#"{"rules": [{"when": "'x' in roles", "grant": {"base_role": "A"}, "reason": "x"}]}"#,
            "/rules/0/when",
        ),
        (
            r#"{"rules": [{"if": "true", "grant": {"base_role": "Admin"}, "reason": "x"}]}"#,
            "/rules/0/if",
        ),
    ] {
        assert_eq!(
            problem(settings).unwrap_err().pointer,
            pointer,
            "{settings}"
        );
    }
}

#[test]
fn the_schema_makes_a_form() {
    let schema = schemars::schema_for!(Settings);
    let schema = schema.as_value();
    let rule = &schema["$defs"]["Rule"]["properties"];
    assert_eq!(rule["when"]["title"], "Condition");
    assert_eq!(rule["when"]["maxLength"], 2_000);
    assert!(
        rule["when"]["examples"][0]
            .as_str()
            .unwrap()
            .contains("in groups")
    );
    assert_eq!(schema["properties"]["rules"]["maxItems"], 200);
    assert_eq!(schema["properties"]["as_mapped"]["default"], true);
    let grants = schema["$defs"]["RoleGrant"]["oneOf"].as_array().unwrap();
    let titles: Vec<_> = grants.iter().map(|grant| grant["title"].as_str()).collect();
    assert_eq!(titles, [Some("Base role"), Some("Custom role")]);
    // Each example is a condition that is taken.
    for example in rule["when"]["examples"].as_array().unwrap() {
        let rule = serde_json::json!({
            "when": example, "grant": { "base_role": "Admin" }, "reason": "an example",
        });
        let _ = policy(&serde_json::json!({ "rules": [rule] }).to_string());
    }
}

//! A role policy from scratch. Contractors get one modest role whatever their groups say; all others
//! get what the organization's mapping gives them. Try the tests with `cargo test -p contractors`.

#![forbid(unsafe_code)]

use gatewright_sdk::{Account, AttributeValue, Context, Problem, Proposal};
use gatewright_sdk::{Refusal, RoleDecision, RolePolicy};

/// The settings are an ordinary struct. Its comments become the documentation of the settings, and
/// `deny_unknown_fields` makes a misspelt key an error.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The SCIM attribute to look at, by its full path.
    attribute: String,
    /// What it says for a contractor, in upper or lower case.
    value: String,
    /// The base role of contractors.
    role: String,
}

impl Default for Settings {
    fn default() -> Self {
        let [attribute, value, role] = ["userType", "Contractor", "Viewer"].map(str::to_owned);
        Self {
            attribute,
            value,
            role,
        }
    }
}

/// A policy is what `configure` makes of the settings. Keep in it what is costly to work out: it is
/// done once, and every decision starts from a copy.
struct Contractors(Settings);

impl RolePolicy for Contractors {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self(settings))
    }

    /// Asked for one account at a time. The answer is the whole of its roles.
    fn decide(&self, context: &Context, account: &Account) -> Result<RoleDecision, Refusal> {
        let rule = &self.0;
        let said = account.attribute(&rule.attribute);
        let said = said.and_then(AttributeValue::as_text);
        if said.is_some_and(|said| said.eq_ignore_ascii_case(&rule.value)) {
            let reason = format!("{} is {}", rule.attribute, rule.value);
            let role = Proposal::base_role(&rule.role, reason);
            return Ok(RoleDecision::of(vec![role]));
        }
        // Everybody else: the highest base role and all custom roles that the mapping gives, or the
        // application's default role.
        Ok(RoleDecision::as_mapped(context, account).or_default(context))
    }
}

// This makes the crate a plugin. Its name, version and summary are those of Cargo.toml.
gatewright_sdk::export!(Contractors: role_policy);

/// Decisions are plain functions, so plain tests will do.
#[cfg(test)]
mod tests {
    use super::{Contractors, Settings};
    use gatewright_sdk::{GrantKind, RolePolicy, testing};

    fn decide(settings: &str, user_type: &str) -> Vec<(String, String)> {
        let account = testing::account("sam@example.com")
            .attribute("userType", user_type)
            .in_group("Engineering")
            .maps("Engineering", GrantKind::BaseRole, "Admin")
            .maps("Engineering", GrantKind::CustomRole, "Auditor")
            .build();
        let settings = testing::settings::<Settings>(settings).unwrap();
        let policy = Contractors::configure(settings).unwrap();
        let decision = policy.decide(&testing::context(), &account).unwrap();
        let told = |role: gatewright_sdk::Proposal| (role.name, role.reason);
        decision.roles.into_iter().map(told).collect()
    }

    fn row(name: &str, reason: &str) -> (String, String) {
        (name.to_owned(), reason.to_owned())
    }

    #[test]
    fn contractors_are_viewers_whatever_their_groups() {
        let viewer = [row("Viewer", "userType is Contractor")];
        assert_eq!(decide("{}", "Contractor"), viewer);
        assert_eq!(decide("{}", "CONTRACTOR")[0].0, "Viewer");
    }

    #[test]
    fn others_get_what_their_groups_give() {
        let member = "member of \"Engineering\"";
        let mapped = [row("Admin", member), row("Auditor", member)];
        assert_eq!(decide("{}", "Employee"), mapped);
        let settings = r#"{"attribute": "title", "role": "Editor"}"#;
        assert_eq!(decide(settings, "Contractor"), mapped);
    }

    #[test]
    fn who_is_in_no_group_gets_the_default() {
        let account = testing::account("sam@example.com").build();
        let policy = Contractors::configure(Settings::default()).unwrap();
        let decision = policy.decide(&testing::context(), &account).unwrap();
        assert_eq!(decision.roles[0].reason, "default role");
    }
}

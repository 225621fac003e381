//! A role policy for a chain: it adds one rule to what the groups give, and leaves the rest to the
//! policy before it.

#![forbid(unsafe_code)]

use gatewright_sdk::{
    Account, AttributeValue, Context, Problem, Proposal, Refusal, RoleDecision, RolePolicy,
};

/// Who gets which role.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The SCIM attribute to look at, by its full path.
    attribute: String,
    /// What it says of those who get the role, in upper or lower case.
    value: String,
    /// The custom role that they get.
    custom_role: String,
}

struct ByAttribute(Settings);

impl RolePolicy for ByAttribute {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        Ok(Self(settings))
    }

    /// The whole of what this policy wants. What the others of the chain want is united with it.
    fn decide(&self, _: &Context, account: &Account) -> Result<RoleDecision, Refusal> {
        let rule = &self.0;
        let said = account.attribute(&rule.attribute);
        let said = said.and_then(AttributeValue::as_text);
        let fits = said.is_some_and(|said| said.eq_ignore_ascii_case(&rule.value));
        let reason = format!("{} is {}", rule.attribute, rule.value);
        let role = fits.then(|| Proposal::custom_role(&rule.custom_role, reason));
        Ok(RoleDecision::of(role.into_iter().collect()))
    }
}

gatewright_sdk::export!(ByAttribute: role_policy);

#[cfg(test)]
mod tests {
    use super::{ByAttribute, Settings};
    use gatewright_sdk::{RolePolicy, testing};

    #[test]
    fn gives_its_role_to_those_whose_attribute_fits_and_nothing_to_others() {
        let json = r#"{"attribute": "title", "value": "Controller", "custom_role": "Auditor"}"#;
        let settings = testing::settings::<Settings>(json).unwrap();
        let policy = ByAttribute::configure(settings).unwrap();
        let roles = |title| {
            let account = testing::account("sam@example.com");
            let account = account.attribute("title", title).build();
            let decision = policy.decide(&testing::context(), &account).unwrap();
            let told = decision.roles.into_iter();
            told.map(|role| (role.name, role.reason))
                .collect::<Vec<_>>()
        };
        let auditor = ("Auditor".to_owned(), "title is Controller".to_owned());
        assert_eq!(roles("controller"), [auditor]);
        assert_eq!(roles("Engineer"), []);
    }
}

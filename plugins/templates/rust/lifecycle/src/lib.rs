//! Deactivates the accounts of people of one type, such as alumni.

use gatewright_sdk::{
    Account, AccountStatus, AttributeValue, Context, LifecycleDecision, LifecyclePolicy, Problem,
    Refusal,
};

/// Its JSON Schema goes into the component: settings are checked against it, and administrators read
/// these comments.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The SCIM attribute to look at, by its full path, such as userType.
    attribute: String,
    /// What it says of those who may not use the application, in upper or lower case.
    value: String,
}

/// What `configure` leaves behind; every decision starts from a copy of it.
pub struct Policy(Settings);

impl LifecyclePolicy for Policy {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, Vec<Problem>> {
        if settings.value.is_empty() {
            return Err(vec![Problem::at("/value", "must not be empty")]);
        }
        Ok(Self(settings))
    }

    fn decide(&self, _: &Context, account: &Account) -> Result<LifecycleDecision, Refusal> {
        let rule = &self.0;
        let said = account.attribute(&rule.attribute);
        let said = said.and_then(AttributeValue::as_text);
        let (status, reason) = if said.is_some_and(|said| said.eq_ignore_ascii_case(&rule.value)) {
            let reason = format!("{} is {}", rule.attribute, rule.value);
            (AccountStatus::Deactivated, reason)
        } else if account.has_active_user() {
            (AccountStatus::Active, "the user is active".to_owned())
        } else {
            (AccountStatus::Deactivated, "no user is active".to_owned())
        };
        Ok(LifecycleDecision::new(status, reason))
    }
}

gatewright_sdk::export!(Policy: lifecycle_policy);

//! Installed components and what they are bound to.

use crate::clock::Timestamp;
use gatewright_sandbox::{Grants, PluginKind};
use gatewright_store::{OrganizationScope, SystemScope, json_table, raw_table};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An installed component.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ComponentRecord {
    /// The plugin's name: `group-roles`.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// What kind of plugin it is.
    pub kind: PluginKind,
    /// One sentence: what it does.
    pub summary: String,
    /// A JSON Schema of its settings.
    pub settings_schema: Value,
    /// Size of the component in bytes.
    pub size: u64,
    /// Whether it came with the gateway.
    pub built_in: bool,
    /// When it was installed.
    pub installed: Timestamp,
}

/// A component and its settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PluginRef {
    /// SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// A JSON object.
    pub settings: Value,
}

/// The three kinds of decision, each with its place in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// Who may use the application.
    Lifecycle,
    /// Base and custom roles.
    Roles,
    /// Seats.
    Seats,
}

impl Slot {
    /// All slots, in the order in which they decide.
    pub const ALL: [Self; 3] = [Self::Lifecycle, Self::Roles, Self::Seats];

    /// Its name in paths and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lifecycle => "lifecycle",
            Self::Roles => "roles",
            Self::Seats => "seats",
        }
    }

    /// The slot of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.name() == name)
    }

    /// The kind of plugin that fits.
    #[must_use]
    pub fn kind(self) -> PluginKind {
        match self {
            Self::Lifecycle => PluginKind::Lifecycle,
            Self::Roles => PluginKind::Role,
            Self::Seats => PluginKind::Seat,
        }
    }
}

/// What decides in one slot of an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BindingRecord {
    /// Grows by one with each change, a rollback included.
    pub version: u64,
    /// The policies.
    #[serde(flatten)]
    pub chain: Chain,
    /// When it was bound.
    pub bound: Timestamp,
    /// What was bound before, the newest last: what a rollback returns to.
    pub previous: Vec<Chain>,
}

/// The policies of one slot, in their order: at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The first, in the fields that a binding had when it was of one plugin only.
    #[serde(flatten)]
    pub first: Bound,
    /// Those behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rest: Vec<Bound>,
}

impl Chain {
    /// How many policies a chain may have.
    pub const MAX: usize = 8;

    /// All of them, in their order.
    pub fn members(&self) -> impl Iterator<Item = &Bound> {
        std::iter::once(&self.first).chain(&self.rest)
    }
}

/// One policy of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// The plugin and its settings.
    pub plugin: PluginRef,
    /// What it may grant.
    pub grants: Grants,
}

json_table! {
    /// Installed components, by digest.
    pub struct Components = 3, "components", SystemScope, [u8; 32] => ComponentRecord;
}
raw_table! {
    /// The components themselves, by digest.
    pub struct ComponentBytes = 4, "component bytes", SystemScope, [u8; 32];
}
json_table! {
    /// What is bound, by the slot's name.
    pub struct Bindings = 140, "bindings", OrganizationScope, String => BindingRecord;
}

#[cfg(test)]
mod tests {
    use super::BindingRecord;
    use serde_json::json;

    /// What was stored when a binding was of one plugin only is a chain of one.
    #[test]
    fn a_binding_of_one_plugin_is_read_and_written_as_before() {
        let grants = json!({ "base_roles": "all", "custom_roles": "all", "seats": "all" });
        let plugin = |digest: &str| json!({ "digest": digest, "settings": {} });
        let stored = json!({
            "version": 7, "plugin": plugin("aa"), "grants": grants, "bound": 5,
            "previous": [{ "plugin": plugin("bb"), "grants": grants }],
        });
        let mut record: BindingRecord = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(record.chain.members().count(), 1);
        assert_eq!(record.previous[0].first.plugin.digest, "bb");
        assert_eq!(serde_json::to_value(&record).unwrap(), stored);

        record.chain.rest.push(record.previous[0].first.clone());
        let again = serde_json::to_value(&record).unwrap();
        let again: BindingRecord = serde_json::from_value(again).unwrap();
        let digests: Vec<_> = again
            .chain
            .members()
            .map(|one| &*one.plugin.digest)
            .collect();
        assert_eq!(digests, ["aa", "bb"]);
    }
}

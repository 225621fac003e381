//! Installed components and what they are bound to.

use super::plans::Holding;
use crate::clock::Timestamp;
use gatewright_sandbox::{Grants, PluginKind};
use gatewright_store::{OrganizationScope, SystemScope, json_table, raw_table};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

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
    /// What was found when it was looked at. Those from before this was kept have none until
    /// somebody asks.
    #[serde(default)]
    pub report: Option<ComponentReport>,
}

/// What was found when a component was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentReport {
    /// The version of the plugin contract that it was built for.
    pub contract: String,
    /// The interfaces that it imports, in its own order.
    pub imports: Vec<ImportedInterface>,
    /// Whether a trap names its functions.
    pub has_names: bool,
    /// How long compiling and asking it took, in milliseconds.
    pub compile_ms: u64,
}

/// An interface that a component imports, with its functions by what a call of each comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedInterface {
    /// As the component names it, with its version.
    pub name: String,
    /// They do what they say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<String>,
    /// They answer with nothing, or with what is the same each time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nothing: Vec<String>,
    /// They end the plugin's call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<String>,
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
    /// Grows by one with each change, a rollback and a pause included.
    pub version: u64,
    /// The policies.
    #[serde(flatten)]
    pub chain: Chain,
    /// When it was bound.
    pub bound: Timestamp,
    /// The version that this chain was bound as: another one than `version` behind a rollback or a
    /// pause. 0: the same one.
    #[serde(default)]
    pub origin: u64,
    /// The policies are not asked: accounts keep what they have of this slot.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// How it came to be.
    #[serde(default)]
    pub how: How,
    /// Who did it and why.
    #[serde(default)]
    pub audit: Audit,
    /// What was bound before, the newest last, where it was bound before versions were kept in
    /// [`BindingVersions`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub previous: Vec<Chain>,
}

impl BindingRecord {
    /// The version that its chain was bound as.
    #[must_use]
    pub fn origin(&self) -> u64 {
        match self.origin {
            0 => self.version,
            origin => origin,
        }
    }
}

/// How a version of a binding came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum How {
    /// A chain was bound.
    #[default]
    Bound,
    /// By a plan that was confirmed.
    Planned {
        /// Its id.
        plan: Uuid,
    },
    /// The chain that had run in shadow was activated.
    Activated,
    /// To an earlier version.
    RolledBack {
        /// That version.
        to: u64,
    },
    /// Its policies are not asked any more.
    Paused,
    /// They are asked again.
    Resumed,
}

/// Who changed something, and why, in their own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// A person, as the caller names them. At most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// At most 1,000 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
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
    /// What a call of it may use at most, where that is less than the gateway allows.
    #[serde(default, skip_serializing_if = "BoundLimits::is_none")]
    pub limits: BoundLimits,
}

/// Limits of one binding's calls. They only lower what the gateway allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundLimits {
    /// The processor's time of a call about one account, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<u32>,
    /// Memory of a call, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
    /// What it may return for one account, in KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_kib: Option<u32>,
}

impl BoundLimits {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A chain that runs beside the one that is bound, and decides nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShadowRecord {
    /// The policies.
    #[serde(flatten)]
    pub chain: Chain,
    /// Since when.
    pub started: Timestamp,
    /// The revision that started it: who was decided since then was tried with it too.
    pub revision: u64,
    /// Who started it and why.
    pub audit: Audit,
    /// How many decisions were made beside it.
    pub tried: u64,
    /// About how many accounts it wants something else, now.
    pub different: u64,
    /// How often it had no decision.
    pub failed: u64,
    /// Why it does not run any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
}

/// What a chain in shadow wants for an account, where that is something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowDifference {
    /// What was decided.
    pub active: Holding,
    /// What it would have come to, or why there would be no decision.
    pub shadow: Result<Holding, String>,
    /// When it was seen first.
    pub since: Timestamp,
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
json_table! {
    /// All versions of bindings, by the slot's name and the version.
    pub struct BindingVersions = 144, "binding versions", OrganizationScope, (String, u64) => BindingRecord;
}
json_table! {
    /// Chains in shadow, by the slot's name.
    pub struct Shadows = 145, "shadows", OrganizationScope, String => ShadowRecord;
}
json_table! {
    /// What they want otherwise, by the slot's name and the account.
    pub struct ShadowDifferences = 146, "shadow differences", OrganizationScope, (String, Uuid) => ShadowDifference;
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
        assert_eq!(record.origin(), 7);
        let written = serde_json::to_value(&record).unwrap();
        for (name, value) in stored.as_object().unwrap() {
            assert_eq!(written[name], *value, "{name}");
        }

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

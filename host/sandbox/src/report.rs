//! What is known of a component, and what may be wrong with it.

use crate::Digest;
use crate::failure::CallError;
use crate::printable::printable;
use crate::shape::CONTRACT;
use crate::types::{Description, NamedValue, Problem};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a component is, as found by looking at it and by asking it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// SHA-256 of the component's bytes.
    pub digest: Digest,
    /// Which world it is of.
    pub kind: PluginKind,
    /// The version of the plugin contract that it was built for.
    pub contract: String,
    /// What it says of itself.
    pub about: About,
    /// The interfaces it imports, for the person who installs it. It has no authority by them:
    /// nearly all functions of WASI answer with an error.
    pub imports: Vec<String>,
    /// The functions of these interfaces, and what becomes of a call of each. None where it was
    /// compiled by a gateway that did not tell.
    #[serde(default)]
    pub calls: Vec<ImportedCall>,
    /// Whether a trap will name its functions. It will not if the component was stripped.
    pub has_names: bool,
    /// The component's size in bytes.
    pub size: usize,
}

impl Inspection {
    /// Name and version, as they stand in errors: `okta@0.1.0`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}@{}", self.about.name, self.about.version)
    }
}

/// A function that a component imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedCall {
    /// Its interface, as the component names it: `wasi:cli/stdout@0.2.6`.
    pub import: String,
    /// Its own name.
    pub function: String,
    /// What becomes of a call.
    pub access: Access,
}

/// What a call of an imported function comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// It does what it says: a line of the log, or the time that the call was told.
    Granted,
    /// It answers with nothing, or with what is the same each time.
    Nothing,
    /// It ends the plugin's call with an error that names it.
    Denied,
}

/// A plugin's own description, checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Lower-case letters, digits and hyphens, at most 64.
    pub name: String,
    /// The plugin's own version, at most 64 characters of those that semver uses.
    pub version: String,
    /// One sentence, in the author's words.
    pub summary: String,
    /// A JSON Schema (draft 2020-12), compiled successfully once.
    pub settings_schema: serde_json::Value,
    /// `homepage`, `license`, `author`, or what later versions know.
    pub extra: Vec<NamedValue>,
}

impl About {
    /// Checks what a plugin says of itself, except for the schema's meaning.
    pub(crate) fn parse(description: Description) -> Result<Self, ComponentError> {
        let wrong = |why: &str| ComponentError::Description {
            why: why.to_owned(),
        };
        let is_short = |text: &str| (1..=64).contains(&text.len());
        let of_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let of_version = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
        if !is_short(&description.name) || !description.name.bytes().all(of_name) {
            return Err(wrong(
                "its name must be 1 to 64 lower-case letters, digits and hyphens",
            ));
        }
        if !is_short(&description.version) || !description.version.bytes().all(of_version) {
            return Err(wrong(
                "its version must be 1 to 64 characters, as in 1.0.0 or 1.0.0-beta.1",
            ));
        }
        let settings_schema = serde_json::from_str(&description.settings_schema)
            .map_err(|error| wrong(&format!("its settings schema is not JSON: {error}")))?;
        Ok(Self {
            name: description.name,
            version: description.version,
            summary: description.summary,
            settings_schema,
            extra: description.extra,
        })
    }
}

/// The worlds of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginKind {
    /// Repairs an identity provider's dialect.
    Provider,
    /// Decides who may use the application.
    Lifecycle,
    /// Decides roles.
    Role,
    /// Decides seats.
    Seat,
}

impl PluginKind {
    pub(crate) fn of_interface(interface: &str) -> Option<Self> {
        match interface {
            "provider" => Some(Self::Provider),
            "lifecycle-policy" => Some(Self::Lifecycle),
            "role-policy" => Some(Self::Role),
            "seat-policy" => Some(Self::Seat),
            _ => None,
        }
    }
}

impl PluginKind {
    /// The contract's world of this kind.
    #[must_use]
    pub fn world(self) -> &'static str {
        match self {
            Self::Provider => "provider-plugin",
            Self::Lifecycle => "lifecycle-policy-plugin",
            Self::Role => "role-policy-plugin",
            Self::Seat => "seat-policy-plugin",
        }
    }
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Provider => "provider plugin",
            Self::Lifecycle => "lifecycle policy",
            Self::Role => "role policy",
            Self::Seat => "seat policy",
        })
    }
}

/// What is wrong with a component or its settings: the author's or the administrator's to mend.
#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComponentError {
    /// The file does not begin as WebAssembly does.
    #[error(
        "this is not a WebAssembly file; a plugin is the .wasm file that \
         `cargo build --target wasm32-wasip2` makes"
    )]
    NotWasm,
    /// A module of WebAssembly 1, not a component.
    #[error(
        "this is a WebAssembly module, and a plugin is a component; build it for the target \
         wasm32-wasip2, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,
    /// Machine code of some wasmtime.
    #[error(
        "this is precompiled machine code, which cannot be checked and is never loaded; \
         hand in the component it was made from"
    )]
    Precompiled,
    /// More bytes than the host looks at.
    #[error("this component has {bytes} bytes, and at most {limit} are taken")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// Broken inside, or it uses a part of WebAssembly that the host does not have.
    #[error("this component cannot be compiled: {why}")]
    Malformed {
        /// The compiler's words.
        why: String,
    },
    /// Built for another version of the contract.
    #[error("built for contract {found}, this host speaks {CONTRACT}")]
    OtherContract {
        /// The version that it names.
        found: String,
    },
    /// It exports none of the four worlds' interfaces, or several.
    #[error(
        "a plugin exports gatewright:plugin/plugin@{CONTRACT} and exactly one of provider, \
         lifecycle-policy, role-policy and seat-policy; this component exports {}",
        listed(.found)
    )]
    NotOnePlugin {
        /// The contract's interfaces that it exports.
        found: Vec<String>,
    },
    /// It imports what no plugin gets.
    #[error(
        "this component imports {}, and a plugin gets no more than gatewright:plugin/log \
         and what its standard library links of WASI 0.2",
        listed(.names)
    )]
    Imports {
        /// The imports that are refused.
        names: Vec<String>,
    },
    /// An interface has the right name and the wrong functions or types.
    #[error("this component does not fit the contract: {why}")]
    Mismatch {
        /// What does not fit.
        why: String,
    },
    /// What it says of itself is unusable.
    #[error("this component describes itself wrongly: {why}")]
    Description {
        /// What is wrong.
        why: String,
    },
    /// The settings do not match the schema, or the plugin refused them.
    #[error("the settings are refused: {}", sentence(.problems))]
    Settings {
        /// Everything that was found, at most 50 of them.
        problems: Vec<Problem>,
    },
    /// A call failed that was made to try the plugin.
    #[error("the plugin failed while it was tried")]
    Trial(#[source] CallError),
}

impl ComponentError {
    /// For errors of linking and of looking up the contract's functions.
    pub(crate) fn mismatch(error: &wasmtime::Error) -> Self {
        Self::Mismatch {
            why: format!("{error:#}"),
        }
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "none of them".to_owned(),
        names => names.join(", "),
    }
}

fn sentence(problems: &[Problem]) -> String {
    let one = |problem: &Problem| match problem.pointer.as_str() {
        "" => printable(&problem.message),
        pointer => format!("{pointer}: {}", printable(&problem.message)),
    };
    problems.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, version: &str, schema: &str) -> Result<About, ComponentError> {
        About::parse(Description {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: String::new(),
            settings_schema: schema.to_owned(),
            extra: vec![],
        })
    }

    #[test]
    fn a_name_is_fit_for_file_names_and_logs() {
        assert!(parse("group-roles", "1.0.0-beta.1+x", "{}").is_ok());
        for name in ["", "Group", "../x", "a b", &"x".repeat(65)] {
            assert!(parse(name, "1", "{}").is_err(), "{name}");
        }
        assert!(parse("x", "1\n2", "{}").is_err());
        assert!(parse("x", "1", "{").is_err());
    }
}

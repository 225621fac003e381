use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One attribute or sub-attribute (RFC 7643 sections 2.2 and 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// The canonical spelling. Names are compared without regard to case.
    pub name: &'static str,
    /// The type of a value.
    pub kind: Kind,
    /// Whether it holds a list of values.
    pub multi_valued: bool,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether upper and lower case differ when values are compared.
    pub case_exact: bool,
    /// Who may change it.
    pub mutability: Mutability,
    /// When it is in an answer.
    pub returned: Returned,
    /// Among whom a value is unique.
    pub uniqueness: Uniqueness,
    /// Usual values; others are kept too.
    pub canonical_values: &'static [&'static str],
    /// What a reference leads to.
    pub reference_types: &'static [&'static str],
    /// The parts of a complex attribute; empty for the others.
    pub sub_attributes: &'static [Attribute],
    /// Whether an index answers `eq` for it; said of declared attributes alone.
    pub indexed: bool,
    /// What it means.
    pub description: &'static str,
}

/// The types of RFC 7643 section 2.3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Text.
    #[default]
    String,
    /// `true` or `false`.
    Boolean,
    /// A number.
    Decimal,
    /// A whole number.
    Integer,
    /// A moment, as XML Schema writes it.
    DateTime,
    /// Bytes in base64.
    Binary,
    /// A URI.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

/// Who may change an attribute (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// The client, at any time.
    #[default]
    ReadWrite,
    /// Only the server; ignored in bodies.
    ReadOnly,
    /// The client, once.
    Immutable,
    /// The client, at any time, and nobody reads it back.
    WriteOnly,
}

/// When an attribute is in an answer (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// In every answer, whatever the client asked for.
    Always,
    /// Unless the client asked otherwise.
    #[default]
    Default,
    /// If the client asked for it.
    Request,
    /// In none.
    Never,
}

/// Among whom a value is unique (RFC 7643 section 7).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// Any resource may have the same.
    #[default]
    None,
    /// Unique within one SCIM endpoint.
    Server,
}

impl Kind {
    /// The name of the type in `/Schemas`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Decimal => "decimal",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Binary => "binary",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

impl Attribute {
    /// The sub-attribute of that name, in any case.
    #[must_use]
    pub fn sub_attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(self.sub_attributes, name)
    }

    /// Takes the parts that it does not have out of a value of a declared attribute.
    pub(crate) fn drop_unknown(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.drop_unknown(item)),
            Value::Object(parts) => {
                parts.retain(|name, _| self.sub_attribute(name).is_some());
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    pub(super) const fn string(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            kind: Kind::String,
            multi_valued: false,
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: &[],
            reference_types: &[],
            sub_attributes: &[],
            indexed: false,
            description,
        }
    }

    pub(super) const fn boolean(name: &'static str, description: &'static str) -> Self {
        Self::string(name, description).of_kind(Kind::Boolean)
    }

    pub(super) const fn date_time(name: &'static str, description: &'static str) -> Self {
        Self::string(name, description).of_kind(Kind::DateTime)
    }

    pub(super) const fn binary(name: &'static str, description: &'static str) -> Self {
        Self::string(name, description)
            .of_kind(Kind::Binary)
            .exact()
    }

    pub(super) const fn reference(
        name: &'static str,
        reference_types: &'static [&'static str],
        description: &'static str,
    ) -> Self {
        let mut made = Self::string(name, description)
            .of_kind(Kind::Reference)
            .exact();
        made.reference_types = reference_types;
        made
    }

    pub(super) const fn complex(
        name: &'static str,
        sub_attributes: &'static [Attribute],
        description: &'static str,
    ) -> Self {
        let mut made = Self::string(name, description).of_kind(Kind::Complex);
        made.sub_attributes = sub_attributes;
        made
    }

    pub(super) const fn multi(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    pub(super) const fn read_only(mut self) -> Self {
        self.mutability = Mutability::ReadOnly;
        self
    }

    pub(super) const fn immutable(mut self) -> Self {
        self.mutability = Mutability::Immutable;
        self
    }

    pub(super) const fn always(mut self) -> Self {
        self.returned = Returned::Always;
        self
    }

    pub(super) const fn unique(mut self) -> Self {
        self.uniqueness = Uniqueness::Server;
        self
    }

    pub(super) const fn canonical(mut self, values: &'static [&'static str]) -> Self {
        self.canonical_values = values;
        self
    }

    const fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }
}

/// The attribute of that name among some, in any case.
pub(super) fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

use super::{Attribute, ENTERPRISE_USER, GROUP, Schema, USER, attribute};

/// The kinds of resource that the gateway keeps (RFC 7643 section 6).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum ResourceType {
    /// A person.
    #[default]
    User,
    /// A group of persons.
    Group,
}

impl ResourceType {
    /// Every resource type, in the order of `/ResourceTypes`.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// The name, which is also the id in `/ResourceTypes` and `meta.resourceType`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// The path below the SCIM base URL.
    #[must_use]
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }

    /// The schema that every resource of the type has.
    #[must_use]
    pub fn core(self) -> &'static Schema {
        match self {
            Self::User => &USER,
            Self::Group => &GROUP,
        }
    }

    /// The schemas that a resource of the type may have besides, as the RFC has them.
    #[must_use]
    pub fn extensions(self) -> &'static [&'static Schema] {
        match self {
            Self::User => USER_EXTENSIONS,
            Self::Group => &[],
        }
    }

    /// The attribute of that name, in any case, with its extension if it is of one. A name
    /// without a URN may be an extension's: Entra sends `manager` so.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<(Option<&'static Schema>, &'static Attribute)> {
        if let Some(found) = self.core_attribute(name) {
            return Some((None, found));
        }
        self.extensions()
            .iter()
            .find_map(|schema| Some((Some(*schema), schema.attribute(name)?)))
    }

    /// The attribute of that name of the core schema, or of those that all resources have.
    pub(crate) fn core_attribute(self, name: &str) -> Option<&'static Attribute> {
        self.core()
            .attribute(name)
            .or_else(|| attribute::find(COMMON, name))
    }
}

static USER_EXTENSIONS: &[&Schema] = &[&ENTERPRISE_USER];

/// What every resource has (RFC 7643 section 3.1). Not in `/Schemas`, as in the RFC's own.
const COMMON: &[Attribute] = &[
    Attribute::string("id", "The gateway's own id of the resource")
        .exact()
        .read_only()
        .always(),
    Attribute::string("externalId", "The provider's own id of the resource").exact(),
    Attribute::reference("schemas", &["uri"], "The schemas that the resource uses")
        .multi()
        .read_only()
        .always(),
    Attribute::complex("meta", META, "About the resource itself").read_only(),
];

const META: &[Attribute] = &[
    Attribute::string("resourceType", "The kind of resource")
        .exact()
        .read_only(),
    Attribute::date_time("created", "When it was created").read_only(),
    Attribute::date_time("lastModified", "When it was last changed").read_only(),
    Attribute::reference("location", &["uri"], "Where it is found").read_only(),
    Attribute::string("version", "Which state of it this is")
        .exact()
        .exact()
        .read_only(),
];

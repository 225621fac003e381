use crate::{
    ResourceType,
    schema::{Attribute, Declared, IndexTerm, Schema},
};
use serde::{Deserialize, Serialize};

/// What becomes of attributes that no schema has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unknown {
    /// They are left out, and reported as ignored.
    #[default]
    Ignore,
    /// They are kept as they were sent, and answered; nothing finds them, and no policy sees them.
    Keep,
    /// The request is refused.
    Refuse,
}

/// What the resources of one directory are like, and how what is sent for them is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Profile {
    /// The schemas beside those of the RFC.
    pub declared: Declared,
    /// What becomes of attributes that no schema has.
    pub unknown: Unknown,
    /// Whether only what the RFCs allow is read; `TOLERANCE.md` says what that refuses.
    pub strict: bool,
}

/// A [`Profile`] for one kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    resource: ResourceType,
    pub(crate) profile: Profile,
}

impl Profile {
    /// What resources of that kind are like.
    #[must_use]
    pub fn shape(self, resource: ResourceType) -> Shape {
        Shape {
            resource,
            profile: self,
        }
    }
}

impl Shape {
    /// The kind of resource.
    #[must_use]
    pub fn resource(self) -> ResourceType {
        self.resource
    }

    /// The schema that every resource of the kind has.
    #[must_use]
    pub fn core(self) -> &'static Schema {
        self.resource.core()
    }

    /// The schemas that a resource of the kind may have besides, those of the RFC first.
    #[must_use]
    pub fn extensions(self) -> &'static [&'static Schema] {
        self.profile.declared.extensions(self.resource)
    }

    /// Those of them that the directory declared.
    #[must_use]
    pub fn declared(self) -> &'static [&'static Schema] {
        let standard = self.resource.extensions().len();
        self.extensions().get(standard..).unwrap_or_default()
    }

    /// The attribute of that name, in any case, with its extension if it is of one. A name
    /// without a URN may be an extension's of the RFC: Entra sends `manager` so. Not in strict mode.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<(Option<&'static Schema>, &'static Attribute)> {
        if self.profile.strict {
            return Some((None, self.resource.core_attribute(name)?));
        }
        self.resource.attribute(name)
    }

    /// How an index would find a resource whose attribute at that canonical path has the value;
    /// none where no index knows the attribute.
    #[must_use]
    pub fn index_term(self, path: &str, value: &serde_json::Value) -> Option<IndexTerm> {
        self.declared().iter().find_map(|schema| {
            let name = path.strip_prefix(schema.id)?.strip_prefix(':')?;
            schema.attribute(name)?.index_term(schema, value)
        })
    }

    /// Everything by which an index is to find a resource with that canonical document, beside the
    /// attributes of the RFC. Of `before`, what it was found by, stays what belongs to values that are
    /// still stored and whose attribute is declared no longer: it may be again.
    #[must_use]
    pub fn index_terms(
        self,
        document: &serde_json::Map<String, serde_json::Value>,
        before: &[IndexTerm],
    ) -> Vec<IndexTerm> {
        let is_hidden = |term: &&IndexTerm| {
            term.path.rsplit_once(':').is_some_and(|(urn, name)| {
                let stored = document
                    .get(urn)
                    .is_some_and(|held| held.get(name).is_some());
                let declared = self.declared().iter().find(|schema| schema.id == urn);
                stored && declared.is_none_or(|schema| schema.attribute(name).is_none())
            })
        };
        let mut terms: Vec<IndexTerm> = before.iter().filter(is_hidden).cloned().collect();
        for schema in self.declared() {
            let Some(holder) = document.get(schema.id) else {
                continue;
            };
            for attribute in schema.attributes.iter().filter(|one| one.indexed) {
                let Some(value) = holder.get(attribute.name) else {
                    continue;
                };
                let values = match value {
                    serde_json::Value::Array(values) => values.as_slice(),
                    single => std::slice::from_ref(single),
                };
                terms.extend(
                    values
                        .iter()
                        .filter_map(|one| attribute.index_term(schema, one)),
                );
            }
        }
        terms.sort();
        terms.dedup();
        terms
    }
}

/// The resources as the RFC has them, read leniently.
impl From<ResourceType> for Shape {
    fn from(resource: ResourceType) -> Self {
        Profile::default().shape(resource)
    }
}

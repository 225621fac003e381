//! The schemas: what attributes there are and how each behaves (RFC 7643 sections 2, 4 and 7).
//!
//! One set of definitions serves everything: reading bodies, PATCH, filters, and what
//! `/Schemas` says. Those that a directory declares are used like those of the RFC. So an attribute is advertised if and only if it is kept. `password` is not: the
//! gateway lets nobody sign in, and `changePassword` is announced as unsupported.

mod attribute;
mod check;
mod declared;
mod document;
mod enterprise;
mod group;
mod intern;
mod resource_type;
mod user;

pub use attribute::{Attribute, Kind, Mutability, Returned, Uniqueness};
pub use declared::{
    AttributeDefinition, DeclarationError, Declared, IndexTerm, MOST_ATTRIBUTES, MOST_SCHEMAS,
    SchemaDefinition,
};
pub use document::{ConfigFacts, resource_types, schema, schemas, service_provider_config};
pub use enterprise::ENTERPRISE_USER;
pub use group::GROUP;
pub use resource_type::ResourceType;
pub use user::USER;

/// A schema and its attributes.
#[derive(Debug)]
pub struct Schema {
    /// The URN.
    pub id: &'static str,
    /// The name for people.
    pub name: &'static str,
    /// What it describes.
    pub description: &'static str,
    /// Whether every resource must have it, where it is an extension.
    pub required: bool,
    /// The attributes, in the order in which they are advertised.
    pub attributes: &'static [Attribute],
}

/// A schema is what its URN says.
impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Schema {}

impl Schema {
    /// The attribute of that name, in any case (RFC 7643 section 2.1).
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        attribute::find(self.attributes, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const BASE: &str = "https://scim.example/v2";

    #[test]
    fn schemas_are_listed_and_found_by_id() {
        let listed = schemas(Declared::default(), BASE);
        let ids: Vec<&str> = listed.iter().filter_map(|s| s["id"].as_str()).collect();
        assert_eq!(ids, [USER.id, ENTERPRISE_USER.id, GROUP.id]);
        for one in &listed {
            let id = one["id"].as_str().unwrap();
            assert_eq!(
                schema(Declared::default(), &id.to_uppercase(), BASE).as_ref(),
                Some(one)
            );
            assert_eq!(one["meta"]["location"], format!("{BASE}/Schemas/{id}"));
            assert!(!one.to_string().contains("null"), "Entra reads no nulls");
        }
        assert_eq!(schema(Declared::default(), "urn:example:other", BASE), None);
    }

    #[test]
    fn attributes_say_how_they_behave() {
        let find = |schema: &Value, name: &str| -> Value {
            let attributes = schema["attributes"].as_array().unwrap();
            attributes
                .iter()
                .find(|a| a["name"] == name)
                .unwrap()
                .clone()
        };
        let user = schema(Declared::default(), USER.id, BASE).unwrap();
        let user_name = find(&user, "userName");
        assert_eq!(user_name["required"], true);
        assert_eq!(user_name["caseExact"], false);
        assert_eq!(user_name["uniqueness"], "server");
        assert_eq!(find(&user, "groups")["mutability"], "readOnly");
        assert_eq!(find(&user, "profileUrl")["referenceTypes"][0], "external");
        assert_eq!(
            find(&user, "emails")["subAttributes"][2]["canonicalValues"][0],
            "work"
        );
        let group = schema(Declared::default(), GROUP.id, BASE).unwrap();
        assert_eq!(
            find(&group, "members")["subAttributes"][0]["mutability"],
            "immutable"
        );
        assert!(!user.to_string().contains("password"));
    }

    #[test]
    fn definitions_hold_together() {
        fn check(attributes: &[Attribute], place: &str) {
            for attribute in attributes {
                let place = format!("{place}:{}", attribute.name);
                let is_complex = attribute.kind == Kind::Complex;
                assert_eq!(is_complex, !attribute.sub_attributes.is_empty(), "{place}");
                let is_reference = attribute.kind == Kind::Reference;
                assert_eq!(
                    is_reference,
                    !attribute.reference_types.is_empty(),
                    "{place}"
                );
                assert!(!attribute.description.is_empty(), "{place}");
                let same_name = |a: &&Attribute| a.name.eq_ignore_ascii_case(attribute.name);
                assert_eq!(attributes.iter().filter(same_name).count(), 1, "{place}");
                check(attribute.sub_attributes, &place);
            }
        }
        for schema in [&USER, &ENTERPRISE_USER, &GROUP] {
            check(schema.attributes, schema.id);
        }
    }

    #[test]
    fn resource_types_have_their_names_as_ids() {
        let types = resource_types(Declared::default(), BASE);
        assert_eq!(types[0]["id"], "User");
        assert_eq!(
            types[0]["schemaExtensions"][0]["schema"],
            ENTERPRISE_USER.id
        );
        assert_eq!(types[1]["id"], "Group");
        assert_eq!(types[1]["endpoint"], "/Groups");
        assert_eq!(
            types[1]["meta"]["location"],
            format!("{BASE}/ResourceTypes/Group")
        );
    }

    #[test]
    fn the_configuration_says_what_is_done() {
        let facts = ConfigFacts {
            max_results: 7,
            ..ConfigFacts::default()
        };
        let config = service_provider_config(&facts, BASE);
        assert_eq!(config["patch"]["supported"], true);
        assert_eq!(config["etag"]["supported"], true);
        assert_eq!(config["sort"]["supported"], true);
        assert_eq!(config["pagination"]["maxPageSize"], 7);
        assert_eq!(config["pagination"]["defaultPageSize"], 7);
        assert_eq!(config["pagination"]["cursorTimeout"], 600);
        assert_eq!(config["filter"]["maxResults"], 7);
        assert_eq!(config["bulk"]["supported"], true);
        assert_eq!(config["bulk"]["maxOperations"], 1_000);
        assert_eq!(config["changePassword"]["supported"], false);
        assert!(config.get("documentationUri").is_none());
    }
}

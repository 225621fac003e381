use super::{Attribute, Schema};

/// The core Group (RFC 7643 section 4.2). Its members are users: the gateway keeps no groups of
/// groups.
pub static GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "A group of users",
    required: false,
    attributes: &[
        Attribute::string("displayName", "The name that people know the group by").required(),
        Attribute::complex("members", MEMBER, "The users in the group").multi(),
    ],
};

const MEMBER: &[Attribute] = &[
    Attribute::string("value", "The id of the user")
        .exact()
        .immutable(),
    Attribute::reference("$ref", &["User"], "Where the user is found").immutable(),
    Attribute::string("type", "What the member is")
        .canonical(&["User"])
        .immutable(),
    Attribute::string("display", "The user's name, for people to read").read_only(),
];

use super::{Attribute, Schema};

/// The core Group (RFC 7643 section 4.2). Its members are users and groups.
pub static GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "A group of users, and of other groups",
    required: false,
    attributes: &[
        Attribute::string("displayName", "The name that people know the group by").required(),
        Attribute::complex("members", MEMBER, "The users and groups in the group").multi(),
    ],
};

const MEMBER: &[Attribute] = &[
    Attribute::string("value", "The id of the user or group")
        .exact()
        .immutable(),
    Attribute::reference("$ref", &["User", "Group"], "Where the member is found").immutable(),
    Attribute::string("type", "What the member is")
        .canonical(&["User", "Group"])
        .immutable(),
    Attribute::string("display", "The member's name, for people to read").read_only(),
];

use super::{Attribute, Schema};

/// The enterprise extension of User (RFC 7643 section 4.3).
pub static ENTERPRISE_USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "Enterprise User",
    description: "What an employer adds to a user",
    required: false,
    attributes: &[
        Attribute::string("employeeNumber", "What the employer calls the person by"),
        Attribute::string("costCenter", "The cost center"),
        Attribute::string("organization", "The organization"),
        Attribute::string("division", "The division"),
        Attribute::string("department", "The department"),
        Attribute::complex("manager", MANAGER, "Whom the person reports to"),
    ],
};

const MANAGER: &[Attribute] = &[
    Attribute::string("value", "The id of the manager's own user").exact(),
    Attribute::reference("$ref", &["User"], "Where the manager's user is found"),
    Attribute::string("displayName", "The manager's name, for people to read").read_only(),
];

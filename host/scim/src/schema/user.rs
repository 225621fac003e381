use super::{Attribute, Schema};

/// The core User (RFC 7643 section 4.1), without `password`.
pub static USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "A person as an identity provider describes them",
    required: false,
    attributes: &[
        Attribute::string("userName", "The name that the person signs in with")
            .required()
            .unique(),
        Attribute::complex("name", NAME, "The parts of the person's name"),
        Attribute::string("displayName", "The name to show"),
        Attribute::string("nickName", "What the person is called casually"),
        Attribute::reference("profileUrl", &["external"], "A page about the person"),
        Attribute::string("title", "The job title"),
        Attribute::string("userType", "How the person relates to the organization"),
        Attribute::string(
            "preferredLanguage",
            "The languages the person prefers, as in Accept-Language",
        ),
        Attribute::string(
            "locale",
            "Where the person is, for formats of dates and numbers",
        ),
        Attribute::string(
            "timezone",
            "The time zone, by its name in the IANA database",
        ),
        Attribute::boolean("active", "Whether the provider lets the person in"),
        Attribute::complex("emails", EMAIL, "Email addresses").multi(),
        Attribute::complex("phoneNumbers", PHONE, "Telephone numbers").multi(),
        Attribute::complex("ims", MESSAGING, "Addresses for instant messages").multi(),
        Attribute::complex("photos", PHOTO, "Pictures of the person").multi(),
        Attribute::complex("addresses", ADDRESS, "Postal addresses").multi(),
        Attribute::complex(
            "groups",
            GROUP,
            "The groups that the user is in, also through other groups; changed through the groups",
        )
        .multi()
        .read_only(),
        Attribute::complex("entitlements", ENTITLEMENT, "Things the person may have").multi(),
        Attribute::complex(
            "roles",
            ROLE,
            "What the person is, in the provider's own words",
        )
        .multi(),
        Attribute::complex(
            "x509Certificates",
            CERTIFICATE,
            "Certificates issued to the person",
        )
        .multi(),
    ],
};

const NAME: &[Attribute] = &[
    Attribute::string("formatted", "The whole name, ready to show"),
    Attribute::string("familyName", "The family name"),
    Attribute::string("givenName", "The given name"),
    Attribute::string("middleName", "The middle names"),
    Attribute::string("honorificPrefix", "What is put before the name"),
    Attribute::string("honorificSuffix", "What is put after the name"),
];

const EMAIL: &[Attribute] = &[
    Attribute::string("value", "The address"),
    DISPLAY,
    TYPE.canonical(&["work", "home", "other"]),
    PRIMARY,
];

const PHONE: &[Attribute] = &[
    Attribute::string("value", "The number"),
    DISPLAY,
    TYPE.canonical(&["work", "home", "mobile", "fax", "pager", "other"]),
    PRIMARY,
];

const MESSAGING: &[Attribute] = &[
    Attribute::string("value", "The address in the service"),
    DISPLAY,
    TYPE.canonical(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
    PRIMARY,
];

const PHOTO: &[Attribute] = &[
    Attribute::reference("value", &["external"], "Where the picture is found"),
    DISPLAY,
    TYPE.canonical(&["photo", "thumbnail"]),
    PRIMARY,
];

const ADDRESS: &[Attribute] = &[
    Attribute::string("formatted", "The whole address, ready to show"),
    Attribute::string("streetAddress", "Street, house and what belongs to it"),
    Attribute::string("locality", "The town"),
    Attribute::string("region", "The state or region"),
    Attribute::string("postalCode", "The postal code"),
    Attribute::string("country", "The country, by its two letters in ISO 3166-1"),
    TYPE.canonical(&["work", "home", "other"]),
    PRIMARY,
];

const GROUP: &[Attribute] = &[
    Attribute::string("value", "The id of the group")
        .exact()
        .read_only(),
    Attribute::reference("$ref", &["Group"], "Where the group is found").read_only(),
    Attribute::string("display", "The group's name").read_only(),
    Attribute::string("type", "How the user came into the group")
        .canonical(&["direct", "indirect"])
        .read_only(),
];

const ENTITLEMENT: &[Attribute] = &[
    Attribute::string("value", "The entitlement"),
    DISPLAY,
    TYPE,
    PRIMARY,
];

const ROLE: &[Attribute] = &[
    Attribute::string("value", "The role"),
    DISPLAY,
    TYPE,
    PRIMARY,
];

const CERTIFICATE: &[Attribute] = &[
    Attribute::binary("value", "The certificate, in DER"),
    DISPLAY,
    TYPE,
    PRIMARY,
];

const DISPLAY: Attribute = Attribute::string("display", "A name for people to read");
const TYPE: Attribute = Attribute::string("type", "What kind of value this is");
const PRIMARY: Attribute = Attribute::boolean(
    "primary",
    "Whether this is the preferred value; at most one is",
);

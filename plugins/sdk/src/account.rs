//! Look-ups in what is known of a person.

use crate::{
    Account, Attribute, AttributeValue, Context, Grant, GrantKind, Mapped, Membership, User,
};

impl Account {
    /// The memberships that have not ended, ordered by the group's name.
    pub fn groups(&self) -> impl Iterator<Item = &Membership> {
        self.memberships
            .iter()
            .filter(|membership| membership.ended.is_none())
    }

    /// The rows of the mapping whose group the person is in now, each with what it refers to, in the
    /// administrator's order. A row whose group the person has left is not among them.
    pub fn mapped<'a>(&'a self, context: &'a Context) -> impl Iterator<Item = Mapped<'a>> {
        self.rows(context)
            .filter(|row| row.membership.ended.is_none())
    }

    /// The same, with the rows whose group the person has left.
    pub(crate) fn rows<'a>(&'a self, context: &'a Context) -> impl Iterator<Item = Mapped<'a>> {
        self.mapping
            .iter()
            .zip(0..)
            .map(|(entry, place)| Mapped::new(context, self, entry, place))
    }

    /// The user that is, or was, in the group; none for one that its provider deleted.
    #[must_use]
    pub fn user_of(&self, membership: &Membership) -> Option<&User> {
        self.users.get(membership.user? as usize)
    }

    /// The grants of one kind that the account has at the moment.
    pub fn grants_of(&self, kind: GrantKind) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(move |grant| grant.kind == kind)
    }

    /// Whether the account has this role or seat at the moment.
    #[must_use]
    pub fn has(&self, kind: GrantKind, name: &str) -> bool {
        self.grants_of(kind).any(|grant| grant.name == name)
    }

    /// The value of an attribute, of the first active user that has it, else of the first inactive
    /// one. For the name see [`User::attribute`].
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&AttributeValue> {
        let active = self.users.iter().filter(|user| user.active);
        let inactive = self.users.iter().filter(|user| !user.active);
        active.chain(inactive).find_map(|user| user.attribute(name))
    }

    /// The sentences of the last decision about the account's status, one of each lifecycle policy of
    /// the chain, in its order. They are where such a policy finds what it noted then.
    pub fn lifecycle_reasons(&self) -> impl Iterator<Item = &str> {
        let said = self.extra.iter();
        said.filter(|one| one.name == "lifecycle-reason")
            .map(|one| one.value.as_str())
    }

    /// Whether any of the users linked to the account is active.
    #[must_use]
    pub fn has_active_user(&self) -> bool {
        self.users.iter().any(|user| user.active)
    }
}

impl User {
    /// The value of an attribute of any schema, by its full path: `title`, `name.givenName`,
    /// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`. Names are the same
    /// in upper and lower case (RFC 7643, 2.1). What has a field of its own (`userName`,
    /// `displayName`, `active`, ...) is not found here.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&AttributeValue> {
        self.attributes
            .iter()
            .chain(&self.custom_attributes)
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
            .map(|attribute| &attribute.value)
    }
}

impl Attribute {
    /// An attribute of text.
    #[must_use]
    pub fn text(name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: AttributeValue::Text(value.to_owned()),
        }
    }
}

impl AttributeValue {
    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Truth(_) | Self::Integer(_) | Self::Decimal(_) | Self::Json(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{AttributeValue, GrantKind, testing};

    #[test]
    fn mapped_rows_are_those_of_present_groups_in_the_administrators_order() {
        let account = testing::account("ada@example.com")
            .left_group("Sales")
            .in_group("Support")
            .in_group("Engineering")
            .maps("Sales", GrantKind::BaseRole, "Admin")
            .maps("Support", GrantKind::CustomRole, "Auditor")
            .maps("Engineering", GrantKind::BaseRole, "Editor")
            .build();
        let context = testing::context();
        let rows: Vec<_> = account
            .mapped(&context)
            .map(|row| (row.target, row.membership.group_name.as_str()))
            .collect();
        assert_eq!(rows, [("Auditor", "Support"), ("Editor", "Engineering")]);
    }

    #[test]
    fn a_group_left_by_one_user_and_kept_by_another_is_present() {
        let account = testing::account("ada@example.com")
            .left_group("Sales")
            .in_group("Sales")
            .maps("Sales", GrantKind::BaseRole, "Admin")
            .build();
        assert_eq!(account.mapped(&testing::context()).count(), 1);
    }

    #[test]
    fn a_membership_leads_to_its_user() {
        let account = testing::account("ada@example.com")
            .in_group("Sales")
            .build();
        let user = account.user_of(&account.memberships[0]);
        assert_eq!(user, Some(&account.users[0]));
        let left = testing::account("ada@example.com")
            .left_group("Sales")
            .without_user()
            .build();
        assert_eq!(left.user_of(&left.memberships[0]), None);
    }

    #[test]
    fn attributes_are_found_whatever_the_case_and_the_active_user_goes_first() {
        let mut account = testing::account("ada@example.com")
            .attribute("userType", "Contractor")
            .build();
        assert_eq!(
            account
                .attribute("usertype")
                .and_then(AttributeValue::as_text),
            Some("Contractor")
        );
        assert_eq!(account.attribute("title"), None);

        let mut active = account.users[0].clone();
        active.attributes[0].value = AttributeValue::Text("Employee".to_owned());
        account.users[0].active = false;
        account.users.push(active);
        assert_eq!(
            account
                .attribute("userType")
                .and_then(AttributeValue::as_text),
            Some("Employee")
        );
    }
}

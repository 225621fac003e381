//! What the organization's mapping comes to, where a policy has no other opinion.

use crate::{Account, Context, GrantKind, Proposal, RoleDecision, log};
use std::collections::BTreeMap;

impl RoleDecision {
    /// The roles that the mapping gives the account for the groups it is in: the base role of the
    /// highest rank, and each custom role once, by name. Where several rows give one role, the first
    /// in the administrator's order is its reason. A row that names a role which the catalogue does
    /// not have gives nothing, and a line in the log says so.
    #[must_use]
    pub fn as_mapped(context: &Context, account: &Account) -> Self {
        let mut highest: Option<(u32, Proposal)> = None;
        let mut custom = BTreeMap::new();
        for (entry, membership) in account.entries() {
            let proposal =
                || Proposal::from_entry(entry, format!("member of \"{}\"", membership.group_name));
            match entry.kind {
                GrantKind::BaseRole => {
                    let Some(role) = context.catalogue.base_role(&entry.target) else {
                        not_in_catalogue(&entry.id, &entry.target);
                        continue;
                    };
                    if highest.as_ref().is_none_or(|(rank, _)| role.rank < *rank) {
                        highest = Some((role.rank, proposal()));
                    }
                }
                GrantKind::CustomRole => {
                    if context.catalogue.custom_role(&entry.target).is_none() {
                        not_in_catalogue(&entry.id, &entry.target);
                        continue;
                    }
                    custom.entry(entry.target.as_str()).or_insert_with(proposal);
                }
                GrantKind::Seat => {}
            }
        }
        let base = highest.map(|(_, proposal)| proposal);
        Self::of(base.into_iter().chain(custom.into_values()).collect())
    }

    /// The same, and the catalogue's default base role where there is no base role yet.
    #[must_use]
    pub fn or_default(mut self, context: &Context) -> Self {
        if self.base_role().is_none()
            && let Some(role) = context.catalogue.default_base_role()
        {
            self.roles
                .insert(0, Proposal::base_role(&role.name, "default role"));
        }
        self
    }

    /// The base role among the roles.
    #[must_use]
    pub fn base_role(&self) -> Option<&Proposal> {
        self.roles
            .iter()
            .find(|role| role.kind == GrantKind::BaseRole)
    }
}

fn not_in_catalogue(entry: &str, target: &str) {
    log::warn(&format!(
        "mapping entry {entry} gives \"{target}\", which the catalogue does not have"
    ));
}

#[cfg(test)]
mod tests {
    use crate::{Account, GrantKind, Proposal, RoleDecision, testing};

    fn mapped(account: &Account) -> Vec<(String, String, Option<String>)> {
        let told = |role: Proposal| (role.name, role.reason, role.mapping_entry);
        RoleDecision::as_mapped(&testing::context(), account)
            .roles
            .into_iter()
            .map(told)
            .collect()
    }

    fn row(name: &str, group: &str, entry: &str) -> (String, String, Option<String>) {
        (
            name.to_owned(),
            format!("member of \"{group}\""),
            Some(entry.to_owned()),
        )
    }

    #[test]
    fn the_highest_base_role_wins_whatever_the_order_of_the_rows() {
        let account = testing::account("ada@example.com")
            .in_group("Everyone")
            .in_group("Leads")
            .in_group("Engineering")
            .maps("Everyone", GrantKind::BaseRole, "Viewer")
            .maps("Leads", GrantKind::BaseRole, "Admin")
            .maps("Engineering", GrantKind::BaseRole, "Editor")
            .build();
        assert_eq!(mapped(&account), [row("Admin", "Leads", "entry-1")]);
    }

    #[test]
    fn the_first_row_is_the_reason_for_what_several_give() {
        let account = testing::account("ada@example.com")
            .in_group("Finance")
            .in_group("Board")
            .maps("Finance", GrantKind::CustomRole, "Billing")
            .maps("Board", GrantKind::CustomRole, "Billing")
            .maps("Board", GrantKind::CustomRole, "Auditor")
            .maps("Finance", GrantKind::BaseRole, "Admin")
            .maps("Board", GrantKind::BaseRole, "Admin")
            .build();
        assert_eq!(
            mapped(&account),
            [
                row("Admin", "Finance", "entry-3"),
                row("Auditor", "Board", "entry-2"),
                row("Billing", "Finance", "entry-0"),
            ]
        );
    }

    #[test]
    fn neither_seats_nor_groups_that_were_left_nor_unknown_roles_give_any() {
        let account = testing::account("ada@example.com")
            .left_group("Leads")
            .in_group("Engineering")
            .maps("Leads", GrantKind::BaseRole, "Admin")
            .maps("Engineering", GrantKind::Seat, "Full")
            .maps("Engineering", GrantKind::BaseRole, "Emperor")
            .maps("Engineering", GrantKind::CustomRole, "Jester")
            .build();
        assert_eq!(mapped(&account), []);
    }
}

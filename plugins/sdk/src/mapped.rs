//! What the organization's mapping comes to, where a policy has no other opinion.

use crate::{
    Account, Context, GrantKind, MappingEntry, Membership, Proposal, RoleDecision, SeatDecision,
};

/// A row of the mapping that is about a group of the account, with what it refers to.
/// [`Account::mapped`] goes through them.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Mapped<'a> {
    /// The row as the contract has it.
    pub entry: &'a MappingEntry,
    /// Its place in the account's `mapping`.
    pub place: u32,
    /// The name of the role or seat that it gives; of which kind says the entry.
    pub target: &'a str,
    /// The membership in the group that it is about.
    pub membership: &'a Membership,
}

impl<'a> Mapped<'a> {
    pub(crate) fn new(
        context: &'a Context,
        account: &'a Account,
        entry: &'a MappingEntry,
        place: u32,
    ) -> Self {
        Self {
            entry,
            place,
            target: context.catalogue.target(entry),
            membership: &account.memberships[entry.membership as usize],
        }
    }

    /// What it gives, for the reason `member of "Engineering"`.
    #[must_use]
    pub fn proposal(&self) -> Proposal {
        let reason = format!("member of \"{}\"", self.membership.group_name);
        Proposal::from_mapping(self, reason)
    }
}

impl RoleDecision {
    /// The roles that the mapping gives the account for the groups it is in: the base role of the
    /// highest rank, and each custom role once, by name. Where several rows give one role, the first
    /// in the administrator's order is its reason.
    #[must_use]
    pub fn as_mapped(context: &Context, account: &Account) -> Self {
        let base_roles = &context.catalogue.base_roles;
        let mut highest: Option<(u32, Mapped<'_>)> = None;
        let mut custom: Vec<Option<Mapped<'_>>> = vec![None; context.catalogue.custom_roles.len()];
        for row in account.mapped(context) {
            let target = row.entry.target as usize;
            match row.entry.kind {
                GrantKind::BaseRole => {
                    let rank = base_roles[target].rank;
                    if highest.is_none_or(|(other, _)| rank < other) {
                        highest = Some((rank, row));
                    }
                }
                GrantKind::CustomRole => _ = custom[target].get_or_insert(row),
                GrantKind::Seat => {}
            }
        }
        let mut custom: Vec<Mapped<'_>> = custom.into_iter().flatten().collect();
        custom.sort_unstable_by_key(|row| row.target);
        let base = highest.map(|(_, row)| row);
        let rows = base.into_iter().chain(custom);
        Self::of(rows.map(|row| row.proposal()).collect())
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

    /// Adds a role if the decision lacks it: of two base roles the higher stays. Says whether it was
    /// added.
    pub fn add(&mut self, context: &Context, role: Proposal) -> bool {
        match role.kind {
            GrantKind::BaseRole => {
                let outranks =
                    |present: &Proposal| context.catalogue.outranks(&role.name, &present.name);
                let is_added = self.base_role().is_none_or(outranks);
                if is_added {
                    self.roles.retain(|role| role.kind != GrantKind::BaseRole);
                    self.roles.insert(0, role);
                }
                is_added
            }
            GrantKind::CustomRole => add(&mut self.roles, role),
            GrantKind::Seat => false,
        }
    }

    /// The base role among the roles.
    #[must_use]
    pub fn base_role(&self) -> Option<&Proposal> {
        self.roles
            .iter()
            .find(|role| role.kind == GrantKind::BaseRole)
    }
}

impl SeatDecision {
    /// The seats that the mapping gives the account for the groups it is in, each once. Where
    /// several rows give one seat, the first in the administrator's order is its reason.
    #[must_use]
    pub fn as_mapped(context: &Context, account: &Account) -> Self {
        let mut decision = Self::of(Vec::new());
        let rows = account.mapped(context);
        for row in rows.filter(|row| row.entry.kind == GrantKind::Seat) {
            decision.add(row.proposal());
        }
        decision
    }

    /// Adds a seat if the decision lacks it, and says whether it did.
    pub fn add(&mut self, seat: Proposal) -> bool {
        seat.kind == GrantKind::Seat && add(&mut self.seats, seat)
    }
}

fn add(proposals: &mut Vec<Proposal>, one: Proposal) -> bool {
    let same = |known: &Proposal| known.kind == one.kind && known.name == one.name;
    let is_new = !proposals.iter().any(same);
    if is_new {
        proposals.push(one);
    }
    is_new
}

#[cfg(test)]
mod tests {
    use crate::{Account, Basis, GrantKind, Proposal, RoleDecision, SeatDecision, testing};

    fn mapped(account: &Account) -> Vec<(String, String, Basis)> {
        let told = |role: Proposal| (role.name, role.reason, role.basis);
        RoleDecision::as_mapped(&testing::context(), account)
            .roles
            .into_iter()
            .map(told)
            .collect()
    }

    fn row(name: &str, group: &str, place: u32) -> (String, String, Basis) {
        (
            name.to_owned(),
            format!("member of \"{group}\""),
            Basis::MappingEntry(place),
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
        assert_eq!(mapped(&account), [row("Admin", "Leads", 1)]);
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
                row("Admin", "Finance", 3),
                row("Auditor", "Board", 2),
                row("Billing", "Finance", 0),
            ]
        );
    }

    #[test]
    fn neither_seats_nor_groups_that_were_left_give_any() {
        let account = testing::account("ada@example.com")
            .left_group("Leads")
            .in_group("Engineering")
            .maps("Leads", GrantKind::BaseRole, "Admin")
            .maps("Engineering", GrantKind::Seat, "Full")
            .build();
        assert_eq!(mapped(&account), []);
    }

    #[test]
    fn seats_come_once_for_the_first_row_that_gives_them() {
        let account = testing::account("ada@example.com")
            .in_group("Sales")
            .in_group("Support")
            .maps("Support", GrantKind::Seat, "Full")
            .maps("Sales", GrantKind::Seat, "Full")
            .maps("Sales", GrantKind::BaseRole, "Admin")
            .build();
        let seats = SeatDecision::as_mapped(&testing::context(), &account).seats;
        assert_eq!(seats.len(), 1);
        assert_eq!(seats[0].reason, "member of \"Support\"");
    }

    #[test]
    fn of_two_base_roles_the_higher_stays_and_others_come_once() {
        let context = testing::context();
        let mut decision = RoleDecision::of(Vec::new());
        let base = |name| Proposal::base_role(name, "");
        for (role, is_added) in [
            (base("Viewer"), true),
            (Proposal::custom_role("Billing", ""), true),
            (base("Admin"), true),
            (base("Editor"), false),
            (base("Admin"), false),
            (Proposal::custom_role("Billing", ""), false),
            (Proposal::seat("Full", ""), false),
        ] {
            assert_eq!(decision.add(&context, role.clone()), is_added, "{role:?}");
        }
        let names: Vec<_> = decision.roles.iter().map(|role| &*role.name).collect();
        assert_eq!(names, ["Admin", "Billing"]);
    }
}

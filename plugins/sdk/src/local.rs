//! What did not come from a policy: given by a person, or had before the directory was connected.

use crate::{Account, Context, Grant, GrantKind, Proposal, RoleDecision, SeatDecision};

impl RoleDecision {
    /// Adds the roles that did not come from a policy. A base role given by hand stands above what
    /// the decision has: it was somebody's wish for this one person. One from before the directory
    /// gives way to it; so a default is to be added behind this.
    pub fn keep_local(&mut self, context: &Context, account: &Account) {
        let local = |kind, origin: &'static str| {
            account.grants_of(kind).filter(move |grant: &&Grant| {
                grant.origin == origin && context.catalogue.has(kind, &grant.name)
            })
        };
        let by_hand = local(GrantKind::BaseRole, "manual").next();
        let from_before = local(GrantKind::BaseRole, "import").next();
        if let Some(grant) = by_hand.or(from_before.filter(|_| self.base_role().is_none())) {
            self.roles.retain(|role| role.kind != GrantKind::BaseRole);
            self.roles.insert(0, Proposal::keep(grant));
        }
        for grant in
            local(GrantKind::CustomRole, "manual").chain(local(GrantKind::CustomRole, "import"))
        {
            self.add(context, Proposal::keep(grant));
        }
    }
}

impl SeatDecision {
    /// Adds the seats that did not come from a policy: given by hand, from before the directory, or
    /// from where a later host may say. They are not a policy's to take away.
    pub fn keep_local(&mut self, context: &Context, account: &Account) {
        for grant in account.grants_of(GrantKind::Seat) {
            if grant.origin != "policy" && context.catalogue.has(GrantKind::Seat, &grant.name) {
                self.add(Proposal::keep(grant));
            }
        }
    }
}

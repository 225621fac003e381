//! The settings of the shipped policies, as far as histories change them.

use super::{Hours, Status};

/// What becomes of a seat after leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fold) enum Leaving {
    Keep,
    For(Hours),
    Take,
}

/// The settings of the shipped policies.
#[derive(Clone, Debug)]
pub(in crate::fold) struct Rules {
    pub(in crate::fold) when_user_deleted: Status,
    pub(in crate::fold) in_no_group: Option<Status>,
    pub(in crate::fold) assigned: bool,
    pub(in crate::fold) grace: Option<Hours>,
    pub(in crate::fold) presence: Option<Presence>,
    pub(in crate::fold) default_role: &'static str,
    pub(in crate::fold) role_grace: Option<Hours>,
    pub(in crate::fold) default_seat: &'static str,
    pub(in crate::fold) leaving: Leaving,
    /// What holds for on-call alone, if it is another.
    pub(in crate::fold) on_call: Option<Leaving>,
    pub(in crate::fold) keeps_deactivated: bool,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::fold) struct Presence {
    /// Or all sources.
    pub(in crate::fold) only_chat: bool,
    pub(in crate::fold) max_age: Option<Hours>,
    pub(in crate::fold) over_directory: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            when_user_deleted: Status::Deactivated,
            in_no_group: None,
            assigned: false,
            grace: None,
            presence: None,
            default_role: "Standard",
            role_grace: None,
            default_seat: "viewer",
            leaving: Leaving::Keep,
            on_call: None,
            keeps_deactivated: false,
        }
    }
}

impl Rules {
    pub(in crate::fold) fn leaving(&self, seat: &str) -> Leaving {
        let own = self.on_call.filter(|_| seat == "on-call");
        own.unwrap_or(self.leaving)
    }
}

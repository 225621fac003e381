//! Rules in CEL, the Common Expression Language: what `rule-roles` and `rule-seats` have in common.
//!
//! A [`Rule`] is a condition, what it grants and a reason. [`Rules::compile`] reads the conditions
//! and says what is wrong with them before anybody is decided about: what is left to go wrong in a
//! decision is a value of another type than the rule expects. [`Rules::granted`] says what they come
//! to for one account.
//!
//! A condition sees the account and nothing else: no clock, no other account, no function that
//! reaches further. What depends on the time is a setting of the rule beside the condition, so that
//! the decision knows when it has to be asked again.

#![forbid(unsafe_code)]

mod check;
mod condition;
mod facts;
mod functions;
mod names;
mod person;
mod rule;

pub use rule::{Grant, Granted, Rule, Rules};

/// The most rules that one binding may have.
pub const MAX_RULES: usize = 200;

/// The most characters of a condition.
pub const MAX_CONDITION: usize = 2_000;

/// The most characters of a reason, and of the name of what is granted.
pub const MAX_TEXT: usize = 200;

/// How deep a condition may nest: in brackets, and in the operations that need each other's result.
const MAX_DEPTH: usize = 32;

/// How many of `all`, `exists`, `map` and the like may stand within each other.
const MAX_LOOPS: usize = 2;

#[cfg(test)]
mod tests;

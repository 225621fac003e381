//! Effects: what the application is told. Today it reads the event log; nothing is pushed yet.
//!
//! Who replays the log has the present users, memberships, grants and states of accounts. One
//! event stands for many rows: `group.deleted` ends all memberships of the group.

pub mod log;

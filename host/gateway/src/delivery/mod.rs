//! Effects: what the application is told. Today it reads the event log; nothing is pushed yet.

pub mod log;

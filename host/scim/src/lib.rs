//! SCIM 2.0 as pure code.
#![forbid(unsafe_code)]

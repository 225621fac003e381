//! Okta's dialect

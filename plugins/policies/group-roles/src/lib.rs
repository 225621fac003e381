//! Roles from groups

//! A provider that speaks SCIM as the RFC has it

//! Seats from groups

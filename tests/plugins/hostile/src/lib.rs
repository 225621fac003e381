//! A policy that misbehaves as its settings say, for tests

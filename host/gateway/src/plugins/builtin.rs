//! The plugins that come with the gateway, as `build.rs` found them.

include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

//! The files that come with the binary. See `build.rs`.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

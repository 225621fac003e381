//! Embeds the built-in plugins that `cargo xtask setup` built.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The plugins that come with the gateway.
const BUILT_IN: [&str; 13] = [
    "okta",
    "entra",
    "google",
    "onelogin",
    "jumpcloud",
    "ping",
    "cyberark",
    "generic",
    "group-lifecycle",
    "group-roles",
    "group-seats",
    "rule-roles",
    "rule-seats",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=GATEWRIGHT_PLUGINS");
    let folder = match env::var_os("GATEWRIGHT_PLUGINS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"))
            .join("../../target/plugins"),
    };
    let mut code = String::from(
        "/// Name and component of each.\npub(super) static BUILT_IN: &[(&str, &[u8])] = &[\n",
    );
    for name in BUILT_IN {
        let file = folder.join(format!("{name}.wasm"));
        println!("cargo:rerun-if-changed={}", file.display());
        let Ok(file) = file.canonicalize() else {
            panic!(
                "the built-in plugin {} is not built yet: run `cargo xtask setup` once",
                file.display()
            );
        };
        writeln!(code, "    ({name:?}, include_bytes!({file:?})),").expect("a string takes it");
    }
    code.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("builtin.rs"), code).expect("cargo's output folder can be written");
}

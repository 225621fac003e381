//! Embeds the built-in plugins that `cargo xtask setup` built, and what `gatewright plugin` hands to
//! plugin authors: templates, the SDK, the contract and the book.

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
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
    let mut code = String::new();
    for (name, about, folder) in EMBEDDED {
        let folder = root.join(folder);
        println!("cargo:rerun-if-changed={}", folder.display());
        let mut files = Vec::new();
        collect(&folder, &mut files);
        files.sort();
        writeln!(
            code,
            "/// {about}\npub(super) static {name}: &[(&str, &str)] = &["
        )
        .expect("a string takes it");
        for file in files {
            let path = file.strip_prefix(&folder).expect("it was found there");
            let full = file.canonicalize().expect("it was found there");
            writeln!(code, "    ({path:?}, include_str!({full:?})),").expect("a string takes it");
        }
        code.push_str("];\n");
    }
    fs::write(out.join("embedded.rs"), code).expect("cargo's output folder can be written");
}

/// Folders of texts: the constant, what it is, and where they are.
const EMBEDDED: [(&str, &str, &str); 4] = [
    (
        "TEMPLATES",
        "The templates of plugins.",
        "plugins/templates",
    ),
    ("SDK", "The SDK for Rust.", "plugins/sdk"),
    ("WIT", "The contract.", "wit"),
    ("BOOK", "The book.", "docs"),
];

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the repository is whole") {
        let path = entry.expect("the repository is whole").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

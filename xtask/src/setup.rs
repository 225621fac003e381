//! `cargo xtask setup`: builds the plugins.

use crate::{
    guest::{self, Choice},
    workspace::{Outcome, root, say, shown},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

/// Where crates of plugins are: each folder in one of these is one, and bears the package's name.
const SHELVES: [&str; 4] = [
    "plugins/providers",
    "plugins/policies",
    "tests/plugins",
    "examples/plugins",
];

// Part of other commands' arguments, whose structs have the same name.
#[derive(clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Which compiler to take, instead of the first that is found.
    #[arg(
        long,
        value_name = "TOOLCHAIN",
        value_enum,
        env = "GATEWRIGHT_GUEST_TOOLCHAIN"
    )]
    guest_toolchain: Option<Choice>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let toolchain = guest::find(args.guest_toolchain)?;
    let packages = packages()?;
    say(&format!("building {}", packages.join(", ")));
    let started = Instant::now();
    let built = toolchain.build(&packages)?;
    say(&format!(
        "built in {:.1} s",
        started.elapsed().as_secs_f32()
    ));

    let folder = root().join("target/plugins");
    fs::create_dir_all(&folder)
        .map_err(|error| format!("cannot make {}: {error}", shown(&folder)))?;
    for package in &packages {
        let from = built.join(format!("{}.wasm", package.replace('-', "_")));
        publish(&from, &folder.join(format!("{package}.wasm")))?;
    }
    Ok(())
}

/// The names of all plugin packages, in order.
fn packages() -> Outcome<Vec<String>> {
    let mut packages = Vec::new();
    for shelf in SHELVES {
        let shelf = root().join(shelf);
        let failed = |error| format!("cannot list {}: {error}", shown(&shelf));
        for entry in fs::read_dir(&shelf).map_err(failed)? {
            let folder: PathBuf = entry.map_err(failed)?.path();
            let name = folder.file_name().and_then(|name| name.to_str());
            if let (Some(name), true) = (name, folder.join("Cargo.toml").is_file()) {
                packages.push(name.to_owned());
            }
        }
    }
    packages.sort_unstable();
    Ok(packages)
}

/// Copies a component to where others look for it, but only if it differs from what is there: its
/// date is what tells cargo whether to compile again what includes it.
fn publish(from: &Path, to: &Path) -> Outcome {
    let component =
        fs::read(from).map_err(|error| format!("cannot read {}: {error}", shown(from)))?;
    let changed = fs::read(to).ok().as_ref() != Some(&component);
    if changed {
        // Beside it first, so that nobody reads half of one.
        let aside = to.with_extension("wasm.new");
        fs::write(&aside, &component)
            .and_then(|()| fs::rename(&aside, to))
            .map_err(|error| format!("cannot write {}: {error}", shown(to)))?;
    }
    say(&format!(
        "  {} ({} KiB{})",
        shown(to),
        component.len().div_ceil(1024),
        if changed { "" } else { ", unchanged" }
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{packages, publish};
    use std::{env, fs, process};

    #[test]
    fn finds_plugins_on_every_shelf() {
        let packages = packages().unwrap();
        for expected in [
            "contractors",
            "generic",
            "group-roles",
            "hostile",
            "okta",
            "entra",
        ] {
            assert!(
                packages.iter().any(|package| package == expected),
                "{expected} is not among {packages:?}"
            );
        }
    }

    #[test]
    fn leaves_a_component_alone_that_did_not_change() {
        let folder = env::temp_dir().join(format!("gatewright-xtask-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (from, to) = (folder.join("from"), folder.join("to.wasm"));
        fs::write(&from, "one").unwrap();
        publish(&from, &to).unwrap();
        let first = fs::metadata(&to).unwrap().modified().unwrap();
        publish(&from, &to).unwrap();
        assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), first);
        fs::write(&from, "two").unwrap();
        publish(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "two");
        fs::remove_dir_all(&folder).unwrap();
    }
}

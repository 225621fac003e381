//! The compiler that makes components: rustup's, or Debian's own packages where rustup's target
//! cannot be had.

use crate::debian;
use crate::workspace::{Outcome, output, root, say};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

const TARGET: &str = "wasm32-wasip2";

/// Debian's packages, of Debian 12 and later.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "wasi-libc"];

/// How long rustup may take to fetch the target, 20 MB or so.
const RUSTUP_LIMIT: Duration = Duration::from_secs(180);

/// What the outer cargo and rustup, or the developer for native builds, say to compilers, and the
/// inner cargo must not hear.
const NOT_FOR_GUESTS: [&str; 11] = [
    "CARGO",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "LD_LIBRARY_PATH",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
];

/// A developer's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Choice {
    /// rustup's toolchain with the target wasm32-wasip2, which is added if it is missing.
    Rustup,
    /// Debian's packages rustc-web, cargo-web, rust-web-src and wasi-libc, which are installed if
    /// they are missing and you are root. The linker is still that of the ordinary toolchain.
    Debian,
}

/// A compiler that is ready to build plugins.
#[derive(Debug)]
pub(crate) enum Toolchain {
    Rustup,
    Debian {
        /// Folders of rust-lld, wasm-ld and wasm-component-ld.
        linkers: Vec<PathBuf>,
        /// The folder of libc.a for WASI.
        libc: PathBuf,
    },
}

/// Finds a compiler, or installs one.
pub(crate) fn find(choice: Option<Choice>) -> Outcome<Toolchain> {
    if choice != Some(Choice::Debian) {
        if has_target() {
            say(&format!("compiling with this toolchain's {TARGET}"));
            return Ok(Toolchain::Rustup);
        }
        say(&format!("running: rustup target add {TARGET}"));
        if succeeds_within(
            Command::new("rustup").args(["target", "add", TARGET]),
            RUSTUP_LIMIT,
        ) && has_target()
        {
            return Ok(Toolchain::Rustup);
        }
        say("  this did not succeed");
    }
    if choice != Some(Choice::Rustup) {
        if !has_packages() && debian::is_root() {
            debian::install(&PACKAGES);
        }
        if has_packages() {
            say(&format!("compiling with Debian's {}", PACKAGES.join(", ")));
            return debian();
        }
    }
    Err(advice(choice))
}

impl Toolchain {
    /// Builds these packages and says in which folder the components are.
    pub(crate) fn build(&self, packages: &[String]) -> Outcome<PathBuf> {
        let target_dir = root().join("target/guest");
        let mut cargo = self.cargo();
        cargo
            .current_dir(root())
            .args(["build", "--profile", "plugin", "--target", TARGET])
            .arg("--target-dir")
            .arg(&target_dir);
        for package in packages {
            cargo.args(["--package", package]);
        }
        let status = cargo
            .status()
            .map_err(|error| format!("cannot run {:?}: {error}", cargo.get_program()))?;
        if status.success() {
            Ok(target_dir.join(TARGET).join("plugin"))
        } else {
            Err("the plugins do not compile; cargo said why above".to_owned())
        }
    }

    fn cargo(&self) -> Command {
        let mut flags = remapped_paths();
        let mut cargo = match self {
            Self::Rustup => Command::new("cargo"),
            Self::Debian { .. } => Command::new("/usr/bin/cargo"),
        };
        for name in NOT_FOR_GUESTS {
            cargo.env_remove(name);
        }
        if let Self::Debian { linkers, libc } = self {
            flags.push(format!("-Lnative={}", libc.display()));
            cargo
                .env("PATH", path_with(linkers))
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1")
                .args(["-Z", "build-std=std,panic_abort"]);
        }
        // Unlike RUSTFLAGS, this one has no trouble with a space in a path.
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
        cargo
    }
}

/// Flags that keep this machine's folders out of panic messages, so that a component is the same
/// wherever it was built.
fn remapped_paths() -> Vec<String> {
    let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = env::var_os("HOME")?;
        Some(Path::new(&home).join(".cargo"))
    });
    let folders = [(Some(root()), "/gatewright"), (cargo_home, "/cargo")];
    folders
        .into_iter()
        .filter_map(|(folder, name)| Some((folder?, name)))
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()))
        .collect()
}

/// Whether the toolchain in use has the standard library for the target.
fn has_target() -> bool {
    sysroot().is_some_and(|sysroot| sysroot.join("lib/rustlib").join(TARGET).is_dir())
}

fn sysroot() -> Option<PathBuf> {
    output("rustc", &["--print", "sysroot"]).map(PathBuf::from)
}

fn has_packages() -> bool {
    PACKAGES.iter().all(|package| {
        output("dpkg-query", &["--show", "--showformat=${Status}", package])
            .is_some_and(|status| status == "install ok installed")
    })
}

/// Debian's compiler has no linker for components, so that of the ordinary toolchain is taken.
fn debian() -> Outcome<Toolchain> {
    let sysroot = sysroot().ok_or("cannot run rustc")?;
    let host = output("rustc", &["--print", "host-tuple"]).ok_or("rustc does not say its host")?;
    let bin = sysroot.join("lib/rustlib").join(host).join("bin");
    if !bin.join("wasm-component-ld").is_file() {
        return Err(
            "this toolchain brings no wasm-component-ld; put rustup's rustc first on PATH"
                .to_owned(),
        );
    }
    let files = output("dpkg-query", &["--listfiles", "wasi-libc"]).unwrap_or_default();
    let libc = files
        .lines()
        .map(Path::new)
        .find(|file| file.ends_with("wasm32-wasi/libc.a"))
        .and_then(Path::parent)
        .ok_or("Debian's wasi-libc has no wasm32-wasi/libc.a")?;
    Ok(Toolchain::Debian {
        linkers: vec![bin.clone(), bin.join("gcc-ld")],
        libc: libc.to_owned(),
    })
}

/// PATH with Debian's programs first and these folders after them.
fn path_with(linkers: &[PathBuf]) -> OsString {
    let rest = env::var_os("PATH").unwrap_or_default();
    let folders = [PathBuf::from("/usr/bin")]
        .into_iter()
        .chain(linkers.iter().cloned())
        .chain(env::split_paths(&rest));
    env::join_paths(folders).unwrap_or(rest)
}

fn advice(choice: Option<Choice>) -> String {
    let rustup = format!("`rustup target add {TARGET}`");
    let debian = format!("`apt-get install {}` (as root)", PACKAGES.join(" "));
    let either = match choice {
        Some(Choice::Rustup) => rustup,
        Some(Choice::Debian) => debian,
        None => format!("{rustup} or, on Debian 12 or later, {debian}"),
    };
    format!("no compiler for {TARGET} here; run {either}, then `cargo xtask setup` again")
}

fn succeeds_within(command: &mut Command, limit: Duration) -> bool {
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if started.elapsed() < limit => thread::sleep(Duration::from_millis(100)),
            Ok(None) | Err(_) => {
                // Nothing is to be done where it cannot be ended.
                _ = child.kill();
                _ = child.wait();
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Choice, advice, succeeds_within};
    use std::{process::Command, time::Duration};

    #[test]
    fn a_program_that_hangs_is_ended() {
        let quick = Duration::from_millis(50);
        assert!(!succeeds_within(Command::new("sleep").arg("30"), quick));
        assert!(succeeds_within(
            &mut Command::new("true"),
            Duration::from_secs(30)
        ));
        assert!(!succeeds_within(
            &mut Command::new("false"),
            Duration::from_secs(30)
        ));
        assert!(!succeeds_within(
            &mut Command::new("no-such-program"),
            quick
        ));
    }

    #[test]
    fn advice_names_only_what_was_asked_for() {
        let both = advice(None);
        assert!(both.contains("rustup target add") && both.contains("rustc-web"));
        assert!(!advice(Some(Choice::Debian)).contains("rustup target add"));
        assert!(!advice(Some(Choice::Rustup)).contains("rustc-web"));
    }
}

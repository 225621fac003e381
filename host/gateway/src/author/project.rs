//! A plugin's project: a folder with a `gatewright-plugin.toml`.

use gatewright_sandbox::PluginKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::{fmt, fs, io};

/// The name of the file that makes a folder a project.
pub const MANIFEST: &str = "gatewright-plugin.toml";

/// The target of components.
const TARGET: &str = "wasm32-wasip2";

/// Why a project cannot be used or built.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// No folder above is a project.
    #[error(
        "{} is in no plugin's project: there is no {MANIFEST} in it or above; `gatewright plugin new` \
         makes one", .0.display()
    )]
    None(PathBuf),
    /// A file cannot be used.
    #[error("cannot {what} {}", .path.display())]
    File {
        /// What was to be done with it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The manifest is wrong.
    #[error("{}: {problem}", .path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A tool is missing.
    #[error("{what}; {remedy}, then run `gatewright plugin build` again")]
    Missing {
        /// What is missing.
        what: String,
        /// How to get it.
        remedy: String,
    },
    /// A command of the build failed; it has said why.
    #[error("`{command}` failed ({status})")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The build made no component.
    #[error("the build made no {}: [build] output in {MANIFEST} says where it is", .0.display())]
    NoOutput(PathBuf),
}

/// What kind of plugin it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Decides base role and custom roles
    Role,
    /// Decides seats
    Seat,
    /// Decides who may use the application
    Lifecycle,
    /// Mends what one identity provider sends
    Provider,
}

/// What it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// The fastest, and the smallest components
    Rust,
    /// With types checked by TypeScript; needs Node.js
    Javascript,
    /// Has no template yet: a project of it is written by hand, and needs Python 3.10 or later
    Python,
}

impl Kind {
    /// Its name in manifests and folders.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Seat => "seat",
            Self::Lifecycle => "lifecycle",
            Self::Provider => "provider",
        }
    }

    /// The slot that it is bound to; none for a provider plugin.
    #[must_use]
    pub fn slot(self) -> Option<&'static str> {
        match self {
            Self::Role => Some("roles"),
            Self::Seat => Some("seats"),
            Self::Lifecycle => Some("lifecycle"),
            Self::Provider => None,
        }
    }
}

impl From<Kind> for PluginKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Role => Self::Role,
            Kind::Seat => Self::Seat,
            Kind::Lifecycle => Self::Lifecycle,
            Kind::Provider => Self::Provider,
        }
    }
}

impl Language {
    /// Its name in manifests and folders.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Javascript => "javascript",
            Self::Python => "python",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the manifest says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    name: String,
    kind: Kind,
    language: Language,
    #[serde(default)]
    build: Build,
    #[serde(default, rename = "try")]
    trial: Trial,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    commands: Option<Vec<Vec<String>>>,
    output: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trial {
    #[serde(default)]
    settings: Map<String, Value>,
}

/// A project.
#[derive(Debug)]
pub struct Project {
    /// Its folder.
    pub folder: PathBuf,
    /// The plugin's name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Its language.
    pub language: Language,
    /// The settings to try it with.
    pub settings: Value,
    build: Build,
}

impl Project {
    /// The project of this folder, or of one above.
    ///
    /// # Errors
    /// Where there is none, or its manifest is wrong.
    pub fn find(from: &Path) -> Result<Self, ProjectError> {
        let file = |what, path: &Path, source| ProjectError::File {
            what,
            path: path.to_owned(),
            source,
        };
        let from = from
            .canonicalize()
            .map_err(|error| file("open", from, error))?;
        let folder = from
            .ancestors()
            .find(|folder| folder.join(MANIFEST).is_file())
            .ok_or_else(|| ProjectError::None(from.clone()))?;
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(|error| file("read", &path, error))?;
        let wrong = |problem: String| ProjectError::Manifest {
            path: path.clone(),
            problem,
        };
        let manifest: Manifest =
            toml::from_str(&text).map_err(|error| wrong(error.to_string().trim().to_owned()))?;
        check_name(&manifest.name).map_err(|why| wrong(format!("name: {why}")))?;
        Ok(Self {
            folder: folder.to_owned(),
            name: manifest.name,
            kind: manifest.kind,
            language: manifest.language,
            settings: Value::Object(manifest.trial.settings),
            build: manifest.build,
        })
    }

    /// Where `build` puts the component.
    #[must_use]
    pub fn component(&self) -> PathBuf {
        self.folder.join("dist").join(format!("{}.wasm", self.name))
    }

    /// The folder of its fixtures.
    #[must_use]
    pub fn fixtures(&self) -> PathBuf {
        self.folder.join("tests")
    }

    /// Runs the commands of the build and puts the component into `dist`. What they print goes to
    /// standard error, so that standard output stays the command's own.
    ///
    /// # Errors
    /// Where a tool is missing, a command fails, or no component was made. What was in `dist` is left
    /// as it was then.
    pub fn build(&self) -> Result<PathBuf, ProjectError> {
        self.check_tools()?;
        for command in self.commands() {
            self.run(&command)?;
        }
        let made = self.output();
        if !made.is_file() {
            return Err(ProjectError::NoOutput(made));
        }
        let component = self.component();
        let put = |source| ProjectError::File {
            what: "write",
            path: component.clone(),
            source,
        };
        if made == component {
            return Ok(component);
        }
        fs::create_dir_all(self.folder.join("dist")).map_err(put)?;
        // Under another name first: a gateway that watches the folder is never shown half of it.
        let half = component.with_extension("wasm.part");
        fs::copy(&made, &half).map_err(put)?;
        fs::rename(&half, &component).map_err(put)?;
        Ok(component)
    }

    fn commands(&self) -> Vec<Vec<String>> {
        if let Some(commands) = &self.build.commands {
            return commands.clone();
        }
        let list: &[&[&str]] = match self.language {
            Language::Rust => &[&["cargo", "build", "--release", "--target", TARGET]],
            Language::Javascript => &[
                &[
                    "npm",
                    "install",
                    "--no-audit",
                    "--no-fund",
                    "--prefer-offline",
                ],
                &["npm", "run", "build"],
            ],
            Language::Python => &[
                &["python3", "-m", "venv", ".venv"],
                &[
                    ".venv/bin/pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "-r",
                    "requirements.txt",
                ],
                &[".venv/bin/python", "build.py"],
            ],
        };
        let command = |words: &&[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        list.iter().map(command).collect()
    }

    fn output(&self) -> PathBuf {
        if let Some(output) = &self.build.output {
            return self.folder.join(output);
        }
        match self.language {
            Language::Rust => {
                let target = std::env::var_os("CARGO_TARGET_DIR")
                    .map_or_else(|| self.folder.join("target"), PathBuf::from);
                let file = format!("{}.wasm", self.name.replace('-', "_"));
                target.join(TARGET).join("release").join(file)
            }
            Language::Javascript | Language::Python => self.component(),
        }
    }

    fn run(&self, words: &[String]) -> Result<(), ProjectError> {
        let Some((program, arguments)) = words.split_first() else {
            return Ok(());
        };
        let mut command = Command::new(self.program(program));
        command.current_dir(&self.folder).args(arguments);
        command.stdout(io::stderr());
        let status = command.status().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ProjectError::Missing {
                what: format!("{program} was not found"),
                remedy: "install it, or change [build] commands in gatewright-plugin.toml".into(),
            },
            _ => ProjectError::File {
                what: "run",
                path: PathBuf::from(program),
                source,
            },
        })?;
        match status.success() {
            true => Ok(()),
            false => Err(ProjectError::Failed {
                command: words.join(" "),
                status,
            }),
        }
    }

    /// A program by a path is one of the project.
    fn program(&self, program: &str) -> PathBuf {
        match program.contains('/') {
            true => self.folder.join(program),
            false => PathBuf::from(program),
        }
    }

    /// What the commands would say in words that help nobody.
    fn check_tools(&self) -> Result<(), ProjectError> {
        if self.build.commands.is_some() {
            return Ok(());
        }
        let missing = |what: &str, remedy: &str| {
            Err(ProjectError::Missing {
                what: what.to_owned(),
                remedy: remedy.to_owned(),
            })
        };
        match self.language {
            Language::Rust => {
                if self.says("cargo", ["--version"]).is_none() {
                    return missing(
                        "cargo was not found",
                        "install Rust, by https://rustup.rs or your distribution",
                    );
                }
                let sysroot = self.says("rustc", ["--print", "sysroot"]);
                let has_target = sysroot.is_some_and(|sysroot| {
                    let libraries = Path::new(&sysroot).join("lib/rustlib");
                    libraries.join(TARGET).is_dir()
                });
                match has_target {
                    true => Ok(()),
                    false => missing(
                        &format!("this Rust toolchain has no target {TARGET}"),
                        &format!("run `rustup target add {TARGET}`"),
                    ),
                }
            }
            Language::Javascript => match self.says("npm", ["--version"]) {
                Some(_) => Ok(()),
                None => missing(
                    "npm was not found",
                    "install Node.js 20 or later, which brings it (Debian: `apt-get install npm`)",
                ),
            },
            Language::Python => match self.says("python3", ["-c", "import venv, ensurepip"]) {
                Some(_) => Ok(()),
                None => missing(
                    "python3 with its module venv was not found",
                    "install both (Debian: `apt-get install python3-venv`)",
                ),
            },
        }
    }

    fn says<S: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Option<String> {
        let mut command = Command::new(program);
        let output = command.current_dir(&self.folder).args(arguments).output();
        let output = output.ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

/// Whether a plugin can be called this: the contract's rule, and what is a name of a crate as well.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    let of_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let begins = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase());
    if (1..=64).contains(&name.len()) && name.bytes().all(of_name) && begins {
        return Ok(());
    }
    Err(format!(
        "\"{}\" is no name of a plugin: it takes 1 to 64 lower-case letters, digits and hyphens, a \
         letter first",
        name.escape_debug()
    ))
}

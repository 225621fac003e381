//! Makes projects of the templates that come with the binary.

use super::embedded::{SDK, TEMPLATES, WIT};
use super::project::{Kind, Language, MANIFEST, check_name};
use gatewright_sandbox::PluginKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Why no project was made. Nothing was written then, but where writing itself failed.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// The name cannot be one.
    #[error("{0}")]
    Name(String),
    /// There is something already.
    #[error("{} exists and is not empty: choose another --directory, or remove it", .0.display())]
    Exists(PathBuf),
    /// There is no template.
    #[error("there is no template of a {kind} plugin in {language}: there is one in {others}")]
    NoTemplate {
        /// The kind.
        kind: Kind,
        /// The language.
        language: Language,
        /// Languages that have one.
        others: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What is to be made.
#[derive(Debug)]
pub struct New<'a> {
    /// The plugin's name.
    pub name: &'a str,
    /// Its kind.
    pub kind: Kind,
    /// Its language.
    pub language: Language,
}

impl New<'_> {
    /// Writes the project into a folder that is not there, or is empty.
    ///
    /// # Errors
    /// [`NewError`].
    pub fn write(&self, folder: &Path) -> Result<(), NewError> {
        check_name(self.name).map_err(NewError::Name)?;
        let files = self.files()?;
        let is_free = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
        if !is_free {
            return Err(NewError::Exists(folder.to_owned()));
        }
        for (path, text) in files {
            put(&folder.join(path), &text)?;
        }
        write_sdk(folder, self.language)
    }

    fn files(&self) -> Result<Vec<(String, String)>, NewError> {
        let language = self.language.name();
        let own = format!("{language}/{}/", self.kind);
        let common = format!("{language}/common/");
        let fixtures = format!("fixtures/{}/", self.kind);
        if !TEMPLATES.iter().any(|(path, _)| path.starts_with(&own)) {
            let has = |language: &&Language| {
                let own = format!("{language}/{}/", self.kind);
                TEMPLATES.iter().any(|(path, _)| path.starts_with(&own))
            };
            let all = [Language::Rust, Language::Javascript, Language::Python];
            let others: Vec<&str> = all.iter().filter(has).map(|one| one.name()).collect();
            return Err(NewError::NoTemplate {
                kind: self.kind,
                language: self.language,
                others: others.join(", "),
            });
        }
        let mut files = vec![(MANIFEST.to_owned(), self.manifest())];
        for (path, text) in TEMPLATES {
            let path = if let Some(path) = path.strip_prefix(&own) {
                path.to_owned()
            } else if let Some(path) = path.strip_prefix(&common) {
                path.to_owned()
            } else if let Some(path) = path.strip_prefix(&fixtures) {
                format!("tests/{path}")
            } else {
                continue;
            };
            // Under its own name it would hide files of this repository.
            let path = match path.as_str() {
                "gitignore" => ".gitignore".to_owned(),
                _ => path,
            };
            files.push((path, self.fill(text)));
        }
        Ok(files)
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{{name}}", self.name)
            .replace("{{world}}", PluginKind::from(self.kind).world())
            .replace("{{summary}}", self.summary())
    }

    fn summary(&self) -> &'static str {
        match self.kind {
            Kind::Role => "Gives new accounts a modest role for their first days.",
            Kind::Seat => "Gives a seat to those who have one of some roles.",
            Kind::Lifecycle => "Deactivates the accounts of people of one type.",
            Kind::Provider => "Mends users of a provider that says yes and no for true and false.",
        }
    }

    fn manifest(&self) -> String {
        let settings = match self.kind {
            Kind::Role => "{ days = 30, role = \"Viewer\" }",
            Kind::Seat => "{ roles = [\"Owner\", \"Admin\"], seat = \"responder\" }",
            Kind::Lifecycle => "{ attribute = \"userType\", value = \"Alumni\" }",
            Kind::Provider => "{}",
        };
        format!(
            "# A plugin for Gatewright: `gatewright plugin --help` says what can be done with it.\n\
             name = \"{}\"\nkind = \"{}\"\nlanguage = \"{}\"\n\n\
             # What `gatewright plugin try` binds it with.\n[try]\nsettings = {settings}\n",
            self.name, self.kind, self.language,
        )
    }
}

/// Writes contract and SDK as this binary has them, in the place of what is there.
///
/// # Errors
/// Where a file cannot be written.
pub fn write_sdk(folder: &Path, language: Language) -> Result<(), NewError> {
    let base = folder.join(".gatewright");
    put(
        &base.join("VERSION"),
        concat!(env!("CARGO_PKG_VERSION"), "\n"),
    )?;
    for (path, text) in WIT.iter().filter(|(path, _)| path.ends_with(".wit")) {
        put(&base.join("wit").join(path), text)?;
    }
    if language != Language::Rust {
        return Ok(());
    }
    let sdk = base.join("plugins/sdk");
    for (path, text) in SDK.iter().filter(|(path, _)| *path != "Cargo.toml") {
        put(&sdk.join(path), text)?;
    }
    let manifest = TEMPLATES.iter().find(|(path, _)| *path == "rust/sdk.toml");
    put(
        &sdk.join("Cargo.toml"),
        manifest.map_or("", |(_, text)| text),
    )
}

fn put(path: &Path, text: &str) -> Result<(), NewError> {
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, text)
    };
    write().map_err(|source| NewError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::TEMPLATES;
    use toml::{Table, Value};

    /// Outside of the workspace the SDK is built with what it is built with inside.
    #[test]
    fn the_sdk_of_projects_has_the_workspaces_dependencies() {
        let parse = |text: &str| text.parse::<Table>().unwrap();
        let outside = TEMPLATES.iter().find(|(path, _)| *path == "rust/sdk.toml");
        let outside = parse(outside.unwrap().1);
        let sdk = parse(include_str!("../../../../plugins/sdk/Cargo.toml"));
        let workspace = parse(include_str!("../../../../Cargo.toml"));
        let versions = &workspace["workspace"]["dependencies"];
        let own = sdk["dependencies"].as_table().unwrap();
        let copied = outside["dependencies"].as_table().unwrap();
        assert_eq!(
            own.keys().collect::<Vec<_>>(),
            copied.keys().collect::<Vec<_>>()
        );
        for (name, dependency) in own {
            let mut wanted = match &versions[name] {
                Value::String(version) => {
                    Table::from_iter([("version".to_owned(), Value::String(version.clone()))])
                }
                table => table.as_table().unwrap().clone(),
            };
            if let Some(more) = dependency.get("features") {
                let features = wanted.entry("features").or_insert(Value::Array(Vec::new()));
                let more = more.as_array().unwrap().clone();
                features.as_array_mut().unwrap().extend(more);
            }
            let found = match &copied[name] {
                Value::String(version) => {
                    Table::from_iter([("version".to_owned(), Value::String(version.clone()))])
                }
                table => table.as_table().unwrap().clone(),
            };
            assert_eq!(found, wanted, "{name}");
        }
        let of_workspace = &workspace["workspace"]["package"];
        for key in ["version", "edition", "license"] {
            assert_eq!(outside["package"][key], of_workspace[key], "{key}");
        }
    }
}

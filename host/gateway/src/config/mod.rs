//! The configuration file, in two stages: TOML is read key by key, collecting everything that is
//! wrong with it; what comes out is checked and complete.

mod section;

use crate::directory::requests::Keep;
use crate::gateway::{Options, RequestLimits};
use crate::rate::Rate;
use crate::telemetry::LogFormat;
use section::{Problems, Section};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What clients call the gateway; none: by the address it listens on.
    pub public_url: Option<String>,
    /// Certificate chain and private key, PEM; none: plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The file that holds the operator's key; made at the first start.
    pub operator_key_file: PathBuf,
    /// The gateway itself.
    pub options: Options,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_level: String,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not TOML", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Why, with line and column.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Keys or values are wrong: all of them.
    #[error("{} has mistakes:{}", .path.display(), Listed(.problems))]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// One sentence for each.
        problems: Vec<String>,
    },
}

struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl Config {
    /// Reads a configuration file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// Where the file cannot be read, is not TOML, or has mistakes: then all of them at once.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, path, folder)
    }

    fn parse(text: &str, path: &Path, folder: &Path) -> Result<Self, ConfigError> {
        let table: toml::Table = text.parse().map_err(|source| ConfigError::Syntax {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        let problems = Problems::default();
        let config = build(Section::root(table, &problems), folder);
        let problems = problems.into_list();
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(ConfigError::Mistakes {
                path: path.to_owned(),
                problems,
            }),
        }
    }
}

fn build(mut root: Section<'_>, folder: &Path) -> Option<Config> {
    let mut server = root.section("server");
    let listen = server.parsed("listen", "an address such as \"127.0.0.1:8443\"");
    let public_url = server
        .text("public_url")
        .map(|url| url.trim_end_matches('/').to_owned());
    if public_url
        .as_ref()
        .is_some_and(|url| !url.starts_with("http"))
    {
        server.problem("public_url", "must begin with https:// or http://");
    }
    let plain = server.flag("allow_plain_http").unwrap_or(false);
    let mut tls = server.section("tls");
    let files = (tls.path("certificate", folder), tls.path("key", folder));
    let tls_given = !tls.is_absent();
    tls.finish();
    let tls = match files {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) if !tls_given => None,
        _ => {
            server.problem(
                "tls",
                "needs both `certificate` and `key`, paths of PEM files",
            );
            None
        }
    };
    let listen: Option<SocketAddr> = server.required("listen", listen);
    if let Some(listen) = listen
        && tls.is_none()
        && !plain
        && !listen.ip().is_loopback()
    {
        server.problem(
            "listen",
            "is not a loopback address: configure [server.tls], or say allow_plain_http = true \
             where something in front does TLS",
        );
    }
    server.finish();

    let mut storage = root.section("storage");
    let data = storage.path("path", folder);
    let data = storage.required("path", data);
    let mut options = Options::new(data.clone().unwrap_or_default());
    if let Some(mib) = storage.integer("cache_mib", 8..=1 << 20) {
        options.cache_bytes = mib << 20;
    }
    storage.finish();

    let mut operator = root.section("operator");
    let key_file = operator.path("key_file", folder);
    let operator_key_file = operator.required("key_file", key_file);
    operator.finish();

    let mut section = root.section("limits");
    rate(&mut section, &mut options.rate);
    limits(section, &mut options.limits);
    requests(root.section("requests"), &mut options.requests);
    plugins(root.section("plugins"), folder, &mut options);

    let mut workers = root.section("workers");
    workers.set("requests", 1..=1_024, &mut options.workers);
    workers.set("reconcilers", 1..=64, &mut options.reconcilers);
    workers.finish();

    let mut dns = root.section("dns");
    options.resolver = dns.parsed("resolver", "an address such as \"10.0.0.2:53\"");
    dns.finish();

    let mut log = root.section("log");
    let log_format = match log.text("format").as_deref() {
        None | Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(_) => {
            log.problem("format", "must be \"text\" or \"json\"");
            LogFormat::Text
        }
    };
    let log_level = log.text("level").unwrap_or_else(|| "info".into());
    if let Err(problem) = crate::telemetry::filter(&log_level) {
        log.problem("level", &problem);
    }
    log.finish();
    root.finish();

    Some(Config {
        listen: listen?,
        public_url,
        tls,
        operator_key_file: operator_key_file?,
        options,
        log_format,
        log_level,
    })
}

fn rate(section: &mut Section<'_>, rate: &mut Rate) {
    if let Some(number) = section.integer("requests_per_second", 0..=1_000_000) {
        rate.per_second = u32::try_from(number).unwrap_or(u32::MAX);
    }
    if let Some(number) = section.integer("request_burst", 1..=1_000_000) {
        rate.burst = u32::try_from(number).unwrap_or(u32::MAX);
    }
}

fn limits(mut section: Section<'_>, limits: &mut RequestLimits) {
    section.set("body_bytes", 1_024..=1 << 30, &mut limits.body);
    section.set("group_body_bytes", 1_024..=1 << 30, &mut limits.group_body);
    section.set("bulk_body", 1_024..=1 << 30, &mut limits.bulk_body);
    section.set("bulk_operations", 1..=100_000, &mut limits.bulk_operations);
    section.set("component_bytes", 1_024..=1 << 30, &mut limits.component);
    section.set("json_depth", 4..=512, &mut limits.scim.json_depth);
    section.set("filter_depth", 1..=512, &mut limits.scim.filter_depth);
    section.set("filter_terms", 1..=10_000, &mut limits.scim.filter_terms);
    section.set(
        "patch_operations",
        1..=1_000_000,
        &mut limits.scim.patch_operations,
    );
    section.set("max_results", 1..=10_000, &mut limits.scim.max_results);
    section.finish();
}

fn requests(mut section: Section<'_>, keep: &mut Keep) {
    if let Some(days) = section.integer("keep_days", 1..=3_650) {
        keep.days = days as u64;
    }
    if let Some(rows) = section.integer("max_rows", 0..=10_000_000) {
        keep.rows = rows as u64;
    }
    if let Some(mib) = section.integer("max_mib", 1..=1 << 20) {
        keep.bytes = (mib as u64) << 20;
    }
    section.finish();
}

fn plugins(mut section: Section<'_>, folder: &Path, options: &mut Options) {
    options.plugin_folder = section.path("folder", folder);
    call(section.section("policy"), &mut options.policy_limits);
    call(section.section("provider"), &mut options.provider_limits);
    section.finish();
}

fn call(mut section: Section<'_>, limits: &mut gatewright_sandbox::Limits) {
    if let Some(ms) = section.integer("time_ms", 5..=60_000) {
        limits.time = Duration::from_millis(ms as u64);
    }
    if let Some(mib) = section.integer("memory_mib", 2..=4_096) {
        limits.memory = (mib as u64) << 20;
    }
    if let Some(kib) = section.integer("output_kib", 1..=1 << 20) {
        limits.output = (kib as u64) << 10;
    }
    if let Some(kib) = section.integer("log_kib", 0..=1 << 16) {
        limits.log = (kib as u64) << 10;
    }
    section.finish();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Vec<String>> {
        match Config::parse(text, Path::new("test.toml"), Path::new("/etc/gatewright")) {
            Ok(config) => Ok(config),
            Err(ConfigError::Mistakes { problems, .. }) => Err(problems),
            Err(other) => Err(vec![crate::telemetry::chain(&other)]),
        }
    }

    const LEAST: &str = "[server]\nlisten = \"127.0.0.1:8080\"\n[storage]\npath = \"data\"\n\
                         [operator]\nkey_file = \"operator.key\"\n";

    #[test]
    fn the_least_configuration_has_defaults() {
        let config = parse(LEAST).unwrap();
        assert_eq!(config.options.data, Path::new("/etc/gatewright/data"));
        assert_eq!(config.options.limits.body, 1 << 20);
        let rate = config.options.rate;
        assert_eq!((rate.per_second, rate.burst), (50, 200));
        assert_eq!(config.log_level, "info");
        assert!(config.tls.is_none());
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        let problems = parse(
            "[server]\nlisten = 80\nlistn = \"x\"\n[storage]\ncache_mib = \"much\"\n\
             [limits]\njson_depth = 1\n[colour]\nred = 1\n[log]\nformat = \"xml\"\n",
        )
        .unwrap_err();
        let all = problems.join("\n");
        for expected in [
            "server.listen: is an integer, must be a text",
            "server.listn: is not known; known here: ",
            "storage.cache_mib: is a text, must be a whole number",
            "storage.path: is missing",
            "operator.key_file: is missing",
            "limits.json_depth: must be from 4 to 512",
            "colour: is not known",
            "log.format: must be",
        ] {
            assert!(all.contains(expected), "no {expected:?} in:\n{all}");
        }
    }

    #[test]
    fn plain_http_beyond_loopback_must_be_said() {
        let open = LEAST.replace("127.0.0.1", "0.0.0.0");
        assert!(parse(&open).unwrap_err()[0].contains("server.listen: is not a loopback address"));
        assert!(parse(&open.replace("[storage]", "allow_plain_http = true\n[storage]")).is_ok());
    }

    #[test]
    fn a_resolver_is_an_address() {
        let with = |address: &str| parse(&format!("{LEAST}[dns]\nresolver = \"{address}\"\n"));
        let resolver = with("10.0.0.2:53").unwrap().options.resolver;
        assert_eq!(resolver, Some(([10, 0, 0, 2], 53).into()));
        assert!(parse(LEAST).unwrap().options.resolver.is_none());
        assert!(with("dns.acme.test").unwrap_err()[0].contains("dns.resolver: "));
    }

    #[test]
    fn a_plugin_folder_is_a_path() {
        let with = |folder: &str| parse(&format!("{LEAST}[plugins]\nfolder = \"{folder}\"\n"));
        let folder = with("dropped").unwrap().options.plugin_folder;
        assert_eq!(folder, Some(PathBuf::from("/etc/gatewright/dropped")));
        assert!(parse(LEAST).unwrap().options.plugin_folder.is_none());
        assert!(with("").unwrap_err()[0].contains("plugins.folder: must not be empty"));
    }

    #[test]
    fn half_a_tls_section_is_a_mistake() {
        let half = LEAST.replace("[storage]", "[server.tls]\nkey = \"k.pem\"\n[storage]");
        assert!(parse(&half).unwrap_err()[0].contains("server.tls: needs both"));
    }

    #[test]
    fn syntax_errors_say_where() {
        let problems = parse("[server\n").unwrap_err();
        assert!(problems[0].contains("line 1"), "{problems:?}");
    }
}

//! Reads a TOML table key by key, and remembers what was asked for: what is left is not known.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use toml::Value;

/// Everything that is wrong, in the order in which it was found.
#[derive(Default)]
pub(super) struct Problems(RefCell<Vec<String>>);

impl Problems {
    pub(super) fn into_list(self) -> Vec<String> {
        self.0.into_inner()
    }
}

/// A table of the file.
pub(super) struct Section<'a> {
    /// Its name with a dot behind it; empty at the root.
    path: String,
    table: toml::Table,
    absent: bool,
    known: Vec<&'static str>,
    problems: &'a Problems,
}

impl<'a> Section<'a> {
    pub(super) fn root(table: toml::Table, problems: &'a Problems) -> Self {
        Self {
            path: String::new(),
            table,
            absent: false,
            known: Vec::new(),
            problems,
        }
    }

    /// A table within this one; empty where it is not there.
    pub(super) fn section(&mut self, name: &'static str) -> Section<'a> {
        let value = self.take(name);
        let absent = value.is_none();
        let table = match value {
            Some(Value::Table(table)) => table,
            Some(other) => {
                self.mistyped::<()>(name, &other, "a table");
                toml::Table::new()
            }
            None => toml::Table::new(),
        };
        let path = format!("{}{name}.", self.path);
        Section {
            path,
            table,
            absent,
            known: Vec::new(),
            problems: self.problems,
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        self.absent
    }

    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            other => self.mistyped(name, &other, "a text"),
        }
    }

    pub(super) fn parsed<T: FromStr>(&mut self, name: &'static str, what: &str) -> Option<T> {
        let text = self.text(name)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.problem(name, &format!("\"{text}\" is not {what}"));
        }
        parsed
    }

    pub(super) fn path(&mut self, name: &'static str, folder: &Path) -> Option<PathBuf> {
        let text = self.text(name)?;
        if text.is_empty() {
            self.problem(name, "must not be empty");
            return None;
        }
        Some(folder.join(text))
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.take(name)? {
            Value::Boolean(flag) => Some(flag),
            other => self.mistyped(name, &other, "true or false"),
        }
    }

    pub(super) fn integer(
        &mut self,
        name: &'static str,
        range: RangeInclusive<usize>,
    ) -> Option<usize> {
        let number = match self.take(name)? {
            Value::Integer(number) => usize::try_from(number).ok(),
            other => return self.mistyped(name, &other, "a whole number"),
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            self.problem(name, &format!("must be from {least} to {most}"));
        }
        number
    }

    /// Sets `target` where the key is there.
    pub(super) fn set(
        &mut self,
        name: &'static str,
        range: RangeInclusive<usize>,
        target: &mut usize,
    ) {
        if let Some(number) = self.integer(name, range) {
            *target = number;
        }
    }

    /// Notes that a key must be there; not where something is wrong with it already.
    pub(super) fn required<T>(&self, name: &str, value: Option<T>) -> Option<T> {
        let field = format!("{}{name}:", self.path);
        let reported = self
            .problems
            .0
            .borrow()
            .iter()
            .any(|known| known.starts_with(&field));
        if value.is_none() && !reported {
            self.problem(name, "is missing");
        }
        value
    }

    pub(super) fn problem(&self, name: &str, text: &str) {
        self.problems
            .0
            .borrow_mut()
            .push(format!("{}{name}: {text}", self.path));
    }

    /// Notes the keys that nobody asked for.
    pub(super) fn finish(self) {
        let known = self.known.join(", ");
        for name in self.table.keys() {
            self.problem(name, &format!("is not known; known here: {known}"));
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.table.remove(name)
    }

    fn mistyped<T>(&self, name: &str, found: &Value, wanted: &str) -> Option<T> {
        let found = match found {
            Value::String(_) => "a text",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a decimal number",
            Value::Boolean(_) => "true or false",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        };
        self.problem(name, &format!("is {found}, must be {wanted}"));
        None
    }
}

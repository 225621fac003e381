use super::{elements, target::Target};
use crate::{
    Error,
    reading::{Reading, read, read_one, settle},
};
use serde_json::{Map, Value, map::Entry};

/// The three operations of RFC 7644 section 3.5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Add,
    Replace,
    Remove,
}

/// One change of one attribute, its value already of the attribute's type.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    action: Action,
    target: Target,
    value: Value,
    /// Whether a value filter that selects nothing is an error.
    strict: bool,
}

impl Action {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
        }
    }
}

impl Change {
    /// Reads the value of an addition or replacement.
    pub(crate) fn set(
        action: Action,
        target: Target,
        value: Value,
        reading: &mut Reading,
    ) -> Result<Self, Error> {
        let at = target.to_string();
        let value = if target.path.sub.is_some() || target.filter.is_some() {
            read_one(target.path.leaf(), value, &at, reading)?
        } else {
            read(target.path.attribute, value, &at, reading)?
        };
        Ok(Self {
            action,
            target,
            value,
            strict: reading.is_strict(),
        })
    }

    /// A removal: of the whole target, or, where a value is given for a whole multi-valued
    /// attribute, of the elements that the value names (T5).
    pub(crate) fn remove(
        target: Target,
        value: Option<Value>,
        reading: &mut Reading,
    ) -> Result<Self, Error> {
        let names_elements = target.path.attribute.multi_valued
            && target.filter.is_none()
            && target.path.sub.is_none();
        let value = match value {
            Some(value) if names_elements => {
                let at = target.to_string();
                let value = read(target.path.attribute, value, &at, reading)?;
                if value.as_array().is_some_and(Vec::is_empty) {
                    // A list of nothing to remove is not a removal of everything.
                    reading.ignored.push(at);
                }
                value
            }
            _ => Value::Null,
        };
        Ok(Self {
            action: Action::Remove,
            target,
            value,
            strict: reading.is_strict(),
        })
    }

    /// Whether a required attribute of the RFC's would be left without a value. Those of declared
    /// schemas are looked at when all is done, for the whole schema may go.
    pub(crate) fn unassigns_required(&self) -> bool {
        let path = &self.target.path;
        path.attribute.required
            && path.schema.is_none()
            && path.sub.is_none()
            && (self.action == Action::Remove || self.value.is_null())
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Makes the change in a canonical document.
    pub(crate) fn apply(&self, document: &mut Map<String, Value>) -> Result<(), Error> {
        let Some(schema) = self.target.path.schema else {
            return self.apply_in(document);
        };
        let mut holder = match document.shift_remove(schema.id) {
            Some(Value::Object(holder)) => holder,
            _ => Map::new(),
        };
        let result = self.apply_in(&mut holder);
        if !holder.is_empty() {
            document.insert(schema.id.into(), Value::Object(holder));
        }
        result
    }

    fn apply_in(&self, holder: &mut Map<String, Value>) -> Result<(), Error> {
        let path = &self.target.path;
        let name = path.attribute.name;
        if path.attribute.multi_valued {
            let mut list = match holder.get_mut(name).map(Value::take) {
                Some(Value::Array(list)) => list,
                _ => Vec::new(),
            };
            elements::apply(
                self.action,
                &self.target,
                &self.value,
                self.strict,
                &mut list,
            )?;
            if list.is_empty() {
                holder.shift_remove(name);
            } else {
                holder.insert(name.into(), Value::Array(list));
            }
            return Ok(());
        }
        match (path.sub, self.action) {
            (None, Action::Remove) => {
                holder.shift_remove(name);
            }
            (None, Action::Add | Action::Replace) => match &self.value {
                Value::Null => {
                    holder.shift_remove(name);
                }
                Value::Object(given) => merge_into(holder, name, given),
                simple => {
                    holder.insert(name.into(), simple.clone());
                }
            },
            (Some(sub), action) => {
                let value = match action {
                    Action::Remove => Value::Null,
                    Action::Add | Action::Replace => self.value.clone(),
                };
                merge_into(holder, name, &Map::from_iter([(sub.name.into(), value)]));
            }
        }
        Ok(())
    }
}

/// Sets the sub-attributes that are given, clears those given as null, and keeps the others (RFC
/// 7644 sections 3.5.2.1 and 3.5.2.3).
pub(crate) fn merge(existing: &mut Map<String, Value>, given: &Map<String, Value>) {
    let other_value = given
        .get("value")
        .is_some_and(|value| existing.get("value") != Some(value));
    if other_value && !given.contains_key("$ref") {
        // It led to what the former value named.
        existing.shift_remove("$ref");
    }
    for (name, value) in given {
        if value.is_null() {
            existing.shift_remove(name);
        } else {
            existing.insert(name.clone(), value.clone());
        }
    }
}

fn merge_into(holder: &mut Map<String, Value>, name: &str, given: &Map<String, Value>) {
    match holder.entry(name) {
        Entry::Occupied(mut entry) => {
            if let Value::Object(existing) = entry.get_mut() {
                merge(existing, given);
                if existing.is_empty() {
                    entry.shift_remove();
                }
            }
        }
        Entry::Vacant(entry) => {
            if let Some(value) = settle(Value::Object(given.clone())) {
                entry.insert(value);
            }
        }
    }
}

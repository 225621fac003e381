//! What is kept of a body, a query and a path: no secret, if it is masked no personal value, and
//! not more than a bound.

mod mask;
mod secrets;
#[cfg(test)]
mod tests;

use super::Answered;
use crate::model::requests::{Kept, KeptBody};
use serde_json::Value;

/// Bytes that are kept of one text.
pub(super) const KEPT: usize = 64 << 10;
/// A larger body is not parsed. What then holds a word for a secret is not kept.
pub const PARSED: usize = 1 << 20;

/// What to take out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// Personal values too.
    pub(crate) mask: bool,
    /// It is about groups, whose names are nobody's.
    pub(crate) groups: bool,
}

/// A body before it is stored.
pub(super) struct Body {
    pub(super) kept: KeptBody,
    /// Its JSON as it came, as far as it was read.
    pub(super) json: Option<Value>,
    /// The same without what was taken out, where something was.
    clean: Option<Value>,
}

impl Body {
    /// Its JSON without what was taken out.
    pub(super) fn clean(&self) -> Option<&Value> {
        if self.kept.kept == Kept::Nothing {
            return None;
        }
        self.clean.as_ref().or(self.json.as_ref())
    }
}

/// The secrets that were taken out of one request, so that they are not kept in what others made
/// of it either.
#[derive(Default)]
pub(super) struct Found(Vec<String>);

impl Found {
    /// Shorter ones are in every other text.
    const LEAST: usize = 6;

    fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.len() >= Self::LEAST => self.0.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(object) => object.values().for_each(|value| self.add(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn is_in(&self, text: &str) -> bool {
        self.0.iter().any(|secret| {
            let quoted = Value::from(secret.as_str()).to_string();
            text.contains(secret.as_str()) || text.contains(&quoted[1..quoted.len() - 1])
        })
    }
}

/// What is kept of a body.
pub(super) fn body(bytes: &[u8], rules: Rules, found: &mut Found) -> Option<Body> {
    read(bytes, bytes.len(), rules, found, true)
}

/// What is kept of an answer. One that nobody looks into is read only where something may have to
/// be taken out.
pub(super) fn answer(
    answer: &Answered,
    rules: Rules,
    found: &mut Found,
    needed: bool,
) -> Option<Body> {
    let Answered { beginning, length } = answer;
    // A character may be cut at its end.
    let beginning = match std::str::from_utf8(beginning) {
        Err(cut) if *length > beginning.len() => &beginning[..cut.valid_up_to()],
        Ok(_) | Err(_) => beginning,
    };
    read(beginning, *length, rules, found, needed)
}

/// Reads a text of which the beginning is there.
fn read(
    bytes: &[u8],
    length: usize,
    rules: Rules,
    found: &mut Found,
    needed: bool,
) -> Option<Body> {
    if bytes.is_empty() {
        return None;
    }
    let is_large = length > PARSED;
    let length = length as u64;
    let nothing = |json| Body {
        kept: KeptBody {
            text: String::new(),
            bytes: length,
            kept: Kept::Nothing,
            removed: false,
        },
        json,
        clean: None,
    };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Some(nothing(None));
    };
    let suspect = secrets::is_named(text) || found.is_in(text);
    let may_stay = !suspect && !rules.mask;
    if is_large && !may_stay {
        return Some(nothing(None));
    }
    if is_large || (may_stay && !needed) {
        return Some(Body {
            kept: cut(text, length, false),
            json: None,
            clean: None,
        });
    }
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        return Some(nothing(None));
    };
    if may_stay {
        return Some(Body {
            kept: cut(text, length, false),
            json: Some(json),
            clean: None,
        });
    }
    let mut clean = json.clone();
    let removed = suspect && secrets::remove(&mut clean, found);
    if rules.mask {
        mask::mask(&mut clean, rules);
    }
    // What was read is trusted, and not the text, which may say a thing twice.
    let text = clean.to_string();
    if found.is_in(&text) {
        return Some(nothing(Some(json)));
    }
    Some(Body {
        kept: cut(&text, length, removed),
        json: Some(json),
        clean: Some(clean),
    })
}

/// The beginning of a text of so many bytes, and whether that is all of it.
fn cut(text: &str, bytes: u64, removed: bool) -> KeptBody {
    let is_whole = text.len() <= KEPT && bytes <= PARSED as u64;
    KeptBody {
        text: text[..text.floor_char_boundary(KEPT)].to_owned(),
        kept: if is_whole { Kept::Whole } else { Kept::Cut },
        bytes,
        removed,
    }
}

/// What is kept of query parameters, encoded.
pub(super) fn query(pairs: &[(String, String)], rules: Rules, found: &mut Found) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        let clean = parameter(name, value, rules, found);
        encoded.append_pair(name, &clean);
    }
    let mut encoded = encoded.finish();
    encoded.truncate(KEPT);
    encoded
}

fn parameter(name: &str, value: &str, rules: Rules, found: &mut Found) -> String {
    if secrets::is_named(name) {
        found.add(&Value::from(value));
        return secrets::REMOVED.into();
    }
    match secrets::within(name, value, found) {
        Some(clean) => clean,
        None if rules.mask => mask::parameter(name, value),
        None => value.to_owned(),
    }
}

/// What is kept of a path. An id that is none of ours can be anything.
pub(super) fn path(path: &str, rules: Rules) -> String {
    let mut path = if rules.mask {
        mask::path(path)
    } else {
        path.to_owned()
    };
    let mut end = path.len().min(2_048);
    while !path.is_char_boundary(end) {
        end -= 1;
    }
    path.truncate(end);
    path
}

/// What is kept of a sentence that a plugin or the reader made about a request.
pub(super) fn sentence(text: &str, rules: Rules, found: &Found) -> String {
    if found.is_in(text) {
        return secrets::REMOVED.into();
    }
    if rules.mask {
        mask::quoted(text)
    } else {
        text.to_owned()
    }
}

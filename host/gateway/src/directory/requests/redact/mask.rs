//! Personal values: everything but what is known to say nothing of a person. So an attribute that
//! nobody has thought of is masked too.

use super::Rules;
use serde_json::Value;
use uuid::Uuid;

/// What stands in place of a personal value.
const MASKED: &str = "(masked)";

/// Names whose values say nothing of a person.
const HARMLESS: [&str; 21] = [
    "schemas",
    "schema",
    "id",
    "op",
    "type",
    "resourcetype",
    "version",
    "created",
    "lastmodified",
    "status",
    "scimtype",
    "totalresults",
    "startindex",
    "itemsperpage",
    "count",
    "attributes",
    "excludedattributes",
    "sortby",
    "sortorder",
    "cursor",
    "aadoptscim062020",
];

/// Words after which a value follows in a filter.
const OPERATORS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];

/// Masks the values of a body.
pub(super) fn mask(value: &mut Value, rules: Rules) {
    within(value, "", rules);
}

fn within(value: &mut Value, name: &str, rules: Rules) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                within(value, &name.to_ascii_lowercase(), rules);
            }
        }
        Value::Array(items) => {
            for item in items {
                within(item, name, rules);
            }
        }
        Value::Number(_) if !HARMLESS.contains(&name) => *value = MASKED.into(),
        Value::String(text) => {
            if let Some(masked) = text_of(name, text, rules) {
                *text = masked;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text in place of the one under this name; none: it may stay.
fn text_of(name: &str, text: &str, rules: Rules) -> Option<String> {
    match name {
        "filter" | "path" => Some(filter(text)),
        "detail" => Some(quoted(text)),
        "$ref" | "location" if leads_to_our_own(text) => None,
        "displayname" if rules.groups => None,
        _ if says_nothing(text) || HARMLESS.contains(&name) => None,
        _ => Some(MASKED.into()),
    }
}

fn says_nothing(text: &str) -> bool {
    let plain = ["", "true", "false", "null"];
    plain.iter().any(|plain| text.eq_ignore_ascii_case(plain))
        || text.parse::<Uuid>().is_ok()
        || text == super::secrets::REMOVED
}

fn leads_to_our_own(uri: &str) -> bool {
    let last = uri.rsplit('/').next().unwrap_or(uri);
    let discovery = ["/Schemas/", "/ResourceTypes/", "/ServiceProviderConfig"];
    last.parse::<Uuid>().is_ok() || discovery.iter().any(|part| uri.contains(part))
}

/// A query parameter's value.
pub(super) fn parameter(name: &str, value: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "filter" => filter(value),
        _ if HARMLESS.contains(&name.as_str()) || says_nothing(value) => value.to_owned(),
        _ => MASKED.into(),
    }
}

/// A filter or a path of a PATCH with its values masked: those in quotes, and words after an
/// operator.
fn filter(text: &str) -> String {
    let text = quoted(text);
    let mut after_operator = false;
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches([')', ']']);
        let hide = after_operator && !word.is_empty() && !bare.starts_with('"');
        if !word.is_empty() {
            after_operator = OPERATORS.iter().any(|op| word.eq_ignore_ascii_case(op));
        }
        if hide && !says_nothing(bare) {
            word.replacen(bare, MASKED, 1)
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A text with what stands in double quotes masked, and all behind a quote that does not end.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = String::new();
    let (mut open, mut escaped) = (false, false);
    for c in text.chars() {
        match c {
            '"' if !open => {
                open = true;
                out.push(c);
            }
            '"' if !escaped => {
                out.push_str(if says_nothing(&inside) {
                    &inside
                } else {
                    MASKED
                });
                out.push(c);
                inside.clear();
                open = false;
            }
            c if open => inside.push(c),
            c => out.push(c),
        }
        escaped = open && c == '\\' && !escaped;
    }
    if open {
        out.push_str(MASKED);
    }
    out
}

/// A path with its ids masked, but those that only we can have made.
pub(super) fn path(path: &str) -> String {
    let mut resource = false;
    let segments = path.split('/').map(|segment| {
        let hide = resource && !says_nothing(segment) && segment != ".search";
        resource = segment == "Users" || segment == "Groups" || (resource && hide);
        if hide { MASKED } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

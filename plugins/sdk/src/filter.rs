//! The names in a filter (RFC 7644, 3.4.2.2), for provider plugins whose provider has names of its own.

/// What is expected next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Name,
    Operator,
    Value,
    /// `and`, `or`, a closing bracket, or `.sub` behind one.
    Joint,
}

/// Gives attributes of a filter other names: `new` is asked for each, as it stands there with URN and
/// sub-attribute, and answers none to leave it. Operators, values and all else stay as they are, so a
/// value that looks like a name is none. The result is none if no name changed.
///
/// ```
/// let filter = gatewright_sdk::filter::rename("mail eq \"mail\" or id pr", |name| {
///     (name == "mail").then(|| "emails.value".to_owned())
/// });
/// assert_eq!(filter.as_deref(), Some("emails.value eq \"mail\" or id pr"));
/// ```
pub fn rename(filter: &str, mut new: impl FnMut(&str) -> Option<String>) -> Option<String> {
    let mut renamed = String::with_capacity(filter.len());
    let mut changed = false;
    let mut next = Next::Name;
    let mut rest = filter;
    while let Some(token) = token(rest) {
        (_, rest) = rest.split_at(token.len());
        let word = |keyword: &str| token.eq_ignore_ascii_case(keyword);
        if token.trim().is_empty() {
            renamed.push_str(token);
            continue;
        }
        let mut written = None;
        next = match (token, next) {
            ("[" | "(", _) => Next::Name,
            ("]" | ")", _) => Next::Joint,
            (_, Next::Name) if word("not") => Next::Name,
            (_, Next::Name) => {
                written = new(token);
                Next::Operator
            }
            (_, Next::Operator) if word("pr") => Next::Joint,
            (_, Next::Operator) => Next::Value,
            (_, Next::Value) => Next::Joint,
            (sub, Next::Joint) if sub.starts_with('.') => Next::Operator,
            (_, Next::Joint) => Next::Name,
        };
        changed |= written.is_some();
        renamed.push_str(written.as_deref().unwrap_or(token));
    }
    changed.then_some(renamed)
}

/// The next token: white space, a bracket, a quoted string or a word. None at the end.
fn token(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    let is_bracket = |c: char| "()[]".contains(c);
    let length = if first == '"' {
        end_of_string(text)
    } else if is_bracket(first) {
        1
    } else if first.is_whitespace() {
        text.find(|c: char| !c.is_whitespace())
            .unwrap_or(text.len())
    } else {
        text.find(|c: char| c.is_whitespace() || c == '"' || is_bracket(c))
            .unwrap_or(text.len())
    };
    text.get(..length)
}

/// Behind the quote that closes a string, or the end of the text where none does.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    text.char_indices()
        .skip(1)
        .find_map(|(index, c)| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes.then_some(index + 1)
        })
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::rename;

    fn check(filter: &str, expected: Option<&str>) {
        let found = rename(filter, |name| (name == "a").then(|| "b".to_owned()));
        assert_eq!(found.as_deref(), expected, "{filter}");
    }

    #[test]
    fn names_are_found_wherever_they_can_stand() {
        check("a eq 1", Some("b eq 1"));
        check(" a  pr ", Some(" b  pr "));
        check("not (a eq 1)", Some("not (b eq 1)"));
        check("x pr AND a eq 1 or a pr", Some("x pr AND b eq 1 or b pr"));
        check("a[a eq \"a\"].a eq \"a\"", Some("b[b eq \"a\"].a eq \"a\""));
        check("(x eq a) and a eq a", Some("(x eq a) and b eq a"));
    }

    #[test]
    fn values_and_operators_are_no_names() {
        for filter in [
            "x eq a",
            "x a a",
            "x eq \"a eq 1\"",
            "x eq \"\\\" a eq 1\"",
            "x eq \"a",
            "x[y eq a]",
            "ab eq 1",
            "",
            "\u{e9} eq \u{e9}",
        ] {
            check(filter, None);
        }
    }
}

//! The contract and the book, for `gatewright plugin docs`.

use super::embedded::{BOOK, TEMPLATES, WIT};

/// What can be read: the topic, its first sentence, and its text.
#[must_use]
pub fn topics() -> Vec<(String, String, String)> {
    let mut topics = Vec::new();
    for (path, text) in WIT {
        let name = path.trim_start_matches("v0.1/").trim_end_matches(".wit");
        let name = if name == "README.md" {
            "versions"
        } else {
            name
        };
        topics.push((name.to_owned(), first_line(text), (*text).to_owned()));
    }
    let limits = BOOK.iter().find(|(path, _)| *path == "limits.md");
    let security = BOOK.iter().find(|(path, _)| *path == "security.md");
    let fixtures = TEMPLATES.iter().find(|(path, _)| *path == "README.md");
    for (name, found) in [
        ("limits", limits),
        ("imports", security),
        ("fixtures", fixtures),
    ] {
        if let Some((_, text)) = found {
            topics.push((name.to_owned(), first_line(text), (*text).to_owned()));
        }
    }
    topics.sort();
    topics
}

/// Every record, variant, enum, function, interface and world of this name, with its comment.
#[must_use]
pub fn items(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, text) in WIT.iter().filter(|(path, _)| path.ends_with(".wit")) {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if declares(line, name) {
                found.push(excerpt(&lines, at));
            }
        }
    }
    found
}

/// Whether a line begins the declaration of a name: `record account {`, `decide: func(...)`.
fn declares(line: &str, name: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_named = |word: &str| word.trim_matches(|c| c == '%' || c == ':' || c == '{') == name;
    match words.as_slice() {
        [
            "record" | "variant" | "enum" | "interface" | "world" | "type",
            second,
            ..,
        ] => is_named(second),
        [first, second, ..] => {
            first.ends_with(':') && second.starts_with("func") && is_named(first)
        }
        _ => false,
    }
}

/// The declaration with the comment above it, down to the brace that ends it.
fn excerpt(lines: &[&str], at: usize) -> String {
    let is_comment = |line: &&&str| line.trim_start().starts_with("///");
    let above = lines[..at].iter().rev().take_while(is_comment).count();
    let mut depth = 0_i32;
    let mut end = at;
    for (number, line) in lines.iter().enumerate().skip(at) {
        depth += line.matches('{').count() as i32 - line.matches('}').count() as i32;
        end = number;
        if depth <= 0 {
            break;
        }
    }
    let block = &lines[at - above..=end];
    let indent = |line: &&str| line.len() - line.trim_start().len();
    let least = block
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(indent)
        .min();
    let cut = |line: &&str| line.get(least.unwrap_or(0)..).unwrap_or("").to_owned();
    block.iter().map(cut).collect::<Vec<_>>().join("\n")
}

/// The first sentence that says what a text is about.
fn first_line(text: &str) -> String {
    let line = text
        .lines()
        .find(|line| line.starts_with("///") || line.starts_with("# "));
    let line = line.unwrap_or_default();
    line.trim_start_matches(['/', '#', ' ']).to_owned()
}

//! A stranger's text within a sentence of ours.

/// The text with what a terminal or a log would act on written out, such as line ends and control
/// characters. Quotes stay as they are: the text is not within any.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\'' => printable.push(char),
            _ => printable.extend(char.escape_debug()),
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn quotes_stay_and_control_characters_do_not() {
        assert_eq!(printable("the \"Pilot's\" é"), "the \"Pilot's\" é");
        assert_eq!(
            printable("a\nb\u{1b}[31m\u{202e}"),
            "a\\nb\\u{1b}[31m\\u{202e}"
        );
    }
}

//! What a plugin says while it is called: lines through the contract's `log`, and whatever its
//! standard library prints.

use serde::{Deserialize, Serialize};

pub use crate::bindings::base::gatewright::plugin::log::Level;

/// One line of a plugin's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// What the plugin called it; `info` for what it printed to standard output, `warn` for
    /// standard error, and for the host's own remark that lines were dropped.
    pub level: Level,
    /// A stranger's text without its line end, at most as long as the log limit of the call. It
    /// may hold control characters: escape it wherever it is shown.
    pub text: String,
}

/// The two streams that a guest can print to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Output,
    Error,
}

/// Collects the log of one call, up to its limit.
pub(crate) struct LogBook {
    lines: Vec<LogLine>,
    limit: u64,
    room: usize,
    dropped: usize,
    output: Vec<u8>,
    error: Vec<u8>,
    /// The end of standard error, kept when the log is full too: it has the panic's text.
    tail: Vec<u8>,
}

/// Bytes of standard error in which a panic's text is looked for.
const TAIL: usize = 4096;

impl LogBook {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            lines: Vec::new(),
            limit,
            room: usize::try_from(limit).unwrap_or(usize::MAX),
            dropped: 0,
            output: Vec::new(),
            error: Vec::new(),
            tail: Vec::new(),
        }
    }

    /// A line through the contract. The part beyond the limit is dropped: talkativeness is no
    /// reason to fail a decision.
    pub(crate) fn write(&mut self, level: Level, message: &str) {
        // The line itself takes room too, so that a million empty ones do not.
        let cost = size_of::<LogLine>();
        if self.room < cost {
            self.dropped += message.len();
            return;
        }
        self.room -= cost;
        let end = message.floor_char_boundary(self.room);
        self.room -= end;
        self.dropped += message.len() - end;
        let text = message[..end].trim_end_matches('\n').to_owned();
        self.lines.push(LogLine { level, text });
    }

    /// Printed bytes, which may end anywhere in a line.
    pub(crate) fn print(&mut self, stream: Stream, bytes: &[u8]) {
        if stream == Stream::Error {
            self.tail.extend_from_slice(bytes);
            let excess = self.tail.len().saturating_sub(TAIL);
            self.tail.drain(..excess);
        }
        let partial = match stream {
            Stream::Output => &mut self.output,
            Stream::Error => &mut self.error,
        };
        // An unfinished line is bounded as well: what no longer fits is counted and gone.
        let taken = bytes.len().min(self.room.saturating_sub(partial.len()));
        self.dropped += bytes.len() - taken;
        partial.extend_from_slice(&bytes[..taken]);
        if let Some(end) = partial.iter().rposition(|&byte| byte == b'\n') {
            let whole: Vec<u8> = partial.drain(..=end).collect();
            self.print_lines(stream, &whole);
        }
    }

    /// The log and, where the guest panicked, the panic's message.
    pub(crate) fn finish(mut self) -> (Vec<LogLine>, Option<String>) {
        let (output, error) = (
            std::mem::take(&mut self.output),
            std::mem::take(&mut self.error),
        );
        self.print_lines(Stream::Output, &output);
        self.print_lines(Stream::Error, &error);
        if self.dropped > 0 {
            let text = format!(
                "{} bytes of log were dropped: the limit of a call is {} bytes",
                self.dropped, self.limit
            );
            let level = Level::Warn;
            self.lines.push(LogLine { level, text });
        }
        let panic = panic_text(&String::from_utf8_lossy(&self.tail));
        (self.lines, panic)
    }

    fn print_lines(&mut self, stream: Stream, bytes: &[u8]) {
        let level = match stream {
            Stream::Output => Level::Info,
            Stream::Error => Level::Warn,
        };
        for line in String::from_utf8_lossy(bytes).lines() {
            if !line.is_empty() {
                self.write(level, line);
            }
        }
    }
}

/// Finds the message in what Rust's standard library prints: `thread 'main' panicked at
/// src/lib.rs:3:5:`, the message in the lines after it, and then a note about backtraces.
fn panic_text(printed: &str) -> Option<String> {
    let (_, panic) = printed.rsplit_once(" panicked at ")?;
    let (place, message) = panic.split_once(":\n")?;
    let message = message
        .split("\nnote: run with `RUST_BACKTRACE")
        .next()
        .unwrap_or(message)
        .trim_end();
    Some(format!("{message} ({place})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_pieces_become_lines() {
        let mut book = LogBook::new(1000);
        book.print(Stream::Output, b"one\ntw");
        book.print(Stream::Error, b"beware\n");
        book.print(Stream::Output, b"o\nthree");
        let (lines, panic) = book.finish();
        let texts: Vec<_> = lines
            .iter()
            .map(|line| (line.level, line.text.as_str()))
            .collect();
        assert_eq!(
            texts,
            [
                (Level::Info, "one"),
                (Level::Warn, "beware"),
                (Level::Info, "two"),
                (Level::Info, "three")
            ]
        );
        assert_eq!(panic, None);
    }

    #[test]
    fn the_limit_holds_for_lines_and_for_a_line_without_end() {
        for newline in ["", "\n"] {
            let mut book = LogBook::new(10_000);
            for _ in 0..1000 {
                book.print(
                    Stream::Output,
                    format!("{}{newline}", "x".repeat(99)).as_bytes(),
                );
            }
            let (lines, _) = book.finish();
            let kept: usize = lines.iter().map(|line| line.text.len()).sum();
            assert!((5_000..10_200).contains(&kept), "{kept}");
            assert!(
                lines
                    .last()
                    .unwrap()
                    .text
                    .contains("bytes of log were dropped")
            );
        }
    }

    #[test]
    fn empty_lines_cannot_fill_the_host() {
        let mut book = LogBook::new(1000);
        for _ in 0..1_000_000 {
            book.write(Level::Info, "");
        }
        assert!(book.finish().0.len() < 100);
    }

    #[test]
    fn a_panic_is_found_though_the_log_is_full() {
        let mut book = LogBook::new(10);
        book.print(Stream::Error, &[b'x'; 10_000]);
        book.print(
            Stream::Error,
            b"\nthread '<unnamed>' (1) panicked at src/lib.rs:3:5:\nno rule\nfor it\n\
              note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
        );
        let (_, panic) = book.finish();
        assert_eq!(panic.as_deref(), Some("no rule\nfor it (src/lib.rs:3:5)"));
    }
}

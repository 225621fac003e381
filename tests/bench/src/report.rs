//! The figures, as a table and as JSON.

use serde_json::{Value, json};
use std::fmt::{self, Write as _};

/// All figures so far.
#[derive(Default)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    notes: Vec<String>,
}

/// One comparison.
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// How much.
    pub(crate) measured: f64,
    /// What it is compared with.
    pub(crate) beside: &'static str,
    /// How much that was.
    pub(crate) peer: f64,
    /// Of both.
    pub(crate) unit: &'static str,
    /// What their ratio, the first by the second, ought to be.
    pub(crate) aim: Aim,
}

/// What a ratio ought to be.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    AtLeast(f64),
    AtMost(f64),
    /// It is told for what it explains.
    None,
}

impl Figure {
    fn ratio(&self) -> f64 {
        self.measured / self.peer
    }

    fn met(&self) -> Option<bool> {
        match self.aim {
            Aim::AtLeast(aim) => Some(self.ratio() >= aim),
            Aim::AtMost(aim) => Some(self.ratio() <= aim),
            Aim::None => None,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aim = match self.aim {
            Aim::AtLeast(aim) => format!("at least {aim}"),
            Aim::AtMost(aim) => format!("at most {aim}"),
            Aim::None => String::new(),
        };
        let met = match self.met() {
            Some(true) => "met",
            Some(false) => "SHORT",
            None => "",
        };
        let Self {
            what,
            measured,
            beside,
            peer,
            unit,
            ..
        } = self;
        let (measured, peer, ratio) = (short(*measured), short(*peer), self.ratio());
        write!(
            f,
            "{what:<44} {measured:>8} {unit:<4} {ratio:>6.2} of {peer:>8} {beside:<30} {aim:<13} {met}"
        )
    }
}

impl Report {
    /// Adds a figure, and tells it to the person at the terminal: a part may take long, and may be
    /// broken off.
    pub(crate) fn add(&mut self, figure: Figure) {
        eprintln!("         {figure}");
        self.figures.push(figure);
    }

    /// Says what a reader of the figures has to know.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(crate) fn table(&self, seconds: u64) -> String {
        let mut text = String::new();
        for figure in &self.figures {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{figure}");
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}");
        }
        let _ = writeln!(text, "took {seconds} s");
        text
    }

    pub(crate) fn json(&self, seconds: u64) -> Value {
        let figures: Vec<Value> = self
            .figures
            .iter()
            .map(|figure| {
                let (at_least, at_most) = match figure.aim {
                    Aim::AtLeast(aim) => (Some(aim), None),
                    Aim::AtMost(aim) => (None, Some(aim)),
                    Aim::None => (None, None),
                };
                json!({
                    "what": figure.what,
                    "unit": figure.unit,
                    "measured": figure.measured,
                    "beside": figure.beside,
                    "peer": figure.peer,
                    "ratio": figure.ratio(),
                    "at_least": at_least,
                    "at_most": at_most,
                    "met": figure.met(),
                })
            })
            .collect();
        json!({ "seconds": seconds, "figures": figures, "notes": self.notes })
    }
}

/// Three digits that count.
fn short(figure: f64) -> String {
    match figure {
        _ if figure >= 100.0 => format!("{figure:.0}"),
        _ if figure >= 10.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

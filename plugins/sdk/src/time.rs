//! Times and periods, as administrators read and write them.

use crate::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use std::borrow::Cow;

/// 9999-12-31T23:59:59Z, the last that has four digits for its year.
const LAST: u64 = 253_402_300_799;

const DAY: u64 = 86_400;

/// A length of time in settings: `"30s"`, `"15m"`, `"8h"`, `"7d"`. A day has 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    milliseconds: u64,
}

impl Period {
    /// Reads `"7d"`: a number from 1 to 99999 and a unit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix(['s', 'm', 'h', 'd'])?;
        let is_number = (1..=5).contains(&number.len())
            && !number.starts_with('0')
            && number.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = match text.as_bytes().last()? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            _ => DAY,
        };
        let number: u64 = number.parse().ok().filter(|_| is_number)?;
        Some(Self {
            milliseconds: number * seconds * 1_000,
        })
    }

    /// The time at which it is over, if it begins at `time`.
    #[must_use]
    pub fn after(self, time: Timestamp) -> Timestamp {
        time.saturating_add(self.milliseconds)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "\"{text}\" is no period: give a number and a unit, such as \"30s\", \"15m\", \
                 \"8h\" or \"7d\""
            ))
        })
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[1-9][0-9]{0,4}[smhd]$",
            "examples": ["30s", "15m", "8h", "7d"],
        })
    }
}

/// The bytes that [`format()`] writes.
pub const LENGTH: usize = "2026-01-01T12:00:00Z".len();

/// A time for a sentence, to the second: `2026-01-01T12:00:00Z`. [`parse`] reads it.
#[must_use]
pub fn format(time: Timestamp) -> String {
    let seconds = (time / 1_000).min(LAST);
    let (mut days, of_day) = (seconds / DAY, seconds % DAY);
    let mut year = 1970;
    while days >= days_of(year) {
        days -= days_of(year);
        year += 1;
    }
    let mut month = 0;
    while days >= MONTHS[month] + leap_day(year, month) {
        days -= MONTHS[month] + leap_day(year, month);
        month += 1;
    }
    format!(
        "{year:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        month + 1,
        days + 1,
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Reads what [`format()`] wrote, and nothing else.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let month = usize::try_from(month.checked_sub(1)?).ok()?;
    let years: u64 = (1970..year).map(days_of).sum();
    let months: u64 = (0..month.min(11))
        .map(|month| MONTHS[month] + leap_day(year, month))
        .sum();
    let days = years + months + day.checked_sub(1)?;
    let time = (days * DAY + hour * 3_600 + minute * 60 + second) * 1_000;
    // Whatever is out of range, or has other marks between the numbers, is written otherwise.
    (format(time) == text).then_some(time)
}

const MONTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64) -> u64 {
    365 + u64::from(is_leap(year))
}

/// `month` counts from 0.
fn leap_day(year: u64, month: usize) -> u64 {
    u64::from(month == 1 && is_leap(year))
}

#[cfg(test)]
mod tests {
    use super::{Period, format, parse};
    use crate::testing;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (testing::NOW, "2026-01-01T00:00:00Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(format(time), text);
            let read = parse(text).unwrap();
            assert_eq!(format(read), text);
            assert!(read <= time && (time - read < 1_000 || time == u64::MAX));
        }
        // Each day of eight years, and the last second of it.
        for day in 0..8 * 366 {
            for time in [day * 86_400_000, day * 86_400_000 + 86_399_000] {
                assert_eq!(parse(&format(time)), Some(time));
            }
        }
    }

    #[test]
    fn nothing_else_is_a_time() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01 00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "+026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Zé",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn periods_have_a_number_and_a_unit() {
        let hours = |number: u64| number * 3_600_000;
        for (text, milliseconds) in [("90s", 90_000), ("8h", hours(8)), ("7d", hours(7 * 24))] {
            assert_eq!(Period::parse(text).unwrap().after(5), milliseconds + 5);
        }
        assert_eq!(
            Period::parse("60m").map(|period| period.after(0)),
            Some(hours(1))
        );
        for text in [
            "", "7", "d", "0d", "07d", "+7d", "7 d", "7w", "123456d", "-1h",
        ] {
            assert_eq!(Period::parse(text), None, "{text}");
        }
        assert_eq!(Period::parse("99999d").unwrap().after(u64::MAX), u64::MAX);
    }
}

//! Times as layouts print them, read by hand: no allocation, no zone rules. [`super::clock`] makes instants of them.
//!
//! [`TimeForm::Any`] knows every form that log4j 1, log4j 2 and logback have a name for, and their usual relatives;
//! other forms are compiled from the letters of `SimpleDateFormat` ([`letters`]).

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

pub mod letters;

/// How a layout prints its times.
#[derive(Debug, Clone, PartialEq)]
pub enum TimeForm {
    /// Any form that can be told by its look; ambiguous ones (`03/04/2026`) are not among them.
    Any,
    /// As spelt out in the letters of `SimpleDateFormat` or `DateTimeFormatter`.
    Letters(Vec<letters::Item>),
}

/// A time as printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Printed<'a> {
    /// Seconds or milliseconds since the epoch.
    Instant(Timestamp),
    /// Wall-clock time.
    Civil {
        /// The day, as far as it is printed.
        day: Day,
        /// The time of day.
        time: Time,
        /// The zone, where it is printed.
        zone: Zone<'a>,
    },
}

/// How much of the date a line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// All of it.
    Whole(Date),
    /// Month and day, as in `%d{MM-dd HH:mm:ss}`.
    OfYear(i8, i8),
    /// Nothing, as in `%d{HH:mm:ss.SSS}`.
    Missing,
}

/// The zone as printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone<'a> {
    /// None: the zone of the layout, else of the source, holds.
    Unprinted,
    /// Distance from UTC.
    Offset(Offset),
    /// A name, which may be IANA's (`Europe/Berlin`, `CET`) or just Java's abbreviation (`CEST`).
    Named(&'a str),
}

/// Bytes of a second with its thousandths, in which most times end: `06,146`.
pub(super) const SECOND: usize = 6;

impl Printed<'_> {
    /// The same time, but for its second; none where `text` does not end as most times do.
    pub(super) fn with_second(self, text: [u8; SECOND]) -> Option<Printed<'static>> {
        let Self::Civil {
            day,
            time,
            zone: Zone::Unprinted,
        } = self
        else {
            return None;
        };
        let [tens, ones, b',' | b'.', digits @ ..] = text else {
            return None;
        };
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0, |number, digit| {
                digit
                    .is_ascii_digit()
                    .then(|| number * 10 + i32::from(digit - b'0'))
            })
        };
        // A leap second is left to whoever reads the whole of it.
        let second = number(&[tens, ones]).filter(|second| *second < 60)?;
        let millis = number(&digits)?;
        let second = i8::try_from(second).ok()?;
        Some(Printed::Civil {
            day,
            time: Time::new(time.hour(), time.minute(), second, millis * 1_000_000).ok()?,
            zone: Zone::Unprinted,
        })
    }
}

impl TimeForm {
    /// Whether a time before `rest` that has no zone has none whatever follows `rest`.
    pub(super) fn ends_before(rest: &[u8]) -> bool {
        // All that is looked at is a word; an offset may go on behind a colon.
        let word = rest.strip_prefix(b" ").unwrap_or(rest);
        !matches!(word, [b'+' | b'-', ..]) && !word.iter().all(|byte| is_zone_byte(*byte))
    }

    /// Reads a time at the start of `text`; with it, the number of bytes it takes.
    #[must_use]
    pub fn read<'a>(&self, text: &'a [u8]) -> Option<(Printed<'a>, usize)> {
        let mut cursor = Cursor { text, at: 0 };
        let printed = match self {
            Self::Any => cursor.any(),
            Self::Letters(items) => letters::read(items, &mut cursor),
        }?;
        Some((printed, cursor.at))
    }
}

/// A place in a text, moved on by what is read.
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    /// A number of `least` to `most` (≤ 9) digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i32> {
        let mut value = 0;
        let mut digits = 0;
        while digits < most
            && let Some(digit @ b'0'..=b'9') = self.text.get(self.at + digits)
        {
            value = value * 10 + i32::from(digit - b'0');
            digits += 1;
        }
        self.at += digits;
        (digits >= least).then_some(value)
    }

    fn two(&mut self) -> Option<i8> {
        i8::try_from(self.number(2, 2)?).ok()
    }

    /// A word of letters.
    fn word(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let len = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        self.at += len;
        &rest[..len]
    }

    /// Decimal digits of a second, as nanoseconds; digits beyond the ninth are dropped.
    fn fraction(&mut self) -> i32 {
        let mut nanos = 0;
        let mut unit = 100_000_000;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            nanos += i32::from(digit - b'0') * unit;
            unit /= 10;
            self.at += 1;
        }
        nanos
    }

    fn digits_ahead(&self) -> usize {
        // The longest form of digits alone is nanoseconds since the epoch, 19 of them.
        self.rest()
            .iter()
            .take(20)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    }

    /// `yyyy-MM-dd HH:mm:ss,SSS`, the form of nearly all lines, at once.
    fn common(&mut self) -> Option<(Date, Time)> {
        const LEAST: &[u8; 23] = b"0000-00-00 00:00:00,000";
        const MOST: &[u8; 23] = b"9999-99-99 99:99:99,999";
        let text: &[u8; LEAST.len()] = self.rest().first_chunk()?;
        // No early exit: so the compiler compares many at once.
        let fits = |at: usize| (LEAST[at]..=MOST[at]).contains(&text[at]);
        let goes_on = self.rest().get(LEAST.len()).is_some_and(u8::is_ascii_digit);
        if goes_on || !(0..LEAST.len()).fold(true, |all, at| all & fits(at)) {
            return None;
        }
        let number = |at: usize| i32::from(text[at] - b'0') * 10 + i32::from(text[at + 1] - b'0');
        let two = |at| i8::try_from(number(at)).ok();
        let date = date(number(0) * 100 + number(2), two(5)?, two(8)?)?;
        let millis = number(20) * 10 + i32::from(text[22] - b'0');
        let time = time(two(11)?, two(14)?, two(17)?, millis * 1_000_000)?;
        self.at += LEAST.len();
        Some((date, time))
    }

    /// Tells the form by the length of its first number and what follows it.
    fn any(&mut self) -> Option<Printed<'a>> {
        if let Some((date, time)) = self.common() {
            return Some(Printed::Civil {
                day: Day::Whole(date),
                time,
                zone: self.zone(),
            });
        }
        let digits = self.digits_ahead();
        let next = self.rest().get(digits).copied();
        let date = match (digits, next) {
            (4, Some(separator @ (b'-' | b'/' | b'.'))) => {
                let year = self.number(4, 4)?;
                self.month_day(year, separator)?
            }
            // Spark's `yy/MM/dd`. A day first would be as likely, but then the year has four digits.
            (2, Some(b'/')) if self.rest().get(8) == Some(&b' ') => {
                let year = 2000 + self.number(2, 2)?;
                self.month_day(year, b'/')?
            }
            (2, Some(b':')) => {
                let time = self.time_of_day()?;
                return Some(Printed::Civil {
                    day: Day::Missing,
                    time,
                    zone: self.zone(),
                });
            }
            // log4j's DATE: `dd MMM yyyy HH:mm:ss,SSS`.
            (1 | 2, Some(separator @ (b' ' | b'-' | b'/'))) => {
                let day = i8::try_from(self.number(1, 2)?).ok()?;
                self.eat(separator)?;
                let month = month_named(self.word())?;
                self.eat(separator)?;
                date(self.number(4, 4)?, month, day)?
            }
            // log4j's ISO8601_BASIC: `yyyyMMdd'T'HHmmss,SSS`.
            (8, Some(b' ' | b'T' | b'-')) => self.packed_date()?,
            // log4j's COMPACT, `yyyyMMddHHmmssSSS`, and the same without a fraction.
            (14 | 17, _) => {
                let day = Day::Whole(self.packed_date()?);
                let time = self.packed_time()?;
                return Some(Printed::Civil {
                    day,
                    time,
                    zone: self.zone(),
                });
            }
            (10 | 13 | 16 | 19, _) => return self.epoch(digits).map(Printed::Instant),
            _ => return None,
        };
        self.at += usize::from(matches!(self.peek(), Some(b' ' | b'T' | b'-' | b'_')));
        let packed = self.digits_ahead() == 6;
        let time = if packed {
            self.packed_time()
        } else {
            self.time_of_day()
        }?;
        Some(Printed::Civil {
            day: Day::Whole(date),
            time,
            zone: self.zone(),
        })
    }

    fn month_day(&mut self, year: i32, separator: u8) -> Option<Date> {
        self.eat(separator)?;
        let month = self.two()?;
        self.eat(separator)?;
        date(year, month, self.two()?)
    }

    fn packed_date(&mut self) -> Option<Date> {
        date(self.number(4, 4)?, self.two()?, self.two()?)
    }

    fn packed_time(&mut self) -> Option<Time> {
        let (hour, minute, second) = (self.two()?, self.two()?, self.two()?);
        self.at += usize::from(matches!(self.rest(), [b',' | b'.', b'0'..=b'9', ..]));
        time(hour, minute, second, self.fraction())
    }

    /// `HH:mm:ss`, with a fraction after `,`, `.` or (some people's) `:`.
    fn time_of_day(&mut self) -> Option<Time> {
        let hour = self.two()?;
        self.eat(b':')?;
        let minute = self.two()?;
        self.eat(b':')?;
        let second = self.two()?;
        let fraction = match self.rest() {
            [b',' | b'.' | b':', b'0'..=b'9', ..] => {
                self.at += 1;
                self.fraction()
            }
            _ => 0,
        };
        time(hour, minute, second, fraction)
    }

    /// Digits since the epoch: 10 are seconds (with a fraction perhaps), 13 milli-, 16 micro-, 19 nanoseconds.
    fn epoch(&mut self, digits: usize) -> Option<Timestamp> {
        let number: i64 = std::str::from_utf8(&self.rest()[..digits]).ok()?.parse().ok()?;
        self.at += digits;
        match digits {
            10 => {
                let fraction = match self.rest() {
                    [b'.' | b',', b'0'..=b'9', ..] => {
                        self.at += 1;
                        self.fraction()
                    }
                    _ => 0,
                };
                Timestamp::new(number, fraction).ok()
            }
            13 => Timestamp::from_millisecond(number).ok(),
            16 => Timestamp::from_microsecond(number).ok(),
            _ => Timestamp::from_nanosecond(i128::from(number)).ok(),
        }
    }

    /// A zone behind the time, with or without a blank between; consumes nothing where there is none.
    fn zone(&mut self) -> Zone<'a> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b' '));
        let zone = self.offset().map(Zone::Offset).or_else(|| self.name());
        if zone.is_none() {
            self.at = start;
        }
        zone.unwrap_or(Zone::Unprinted)
    }

    /// `Z`, `+00`, `+0000`, `+00:00`; the word must end there, so that `Zookeeper` and `-12.5` are none.
    fn offset(&mut self) -> Option<Offset> {
        let start = self.at;
        let offset = match self.peek()? {
            b'Z' => {
                self.at += 1;
                Some(Offset::UTC)
            }
            sign @ (b'+' | b'-') => {
                self.at += 1;
                self.hours_minutes(if sign == b'-' { -1 } else { 1 })
            }
            _ => None,
        };
        let ended = !self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        let offset = offset.filter(|_| ended);
        if offset.is_none() {
            self.at = start;
        }
        offset
    }

    fn hours_minutes(&mut self, sign: i32) -> Option<Offset> {
        let hours = self.number(2, 2)?;
        let minutes = match self.rest() {
            [b':', b'0'..=b'9', b'0'..=b'9', ..] => {
                self.at += 1;
                self.number(2, 2)?
            }
            [b'0'..=b'9', b'0'..=b'9', ..] => self.number(2, 2)?,
            _ => 0,
        };
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
    }

    /// A zone's name that cannot be taken for the next field of a layout: no level ends in `T` or `C`, or holds a `/`.
    fn name(&mut self) -> Option<Zone<'a>> {
        let rest = self.rest();
        let (mut len, mut has_slash) = (0, false);
        while let Some(byte) = rest.get(len).filter(|byte| is_zone_byte(**byte)) {
            has_slash |= *byte == b'/';
            len += 1;
        }
        // Most often it is the level that follows.
        let ends = matches!(rest[..len].last(), Some(b'T' | b'C'));
        if !ends && !has_slash {
            return None;
        }
        let name = std::str::from_utf8(&rest[..len]).ok()?;
        let abbreviation = (3..=5).contains(&len) && name.bytes().all(|byte| byte.is_ascii_uppercase());
        let known = abbreviation && (name == "UTC" || name.ends_with('T'));
        // A name with a slash is taken only where it begins as IANA's areas do.
        let area = name
            .split_once('/')
            .is_some_and(|(area, _)| AREAS.contains(&area));
        (known || area).then(|| self.named(name))
    }

    fn named(&mut self, name: &'a str) -> Zone<'a> {
        self.at += name.len();
        if matches!(name, "UTC" | "GMT" | "Etc/UTC" | "UT") {
            Zone::Offset(Offset::UTC)
        } else {
            Zone::Named(name)
        }
    }
}

/// The areas of the IANA time zone database, and Java's own `SystemV`-free relatives.
const AREAS: [&str; 12] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Etc",
    "Europe",
    "Indian",
    "Pacific",
    "US",
];

const fn is_zone_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'+' | b'-')
}

fn date(year: i32, month: i8, day: i8) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, month, day).ok()
}

/// A leap second is the second before it: jiff, as Java, has none.
fn time(hour: i8, minute: i8, second: i8, nanos: i32) -> Option<Time> {
    Time::new(hour, minute, if second == 60 { 59 } else { second }, nanos).ok()
}

/// Java's names of months, English, short or whole.
fn month_named(word: &[u8]) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    // `Sept` is what Java 16 and later print in some English locales.
    let is_name = |month: &&str| {
        word.len() >= 3
            && month.len() >= word.len()
            && month.as_bytes()[..word.len()].eq_ignore_ascii_case(word)
    };
    (1..)
        .zip(MONTHS)
        .find(|(_, month)| is_name(month))
        .map(|(number, _)| number)
}

#[cfg(test)]
mod tests;

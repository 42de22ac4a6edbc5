//! Times spelt out in letters, as in `%d{dd.MM.yyyy HH:mm:ss.SSS}`: `SimpleDateFormat` and `DateTimeFormatter`.

use jiff::civil::Date;

use super::{Cursor, Day, Printed, TimeForm, Zone, date, is_zone_byte, month_named, time};

/// One element of a spelt-out form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Text between the elements.
    Text(Box<[u8]>),
    /// A number of this unit, of so many digits at least and at most.
    Number(Unit, usize, usize),
    /// The month's English name, short or whole.
    MonthName,
    /// A weekday or an era: says nothing more.
    Word,
    /// `AM` or `PM`.
    HalfDay,
    /// `Z`, `X`, `x`, `O`, `z`, `V`: an offset or a name.
    Zone,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// With its century.
    Year,
    /// Without; Java reads it into the 80 years before and 20 after today, logs are of this century.
    ShortYear,
    /// From 1.
    Month,
    /// Of the month, from 1.
    Day,
    /// 0–23 (`H`), or 1–24 (`k`).
    Hour,
    /// 1–12 (`h`) or 0–11 (`K`), with [`Item::HalfDay`].
    HalfHour,
    /// 0–59.
    Minute,
    /// 0–59.
    Second,
    /// Digits of a second's fraction.
    Fraction,
    /// Nanoseconds of the second.
    Nanos,
    /// Weeks and weekdays: say nothing more.
    Other,
}

/// Where a spelt-out form cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLetter {
    /// Bytes into the form.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

impl TimeForm {
    /// The form that the option of `%d{…}` names or spells out.
    ///
    /// Log4j's names (`FixedDateFormat.FixedFormat`, and `UNIX`, `UNIX_MILLIS` of `DatePatternConverter`) are all forms
    /// that [`TimeForm::Any`] tells by their look, but the two with slashes, which put the day first whatever they say.
    pub fn compile(format: &str) -> Result<Self, BadLetter> {
        match format {
            "" => Ok(Self::Any),
            "US_MONTH_DAY_YEAR2_TIME" => Self::spelt("dd/MM/yy HH:mm:ss.SSS"),
            "US_MONTH_DAY_YEAR4_TIME" => Self::spelt("dd/MM/yyyy HH:mm:ss.SSS"),
            name if is_name(name) => Ok(Self::Any),
            letters => Self::spelt(letters),
        }
    }

    fn spelt(format: &str) -> Result<Self, BadLetter> {
        let bytes = format.as_bytes();
        let mut items = Vec::new();
        let mut text = Vec::new();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let run = bytes[at..].iter().take_while(|next| **next == byte).count();
            if byte == b'\'' {
                at = quoted(bytes, at, &mut text)?;
                continue;
            }
            if !byte.is_ascii_alphabetic() {
                text.push(byte);
                at += 1;
                continue;
            }
            let item = item(byte, run).ok_or_else(|| BadLetter {
                offset: at,
                message: format!("`{}` is no part of a date", byte as char),
            })?;
            if !text.is_empty() {
                items.push(Item::Text(std::mem::take(&mut text).into()));
            }
            items.push(item);
            at += run;
        }
        if !text.is_empty() {
            items.push(Item::Text(text.into()));
        }
        if !items
            .iter()
            .any(|item| matches!(item, Item::Number(Unit::Hour | Unit::HalfHour, ..)))
        {
            return Err(BadLetter {
                offset: 0,
                message: format!("`{format}` prints no time of day"),
            });
        }
        Ok(Self::Letters(items))
    }
}

/// Names are in capitals, and hold an underscore, or are one of these.
fn is_name(format: &str) -> bool {
    let capitals = format
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    let plain = ["ABSOLUTE", "COMPACT", "DATE", "DEFAULT", "ISO8601", "UNIX"];
    let families = ["ABSOLUTE_", "DATE_", "DEFAULT_", "ISO8601_", "UNIX_"];
    capitals && (plain.contains(&format) || families.iter().any(|family| format.starts_with(family)))
}

/// Reads `'…'` at `start`; `''` stands for one quote, inside and outside.
fn quoted(bytes: &[u8], start: usize, text: &mut Vec<u8>) -> Result<usize, BadLetter> {
    let mut at = start + 1;
    if bytes.get(at) == Some(&b'\'') {
        text.push(b'\'');
        return Ok(at + 1);
    }
    loop {
        match &bytes[at.min(bytes.len())..] {
            [] => {
                return Err(BadLetter {
                    offset: start,
                    message: "this quote is never closed".to_owned(),
                });
            }
            [b'\'', b'\'', ..] => {
                text.push(b'\'');
                at += 2;
            }
            [b'\'', ..] => return Ok(at + 1),
            [byte, ..] => {
                text.push(*byte);
                at += 1;
            }
        }
    }
}

fn item(letter: u8, run: usize) -> Option<Item> {
    // One letter prints without padding; more are padded to their number.
    let number = |unit, widest: usize| Item::Number(unit, run, run.max(if run == 1 { widest } else { run }));
    Some(match letter {
        b'y' | b'u' if run == 2 => Item::Number(Unit::ShortYear, 2, 2),
        b'y' | b'Y' => Item::Number(Unit::Year, 4, 4),
        // `u` is the year to DateTimeFormatter and the weekday's number to SimpleDateFormat.
        b'u' => number(if run == 4 { Unit::Year } else { Unit::Other }, 1),
        b'M' | b'L' if run >= 3 => Item::MonthName,
        b'M' | b'L' => number(Unit::Month, 2),
        b'd' => number(Unit::Day, 2),
        b'H' | b'k' => number(Unit::Hour, 2),
        b'h' | b'K' => number(Unit::HalfHour, 2),
        b'm' => number(Unit::Minute, 2),
        b's' => number(Unit::Second, 2),
        b'S' => Item::Number(Unit::Fraction, 1, run.clamp(3, 9)),
        b'n' => Item::Number(Unit::Nanos, 1, 9),
        b'D' | b'w' | b'W' | b'F' => number(Unit::Other, 3),
        b'E' | b'G' => Item::Word,
        b'a' => Item::HalfDay,
        b'Z' | b'X' | b'x' | b'O' | b'z' | b'V' => Item::Zone,
        _ => return None,
    })
}

/// What has been read so far.
struct Fields<'a> {
    year: Option<i32>,
    month: Option<i8>,
    day: Option<i8>,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    afternoon: Option<bool>,
    zone: Zone<'a>,
}

/// Reads all items in turn.
pub(super) fn read<'a>(items: &[Item], cursor: &mut Cursor<'a>) -> Option<Printed<'a>> {
    let mut fields = Fields {
        year: None,
        month: None,
        day: None,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        afternoon: None,
        zone: Zone::Unprinted,
    };
    for item in items {
        match item {
            Item::Text(text) => {
                cursor.rest().starts_with(text).then_some(())?;
                cursor.at += text.len();
            }
            Item::Number(unit, least, most) => fields.number(*unit, *least, *most, cursor)?,
            Item::MonthName => {
                fields.month = Some(month_named(cursor.word())?);
                // Some locales print a full stop after a short name.
                cursor.at += usize::from(cursor.peek() == Some(b'.'));
            }
            Item::Word => (!cursor.word().is_empty()).then_some(())?,
            Item::HalfDay => {
                fields.afternoon = Some(match cursor.word() {
                    word if word.eq_ignore_ascii_case(b"AM") => false,
                    word if word.eq_ignore_ascii_case(b"PM") => true,
                    _ => return None,
                });
            }
            Item::Zone => fields.zone = any_zone(cursor)?,
        }
    }
    fields.printed()
}

impl<'a> Fields<'a> {
    fn number(&mut self, unit: Unit, least: usize, most: usize, cursor: &mut Cursor<'a>) -> Option<()> {
        let start = cursor.at;
        let number = cursor.number(least, most)?;
        let digits = cursor.at - start;
        let small = i8::try_from(number);
        match unit {
            Unit::Year => self.year = Some(number),
            Unit::ShortYear => self.year = Some(2000 + number),
            Unit::Month => self.month = Some(small.ok()?),
            Unit::Day => self.day = Some(small.ok()?),
            Unit::Hour => self.hour = small.ok()? % 24,
            Unit::HalfHour => self.hour = small.ok()? % 12,
            Unit::Minute => self.minute = small.ok()?,
            Unit::Second => self.second = small.ok()?,
            Unit::Fraction => self.nanos = number * 10_i32.pow(9 - u32::try_from(digits).ok()?),
            Unit::Nanos => self.nanos = number,
            Unit::Other => {}
        }
        Some(())
    }

    fn printed(self) -> Option<Printed<'a>> {
        let day = match (self.year, self.month, self.day) {
            (Some(year), Some(month), Some(day)) => Day::Whole(date(year, month, day)?),
            (None, Some(month), Some(day)) => {
                // A leap year, so that 29 February is a day.
                Date::new(2024, month, day).ok()?;
                Day::OfYear(month, day)
            }
            _ => Day::Missing,
        };
        let hour = if self.afternoon == Some(true) {
            self.hour + 12
        } else {
            self.hour
        };
        let time = time(hour, self.minute, self.second, self.nanos)?;
        Some(Printed::Civil {
            day,
            time,
            zone: self.zone,
        })
    }
}

/// Where the form says that a zone stands, any name is one; `GMT+01:00` is an offset.
fn any_zone<'a>(cursor: &mut Cursor<'a>) -> Option<Zone<'a>> {
    let start = cursor.at;
    if cursor.rest().starts_with(b"GMT") || cursor.rest().starts_with(b"UTC") {
        cursor.at += 3;
    }
    if let Some(offset) = cursor.offset() {
        return Some(Zone::Offset(offset));
    }
    cursor.at = start;
    let rest = cursor.rest();
    let len = rest.iter().take_while(|byte| is_zone_byte(**byte)).count();
    let name = std::str::from_utf8(&rest[..len]).ok()?;
    (len > 0).then(|| cursor.named(name))
}

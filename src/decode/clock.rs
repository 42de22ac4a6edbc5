//! From the time as printed to an instant: the one thing about decoding that has a memory.
//!
//! A pattern's own zone or a printed offset wins; a time without either is local time of the source's zone.
//!
//! * *A repeated hour* (clocks go back): of its two readings the earlier is taken, unless it lies before the log's last
//!   time; then the later. So a log's times do not run backwards by an hour, and a job's history keeps its order.
//! * *A skipped hour* (clocks go forward) is never printed by a correct clock; jiff's compatible reading is taken.
//! * *No date* (`%d{HH:mm:ss.SSS}`): the first line is dated so that it does not lie after [`Clock::set_read_at`], which
//!   is the file's modification time for what it held already and now for what is appended. After that the time of day
//!   falling means that a day has passed. Silence of more than a day cannot be seen; see [`Clock::anchor_day`].
//! * *No year*: the latest year in which the line does not lie after the time of reading.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};

use super::time::{Day, Printed, Zone};

/// Threads of one JVM write their lines up to this much out of order (milliseconds were seen); beyond it a time that
/// lies before the last one means that the clock was set, or that a day has passed.
const DISORDER: SignedDuration = SignedDuration::from_mins(1);

/// The time of day falling by more than this is a new day; by less it is a clock set back, as in autumn.
const NEW_DAY: SignedDuration = SignedDuration::from_hours(2);

/// What a log's times need to become instants. One for each log; cheap to copy.
#[derive(Debug, Clone)]
pub struct Clock {
    /// Zone of local times that name none.
    zone: TimeZone,
    /// About when the bytes at hand were written, at the latest.
    read_at: Timestamp,
    /// The last instant given.
    last: Option<Timestamp>,
    /// Date and time of day of the last line that printed no date.
    day: Option<DateTime>,
    /// The last hour resolved by `zone`'s rules.
    hour: Option<Hour>,
}

/// An hour of local time all through which one offset holds.
#[derive(Debug, Clone, Copy)]
struct Hour {
    date: Date,
    of_day: i8,
    /// Its beginning, seconds since the epoch.
    start: i64,
}

impl Clock {
    /// A clock for a log of this zone, read at this time (see the module's documentation).
    #[must_use]
    pub const fn new(zone: TimeZone, read_at: Timestamp) -> Self {
        Self {
            zone,
            read_at,
            last: None,
            day: None,
            hour: None,
        }
    }

    /// Tells when the bytes that follow were written at the latest.
    pub const fn set_read_at(&mut self, read_at: Timestamp) {
        self.read_at = read_at;
    }

    /// What [`Self::set_read_at`] was told last.
    #[must_use]
    pub const fn read_at(&self) -> Timestamp {
        self.read_at
    }

    /// Dates the next line without a date anew, by the time of reading: for the first fresh line after the whole of a
    /// log has been read, before which there may have been days of silence.
    pub const fn anchor_day(&mut self) {
        self.day = None;
    }

    /// The last instant given in this log.
    #[must_use]
    pub const fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// The instant that a printed time means. `own` is the zone that the layout itself names.
    ///
    /// `None` only at the ends of the calendar. Asking twice for the same line gives the same answer.
    pub fn resolve(&mut self, printed: &Printed<'_>, own: Option<&TimeZone>) -> Option<Timestamp> {
        let at = match *printed {
            Printed::Instant(at) => at,
            Printed::Civil { day, time, zone } => {
                let foreign = match zone {
                    Zone::Unprinted => own.cloned(),
                    Zone::Offset(offset) => Some(offset.to_time_zone()),
                    // Java's abbreviations that are no IANA name mean the JVM's own zone.
                    Zone::Named(name) => TimeZone::get(name).ok().or_else(|| own.cloned()),
                };
                let local = self
                    .date(day, time, foreign.as_ref().unwrap_or(&self.zone))?
                    .to_datetime(time);
                if day == Day::Missing {
                    self.day = Some(local);
                }
                match foreign {
                    Some(zone) => self.instant(local, &zone)?,
                    None => self.instant_at_source(local)?,
                }
            }
        };
        self.last = Some(at);
        Some(at)
    }

    fn date(&self, day: Day, time: Time, zone: &TimeZone) -> Option<Date> {
        match (day, self.day) {
            (Day::Whole(date), _) => Some(date),
            (Day::OfYear(month, day), _) => {
                // A day of grace: clocks of two machines may disagree around New Year.
                let today = self.read_at.to_zoned(zone.clone()).date().tomorrow().ok()?;
                // 29 February is not in every year; eight years hold one even around 2100.
                (0..=8).find_map(|back| {
                    Date::new(today.year() - back, month, day)
                        .ok()
                        .filter(|date| *date <= today)
                })
            }
            (Day::Missing, None) => {
                let now = self.read_at.to_zoned(zone.clone()).datetime();
                if time <= now.time() {
                    Some(now.date())
                } else {
                    now.date().yesterday().ok()
                }
            }
            (Day::Missing, Some(last)) => {
                let fall = last.time().duration_until(time);
                if fall < -NEW_DAY {
                    // Just after midnight a straggler of the day before is read as a rise of almost a day, see below.
                    last.date().tomorrow().ok()
                } else if fall > SignedDuration::from_hours(24) - DISORDER {
                    last.date().yesterday().ok()
                } else {
                    Some(last.date())
                }
            }
        }
    }

    /// By the source's own zone; its rules are asked once for each hour of the log.
    fn instant_at_source(&mut self, local: DateTime) -> Option<Timestamp> {
        if let Some(known) = self.hour
            && known.of_day == local.hour()
            && known.date == local.date()
        {
            let second = i64::from(local.minute()) * 60 + i64::from(local.second());
            return Timestamp::new(known.start + second, local.subsec_nanosecond()).ok();
        }
        self.hour = whole_hour(&self.zone, local);
        let zone = self.zone.clone();
        self.instant(local, &zone)
    }

    fn instant(&self, local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
        let reading = zone.to_ambiguous_timestamp(local);
        match reading.offset() {
            AmbiguousOffset::Fold { before, after } => {
                let earlier = before.to_timestamp(local).ok()?;
                let passed = self
                    .last
                    .is_some_and(|last| earlier.duration_until(last) > DISORDER);
                if passed {
                    after.to_timestamp(local).ok()
                } else {
                    Some(earlier)
                }
            }
            _ => reading.compatible().ok(),
        }
    }
}

/// The hour around a local time, if one offset holds from its start to its end.
fn whole_hour(zone: &TimeZone, local: DateTime) -> Option<Hour> {
    let start = local.date().at(local.hour(), 0, 0, 0);
    let end = start.checked_add(Span::new().minutes(59).seconds(59)).ok()?;
    let offset = |at| match zone.to_ambiguous_timestamp(at).offset() {
        AmbiguousOffset::Unambiguous { offset } => Some(offset),
        _ => None,
    };
    let known = offset(start)?;
    (offset(end)? == known).then_some(Hour {
        date: local.date(),
        of_day: local.hour(),
        start: known.to_timestamp(start).ok()?.as_second(),
    })
}

#[cfg(test)]
mod tests;

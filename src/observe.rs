//! What the program says to its operator, and the one place where it asks for the time.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// The wall clock. Edges ask once per pass and hand the answer on; the core takes time as an argument.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the wall clock"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// How messages look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Sends messages to standard error from now on. `RUST_LOG` wins over `level` (`info`, or directives like
/// `flinktail=debug,warn`).
///
/// # Errors
/// In words: directives that cannot be read, or messages that somebody else takes already.
pub fn init(format: LogFormat, level: &str) -> Result<(), String> {
    let directives = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| level.to_owned());
    let filter =
        EnvFilter::try_new(&directives).map_err(|error| format!("log level {directives:?}: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        // Told to standard error, too: where nobody takes that any more, the thread that speaks would panic.
        .log_internal_errors(false)
        .with_writer(Escaping(io::stderr));
    match format {
        LogFormat::Text => builder.with_target(false).finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    }
    .map_err(|error| error.to_string())
}

/// Makes writers that show control characters as escapes: messages quote lines of other people's logs, and a terminal
/// must not obey those.
struct Escaping<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Escaping<M> {
    type Writer = EscapingWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        EscapingWriter(self.0.make_writer())
    }
}

/// Takes one whole message per write, as `tracing-subscriber` gives them.
struct EscapingWriter<W>(W);

impl<W: io::Write> io::Write for EscapingWriter<W> {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.0
            .write_all(escaped(&String::from_utf8_lossy(message)).as_bytes())?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Control characters (C0, DEL, C1) and the bidirectional controls (Unicode 16, `Bidi_Control`).
#[must_use]
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Words for people that may quote others': every line of them without unprintable characters.
#[must_use]
pub fn printable(words: &str) -> String {
    words.split_inclusive('\n').map(escaped).collect()
}

/// Every unprintable character but the newline at the end as `\uXXXX`, which JSON reads as well.
fn escaped(message: &str) -> String {
    let (body, end) = message
        .strip_suffix('\n')
        .map_or((message, ""), |body| (body, "\n"));
    let mut out = String::with_capacity(message.len());
    for character in body.chars() {
        if is_unprintable(character) {
            // Cannot fail on a `String`; all of these are in the basic plane.
            write!(out, "\\u{:04x}", u32::from(character)).unwrap_or_default();
        } else {
            out.push(character);
        }
    }
    out + end
}

/// Lets a repeated message through at most once per period, and tells how many were held back.
#[derive(Debug, Clone)]
pub struct RateLimited {
    every: Duration,
    last: Option<Timestamp>,
    held_back: u64,
}

impl RateLimited {
    /// One message per `every`.
    #[must_use]
    pub const fn new(every: Duration) -> Self {
        Self {
            every,
            last: None,
            held_back: 0,
        }
    }

    /// May the message be said `now`? If so, how many like it were held back since the last one.
    pub fn allow(&mut self, now: Timestamp) -> Option<u64> {
        // A clock set back must not silence the message: what is not a positive time ago is long ago.
        let recent = self.last.is_some_and(|last| {
            Duration::try_from(now.duration_since(last)).is_ok_and(|passed| passed < self.every)
        });
        if recent {
            self.held_back += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_never_sees_control_characters_of_other_peoples_lines() {
        assert_eq!(
            escaped("a\u{1b}[31mb\nc\u{202e}\u{9b}é\n"),
            "a\\u001b[31mb\\u000ac\\u202e\\u009bé\n"
        );
        assert_eq!(escaped("plain"), "plain");
        assert_eq!(printable("a\u{1b}b\nc\r\n"), "a\\u001bb\nc\\u000d\n");
    }

    #[test]
    fn a_repeated_message_is_said_once_per_period_with_the_number_held_back() {
        let mut limited = RateLimited::new(Duration::from_secs(10));
        let at = |second: i64| Timestamp::from_second(1_000 + second).unwrap();
        let said: Vec<_> = [0, 1, 9, 10, 11, 5]
            .into_iter()
            .map(|second| limited.allow(at(second)))
            .collect();
        assert_eq!(said, [Some(0), None, None, Some(2), None, Some(1)]);
    }
}

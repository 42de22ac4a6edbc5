//! The grammar of pattern strings: log4j 1, log4j 2 and logback in one.
//!
//! Read are a converter's padding (`%-5p`, `%20.30c`), options in braces (`%d{…}{…}`), log4j 2's nesting (`%style{…}{…}`),
//! logback's grouping (`%cyan(…)`, `%-30(…)`), escapes and lookups. A converter's name is the longest known one that the
//! letters begin with, as `org.apache.logging.log4j.core.pattern.PatternParser` has it.

use super::pattern::PatternError;

/// One node of a pattern.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    /// Printed as it is.
    Text(Vec<u8>),
    /// Printed from the event.
    Field(Field),
    /// What stands inside another converter.
    Group {
        inner: Vec<Node>,
        /// May be printed or not (`%notEmpty{…}`).
        optional: bool,
        pad: Pad,
    },
}

/// A converter that prints something of the event.
#[derive(Debug, PartialEq)]
pub(super) struct Field {
    pub kind: Kind,
    pub options: Vec<Opt>,
    pub pad: Pad,
    /// Byte offset of its `%`.
    pub offset: usize,
}

/// The text between two braces.
#[derive(Debug, PartialEq)]
pub(super) struct Opt {
    pub text: String,
    pub offset: usize,
}

/// A converter's width.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pad {
    /// Least width, characters; 0 if none.
    pub width: usize,
    /// Blanks come after the value (`%-5p`), not before.
    pub left: bool,
    /// Greatest width.
    pub cut: Option<usize>,
    /// The end is cut (`%.-5p`), not the beginning.
    pub cut_end: bool,
}

/// What a converter prints, as far as it matters for reading it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Time,
    Level,
    Logger,
    Message,
    Newline,
    Throwable,
    /// log4j's NDC.
    Stack,
    /// The logging context (MDC).
    Context,
    /// Digits, or nothing, or `?`.
    Number,
    /// Anything, perhaps nothing.
    Free,
    /// Never anything.
    Nothing,
    /// Its first option, decorated.
    Inner,
    /// Its first option, or nothing.
    Maybe,
    /// Its first option, or nothing where that equals the second.
    Unless,
    /// Its first option so many times as the second says.
    Repeat,
}

/// Names of converters: log4j 2 `@ConverterKeys`, logback `PatternLayout.DEFAULT_CONVERTER_MAP`, log4j 1 `PatternParser`, Spring Boot's own.
#[rustfmt::skip]
const CONVERTERS: &[(Kind, &[&str])] = &[
    (Kind::Time, &["d", "date"]),
    (Kind::Level, &["p", "level", "le"]),
    (Kind::Logger, &["c", "logger", "lo"]),
    (Kind::Message, &["m", "msg", "message"]),
    (Kind::Newline, &["n"]),
    (Kind::Throwable, &[
        "ex", "exception", "throwable", "rEx", "rException", "rThrowable", "rootException", "xEx", "xException",
        "xThrowable", "wEx", "xwEx",
    ]),
    (Kind::Stack, &["x", "NDC"]),
    (Kind::Context, &["X", "mdc", "MDC"]),
    (Kind::Number, &[
        "L", "line", "r", "relative", "pid", "processId", "T", "tid", "threadId", "tp", "threadPriority", "sn",
        "sequenceNumber", "N", "nano", "ms",
    ]),
    (Kind::Free, &[
        "t", "thread", "tn", "threadName", "F", "file", "M", "method", "C", "class", "l", "location", "caller", "u",
        "uuid", "marker", "markerSimpleName", "K", "map", "MAP", "kvp", "fqcn", "endOfBatch", "contextName", "cn",
        "property", "applicationName", "applicationGroup",
    ]),
    (Kind::Nothing, &["nopex", "nopexception"]),
    (Kind::Inner, &[
        "style", "highlight", "clr", "enc", "encode", "replace", "maxLen", "maxLength", "pad", "black", "red", "green",
        "yellow", "blue", "magenta", "cyan", "white", "gray", "boldRed", "boldGreen", "boldYellow", "boldBlue",
        "boldMagenta", "boldCyan", "boldWhite",
    ]),
    (Kind::Maybe, &["notEmpty", "varsNotEmpty", "variablesNotEmpty"]),
    (Kind::Unless, &["equals", "equalsIgnoreCase"]),
    (Kind::Repeat, &["R", "repeat"]),
];

/// Patterns nest a few levels deep; more is a mistake, and the reader is recursive.
const DEEPEST: usize = 16;

/// No converter of a sane configuration pads or repeats wider than a line of a terminal, several times over.
const WIDEST: usize = 1000;

/// Reads a pattern string.
pub(super) fn parse(pattern: &str) -> Result<Vec<Node>, PatternError> {
    let mut parser = Parser {
        text: pattern,
        at: 0,
        base: 0,
        depth: 0,
    };
    parser.nodes(false)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Where `text` begins in the whole pattern.
    base: usize,
    depth: usize,
}

impl Parser<'_> {
    fn error<T>(&self, at: usize, message: impl Into<String>) -> Result<T, PatternError> {
        Err(PatternError {
            offset: self.base + at,
            message: message.into(),
        })
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        self.at += if found { prefix.len() } else { 0 };
        found
    }

    /// Reads to the end, or past the `)` that ends a group.
    fn nodes(&mut self, in_group: bool) -> Result<Vec<Node>, PatternError> {
        let opened = self.at;
        let mut nodes = Vec::new();
        while let Some(next) = self.rest().chars().next() {
            match next {
                ')' if in_group => {
                    self.at += 1;
                    return Ok(nodes);
                }
                '%' if self.eat("%%") => text(&mut nodes, "%"),
                '%' => nodes.push(self.converter()?),
                '$' if self.rest().starts_with("${") || self.rest().starts_with("$${") => {
                    nodes.push(self.lookup()?);
                }
                '\\' => {
                    self.at += 1;
                    self.escape(&mut nodes);
                }
                other => {
                    self.at += other.len_utf8();
                    text(&mut nodes, other.encode_utf8(&mut [0; 4]));
                }
            }
        }
        if in_group {
            self.error(opened, "this group is never closed by `)`")
        } else {
            Ok(nodes)
        }
    }

    /// What follows a backslash: log4j's control characters, else the character itself (logback's `\(`, `\)`).
    fn escape(&mut self, nodes: &mut Vec<Node>) {
        let Some(next) = self.rest().chars().next() else {
            return text(nodes, "\\");
        };
        self.at += next.len_utf8();
        match next {
            'n' => nodes.push(Node::Field(Field {
                kind: Kind::Newline,
                options: Vec::new(),
                pad: Pad::default(),
                offset: self.base + self.at,
            })),
            'r' => {}
            't' => text(nodes, "\t"),
            other => text(nodes, other.encode_utf8(&mut [0; 4])),
        }
    }

    /// `${env:X:-y}`: somebody's value, unknown here.
    fn lookup(&mut self) -> Result<Node, PatternError> {
        let offset = self.base + self.at;
        self.at += self.rest().find('{').unwrap_or_default();
        self.braces()?;
        Ok(Node::Field(Field {
            kind: Kind::Free,
            options: Vec::new(),
            pad: Pad::default(),
            offset,
        }))
    }

    /// The text between the brace at the cursor and the one that closes it.
    fn braces(&mut self) -> Result<Opt, PatternError> {
        let start = self.at;
        let mut depth = 0_usize;
        for (index, byte) in self.rest().bytes().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 1 => {
                    self.at += index + 1;
                    let text = self.text[start + 1..start + index].to_owned();
                    return Ok(Opt {
                        text,
                        offset: self.base + start + 1,
                    });
                }
                b'}' => depth -= 1,
                _ => {}
            }
        }
        self.error(start, "this brace is never closed")
    }

    fn converter(&mut self) -> Result<Node, PatternError> {
        let start = self.at;
        self.at += 1;
        let pad = self.pad()?;
        if self.eat("(") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return self.error(start, "nested too deep");
            }
            let inner = self.nodes(true)?;
            self.depth -= 1;
            return Ok(Node::Group {
                inner,
                optional: false,
                pad,
            });
        }
        let letters = self
            .rest()
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let letters = &self.rest()[..letters];
        let known = |(kind, names): &(Kind, &'static [&'static str])| {
            names
                .iter()
                .filter(|name| letters.starts_with(**name))
                .map(|name| (name.len(), *kind))
                .max_by_key(|n| n.0)
        };
        let Some((len, kind)) = CONVERTERS.iter().filter_map(known).max_by_key(|found| found.0) else {
            let message = if letters.is_empty() {
                "a lone `%`; write `%%` for the sign itself".to_owned()
            } else {
                format!("unknown converter `%{letters}`")
            };
            return self.error(start, message);
        };
        self.at += len;
        self.with_options(kind, pad, start)
    }

    fn with_options(&mut self, kind: Kind, pad: Pad, start: usize) -> Result<Node, PatternError> {
        let nests = matches!(kind, Kind::Inner | Kind::Maybe | Kind::Unless);
        // Logback's form: the inner pattern in parentheses, options behind it.
        let inner = if nests && self.eat("(") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return self.error(start, "nested too deep");
            }
            let inner = self.nodes(true)?;
            self.depth -= 1;
            Some(inner)
        } else {
            None
        };
        let mut options = Vec::new();
        while self.rest().starts_with('{') {
            options.push(self.braces()?);
        }
        if kind == Kind::Repeat {
            return self.repeat(&options, start);
        }
        if !nests {
            return Ok(Node::Field(Field {
                kind,
                options,
                pad,
                offset: self.base + start,
            }));
        }
        let inner = match (inner, options.first()) {
            (Some(inner), _) => inner,
            (None, Some(first)) if self.depth < DEEPEST => Parser {
                text: &first.text,
                at: 0,
                base: first.offset,
                depth: self.depth + 1,
            }
            .nodes(false)?,
            (None, Some(_)) => return self.error(start, "nested too deep"),
            (None, None) => return self.error(start, "an inner pattern in braces is missing"),
        };
        // `%equals{p}{test}{other}` with another text is that text or the inner pattern: anything, then.
        if kind == Kind::Unless && options.get(2).is_some_and(|other| !other.text.is_empty()) {
            return Ok(Node::Field(Field {
                kind: Kind::Free,
                options,
                pad,
                offset: self.base + start,
            }));
        }
        Ok(Node::Group {
            inner,
            optional: kind != Kind::Inner,
            pad,
        })
    }

    fn repeat(&self, options: &[Opt], start: usize) -> Result<Node, PatternError> {
        let count = options.get(1).and_then(|count| count.text.trim().parse().ok());
        match (options.first(), count) {
            (Some(what), Some(count)) if what.text.len().saturating_mul(count) <= WIDEST => {
                Ok(Node::Text(what.text.repeat(count).into_bytes()))
            }
            _ => self.error(start, "`%repeat` takes a text and a small number"),
        }
    }

    /// `-20.-30`: least and greatest width.
    fn pad(&mut self) -> Result<Pad, PatternError> {
        let mut pad = Pad {
            left: self.eat("-"),
            ..Pad::default()
        };
        pad.width = self.width()?.unwrap_or_default();
        if self.eat(".") {
            pad.cut_end = self.eat("-");
            pad.cut = self.width()?;
            if pad.cut.is_none() {
                return self.error(self.at, "a number is missing behind the dot");
            }
        }
        Ok(pad)
    }

    fn width(&mut self) -> Result<Option<usize>, PatternError> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Ok(None);
        }
        match self.rest()[..digits].parse() {
            Ok(width) if width <= WIDEST => {
                self.at += digits;
                Ok(Some(width))
            }
            _ => self.error(self.at, format!("wider than {WIDEST} characters")),
        }
    }
}

fn text(nodes: &mut Vec<Node>, more: &str) {
    if let Some(Node::Text(text)) = nodes.last_mut() {
        text.extend_from_slice(more.as_bytes());
    } else {
        nodes.push(Node::Text(more.as_bytes().to_vec()));
    }
}

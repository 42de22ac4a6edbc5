//! CSV (RFC 4180), as the console of `CloudWatch` saves the results of a query: a header with `@message`, then rows, whose
//! quoted cells may go over lines.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::json::read_time;
use super::split::LONGEST;

/// A table being read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Csv {
    columns: Vec<String>,
    /// The lines of a row whose quoted cell has not ended.
    row: String,
}

/// What a line of the table is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Ends a row: its cells.
    Row(Vec<String>),
    /// The row goes on.
    More,
    /// None: the row before it broke off, and the line is to be asked about once more.
    Broken(String),
}

impl Csv {
    /// The table that a line is the header of.
    pub(super) fn begins(line: &[u8]) -> Option<Self> {
        // Every line of a log is asked about, while it may be such a file.
        memchr::memmem::find(line, b"@message")?;
        let columns = cells(std::str::from_utf8(line).ok()?)?;
        let is_header = columns.iter().any(|column| column == "@message");
        is_header.then_some(Self {
            columns,
            row: String::new(),
        })
    }

    /// Whether a quoted cell goes on in the next line, whatever that looks like.
    pub(super) const fn is_open(&self) -> bool {
        !self.row.is_empty()
    }

    /// Takes a line.
    pub(super) fn line(&mut self, line: &[u8]) -> Line {
        let line = String::from_utf8_lossy(line);
        if self.is_open() && (self.is_row(&line) || self.row.len() > LONGEST) {
            return Line::Broken(self.take_open());
        }
        if self.is_open() {
            self.row.push('\n');
        }
        self.row.push_str(&line);
        match cells(&self.row) {
            Some(cells) => {
                self.row.clear();
                Line::Row(cells)
            }
            None => Line::More,
        }
    }

    /// What has begun and does not end.
    pub(super) fn take_open(&mut self) -> String {
        std::mem::take(&mut self.row)
    }

    /// The cells of a row with their columns.
    pub(super) fn named<'a>(&'a self, cells: &'a [String]) -> Vec<(&'a str, &'a str)> {
        let columns = self.columns.iter().map(String::as_str);
        columns.zip(cells.iter().map(String::as_str)).collect()
    }

    /// Whether a line is a row by itself, beyond doubt: as many cells as there are columns, and a time where it belongs.
    fn is_row(&self, line: &str) -> bool {
        let Some(cells) = cells(line).filter(|cells| cells.len() == self.columns.len()) else {
            return false;
        };
        let time = self.columns.iter().position(|column| column == "@timestamp");
        time.is_some_and(|time| read_time(&Value::String(cells[time].clone())).is_some())
    }
}

/// The cells of a row; none where a quoted one does not end.
fn cells(row: &str) -> Option<Vec<String>> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = row.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quoted) {
            ('"', true) if letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', false) => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(letter),
        }
    }
    cells.push(cell);
    (!quoted).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::{Csv, Line};

    fn rows(text: &str) -> Vec<Line> {
        let mut lines = text.lines();
        let mut csv = Csv::begins(lines.next().unwrap().as_bytes()).unwrap();
        let mut rows = Vec::new();
        for line in lines {
            let mut told = csv.line(line.as_bytes());
            if let Line::Broken(_) = told {
                rows.push(told);
                told = csv.line(line.as_bytes());
            }
            rows.push(told);
        }
        rows
    }

    fn row(cells: &[&str]) -> Line {
        Line::Row(cells.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn quoted_cells_hold_commas_quotes_and_newlines() {
        assert_eq!(
            rows("@timestamp,@message\n1772442000004,\"a, \"\"b\"\"\n  {\n\"\"c\"\"\"\n1772442000005,d"),
            [
                Line::More,
                Line::More,
                row(&["1772442000004", "a, \"b\"\n  {\n\"c\""]),
                row(&["1772442000005", "d"])
            ]
        );
    }

    #[test]
    fn a_row_that_breaks_off_takes_no_other_with_it() {
        assert_eq!(
            rows("@timestamp,@message\n1772442000004,\"torn\n1772442000005,\"d\""),
            [
                Line::More,
                Line::Broken("1772442000004,\"torn".to_owned()),
                row(&["1772442000005", "d"])
            ]
        );
    }

    #[test]
    fn a_table_has_messages() {
        assert!(Csv::begins(b"a,b").is_none());
        assert!(Csv::begins(b"\"@message\",\"@log\"").is_some());
    }
}

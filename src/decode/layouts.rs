//! All layouts there are: the built-in ones and the user's.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::clock::Clock;
use super::form::Form;
use super::layout::Layout;
use super::pattern::PatternError;
use super::schema::{self, Expected, LayoutFile, Sample};
use super::wrapper::Wrapper;
use crate::problem::Problem;

macro_rules! embedded {
    ($($id:literal)*) => {
        &[$((
            concat!("rules/layouts/", $id, ".toml"),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/layouts/", $id, ".toml")),
        )),*]
    };
}

/// The built-in layout files: path in the repository and text.
#[rustfmt::skip]
pub const BUILTIN: &[(&str, &str)] = embedded![
    "bare"
    "bare-level-thread"
    "bare-thread"
    "bracketed"
    "bracketed-all"
    "bracketed-dash"
    "bracketed-date-level"
    "bracketed-kafka"
    "bracketed-thread-level"
    "colon"
    "colon-level-thread"
    "colon-thread"
    "dashes"
    "ecs"
    "flink-operator"
    "gcp"
    "gelf"
    "json-any"
    "json-layout"
    "kda"
    "level-first"
    "level-first-bracketed"
    "level-first-plain"
    "level-thread"
    "level-thread-context"
    "line-number"
    "line-number-level-thread"
    "line-number-thread"
    "log4j-stock"
    "logback-default"
    "logger-level"
    "logstash"
    "no-logger"
    "no-logger-bare"
    "no-logger-bracketed"
    "no-logger-level-thread"
    "no-logger-thread"
    "no-logger-thread-bare"
    "pipes"
    "source-location"
    "spring-boot"
    "thread-context-level"
    "thread-level"
    "thread-level-context"
    "ttcc"
    "untimed"
    "untimed-thread"
];

/// A layout's place in [`Layouts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayoutId(usize);

/// A set of layouts.
#[derive(Debug, Clone)]
pub struct Layouts {
    files: Vec<LayoutFile>,
}

impl Layouts {
    /// The built-in layouts.
    pub fn builtin() -> Result<Self, Vec<Problem>> {
        let mut layouts = Self { files: Vec::new() };
        layouts.add(BUILTIN.iter().copied(), false)?;
        Ok(layouts)
    }

    /// Exactly these files (name and text); every problem of all of them at once.
    pub fn compile(files: &[(String, String)]) -> Result<Self, Vec<Problem>> {
        let mut layouts = Self { files: Vec::new() };
        layouts.add_user(files)?;
        Ok(layouts)
    }

    /// Adds a user's files. One with the id of a layout that is there already takes its place.
    pub fn add_user(&mut self, files: &[(String, String)]) -> Result<(), Vec<Problem>> {
        self.add(
            files.iter().map(|(name, text)| (name.as_str(), text.as_str())),
            true,
        )
    }

    fn add<'f>(
        &mut self,
        files: impl Iterator<Item = (&'f str, &'f str)>,
        of_user: bool,
    ) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        let mut added: Vec<LayoutFile> = Vec::new();
        for (name, text) in files {
            match schema::read(name, text, of_user) {
                Ok(file) => match added.iter().find(|other| other.layout.id() == file.layout.id()) {
                    Some(other) => {
                        let message =
                            format!("`{}` has this id already: {}", other.place.file, file.layout.id());
                        problems.push(file.place.problem(message));
                    }
                    None => added.push(file),
                },
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        for file in added {
            match self
                .files
                .iter_mut()
                .find(|other| other.layout.id() == file.layout.id())
            {
                Some(other) => *other = file,
                None => self.files.push(file),
            }
        }
        Ok(())
    }

    /// The layout that a pattern string describes; see [`Layout::from_pattern`].
    pub fn from_pattern(pattern: &str) -> Result<Layout, PatternError> {
        Layout::from_pattern(pattern)
    }

    /// The layout of an id that this set gave.
    #[must_use]
    pub fn get(&self, id: LayoutId) -> &Layout {
        &self.files[id.0].layout
    }

    /// The same, to be kept: logs share it.
    #[must_use]
    pub fn shared(&self, id: LayoutId) -> Arc<Layout> {
        Arc::clone(&self.files[id.0].layout)
    }

    /// The same inside of what carries it, the outermost first. Logs that nothing carries share one.
    #[must_use]
    pub fn form(&self, id: LayoutId, wrappers: Vec<Wrapper>) -> Arc<Form> {
        if wrappers.is_empty() {
            Arc::clone(&self.files[id.0].bare)
        } else {
            Arc::new(Form::new(wrappers, self.shared(id)))
        }
    }

    /// The layout with this id.
    #[must_use]
    pub fn named(&self, id: &str) -> Option<LayoutId> {
        self.files
            .iter()
            .position(|file| file.layout.id() == id)
            .map(LayoutId)
    }

    /// All layouts, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (LayoutId, &Layout)> {
        self.files
            .iter()
            .enumerate()
            .map(|(index, file)| (LayoutId(index), &*file.layout))
    }

    /// Holds every layout against its samples, and every sample against detection: a sample alone in a log must lead to
    /// the same record, whichever layout is then chosen.
    #[must_use]
    pub fn verify(&self) -> Vec<Problem> {
        let samples = self
            .files
            .iter()
            .flat_map(|file| file.samples.iter().map(move |sample| (&*file.layout, sample)));
        samples
            .filter_map(|(layout, sample)| self.verify_sample(layout, sample))
            .collect()
    }

    fn verify_sample(&self, layout: &Layout, sample: &Sample) -> Option<Problem> {
        let problem = |message: String| Some(sample.place.problem(format!("{}: {message}", layout.id())));
        let read = decode(layout, sample);
        match (&sample.expect, read) {
            (None, None) => None,
            (None, Some(record)) => problem(format!("reads a line that it must refuse, as {record:?}")),
            (Some(_), None) => problem("does not recognise its own sample".to_owned()),
            (Some(expected), Some(read)) if *expected != read => {
                problem(format!("expected {expected:?}, read {read:?}"))
            }
            (Some(expected), Some(_)) => {
                let detected = self.detect(sample.line.as_bytes()).layout.map(|id| self.get(id));
                match detected {
                    None => problem("detection knows no layout for this sample".to_owned()),
                    Some(other) if decode(other, sample).as_ref() != Some(expected) => {
                        problem(format!("detection takes this sample for `{}`", other.id()))
                    }
                    Some(_) => None,
                }
            }
        }
    }
}

fn decode(layout: &Layout, sample: &Sample) -> Option<Expected> {
    let mut clock = Clock::new(TimeZone::UTC, sample.read_at);
    let record = layout.decode(sample.line.as_bytes(), &mut clock)?;
    Some(Expected {
        at: record.at,
        level: record.level,
        logger: String::from_utf8_lossy(&record.logger).into_owned(),
        message: String::from_utf8_lossy(&record.message).into_owned(),
        job: record.mdc_job,
        resource: record.deployment.map(|deployment| deployment.to_string()),
        cause: record.cause,
    })
}

#[cfg(test)]
mod tests;

//! The story of each job, for people: what `replay` prints when it is not asked for JSON.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};

use super::text::{duration, moment, printable};
use crate::model::event::RestartReason;
use crate::model::flink_job::{Class, JobState};
use crate::model::state::State;
use crate::model::{Entry, Fleet, Job, Storied};

/// Jobs up to which each gets its timeline; more are told in one line each.
const FULL_STORIES: usize = 50;

/// Entries of a timeline shown at its beginning and at its end; a crash loop's are left out between them.
const FIRST_ENTRIES: usize = 5;
const LAST_ENTRIES: usize = 15;

/// Writes the story of every job: name, state and since when, restarts by reason, last failure, timeline.
///
/// `colour` writes ANSI colours. Times are UTC. Errors are those of `out`.
fn story<'a>(jobs: impl Iterator<Item = &'a Job>, out: &mut impl Write, colour: bool) -> io::Result<()> {
    let jobs: Vec<&Job> = jobs.collect();
    let paint = Paint { colour };
    summary(&jobs, out, paint)?;
    if jobs.len() > FULL_STORIES {
        writeln!(
            out,
            "(Timelines are shown for up to {FULL_STORIES} jobs; --json has all of them.)\n"
        )?;
        return jobs.iter().try_for_each(|job| one_line(job, out, paint));
    }
    jobs.iter().try_for_each(|job| full(job, out, paint))
}

/// Writes the story of every entity: jobs first, then what runs them.
///
/// `colour` writes ANSI colours. Times are UTC. Errors are those of `out`.
pub fn story_of_fleet(fleet: &Fleet, out: &mut impl Write, colour: bool) -> io::Result<()> {
    let paint = Paint { colour };
    let mut others = Vec::new();
    others_of(fleet.applications(), "application", &mut others, paint)?;
    others_of(fleet.platform_jobs(), "platform job", &mut others, paint)?;
    others_of(fleet.deployments(), "deployment", &mut others, paint)?;
    if others.is_empty() || fleet.jobs().next().is_some() {
        story(fleet.jobs(), out, colour)?;
    }
    out.write_all(&others)
}

/// The entities of one kind: one line each where there are many.
fn others_of<'e, E: Storied + 'e>(
    entities: impl Iterator<Item = &'e E>,
    kind: &str,
    out: &mut impl Write,
    paint: Paint,
) -> io::Result<()> {
    let entities: Vec<&E> = entities.collect();
    if entities.is_empty() {
        return Ok(());
    }
    let plural = if entities.len() == 1 { "" } else { "s" };
    writeln!(out, "{} {kind}{plural}\n", entities.len())?;
    for entity in &entities {
        let story = entity.story();
        let name = entity
            .name()
            .map_or_else(|| "(name unknown)".to_owned(), printable);
        let since = story
            .since
            .map(|at| format!(" since {}", moment(at)))
            .unwrap_or_default();
        let id = printable(&entity.id().to_string());
        let state = paint.state(story.state, 0);
        writeln!(out, "{}  {id}\n  {state}{since}", paint.bold(&name))?;
        if entities.len() <= FULL_STORIES {
            timeline(&story.history, story.history_dropped, out, paint)?;
            writeln!(out)?;
        }
    }
    Ok(())
}

/// `45 jobs: 3 FAILED, 41 FINISHED, 1 UNKNOWN`.
fn summary(jobs: &[&Job], out: &mut impl Write, paint: Paint) -> io::Result<()> {
    let mut counts: BTreeMap<JobState, usize> = BTreeMap::new();
    for job in jobs {
        *counts.entry(job.state).or_default() += 1;
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", paint.state(*state, 0)))
        .collect();
    match jobs.len() {
        0 => writeln!(out, "No job was found."),
        1 => writeln!(out, "1 job: {}\n", parts.join(", ")),
        count => writeln!(out, "{count} jobs: {}\n", parts.join(", ")),
    }
}

fn one_line(job: &Job, out: &mut impl Write, paint: Paint) -> io::Result<()> {
    let since = job.since.map_or_else(|| "-".to_owned(), moment);
    let restarts: u64 = job.restarts.iter().sum();
    let restarts = if restarts == 0 {
        String::new()
    } else {
        format!(" ({restarts} restarts)")
    };
    writeln!(
        out,
        "{} {since:23}  {}  {}  {}{restarts}",
        paint.state(job.state, 12),
        job.id,
        printable(&job.cluster),
        name(job),
    )
}

fn full(job: &Job, out: &mut impl Write, paint: Paint) -> io::Result<()> {
    writeln!(
        out,
        "{}  {}  cluster {}",
        paint.bold(&name(job)),
        job.id,
        printable(&job.cluster)
    )?;
    writeln!(out, "  {}{}", paint.state(job.state, 0), facts(job))?;
    if job.restarts.iter().any(|count| *count > 0) {
        writeln!(out, "  restarts: {}", restarts(job))?;
    }
    if let Some(failure) = &job.failure {
        let at = failure
            .at
            .map(|at| format!(" at {}", moment(at)))
            .unwrap_or_default();
        let class = printable(&failure.cause.class);
        let message = match failure.cause.message.as_str() {
            "" => String::new(),
            message => format!(": {}", printable(message)),
        };
        writeln!(out, "  last failure{at}: {class}{message}")?;
    }
    timeline(&job.history, job.history_dropped, out, paint)?;
    writeln!(out)
}

fn name(job: &Job) -> String {
    job.name
        .as_deref()
        .map_or_else(|| "(name unknown)".to_owned(), printable)
}

/// What follows the state: since when, why unknown, version and scheduler where the log told them.
fn facts(job: &Job) -> String {
    let since = job.since.map(|at| format!(" since {}", moment(at)));
    let because = job.unknown_because.map(|why| format!(" because {why}"));
    let version = job
        .flink_version
        .as_deref()
        .map(|version| format!(", Flink {}", printable(version)));
    let scheduler = job
        .scheduler
        .map(|scheduler| format!(", {} scheduler", scheduler.name()));
    [since, because, version, scheduler]
        .into_iter()
        .flatten()
        .collect()
}

/// `3 (2 failure, 1 process)`.
fn restarts(job: &Job) -> String {
    let parts: Vec<String> = RestartReason::ALL
        .into_iter()
        .map(|reason| (job.restarts_for(reason), reason.name()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, reason)| format!("{count} {reason}"))
        .collect();
    format!("{} ({})", job.restarts.iter().sum::<u64>(), parts.join(", "))
}

/// One line for each state entered: when, which, how long it lasted, and how it is known where no line said it.
fn timeline<S: State>(
    history: &VecDeque<Entry<S>>,
    dropped: u64,
    out: &mut impl Write,
    paint: Paint,
) -> io::Result<()> {
    let entries: Vec<&Entry<S>> = history.iter().collect();
    if dropped > 0 {
        writeln!(out, "    … {dropped} older entries are not kept")?;
    }
    let hidden = match entries.len().checked_sub(FIRST_ENTRIES + LAST_ENTRIES) {
        // A line that says "1 more" takes the place of what it hides.
        Some(count) if count > 1 => FIRST_ENTRIES..FIRST_ENTRIES + count,
        _ => 0..0,
    };
    for (index, entry) in entries.iter().enumerate() {
        if index == hidden.start && !hidden.is_empty() {
            writeln!(out, "    … {} more …", hidden.len())?;
        }
        if hidden.contains(&index) {
            continue;
        }
        let at = entry.at.map_or_else(|| "(no time)".to_owned(), moment);
        let lasted = lasted(entry, &entries[index + 1..]);
        let mut notes: Vec<&str> = Vec::new();
        if entry.basis != crate::model::Basis::Log {
            notes.push(entry.basis.name());
        }
        if entry.late {
            notes.push("late");
        }
        let line = format!(
            "    {at:23}  {}  {lasted:>8}  {}",
            paint.state(entry.to, 12),
            notes.join(", ")
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Time until the next entry that moved the job; nothing for the last one, and where a time is missing.
fn lasted<S>(entry: &Entry<S>, following: &[&Entry<S>]) -> String {
    let next = following
        .iter()
        .find(|entry| !entry.late)
        .and_then(|next| next.at);
    match (entry.at, next) {
        (Some(at), Some(next)) if !entry.late => duration(next.duration_since(at)),
        _ => String::new(),
    }
}

/// Colours by what a state means to an operator, or none.
#[derive(Clone, Copy)]
struct Paint {
    colour: bool,
}

impl Paint {
    /// The state's name, padded to a width before it is coloured, so that columns stay even.
    fn state<S: State>(self, state: S, width: usize) -> String {
        let code = match state.class() {
            _ if state.name() == JobState::Failed.name() => "31",
            Class::Transient => "33",
            Class::Steady => "32",
            Class::Unknown => "35",
            Class::Terminal => "2",
        };
        self.wrap(code, &format!("{:width$}", state.name()))
    }

    fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
mod tests;

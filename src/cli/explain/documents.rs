//! `explain` of documents: which kind each is, what carries it, what it tells, and why not.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::Arc;

use super::{Reading, lines, printable};
use crate::decode::documents::{Around, Carrier, Leaf, Opened, Refused, Step, Told, Walker};
use crate::model::event::Event;

/// Longest beginning of a document that is shown, bytes.
const SHOWN: usize = 300;

pub(super) fn explain(text: &[u8], reading: &Reading<'_>, out: &mut impl Write) -> io::Result<bool> {
    let (mut found, mut told) = (Ok(false), HashSet::new());
    let mut walker = Walker::default();
    let mut each = |step: Step<'_>| {
        if let Ok(before) = found {
            found = show(&step, reading, &mut told, out).map(|now| before | now);
        }
    };
    walker.push(text, 0, &mut each);
    walker.end(&mut each);
    found
}

fn show(
    step: &Step<'_>,
    reading: &Reading<'_>,
    told: &mut HashSet<Arc<str>>,
    out: &mut impl Write,
) -> io::Result<bool> {
    writeln!(out)?;
    match &step.leaf {
        Leaf::Carries(carrier, count) => {
            name(carrier, out)?;
            writeln!(out, "        holds   {count}")?;
            Ok(false)
        }
        Leaf::Damaged(bytes) => {
            begins(bytes, out)?;
            writeln!(
                out,
                "damaged JSON that is not whole; what is whole inside of it follows"
            )?;
            Ok(false)
        }
        Leaf::Text(text) => {
            surroundings(step.around, out)?;
            record(text, step.around, reading, told, out)
        }
        Leaf::Document(carrier, opened, text) => {
            begins(text, out)?;
            name(carrier, out)?;
            surroundings(step.around, out)?;
            match opened {
                Opened::Tells(fact) => tells(fact, step.around, told, out),
                Opened::Record(application) => {
                    if let Some(application) = application {
                        writeln!(out, "entity  kda_application {application}")?;
                    }
                    record(text, step.around, reading, told, out)
                }
                Opened::Silent(why) => {
                    writeln!(out, "event   none: {}", printable(why))?;
                    Ok(false)
                }
                Opened::Refused(Refused::UnknownState(word)) => {
                    writeln!(
                        out,
                        "event   refused: `{}` is no state of this kind",
                        printable(word)
                    )?;
                    Ok(false)
                }
                Opened::Refused(Refused::Broken(why)) => {
                    writeln!(out, "event   refused: {}", printable(why))?;
                    Ok(false)
                }
                // Shown as what they hold.
                Opened::Carries(_) | Opened::Stream(_) => Ok(false),
            }
        }
    }
}

fn begins(bytes: &[u8], out: &mut impl Write) -> io::Result<()> {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
    let more = if bytes.len() > SHOWN { " …" } else { "" };
    writeln!(out, "text    {}{more}", printable(&shown))
}

fn name(carrier: &Carrier, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "carrier {} (recognised): {}", carrier.id, carrier.about)
}

fn surroundings(around: &Around, out: &mut impl Write) -> io::Result<()> {
    if let Some(at) = around.at {
        let order = if around.by_time {
            "goes by time"
        } else {
            "goes by place"
        };
        writeln!(out, "        time    {at} of its carrier; {order}")?;
    }
    if let Some(group) = &around.group {
        writeln!(out, "        group   {}", printable(group))?;
    }
    Ok(())
}

/// An event that was told before is told to be one.
fn is_repeated(ids: &[Arc<str>], told: &HashSet<Arc<str>>, out: &mut impl Write) -> io::Result<bool> {
    for id in ids {
        writeln!(out, "id      {}: counts once, whatever carries it", printable(id))?;
    }
    let repeated = ids.iter().any(|id| told.contains(id));
    if repeated {
        writeln!(out, "event   none: an event with this id was told before")?;
    }
    Ok(repeated)
}

fn record(
    text: &[u8],
    around: &Around,
    reading: &Reading<'_>,
    told: &mut HashSet<Arc<str>>,
    out: &mut impl Write,
) -> io::Result<bool> {
    if is_repeated(&around.ids, told, out)? {
        return Ok(false);
    }
    let found = lines(text, reading, out)?;
    if found {
        told.extend(around.ids.iter().cloned());
    }
    Ok(found)
}

fn tells(
    fact: &Told,
    around: &Around,
    told: &mut HashSet<Arc<str>>,
    out: &mut impl Write,
) -> io::Result<bool> {
    match fact.at {
        Some(at) => writeln!(out, "record  time    {at}")?,
        None => writeln!(out, "record  time    none: taken where it stands")?,
    }
    if let Some(entity) = entity(&fact.event) {
        writeln!(out, "entity  {entity}")?;
    }
    let ids = fact.ids(around);
    if is_repeated(&ids, told, out)? {
        return Ok(false);
    }
    writeln!(out, "event   {:?}", fact.event)?;
    told.extend(ids);
    Ok(true)
}

/// Whom an event is about.
fn entity(event: &Event) -> Option<String> {
    match event {
        Event::ApplicationCall { application, .. }
        | Event::ApplicationReported { application, .. }
        | Event::VersionReported { application, .. }
        | Event::ApplicationError { application, .. } => Some(format!("kda_application {application}")),
        Event::PlatformJobReported(job) => Some(format!("vvp_job {}", job.id)),
        Event::PlatformEvent { job, .. } => Some(format!("vvp_job {job}")),
        _ => None,
    }
}

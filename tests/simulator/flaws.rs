//! Teeth: without one of the things by which nothing is lost or counted twice, the simulator fails.
//!
//! The program itself is whole. What it is given is not: the file system or the store keeps from it what the mechanism
//! goes by, or answers as the mechanism being absent would have it.

use flinktail::model::Left;
use flinktail::store::Saved;
use flinktail::tail::identity::Head;

use super::disk::Disk;
use super::{Ill, run};

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A name has one inode number for ever, whatever file it leads to.
    InodesHidden,
    /// Bytes that an open file gave once it gives again, whatever became of the file: the anchor always fits.
    AnchorsExpected,
    /// Copies made to truncate are not shown: what is unread of them is never looked for.
    CopiesHidden,
    /// After a restart, head and anchor are those of whatever file has the inode by now.
    InodesTrusted,
    /// Files read to their end are not kept: after a restart, they are news.
    DoneForgotten,
    /// The line that was open is not kept.
    CarryForgotten,
    /// What was counted is kept one commit after the positions: no transaction holds both.
    CountersBehind,
    /// What is read is shown before it is kept.
    ShownFirst,
}

impl Flaw {
    const ALL: [Self; 8] = [
        Self::InodesHidden,
        Self::AnchorsExpected,
        Self::CopiesHidden,
        Self::InodesTrusted,
        Self::DoneForgotten,
        Self::CarryForgotten,
        Self::CountersBehind,
        Self::ShownFirst,
    ];

    /// What the program finds of what was kept.
    pub fn spoil(self, saved: &mut Saved, left_before: &Left, disk: &Disk) {
        let progress = &mut saved.progress;
        match self {
            Self::InodesTrusted => {
                for position in &mut progress.positions {
                    let Some(file) = disk.file_of(position.id) else {
                        continue;
                    };
                    let (content, place) = (file.content(), &mut position.place);
                    let bytes = |from: u64, to: u64| {
                        let end = content.bytes.len();
                        let at = |offset| usize::try_from(offset).map_or(end, |offset| end.min(offset));
                        &content.bytes[at(from)..at(to)]
                    };
                    place.head = Head::of(bytes(0, place.head.len));
                    let anchor = place.anchor.len() as u64;
                    place.anchor = bytes(place.offset - anchor, place.offset).to_vec();
                }
            }
            Self::DoneForgotten => progress.positions.retain(|position| !position.done),
            Self::CarryForgotten => {
                for log in &mut progress.logs {
                    log.memory = std::mem::take(&mut log.memory).without_bytes();
                }
            }
            Self::CountersBehind => saved.left.clone_from(left_before),
            Self::InodesHidden | Self::AnchorsExpected | Self::CopiesHidden | Self::ShownFirst => {}
        }
    }
}

#[test]
fn without_any_one_mechanism_the_simulator_fails_within_a_few_seeds() {
    /// A flaw that is found only by more is as good as not found.
    const SEEDS: u64 = 24;
    for flaw in Flaw::ALL {
        let ills: &[Ill] = if flaw == Flaw::CopiesHidden {
            &[Ill::Copies]
        } else {
            &[]
        };
        let found = (1..=SEEDS).find_map(|seed| {
            let (_, why) = run(seed, ills, Some(flaw)).err()?;
            // It is the flaw that it fails by.
            run(seed, ills, None).is_ok().then_some((seed, why))
        });
        let (seed, why) = found.unwrap_or_else(|| panic!("{flaw:?} is not found by {SEEDS} seeds"));
        let why = why.lines().next().unwrap_or_default();
        println!("{flaw:?}: found by seed {seed}: {why}");
    }
}

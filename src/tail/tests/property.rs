//! Random actions on files against the writer's own record: no line lost that was not destroyed, none twice, none joined.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Action {
    /// Whole lines, written in pieces of this many bytes with a pass after each.
    Append {
        lines: u32,
        piece: usize,
    },
    /// Many lines at once, no pass.
    Burst(u32),
    Rename,
    Copytruncate,
    /// Written anew in place; what was not read is destroyed.
    Rewrite(u32),
    /// Deleted and created anew; an open file can still be read.
    Recreate,
    Pack,
    Poll,
    Wait(u64),
    Restart,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (1_u32..5, 1_usize..60).prop_map(|(lines, piece)| Action::Append { lines, piece }),
        3 => (1_u32..300).prop_map(Action::Burst),
        3 => Just(Action::Rename),
        2 => Just(Action::Copytruncate),
        1 => (1_u32..40).prop_map(Action::Rewrite),
        1 => Just(Action::Recreate),
        1 => Just(Action::Pack),
        4 => Just(Action::Poll),
        1 => (1_u64..20).prop_map(Action::Wait),
        1 => Just(Action::Restart),
    ]
}

/// What the writer knows.
#[derive(Default)]
struct Record {
    next: u32,
    /// Lines in the current file.
    current: Vec<String>,
    /// Lines that may have been destroyed before a pass could see them.
    destroyed: BTreeSet<String>,
    rotation: u32,
}

impl Record {
    fn write(&mut self, n: u32) -> String {
        let text = text(self.next, self.next + n);
        self.current.extend(lines(self.next, self.next + n));
        self.next += n;
        text
    }
}

fn run(actions: Vec<Action>) -> Result<(), TestCaseError> {
    let mut rig = Rig::new(&["."]);
    let mut record = Record::default();
    let mut got: Vec<String> = Vec::new();
    let packed = actions.iter().any(|action| matches!(action, Action::Pack));
    rig.append("x.log", record.write(1));
    rig.settle();
    for action in actions {
        match action {
            Action::Append { lines, piece } => {
                for piece in record.write(lines).as_bytes().chunks(piece) {
                    rig.append("x.log", piece);
                    rig.poll();
                }
            }
            Action::Burst(n) => rig.append("x.log", record.write(n)),
            Action::Rename => {
                record.rotation += 1;
                rig.rename("x.log", &format!("x.log.{}", record.rotation));
                record.current.clear();
                rig.append("x.log", record.write(1));
            }
            Action::Copytruncate => {
                record.rotation += 1;
                fs::copy(rig.path("x.log"), rig.path(&format!("x.log.{}", record.rotation))).unwrap();
                fs::OpenOptions::new()
                    .write(true)
                    .open(rig.path("x.log"))
                    .unwrap()
                    .set_len(0)
                    .unwrap();
                record.current.clear();
                rig.append("x.log", record.write(1));
                rig.settle();
            }
            Action::Rewrite(n) => {
                record.destroyed.extend(record.current.drain(..));
                let text = record.write(n);
                rig.write("x.log", text);
                rig.settle();
            }
            Action::Recreate => {
                record.destroyed.extend(record.current.drain(..));
                rig.remove("x.log");
                rig.append("x.log", record.write(2));
                rig.settle();
            }
            Action::Pack => {
                let name = format!("x.log.{}", record.rotation);
                if let Ok(bytes) = fs::read(rig.path(&name)) {
                    gzip(&rig.path(&format!("{name}.gz")), &bytes);
                    rig.remove(&name);
                    rig.settle();
                }
            }
            Action::Poll => rig.poll(),
            Action::Wait(seconds) => rig.wait(seconds),
            Action::Restart => {
                got.append(&mut rig.sink.lines);
                let partial: Vec<u8> = rig.sink.partial.values().flatten().copied().collect();
                prop_assert!(partial.is_empty(), "the writer writes whole lines");
                rig.restart(&["."]);
            }
        }
    }
    for _ in 0..5 {
        rig.wait(10);
    }
    got.append(&mut rig.sink.lines);
    if record.destroyed.is_empty() {
        prop_assert!(
            rig.tailer.stats()[0].1.lost_bytes.is_empty(),
            "nothing was destroyed"
        );
        // What is packed before it was seen comes when it is known not to have been.
        prop_assert!(packed || got.is_sorted(), "out of order: {got:?}");
    }
    let mut seen = BTreeSet::new();
    for line in &got {
        prop_assert!(seen.insert(line.clone()), "twice: {line}");
    }
    let written: BTreeSet<String> = lines(0, record.next).into_iter().collect();
    let foreign: Vec<_> = seen.difference(&written).collect();
    prop_assert!(foreign.is_empty(), "never written: {foreign:?}");
    let missing: Vec<_> = written
        .difference(&seen)
        .filter(|line| !record.destroyed.contains(*line))
        .collect();
    prop_assert!(missing.is_empty(), "lost: {missing:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_line_counts_exactly_once_through_random_file_actions(actions in prop::collection::vec(action(), 1..40)) {
        run(actions)?;
    }
}

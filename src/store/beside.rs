//! Making on another core what this one writes: after a catch-up there are thousands of jobs to be written, the other core
//! has nothing to do any more, and half of the time goes into their text.

use std::sync::mpsc::sync_channel;
use std::thread;

/// Fewer things than this are made sooner than a thread is.
const MANY: usize = 128;

/// Things handed over at once: each time wakes somebody, which takes as long as making one.
const SHARE: usize = 16;

/// Most shares made and not taken yet.
const AHEAD: usize = 2;

/// Takes what is made of each thing, in order, up to the first error.
pub(super) fn make_beside<T: Sync, M: Send, E>(
    things: &[T],
    make: impl Fn(&T) -> M + Sync,
    mut take: impl FnMut(M) -> Result<(), E>,
) -> Result<(), E> {
    if things.len() < MANY {
        return things.iter().map(make).try_for_each(take);
    }
    thread::scope(|scope| {
        let (send, ready) = sync_channel(AHEAD);
        let make = &make;
        let share = move |things: &[T]| send.send(things.iter().map(make).collect::<Vec<M>>()).ok();
        // It ends with the last of them, or once nobody takes any more.
        let maker = move || things.chunks(SHARE).try_for_each(share);
        match thread::Builder::new().spawn_scoped(scope, maker) {
            Ok(_) => ready.into_iter().flatten().try_for_each(take),
            // There is no thread to be had.
            Err(_) => things.iter().map(make).try_for_each(&mut take),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{MANY, make_beside};

    #[test]
    fn everything_is_taken_in_order_up_to_the_first_error() {
        for (count, error) in [
            (0, None),
            (MANY - 1, None),
            (9 * MANY, None),
            (9 * MANY, Some(300)),
        ] {
            let things: Vec<usize> = (0..count).collect();
            let mut taken = Vec::new();
            let result = make_beside(
                &things,
                |thing| thing * 2,
                |made| {
                    taken.push(made);
                    if error.is_some_and(|at| made == at * 2) {
                        Err(made)
                    } else {
                        Ok(())
                    }
                },
            );
            let end = error.map_or(count, |at| at + 1);
            assert_eq!(taken, (0..end).map(|thing| thing * 2).collect::<Vec<_>>());
            assert_eq!(result, error.map_or(Ok(()), |at| Err(at * 2)));
        }
    }
}

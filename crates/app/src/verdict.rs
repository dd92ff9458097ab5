//! Judges a snapshot on several threads: kinds do not know of each other, and a kind judges each
//! object for itself, so that all may be asked at the same time. Their answers are concluded from
//! in the order of the kinds and objects, and the outcome is that of `engine::step` for any number
//! of threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use engine::Share;
use model::{FailureKind, Findings, Situation, Snapshot};

/// Below this many workloads it takes longer to start threads than to ask.
const MANY_APPS: usize = 500;
const MOST_THREADS: usize = 4;

/// The situation that this snapshot shows.
pub(crate) fn situation(now: &Snapshot, kinds: &[&FailureKind]) -> Situation {
    if now.apps.len() < MANY_APPS {
        return engine::step(now, kinds);
    }
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let next = AtomicUsize::new(0);
    let turns = || {
        let mut said: Vec<(usize, Findings)> = Vec::new();
        while let turn = next.fetch_add(1, Ordering::Relaxed)
            && let Some(kind) = kinds.get(turn / threads)
        {
            let share = Share { part: turn % threads, of: threads };
            said.push((turn, engine::ask_of(kind, now, share)));
        }
        said
    };
    let mut said = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(turns)).collect();
        let mut said = turns();
        for other in others {
            match other.join() {
                Ok(more) => said.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        said
    });
    said.sort_by_key(|(turn, _)| *turn);
    engine::conclude(said.into_iter().map(|(_, findings)| findings), now, kinds)
}

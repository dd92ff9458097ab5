//! Memory of a machine: who holds how much, and when it runs out.
//!
//! Assumptions, in the order in which they matter:
//! 1. Memory of a container follows its function; nothing is shared, nothing is swapped.
//! 2. A container above its limit is killed by the kernel (exit 137, OOMKilled), alone.
//! 3. Pods together are limited to the machine's memory less what is reserved for daemons. If
//!    something is reserved, the kernel kills inside the pods' group and the daemons live on.
//! 4. If nothing is reserved, the machine as a whole runs out: the kernel kills the container
//!    with the highest score, and the kubelet, starved of its own pages, is gone with it.

use std::collections::BTreeMap;

use model::Timestamp;

use crate::kernel::{SECOND, plus};
use crate::scenario::Memory;

/// A container's main process.
#[derive(Debug, Clone)]
pub(super) struct Process {
    pub pid: i64,
    pub command: String,
    pub since: Timestamp,
    pub memory: Memory,
    /// The container's own limit, in bytes.
    pub limit_bytes: Option<i64>,
    /// `oom_score_adj`: 1000 for BestEffort, -997 for Guaranteed.
    pub score_adjust: i64,
}

/// Pod uid and container name.
pub(super) type Place = (String, String);

/// A machine's memory.
#[derive(Debug)]
pub(super) struct Host {
    memory_bytes: i64,
    reserved_bytes: i64,
    daemons_bytes: i64,
    pub processes: BTreeMap<Place, Process>,
}

/// Memory that ran out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Crisis {
    /// A container reached its own limit.
    Limit(Place),
    /// The pods reached what is left for them; this one is killed.
    Pods(Place),
    /// The machine ran out; this one is killed.
    Machine(Place),
}

impl Host {
    pub fn new(memory_bytes: i64, reserved_bytes: i64, daemons_bytes: i64) -> Self {
        Self { memory_bytes, reserved_bytes, daemons_bytes, processes: BTreeMap::new() }
    }

    /// What the containers hold, in bytes.
    pub fn used_by_pods(&self, now: Timestamp) -> i64 {
        self.processes.values().fold(0, |sum, p| sum.saturating_add(p.memory.at(p.age(now))))
    }

    /// What the containers may hold together, in bytes.
    fn room(&self) -> i64 {
        self.memory_bytes - self.daemons_bytes.max(self.reserved_bytes)
    }

    /// The next moment at which memory runs out, if nothing else changes.
    pub fn crisis_at(&self, now: Timestamp) -> Option<Timestamp> {
        let own = self.processes.values().filter_map(|p| {
            let reached = |at| p.memory.at(p.age(at)) - p.limit_bytes.unwrap_or(i64::MAX);
            first_at(now, std::slice::from_ref(p), reached)
        });
        let all: Vec<_> = self.processes.values().cloned().collect();
        let together = first_at(now, &all, |at| self.used_by_pods(at) - self.room());
        own.chain(together).min()
    }

    /// What is out of memory now.
    pub fn crisis(&self, now: Timestamp) -> Option<Crisis> {
        let over =
            |p: &Process| p.limit_bytes.is_some_and(|limit| p.memory.at(p.age(now)) >= limit);
        if let Some((place, _)) = self.processes.iter().find(|(_, p)| over(p)) {
            return Some(Crisis::Limit(place.clone()));
        }
        if self.used_by_pods(now) < self.room() {
            return None;
        }
        let victim = self.processes.iter().max_by_key(|(_, p)| self.score(p, now));
        victim.map(|(place, _)| match self.reserved_bytes {
            0 => Crisis::Machine(place.clone()),
            _ => Crisis::Pods(place.clone()),
        })
    }

    /// The kernel's badness: pages held, and the adjustment in thousandths of all pages.
    fn score(&self, process: &Process, now: Timestamp) -> i64 {
        const PAGE: i64 = 4096;
        let held = process.memory.at(process.age(now)) / PAGE;
        held.saturating_add(self.memory_bytes / PAGE / 1000 * process.score_adjust)
    }
}

impl Process {
    fn age(&self, now: Timestamp) -> i64 {
        now.micros().saturating_sub(self.since.micros())
    }
}

/// When `over` first reaches 0, given that it grows only with these processes: straight between
/// the bends of their memory functions.
fn first_at(
    now: Timestamp,
    processes: &[Process],
    over: impl Fn(Timestamp) -> i64,
) -> Option<Timestamp> {
    let mut bends: Vec<_> = processes
        .iter()
        .filter_map(|p| p.memory.bend().map(|age| plus(p.since, age)))
        .filter(|at| *at > now)
        .collect();
    bends.sort_unstable();
    let mut from = now;
    for end in bends.into_iter().map(Some).chain([None]) {
        let missing = over(from).saturating_neg();
        if missing <= 0 {
            return Some(from);
        }
        let slope: i64 = processes.iter().map(|p| p.memory.slope(p.age(from))).sum();
        if slope > 0 {
            let micros = i128::from(missing) * i128::from(SECOND) / i128::from(slope) + 1;
            let at = plus(from, i64::try_from(micros).unwrap_or(i64::MAX));
            if end.is_none_or(|end| at <= end) {
                return Some(at);
            }
        }
        from = end?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn process(since: i64, memory: Memory, limit_bytes: Option<i64>, adjust: i64) -> Process {
        let command = "app".into();
        Process { pid: 1, command, since: at(since), memory, limit_bytes, score_adjust: adjust }
    }

    fn host(reserved: i64, processes: Vec<(&str, Process)>) -> Host {
        let mut host = Host::new(8000, reserved, 500);
        let places = processes.into_iter().map(|(n, p)| ((n.to_owned(), n.to_owned()), p));
        host.processes.extend(places);
        host
    }

    fn ramp(rate: i64) -> Memory {
        Memory::Ramp { bytes: 100, after_seconds: 60, bytes_per_second: rate }
    }

    #[track_caller]
    fn check(host: &Host, seconds: Option<i64>, crisis: impl Fn(Place) -> Crisis, victim: &str) {
        let due = host.crisis_at(at(1000));
        assert_eq!(due.map(Timestamp::seconds), seconds);
        if let Some(due) = due {
            let place = (victim.to_owned(), victim.to_owned());
            assert_eq!(host.crisis(due), Some(crisis(place)));
            assert_eq!(host.crisis(plus(due, -SECOND)), None);
        }
    }

    #[test]
    fn the_moment_memory_runs_out_is_computed() {
        let flat = || process(0, Memory::Const { bytes: 1400 }, None, 500);
        // 6000 bytes are left for the ramp, which begins at 1060 with 100 bytes held.
        let hog = || process(1000, ramp(100), None, 1000);
        check(&host(0, vec![("flat", flat()), ("hog", hog())]), Some(1120), Crisis::Machine, "hog");
        check(&host(500, vec![("flat", flat()), ("hog", hog())]), Some(1120), Crisis::Pods, "hog");
        let bounded = process(1000, ramp(100), Some(400), 900);
        check(&host(0, vec![("flat", flat()), ("x", bounded)]), Some(1063), Crisis::Limit, "x");
        check(&host(0, vec![("flat", flat())]), None, Crisis::Machine, "");
    }

    #[test]
    fn the_kernel_prefers_pods_without_requests() {
        let big = process(0, Memory::Const { bytes: 4000 }, None, -997);
        let hog = process(1000, ramp(100), None, 1000);
        let host = host(0, vec![("big", big), ("hog", hog)]);
        let due = host.crisis_at(at(1000)).unwrap();
        assert_eq!(host.crisis(due), Some(Crisis::Machine(("hog".into(), "hog".into()))));
    }
}

//! What containers use, as a metrics service tells it, and how well that service answers.
//!
//! Assumptions: the load of a workload is shared equally by its running pods and falls on their
//! first container; memory follows the container's function. Readings are fresh.

use std::collections::BTreeMap;

use model::Timestamp;
use serde_json::Value;

use super::behaviours::{Behaviours, workload_of};
use crate::field;
use crate::kernel::SECOND;
use crate::kinds::POD;
use crate::registry::Registry;

/// What a program uses of the cpu when it has nothing to do.
const IDLE_MILLI: i64 = 1;
/// A reading is the average of the last seconds.
const WINDOW_SECONDS: i64 = 10;
/// The API server looks this often whether the metrics service answers.
const PROBE_SECONDS: i64 = 30;
/// The first look at a service that stopped answering comes so long after it stopped.
const FIRST_PROBE_SECONDS: i64 = 10;

/// Namespace and name of a workload.
type Workload = (String, String);

/// What the metrics service knows and whether it answers.
#[derive(Debug, Default)]
pub(crate) struct Metering {
    /// Load of each workload, in thousandths of a core.
    loads: BTreeMap<Workload, i64>,
    /// Workloads of which so many pods are not told of.
    hidden: BTreeMap<Workload, usize>,
    /// Numbers that other metrics services tell, by name, in thousandths.
    numbers: BTreeMap<String, i64>,
    /// Since when the service did not answer, until when, and what it said instead.
    outage: Option<(Timestamp, Option<Timestamp>, String)>,
}

/// What a pod uses.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    pub at: Timestamp,
    pub window_seconds: i64,
    /// Name, cpu in thousandths of a core, memory in bytes.
    pub containers: Vec<(String, i64, i64)>,
}

/// The service as a client meets it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Served,
    /// It answers with this refusal.
    Refused(String),
    /// The API server does not even ask it.
    Unavailable,
}

impl Metering {
    /// The load of a workload becomes this.
    pub fn load(&mut self, workload: Workload, cpu_milli: i64) {
        self.loads.insert(workload, cpu_milli);
    }

    /// So many pods of a workload are not told of.
    pub fn hide(&mut self, workload: Workload, pods: usize) {
        self.hidden.insert(workload, pods);
    }

    /// A metric that is no resource becomes this, in thousandths.
    pub fn set_number(&mut self, name: String, milli: i64) {
        self.numbers.insert(name, milli);
    }

    /// A metric that is no resource, in thousandths.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.numbers.get(name).copied()
    }

    /// The service stops answering.
    pub fn stop(&mut self, now: Timestamp, message: String) {
        self.outage = Some((now, None, message));
    }

    /// The service answers again.
    pub fn start(&mut self, now: Timestamp) {
        if let Some((_, until, _)) = &mut self.outage {
            until.get_or_insert(now);
        }
    }

    /// How a request is answered now.
    pub fn answer(&self, now: Timestamp) -> Answer {
        let Some((from, until, message)) = &self.outage else { return Answer::Served };
        let is_down = |at: Timestamp| at >= *from && until.is_none_or(|until| at < until);
        let first = from.plus_seconds(FIRST_PROBE_SECONDS);
        let probes = now.micros().saturating_sub(first.micros()).div_euclid(PROBE_SECONDS * SECOND);
        let seen = (probes >= 0).then(|| first.plus_seconds(probes * PROBE_SECONDS));
        if seen.is_some_and(is_down) {
            Answer::Unavailable
        } else if is_down(now) {
            Answer::Refused(message.clone())
        } else {
            Answer::Served
        }
    }
}

impl Behaviours {
    /// What a pod uses now; nothing is known of pods that do not run.
    pub fn usage(&self, registry: &Registry, pod: &Value) -> Option<Usage> {
        if field::text(pod, "/status/phase") != "Running" || field::is_deleting(pod) {
            return None;
        }
        let workload = (field::namespace(pod).to_owned(), workload_of(registry, pod));
        let mates: Vec<&str> = registry
            .store
            .in_namespace(POD.storage, &workload.0)
            .filter(|mate| {
                field::text(mate, "/status/phase") == "Running"
                    && !field::is_deleting(mate)
                    && workload_of(registry, mate) == workload.1
            })
            .map(|mate| field::name(mate))
            .collect();
        let hidden = self.metering.hidden.get(&workload).copied().unwrap_or(0);
        let told = mates.len().saturating_sub(hidden);
        if !mates.iter().take(told).any(|mate| *mate == field::name(pod)) {
            return None;
        }
        let load = self.metering.loads.get(&workload).copied();
        let share = load.map_or(IDLE_MILLI, |load| load / (mates.len() as i64).max(1));
        let now = registry.now;
        let memory = self.of_pod(registry, pod).memory;
        let containers = field::list(pod, "/spec/containers").iter().enumerate();
        let containers = containers.map(|(place, container)| {
            let name = field::text(container, "/name");
            let statuses = field::list(pod, "/status/containerStatuses").iter();
            let mut own = statuses.filter(|status| field::text(status, "/name") == name);
            let since = own.find_map(|status| field::time(status, "/state/running/startedAt"));
            let age = since.map_or(0, |since| now.since(since));
            let cpu = if place == 0 { share } else { IDLE_MILLI };
            (name.to_owned(), cpu, memory.at(age))
        });
        let containers = containers.collect();
        Some(Usage { at: now, window_seconds: WINDOW_SECONDS, containers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_seen_late_and_so_is_its_end() {
        let at = |seconds: i64| Timestamp::from_seconds(1000 + seconds);
        let mut metering = Metering::default();
        metering.stop(at(210), "down".to_owned());
        metering.start(at(260));
        for (seconds, answer) in [
            (209, Answer::Served),
            (211, Answer::Refused("down".to_owned())),
            (225, Answer::Unavailable),
            (255, Answer::Unavailable),
            (270, Answer::Unavailable),
            (285, Answer::Served),
        ] {
            assert_eq!(metering.answer(at(seconds)), answer, "{seconds}");
        }
    }
}

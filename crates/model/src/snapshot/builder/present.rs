//! The moment at which a text was printed, from times and ages of the same thing: one command
//! prints when a pod began, the next one how long ago that was. Ages are rounded down, so that
//! the moment found is never later than the true one. Must not conclude anything else.

use std::collections::BTreeMap;

use super::Builder;
use crate::record::{ContainerState, EventTime, Meta, Pod};
use crate::{Kind, Text, Timestamp};

type Name<'r> = (&'r Text, &'r Text);

/// The latest moment that times and ages of the same objects speak of.
pub(super) fn by_ages(read: &Builder) -> Option<Timestamp> {
    let of_pods = by_age(read.pods.iter().map(|p| &p.meta));
    let of_nodes = by_age(read.nodes.iter().map(|n| &n.meta));
    let spaces = read.named.iter().filter(|n| n.kind == Kind::Namespace);
    let of_spaces = by_age(spaces.map(|n| &n.meta));
    let of_events = by_events(read).max(by_first_events(read));
    of_pods.max(of_nodes).max(of_spaces).max(of_events).max(by_runs(read))
}

/// CronJobs whose last run was printed as a time once and with an age once.
fn by_runs(read: &Builder) -> Option<Timestamp> {
    let runs = || read.workloads.iter().filter_map(|w| Some((&w.meta, w.job.as_deref()?)));
    let mut ages: BTreeMap<Name<'_>, u32> = BTreeMap::new();
    for (meta, job) in runs() {
        if let Some(age) = job.last_scheduled_age_seconds {
            let known = ages.entry((&meta.namespace, &meta.name)).or_insert(age);
            *known = age.min(*known);
        }
    }
    let present = |(meta, job): (&Meta, &crate::record::JobStatus)| {
        let age = ages.get(&(&meta.namespace, &meta.name))?;
        Some(job.last_scheduled?.plus_seconds(i64::from(*age)))
    };
    runs().filter_map(present).max()
}

/// Objects of one kind that were printed with a time once and with an age once.
fn by_age<'r>(all: impl Iterator<Item = &'r Meta> + Clone) -> Option<Timestamp> {
    let mut ages: BTreeMap<Name<'r>, u32> = BTreeMap::new();
    for meta in all.clone() {
        if let Some(age) = meta.age_seconds {
            // Of several, the youngest belongs to what has the name now.
            let known = ages.entry((&meta.namespace, &meta.name)).or_insert(age);
            *known = age.min(*known);
        }
    }
    if ages.is_empty() {
        return None;
    }
    let present = |m: &Meta| {
        let age = ages.get(&(&m.namespace, &m.name))?;
        Some(m.created?.plus_seconds(i64::from(*age)))
    };
    all.filter_map(present).max()
}

/// Pods whose start was printed as a time, while the event of it has an age.
fn by_events(read: &Builder) -> Option<Timestamp> {
    let mut ages: BTreeMap<(Name<'_>, bool), u32> = BTreeMap::new();
    for event in &read.events {
        let started = event.reason == "Started";
        let EventTime::SecondsAgo(age) = event.last else { continue };
        let Some(about) = event.about.as_ref().filter(|o| o.kind == Kind::Pod) else { continue };
        if started || event.reason == "Scheduled" {
            let known = ages.entry(((&about.namespace, &about.name), started)).or_insert(age);
            *known = age.min(*known);
        }
    }
    if ages.is_empty() {
        return None;
    }
    let present = |pod: &Pod| {
        let name = (&pod.meta.namespace, &pod.meta.name);
        let age = |started: bool| ages.get(&(name, started)).copied().map(i64::from);
        let scheduled = pod.started.zip(age(false)).map(|(at, age)| at.plus_seconds(age));
        let running = match pod.containers.as_ref() {
            [one] if pod.init_containers.is_empty() => match &one.state {
                ContainerState::Running(since) => *since,
                _ => None,
            },
            _ => None,
        };
        scheduled.max(running.zip(age(true)).map(|(at, age)| at.plus_seconds(age)))
    };
    read.pods.iter().filter_map(|p| present(p)).max()
}

/// Who speaks of a pod only after its kubelet has taken it on.
const BY_KUBELET: [&str; 8] =
    ["BackOff", "Created", "Failed", "Killing", "Pulled", "Pulling", "Started", "Unhealthy"];

/// Pods whose start was printed as a time, while what the kubelet said first has an age: it came
/// later. Not those of StatefulSets: another pod had the same name before.
fn by_first_events(read: &Builder) -> Option<Timestamp> {
    let is_numbered = |name: &str| {
        let end = name.rsplit_once('-').map_or("", |(_, end)| end);
        !end.is_empty() && end.bytes().all(|b| b.is_ascii_digit())
    };
    let mut ages: BTreeMap<Name<'_>, u32> = BTreeMap::new();
    for event in &read.events {
        let EventTime::SecondsAgo(age) = event.first else { continue };
        let Some(about) = event.about.as_ref().filter(|o| o.kind == Kind::Pod) else { continue };
        if BY_KUBELET.contains(&event.reason.as_str()) && !is_numbered(&about.name) {
            let known = ages.entry((&about.namespace, &about.name)).or_insert(age);
            *known = age.max(*known);
        }
    }
    let present = |pod: &Pod| {
        let age = ages.get(&(&pod.meta.namespace, &pod.meta.name))?;
        Some(pod.started?.plus_seconds(i64::from(*age)))
    };
    read.pods.iter().filter_map(|p| present(p)).max()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Builder, Kind, Timestamp, decode_value};

    #[test]
    fn what_the_kubelet_said_first_came_after_the_start() {
        let read = |name: &str, reason: &str| {
            let pod = json!({"kind": "Pod", "metadata": {"name": name, "namespace": "shop"},
                "status": {"phase": "Running", "startTime": "2026-01-01T10:00:00Z"}});
            let event = json!({"kind": "Event", "metadata": {"name": "e", "namespace": "shop"},
                "involvedObject": {"kind": "Pod", "name": name, "namespace": "shop"},
                "reason": reason, "message": "m", "firstAgeSeconds": 900, "ageSeconds": 20});
            let mut builder = Builder::default();
            for (kind, value) in [(Kind::Pod, pod), (Kind::Event, event)] {
                builder.add(decode_value(kind, &value, false).expect("well-shaped"), 0);
            }
            builder.newest()
        };
        let at = |text: &str| -> Option<Timestamp> { text.parse().ok() };
        assert_eq!(read("desk-6d4-x2k", "Unhealthy"), at("2026-01-01T10:15:00Z"));
        // Before its start, and perhaps of another pod of the same name.
        assert_eq!(read("desk-6d4-x2k", "FailedScheduling"), at("2026-01-01T10:00:00Z"));
        assert_eq!(read("desk-0", "Unhealthy"), at("2026-01-01T10:00:00Z"));
    }
}

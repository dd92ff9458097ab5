//! Pods that are not started because a setting or a volume is missing.

use model::record::{ClusterEvent, ContainerState, Pod, PodSpec};
use model::{App, Evidence, Kind, Snapshot, Timestamp};

use crate::evidence;
use crate::wording;

/// What a pod waits for, by the word for its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A container's settings cannot be put together.
    Settings,
    /// Its containers are not created yet.
    Creating,
}

/// A pod that has not started.
pub(crate) struct Waiting<'s> {
    pub(crate) pod: &'s Pod,
    pub(crate) stage: Stage,
    /// Containers in this stage; empty when only a row is known.
    pub(crate) containers: Vec<&'s str>,
    events: &'s [ClusterEvent],
}

/// Reasons of events that tell of a missing setting or volume.
const REASONS: [&str; 3] = ["Failed", "FailedMount", "FailedAttachVolume"];

/// Pods of a workload that have not started, with the stage they are in.
pub(crate) fn of<'s>(app: &'s App, now: &'s Snapshot) -> Vec<Waiting<'s>> {
    app.running().filter(|p| p.is_ready() != Some(true)).filter_map(|p| waiting(p, now)).collect()
}

fn waiting<'s>(pod: &'s Pod, now: &'s Snapshot) -> Option<Waiting<'s>> {
    let events = now.events_about(&pod.meta.object(Kind::Pod));
    let in_word = |word: &str| -> Vec<&'s str> {
        let named = pod.all_containers().filter(|c| c.waiting() == word);
        named.map(|c| c.name.as_str()).collect()
    };
    let broken = in_word(wording::CONFIG_WORD);
    let row = pod.summary.as_ref().map_or("", |s| s.status.trim_start_matches("Init:"));
    let has_containers = pod.all_containers().next().is_some();
    if !broken.is_empty() || (!has_containers && row == wording::CONFIG_WORD) {
        return Some(Waiting { pod, stage: Stage::Settings, containers: broken, events });
    }
    // Volumes come before the first container: one that ran or runs has them.
    let started = |s: &ContainerState| {
        matches!(s, ContainerState::Running(_) | ContainerState::Terminated(_))
    };
    if pod.all_containers().any(|c| started(&c.state) || c.restarts > 0 || c.last.is_some()) {
        return None;
    }
    let creating: Vec<&str> = wording::CREATING_WORDS.iter().flat_map(|w| in_word(w)).collect();
    let init = row.split_once('/').is_some_and(|(done, _)| done == "0");
    let placed = pod.phase == model::record::Phase::Pending && !pod.node.is_empty();
    let is_creating = !creating.is_empty()
        || (!has_containers && (wording::CREATING_WORDS.contains(&row) || init))
        || (!has_containers && row.is_empty() && placed);
    let complained = events.iter().rposition(is_complaint);
    let went_on = events.iter().rposition(|e| wording::HAS_VOLUMES.contains(&e.reason.as_str()));
    if went_on > complained {
        return None;
    }
    is_creating.then_some(Waiting { pod, stage: Stage::Creating, containers: creating, events })
}

fn is_complaint(event: &ClusterEvent) -> bool {
    REASONS.contains(&event.reason.as_str())
}

impl<'s> Waiting<'s> {
    /// What it was last said to wait for, with how often, in the stage it is in.
    pub(crate) fn complaints(&self) -> impl DoubleEndedIterator<Item = &'s ClusterEvent> {
        let settings = self.stage == Stage::Settings;
        self.events.iter().filter(move |e| is_complaint(e) && (e.reason == "Failed") == settings)
    }

    /// What it wants: its own spec, else the one of its workload.
    pub(crate) fn spec(&self, app: &'s App) -> Option<&'s PodSpec> {
        use model::record::Known;
        let own = Some(&*self.pod.spec).filter(|_| self.pod.meta.known.has(Known::SPEC));
        own.or_else(|| app.spec())
    }

    /// Everything that was said about it that still holds, the newest last.
    pub(crate) fn texts(&self, now: &Snapshot) -> Vec<(&'s str, Option<Evidence>)> {
        let object = self.pod.meta.object(Kind::Pod);
        let events = self.complaints().map(|e| (e.message.as_str(), evidence::event(e, now)));
        let states = self.pod.all_containers().filter(|c| c.waiting() == wording::CONFIG_WORD);
        let states = states.map(|c| {
            let field = format!("status.containerStatuses[{}].state.waiting.message", c.name);
            let source = self.pod.meta.source;
            let fact = evidence::field(source, &object, field, c.waiting_message());
            (c.waiting_message(), Some(fact))
        });
        events.chain(states).collect()
    }

    /// The word for its state, as evidence.
    pub(crate) fn word(&self) -> Evidence {
        let object = self.pod.meta.object(Kind::Pod);
        let word = match self.stage {
            Stage::Settings => wording::CONFIG_WORD,
            Stage::Creating => "ContainerCreating",
        };
        evidence::field(self.pod.meta.source, &object, "status", word)
    }

    /// Since when it waits.
    pub(crate) fn since(&self, now: &Snapshot) -> Option<Timestamp> {
        let meta = &self.pod.meta;
        let by_age = meta.age_seconds.map(|age| now.now.minus_seconds(i64::from(age)));
        let first = self
            .events
            .iter()
            .filter(|e| is_complaint(e))
            .filter_map(|e| evidence::first_time(e, now))
            .min();
        meta.created.or(by_age).or(self.pod.started).or(first).filter(|_| now.has_time)
    }

    /// When somebody last complained.
    pub(crate) fn last_said(&self, now: &Snapshot) -> Option<Timestamp> {
        let told = self.events.iter().filter(|e| is_complaint(e));
        told.filter_map(|e| evidence::last_time(e, now)).max()
    }
}

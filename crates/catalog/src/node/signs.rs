//! What is said about one node, whoever says it: its conditions, its events, the logs of its
//! system units. Kinds ask here and never care where a wording was read.

use model::record::{ClusterEvent, Node};
use model::{Evidence, Kind, Snapshot, Timestamp, Truth};

use crate::evidence;
use crate::wording::says;

/// Who says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A condition that does not hold as it should: it speaks of now.
    Condition,
    /// An event.
    Event,
    /// A line of a system unit's log; its time is not read.
    Log,
}

/// One thing that is said about a node.
#[derive(Clone, Debug)]
pub(super) struct Sign<'s> {
    pub(super) source: Source,
    /// Reason of an event, type of a condition, unit of a log.
    pub(super) reason: &'s str,
    pub(super) text: &'s str,
    pub(super) count: u32,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) evidence: Evidence,
}

/// An event that came this long ago still speaks of now: the slowest of the kubelet's
/// complaints repeats every five minutes.
const CURRENT_SECONDS: i64 = 900;

/// Lines at the end of a log that are read.
const LAST_LINES: usize = 2000;

/// Everything said about the node that may mean trouble: conditions that should not be so,
/// then events, then lines of logs.
pub(super) fn of<'s>(node: &'s Node, now: &'s Snapshot) -> Vec<Sign<'s>> {
    let mut signs: Vec<Sign<'s>> = conditions(node).collect();
    let object = node.meta.object(Kind::Node);
    signs.extend(now.events_about(&object).iter().filter_map(|e| of_event(e, now)));
    for log in now.unit_logs(&node.meta.name) {
        let skip = log.lines.len().saturating_sub(LAST_LINES);
        signs.extend(log.lines.iter().skip(skip).map(|line| {
            let value: String = line.chars().take(300).collect();
            Sign {
                source: Source::Log,
                reason: &log.unit,
                text: line,
                count: 1,
                first: None,
                last: None,
                evidence: evidence::field(
                    log.document,
                    &object,
                    format!("log of {}", log.unit),
                    value,
                ),
            }
        }));
    }
    signs
}

fn conditions(node: &Node) -> impl Iterator<Item = Sign<'_>> {
    let bad = node.conditions.iter().filter(|c| match c.kind.as_str() {
        "Ready" => c.status != Truth::True,
        _ => c.status == Truth::True,
    });
    let object = node.meta.object(Kind::Node);
    bad.map(move |c| Sign {
        source: Source::Condition,
        reason: &c.kind,
        text: if c.message().is_empty() { c.reason() } else { c.message() },
        count: 1,
        first: c.since,
        last: c.heartbeat.or(c.since),
        evidence: evidence::condition(node.meta.source, &object, c),
    })
}

pub(super) fn of_event<'s>(event: &'s ClusterEvent, now: &'s Snapshot) -> Option<Sign<'s>> {
    Some(Sign {
        source: Source::Event,
        reason: &event.reason,
        text: &event.message,
        count: event.count,
        first: evidence::first_time(event, now),
        last: evidence::last_time(event, now),
        evidence: evidence::event(event, now)?,
    })
}

impl Sign<'_> {
    /// Whether it holds one of the fragments.
    pub(super) fn says(&self, fragments: &[&str]) -> bool {
        says(self.text, fragments)
    }

    /// Whether it is an event with this reason.
    pub(super) fn is_event(&self, reason: &str) -> bool {
        self.source == Source::Event && self.reason == reason
    }

    /// Whether it still speaks of now: a condition does; an event when it is recent and the
    /// node has not become ready since; a line of a log unless the node is known to be ready.
    pub(super) fn is_current(&self, node: &Node, now: &Snapshot) -> bool {
        let ready = node.condition("Ready").filter(|c| c.status == Truth::True);
        match self.source {
            Source::Condition => true,
            Source::Log => ready.is_none(),
            Source::Event => {
                let recent = self.last.is_none_or(|t| now.now.since(t) <= CURRENT_SECONDS);
                let before = |since: Option<Timestamp>| match (self.last, since) {
                    (Some(last), Some(since)) => last <= since,
                    _ => false,
                };
                recent && !ready.is_some_and(|c| before(c.since))
            }
        }
    }
}

/// When the first of these signs was seen.
pub(super) fn since<'s>(signs: impl IntoIterator<Item = &'s Sign<'s>>) -> Option<Timestamp> {
    signs.into_iter().filter_map(|s| s.first).min()
}

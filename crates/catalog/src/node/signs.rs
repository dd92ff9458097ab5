//! What is said about one node, whoever says it: its conditions, its events, the logs of its
//! system units. Kinds ask here and never care where a wording was read.

use model::record::{ClusterEvent, Node};
use model::{Condition, Evidence, HostFact, Kind, LogLines, Snapshot, Timestamp, Truth};

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

/// Where it was read; evidence is made of it only for what is told.
#[derive(Clone, Copy, Debug)]
enum Origin<'s> {
    Condition(&'s Node, &'s Condition),
    Event(&'s ClusterEvent),
    Line(&'s Node, &'s LogLines),
    FullDisk(&'s Node, &'s HostFact, u8),
}

/// One thing that is said about a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sign<'s> {
    pub(super) source: Source,
    /// Reason of an event, type of a condition, unit of a log.
    pub(super) reason: &'s str,
    pub(super) text: &'s str,
    /// The component that said it; empty for conditions and logs.
    pub(super) speaker: &'s str,
    pub(super) count: u32,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// Whether it is one of the last lines of a log: what goes on stands at its end.
    pub(super) is_tail: bool,
    origin: Origin<'s>,
    now: &'s Snapshot,
}

/// An event that came this long ago still speaks of now: the slowest of the kubelet's
/// complaints repeats every five minutes.
const CURRENT_SECONDS: i64 = 900;

/// Lines at the end of a log that are read.
const LAST_LINES: usize = 2000;

/// Lines at the end of a log that speak of what goes on.
const TAIL_LINES: usize = 20;

/// Everything said about the node that may mean trouble: conditions that should not be so,
/// then events, then lines of logs.
pub(super) fn of<'s>(node: &'s Node, now: &'s Snapshot) -> Vec<Sign<'s>> {
    let bad = node.conditions.iter().filter(|c| match c.kind.as_str() {
        "Ready" => c.status != Truth::True,
        _ => c.status == Truth::True,
    });
    let mut signs: Vec<Sign<'s>> = bad.map(|c| of_condition(node, c, now)).collect();
    let object = node.meta.object(Kind::Node);
    signs.extend(now.events_about(&object).iter().map(|e| of_event(e, now)));
    for log in now.unit_logs(&node.meta.name) {
        let count = log.lines.len();
        let skip = count.saturating_sub(LAST_LINES);
        let lines = log.lines.iter().enumerate().skip(skip);
        signs.extend(lines.map(|(at, line)| Sign {
            source: Source::Log,
            reason: &log.unit,
            text: line,
            speaker: "",
            count: 1,
            first: None,
            last: None,
            is_tail: at + TAIL_LINES >= count,
            origin: Origin::Line(node, log),
            now,
        }));
    }
    signs
}

fn of_condition<'s>(node: &'s Node, c: &'s Condition, now: &'s Snapshot) -> Sign<'s> {
    Sign {
        source: Source::Condition,
        reason: &c.kind,
        text: if c.message().is_empty() { c.reason() } else { c.message() },
        speaker: "",
        count: 1,
        first: c.since,
        last: c.heartbeat.or(c.since),
        is_tail: false,
        origin: Origin::Condition(node, c),
        now,
    }
}

/// What an event says.
pub(super) fn of_event<'s>(event: &'s ClusterEvent, now: &'s Snapshot) -> Sign<'s> {
    Sign {
        source: Source::Event,
        reason: &event.reason,
        text: &event.message,
        speaker: &event.source,
        count: event.count,
        first: evidence::first_time(event, now),
        last: evidence::last_time(event, now),
        is_tail: false,
        origin: Origin::Event(event),
        now,
    }
}

/// What `df` (the tool) said of a disk that is full to this percentage.
pub(super) fn of_full_disk<'s>(
    (node, host): (&'s Node, &'s HostFact),
    (tool, mount, percent): (&'s str, &'s str, u8),
    now: &'s Snapshot,
) -> Sign<'s> {
    Sign {
        source: Source::Log,
        reason: tool,
        text: mount,
        speaker: "",
        count: 1,
        first: None,
        last: None,
        is_tail: true,
        origin: Origin::FullDisk(node, host, percent),
        now,
    }
}

impl Sign<'_> {
    /// The fact that it is.
    pub(super) fn evidence(&self) -> Option<Evidence> {
        match self.origin {
            Origin::Event(event) => evidence::event(event, self.now),
            Origin::Condition(node, c) => {
                Some(evidence::condition(node.meta.source, &node.meta.object(Kind::Node), c))
            }
            Origin::Line(node, log) => {
                let value: String = self.text.chars().take(300).collect();
                let field = format!("log of {}", log.unit);
                Some(evidence::field(log.document, &node.meta.object(Kind::Node), field, value))
            }
            Origin::FullDisk(node, host, percent) => {
                let value = format!("{} is {percent} % full", self.text);
                let object = node.meta.object(Kind::Node);
                Some(evidence::field(host.document, &object, self.reason, value))
            }
        }
    }

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

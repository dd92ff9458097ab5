//! Who waits for names: workloads whose logs tell of lookups that took long or were not
//! answered in time.

use std::collections::BTreeMap;

use model::{App, Evidence, LogLines, Snapshot, Timestamp};

use crate::dependency::moment;
use crate::pod::log_lines;
use crate::wording::{is_lookup_timeout, slow_lookup};

/// Lines read from the end of one log.
const READ_LINES: usize = 2000;
/// One slow lookup means nothing.
const LEAST: usize = 2;
/// Lines older than this, measured at the newest of all logs, are over, in seconds.
const RECENT_SECONDS: i64 = 900;
/// What a resolver waits before it asks again, in milliseconds, with what an answer may take.
const WAIT: std::ops::Range<u32> = 4_950..5_500;

/// A workload that waits for names.
pub(super) struct Caller<'s> {
    pub(super) app: &'s App,
    /// The longest lookup that was answered; `None` when none was.
    pub(super) milliseconds: Option<u32>,
    /// A name that was looked up.
    pub(super) name: Option<&'s str>,
    /// The line with the longest lookup, else the last one.
    pub(super) evidence: Evidence,
    pub(super) since: Option<Timestamp>,
    /// Whether each slow lookup took what a resolver waits for a lost packet, once or twice.
    waits: bool,
    late: usize,
    unanswered: usize,
    last: Option<Timestamp>,
}

impl Caller<'_> {
    /// How long it waits, in words.
    pub(super) fn time(&self) -> String {
        match self.milliseconds {
            Some(ms) => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
            None => "in vain".into(),
        }
    }

    /// How it suffers, in words.
    pub(super) fn how(&self) -> String {
        match (self.late, self.unanswered) {
            (0, n) => format!("{n} lookups got no answer in time"),
            (n, 0) => format!("{n} lookups took long, the longest {}", self.time()),
            (n, m) => {
                format!("{n} lookups took long, the longest {}; {m} got no answer", self.time())
            }
        }
    }

    /// Whether its lookups took as long as those of which a packet was lost.
    pub(super) fn is_of_lost_packets(&self) -> bool {
        self.waits && self.late > 0
    }
}

/// Whether a time is once or twice what a resolver waits.
fn is_wait(milliseconds: u32) -> bool {
    WAIT.contains(&milliseconds) || WAIT.contains(&(milliseconds / 2))
}

/// Workloads that wait for names now, in the order of the snapshot. What the name server itself
/// asks others is no lookup of a program.
pub(super) fn of<'s>(servers: &[&App], now: &'s Snapshot) -> Vec<Caller<'s>> {
    if now.logs.is_empty() {
        return Vec::new();
    }
    let owners = log_lines::owners(now);
    let mut found: BTreeMap<usize, Caller<'_>> = BTreeMap::new();
    for log in now.logs.iter().filter(|l| l.unit.is_empty() && !l.previous) {
        if let Some(index) = owners.of(log)
            && let Some(app) = now.apps.get(index)
            && servers.iter().all(|s| s.object != app.object)
        {
            read(index, app, log, &mut found);
        }
    }
    let newest = found.values().filter_map(|c| c.last).max();
    let newest = newest.max(present(now).filter(|_| !found.is_empty()));
    let recent = |c: &Caller<'_>| match (c.last, newest) {
        (Some(last), Some(newest)) => newest.since(last) <= RECENT_SECONDS,
        _ => true,
    };
    let several = |c: &Caller<'_>| c.late + c.unanswered >= LEAST;
    found.into_values().filter(|c| recent(c) && several(c)).collect()
}

/// The newest time that the end of a log carries.
fn present(now: &Snapshot) -> Option<Timestamp> {
    let end = |log: &LogLines| log.lines.iter().rev().take(5).find_map(|l| moment::of(l));
    now.logs.iter().filter_map(end).max()
}

fn read<'s>(
    index: usize,
    app: &'s App,
    log: &'s LogLines,
    found: &mut BTreeMap<usize, Caller<'s>>,
) {
    let skip = log.lines.len().saturating_sub(READ_LINES);
    for line in log.lines.iter().skip(skip) {
        let slow = slow_lookup(line);
        if slow.is_none() && !is_lookup_timeout(line) {
            continue;
        }
        let at = moment::of(line);
        let milliseconds = slow.map(|s| s.milliseconds);
        let evidence = || Evidence { at, ..log_lines::fact(app, log, line) };
        let caller = found.entry(index).or_insert_with(|| Caller {
            app,
            milliseconds: None,
            name: None,
            evidence: evidence(),
            since: at,
            waits: true,
            late: 0,
            unanswered: 0,
            last: None,
        });
        if milliseconds >= caller.milliseconds {
            (caller.milliseconds, caller.evidence) = (milliseconds, evidence());
        }
        match milliseconds {
            Some(ms) => {
                caller.late += 1;
                caller.waits &= is_wait(ms);
            }
            None => caller.unanswered += 1,
        }
        caller.name = caller.name.or(slow.and_then(|s| s.name));
        caller.last = caller.last.max(at);
    }
}

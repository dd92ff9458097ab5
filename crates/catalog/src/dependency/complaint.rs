//! Complaints of workloads about their peers: lines of their logs, gathered by what they say
//! and whom they name, with how often and until when.

use std::collections::BTreeMap;

use model::{App, Evidence, LogLines, Snapshot, Timestamp};

use super::seen::Seen;
use super::{moment, seen};
use crate::pod::log_lines::{self, Says};
use crate::wording::says;

/// Lines read from the end of one log.
const READ_LINES: usize = 2_000;

/// Lines whose peer is looked for, of one log: more of the same say no more.
const ASKED_LINES: usize = 200;

/// A log that went on for so long without a complaint shows that it is over.
const CALM_SECONDS: i64 = 120;

/// A log that went on for so many lines without a complaint shows the same.
const CALM_LINES: usize = 40;

/// What a workload complains of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    CredentialsMissing,
    CredentialsRejected,
    CertificateRejected,
    TlsMismatch,
    ConnectionsExhausted,
    PoolExhausted,
    ReadOnly,
    Name,
    Unreachable,
    Late,
}

impl Class {
    fn of(says: Says) -> Option<Class> {
        Some(match says {
            Says::CredentialsMissing => Class::CredentialsMissing,
            Says::CredentialsRejected => Class::CredentialsRejected,
            Says::CertificateRejected => Class::CertificateRejected,
            Says::TlsMismatch => Class::TlsMismatch,
            Says::ConnectionsExhausted => Class::ConnectionsExhausted,
            Says::PoolExhausted => Class::PoolExhausted,
            Says::StoreReadOnly => Class::ReadOnly,
            Says::NameUnknown | Says::NameResolutionDown => Class::Name,
            Says::ConnectionFailed => Class::Unreachable,
            Says::AnswersLate => Class::Late,
            _ => return None,
        })
    }

    /// Whether mostly data stores say so, so that the only one a workload uses is meant.
    fn is_of_store(self) -> bool {
        matches!(self, Class::ConnectionsExhausted | Class::PoolExhausted | Class::ReadOnly)
    }

    /// Whether one line is enough: nobody says so at a start or by chance.
    fn is_plain(self) -> bool {
        !matches!(self, Class::Name | Class::Unreachable | Class::Late | Class::PoolExhausted)
    }
}

/// Lines of one workload that say the same of the same peer.
#[derive(Clone, Debug)]
pub(crate) struct Complaint<'s> {
    pub(crate) app: &'s App,
    pub(crate) class: Class,
    pub(crate) says: Says,
    /// The last such line.
    pub(crate) line: &'s str,
    pub(crate) evidence: Evidence,
    pub(crate) seen: Option<Seen<'s>>,
    /// Whether the log is the peer's own: it tells of its clients.
    pub(crate) is_own: bool,
    pub(crate) count: usize,
    pub(crate) first: Option<Timestamp>,
    /// Whether the log went on without it.
    pub(crate) is_over: bool,
}

impl Complaint<'_> {
    /// Whether it says enough to be taken for more than noise.
    pub(crate) fn is_heard(&self) -> bool {
        let suffers = self.app.lost_replicas() > 0;
        // People mistype passwords, and programs tell of it.
        let by_people = self.class == Class::CredentialsRejected && self.seen.is_none();
        if by_people && !suffers {
            return false;
        }
        self.count >= if self.class.is_plain() || suffers { 1 } else { 3 }
    }
}

/// Who complains of what and whom: workload, class, peer.
type Key = (usize, Class, Option<String>);

/// All complaints of running workloads, in the order of workloads.
pub(crate) fn all(now: &Snapshot) -> Vec<Complaint<'_>> {
    if now.logs.is_empty() {
        return Vec::new();
    }
    let owners = log_lines::owners(now);
    // Logs may have been taken before the rest: their own newest line is their present.
    let present = now.logs.iter().filter_map(end).max();
    let mut found: BTreeMap<Key, Complaint<'_>> = BTreeMap::new();
    for log in now.logs.iter().filter(|l| l.unit.is_empty() && !l.previous) {
        if let Some(index) = owners.of(log)
            && let Some(app) = now.apps.get(index)
        {
            read(index, app, log, (now, present), &mut found);
        }
    }
    found.into_values().collect()
}

/// The newest time a log carries.
fn end(log: &LogLines) -> Option<Timestamp> {
    log.lines.iter().rev().take(100).filter_map(|l| moment::of(l)).max()
}

/// Where the lines of one complaint stand in one log.
struct Place {
    last_line: usize,
    last: Option<Timestamp>,
}

fn read<'s>(
    index: usize,
    app: &'s App,
    log: &'s LogLines,
    (now, present): (&'s Snapshot, Option<Timestamp>),
    found: &mut BTreeMap<Key, Complaint<'s>>,
) {
    let start = log.lines.len().saturating_sub(READ_LINES);
    let mut places: BTreeMap<Key, Place> = BTreeMap::new();
    let mut asked = 0;
    for (i, line) in log.lines.iter().enumerate().skip(start) {
        let Some(said) = log_lines::meaning(line) else { continue };
        let Some(class) = Class::of(said).filter(|_| is_told(line)) else { continue };
        asked += 1;
        if asked > ASKED_LINES && found.keys().any(|(a, c, _)| (*a, *c) == (index, class)) {
            // Count it for the peer that was named last.
            let same = places.iter_mut().filter(|((_, c, _), _)| *c == class);
            if let Some((key, place)) = same.max_by_key(|(_, p)| p.last_line) {
                (place.last_line, place.last) = (i, moment::of(line).or(place.last));
                if let Some(known) = found.get_mut(key) {
                    known.count += 1;
                }
            }
            continue;
        }
        let store = || class.is_of_store().then(|| seen::only_store(app, now)).flatten();
        let seen = seen::of(app, &log.lines, i, now).or_else(store);
        if seen.as_ref().is_some_and(|s| seen::is_relayed(app, s, now)) {
            continue;
        }
        let key = (index, class, seen.as_ref().map(Seen::text));
        let at = moment::of(line);
        let is_own = seen.as_ref().and_then(|s| s.app(now)).is_some_and(|a| a.object == app.object);
        let evidence = || Evidence { at, ..log_lines::fact(app, log, line) };
        let complaint = found.entry(key.clone()).or_insert_with(|| Complaint {
            app,
            class,
            says: said,
            line,
            evidence: evidence(),
            seen,
            is_own,
            count: 0,
            first: at,
            is_over: true,
        });
        complaint.count += 1;
        complaint.line = line;
        complaint.evidence = evidence();
        let last = at.or(places.get(&key).and_then(|p| p.last));
        places.insert(key, Place { last_line: i, last });
    }
    for (key, place) in places {
        if let Some(complaint) = found.get_mut(&key) {
            complaint.is_over &= is_over(app, log, &place, (now, present));
        }
    }
}

/// Frames of a stack trace and lines at level DEBUG or INFO that only mention a fault are not
/// told; neither is what kubectl says.
fn is_told(line: &str) -> bool {
    let text = line.trim_start();
    !text.starts_with("at ") && !log_lines::is_from_kubectl(line) && !is_calm(line)
}

/// Whether a line tells of something ordinary.
fn is_calm(line: &str) -> bool {
    let marks = [
        "\"level\":\"info\"",
        "\"severity\":\"info\"",
        "level=info",
        "\"level\":\"debug\"",
        "level=debug",
        "\"severity\":\"debug\"",
        " debug ",
    ];
    says(line, &marks)
}

/// Words of a program that has what it needs.
const WELL: &[&str] = &[
    "listening on",
    "started in",
    "ready to accept",
    "connected to",
    "connection established",
    "successfully connected",
    "reconnected",
    "connection restored",
    "startup complete",
    "server started",
];

fn is_over(
    app: &App,
    log: &LogLines,
    place: &Place,
    (now, present): (&Snapshot, Option<Timestamp>),
) -> bool {
    let after = log.lines.get(place.last_line + 1..).unwrap_or_default();
    let end = after.iter().rev().take(100).find_map(|l| moment::of(l));
    if let (Some(end), Some(last)) = (end, place.last)
        && end.since(last) >= CALM_SECONDS
    {
        return true;
    }
    if app.lost_replicas() > 0 {
        return false;
    }
    let first = log.lines.iter().take(100).find_map(|l| moment::of(l));
    let at_start = match (first, place.last) {
        (Some(first), Some(last)) => last.since(first) <= CALM_SECONDS,
        _ => true,
    };
    // A program that has what it needs may have nothing more to say.
    let quiet = |last| now.has_time && now.now.since(last) >= 5 * CALM_SECONDS && app.ready() > 0;
    let is_well = after.iter().any(|l| says(l, WELL)) || place.last.is_some_and(quiet);
    if at_start && is_well {
        return true;
    }
    if let (Some(present), Some(last)) = (present, place.last)
        && present.since(last) >= 5 * CALM_SECONDS
        && app.ready() > 0
    {
        return true;
    }
    place.last.is_none() && after.len() >= CALM_LINES
}

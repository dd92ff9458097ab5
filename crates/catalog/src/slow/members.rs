//! Workloads with what was measured of them and what alerts say: slow, failing, busy.

use std::collections::{BTreeMap, BTreeSet};

use model::{App, Evidence, Sample, Snapshot, Timestamp};

use crate::dependency::complaint::{Class, Complaint};
use crate::evidence;
use crate::pod::log_lines;
use crate::wording::{self, says};

/// A tail of latencies that grew by this factor.
const TAIL_TIMES: f64 = 1.8;

/// A middle of latencies that grew by this factor.
const MIDDLE_TIMES: f64 = 1.5;

/// Less than this many milliseconds more is no matter.
const LEAST_MS: f64 = 5.0;

/// A share of answers that were lost, as a fraction.
const LOST_SHARE: f64 = 0.02;

/// Usage that grew by this factor.
const BUSY_TIMES: f64 = 1.6;

/// Fewer points say nothing of a course.
const FEW: usize = 6;

/// One workload of those that are watched.
#[derive(Clone, Debug)]
pub(crate) struct Member<'s> {
    pub(crate) app: &'s App,
    /// Whether its latency is known: only then can it be called fast.
    pub(crate) is_measured: bool,
    pub(crate) is_slow: bool,
    /// Whether answers are lost.
    pub(crate) fails: bool,
    /// Whether it uses much more of the processor than before, or is held back from it.
    pub(crate) is_busy: bool,
    /// How many times its latency of before.
    pub(crate) times: f64,
    /// What was added to the middle and to the tail of its latencies.
    pub(crate) middle_ms: f64,
    pub(crate) tail_ms: f64,
    pub(crate) since: Option<Timestamp>,
    pub(crate) evidence: Vec<Evidence>,
}

/// What a metric is about, from its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gauge {
    Middle,
    Tail,
    Success,
    Errors,
    Cpu,
}

impl Gauge {
    fn of(metric: &str) -> Option<Gauge> {
        let m = metric.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| m.contains(w));
        if has(&["latency", "duration", "response_time", "resp_time", "mrt", "rt_ms"]) {
            let middle = has(&["p50", "50th", "median", "avg", "mean", "mrt", "0.5"]);
            return (!has(&["count", "_sum", "bucket", "limit", "dns"])).then_some(if middle {
                Gauge::Middle
            } else {
                Gauge::Tail
            });
        }
        match m.as_str() {
            _ if has(&["success"]) || m == "sr" => Some(Gauge::Success),
            _ if has(&["error_rate", "error_ratio", "failure_rate", "5xx"]) => Some(Gauge::Errors),
            "cpu" | "cpu_usage" | "cpu_cores" => Some(Gauge::Cpu),
            _ => None,
        }
    }
}

/// All workloads of which a measurement, an alert or a complaint speaks, by their place in the
/// snapshot's list.
pub(crate) fn all<'s>(
    now: &'s Snapshot,
    complaints: &[Complaint<'_>],
) -> BTreeMap<usize, Member<'s>> {
    let late = complaints.iter().any(|c| c.class == Class::Late);
    if now.samples.is_empty() && now.alerts.is_empty() && !late {
        return BTreeMap::new();
    }
    let owners = log_lines::owners(now);
    let mut found: BTreeMap<usize, Member<'s>> = BTreeMap::new();
    let mut courses: BTreeMap<(usize, &str), Vec<&Sample>> = BTreeMap::new();
    for sample in now.samples.iter().filter(|s| s.value.is_finite()) {
        if Gauge::of(&sample.metric).is_some()
            && let Some(i) = owners.named(&sample.subject)
        {
            courses.entry((i, sample.metric.as_str())).or_default().push(sample);
        }
    }
    for ((i, metric), samples) in courses {
        if let (Some(member), Some(gauge)) = (entry(&mut found, i, now), Gauge::of(metric)) {
            measure(member, gauge, metric, &samples);
        }
    }
    for alert in &now.alerts {
        let apps: BTreeSet<usize> = alert.subjects.iter().filter_map(|s| owners.named(s)).collect();
        for i in apps {
            if let Some(member) = entry(&mut found, i, now) {
                hear(member, alert);
            }
        }
    }
    if found.values().any(|m| m.is_measured) && now.samples.is_empty() {
        // Whoever watches some of them with alerts watches them all: the rest is well.
        let watched: BTreeSet<&model::Text> =
            found.values().map(|m| &m.app.object.namespace).collect();
        let here = |a: &App| watched.contains(&a.object.namespace);
        let places: Vec<usize> =
            now.apps.iter().enumerate().filter(|(_, a)| here(a)).map(|(i, _)| i).collect();
        for i in places {
            if let Some(member) = entry(&mut found, i, now) {
                member.is_measured = true;
            }
        }
    }
    for complaint in complaints.iter().filter(|c| c.class == Class::Late && !c.is_own) {
        let place = now.apps.iter().position(|a| a.object == complaint.app.object);
        if let Some(member) = place.and_then(|i| entry(&mut found, i, now)) {
            member.is_slow = true;
            member.since = member.since.or(complaint.first);
            member.evidence.push(complaint.evidence.clone());
        }
    }
    found
}

fn entry<'m, 's>(
    found: &'m mut BTreeMap<usize, Member<'s>>,
    index: usize,
    now: &'s Snapshot,
) -> Option<&'m mut Member<'s>> {
    let app = now.apps.get(index)?;
    Some(found.entry(index).or_insert_with(|| Member {
        app,
        is_measured: false,
        is_slow: false,
        fails: false,
        is_busy: false,
        times: 1.0,
        middle_ms: 0.0,
        tail_ms: 0.0,
        since: None,
        evidence: Vec::new(),
    }))
}

fn measure(member: &mut Member<'_>, gauge: Gauge, metric: &str, samples: &[&Sample]) {
    let mut points: Vec<&Sample> = samples.to_vec();
    points.sort_by_key(|s| s.at);
    if points.len() < FEW {
        return;
    }
    let third = points.len().div_ceil(3);
    let values = |part: &[&Sample]| middle(part.iter().map(|s| s.value).collect());
    let (Some(first), Some(last)) = (points.get(..third), points.get(points.len() - third..))
    else {
        return;
    };
    let (before, after) = (values(first), values(last));
    let seconds = metric.contains("second") && !metric.contains("milli");
    let scale = if seconds { 1000.0 } else { 1.0 };
    let more = (after - before) * scale;
    let times = if before > 0.0 { after / before } else { 1.0 };
    let tells = match gauge {
        Gauge::Middle | Gauge::Tail => {
            // Who is never asked has no latency.
            member.is_measured |= before > 0.0;
            let enough = if gauge == Gauge::Tail { TAIL_TIMES } else { MIDDLE_TIMES };
            let slow = times >= enough && more >= LEAST_MS;
            if gauge == Gauge::Tail {
                member.tail_ms = more
            } else {
                member.middle_ms = more
            }
            member.is_slow |= slow;
            if slow {
                member.times = member.times.max(times);
            }
            slow
        }
        Gauge::Success => {
            let whole = if before > 1.5 { 100.0 } else { 1.0 };
            before > 0.0 && (before - after) / whole >= LOST_SHARE
        }
        Gauge::Errors => after - before >= LOST_SHARE,
        Gauge::Cpu => {
            let busy = times >= BUSY_TIMES && after - before >= 0.02;
            member.is_busy |= busy;
            busy
        }
    };
    member.fails |= tells && matches!(gauge, Gauge::Success | Gauge::Errors);
    if tells && gauge != Gauge::Cpu {
        let half = f64::midpoint(before, after);
        let turned = points.iter().find(|s| (s.value - before).abs() >= (half - before).abs());
        let since = turned.and_then(|s| s.at);
        member.since = member.since.or(since);
        let document = points.first().map_or(0, |s| s.document);
        let value = format!("{before:.2} before, {after:.2} now");
        let fact = evidence::field(document, &member.app.object, metric, value);
        member.evidence.push(Evidence { at: since, ..fact });
    }
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// What an alert says of a member, line by line.
fn hear(member: &mut Member<'_>, alert: &model::Alert) {
    let mut told: Vec<&str> = Vec::new();
    for line in alert.text.lines().chain([alert.name.as_str()]) {
        let busy = says(line, wording::CPU_THROTTLED) || says(line, wording::CPU_BUSY);
        member.is_busy |= busy;
        let slow = !busy && says(line, wording::SLOW_ANSWERS);
        let fails = !busy && says(line, wording::LOST_ANSWERS);
        member.is_slow |= slow;
        member.fails |= fails;
        if slow || fails {
            told.push(line);
        }
        if slow && let Some(percent) = percent_more(line) {
            member.times = member.times.max(1.0 + percent / 100.0);
        }
    }
    if !told.is_empty() {
        member.is_measured = true;
        member.since = alert.since.or(member.since);
        let value: String = told.join("; ").chars().take(300).collect();
        let field = format!("alert/{}", alert.name);
        let fact = evidence::field(alert.document, &member.app.object, field, value);
        member.evidence.insert(0, Evidence { at: alert.since, ..fact });
    }
}

/// The largest `+149.3%` of a line.
fn percent_more(line: &str) -> Option<f64> {
    let parts = line.split('+').skip(1);
    let numbers = parts.filter_map(|p| p.split_once('%')?.0.trim().parse::<f64>().ok());
    numbers.max_by(f64::total_cmp)
}

//! Containers that are held back from the processor: what was measured, and what alerts say.

use model::{
    Alert, App, Certainty, Evidence, Finding, Findings, Kind, ObjectRef, Snapshot, State, Timestamp,
};

use super::edit::{container_field, namespace_option};
use super::log_lines::names;
use super::measured::{self, Measure, Series};
use crate::evidence;
use crate::wording::{self, says};

/// Held back for this much of the time (seconds per second, or share of periods).
const THROTTLED: f64 = 0.25;

/// At this share of its limit a container has no room left.
const SATURATED: f64 = 0.8;

/// Usage that grew by this factor is more work, not a limit that was too low all along.
const GREW: f64 = 1.5;

/// What is known about the processor time of a workload.
#[derive(Debug, Default)]
struct Cpu {
    throttled: bool,
    /// Usage at its highest, as a share of the limit.
    share: Option<f64>,
    /// How many times its usage of before it uses.
    grew: Option<f64>,
    is_busy: bool,
    /// Whether it is over, by the measurements.
    is_over: bool,
    alerted: bool,
    since: Option<Timestamp>,
    evidence: Vec<Evidence>,
}

pub(super) fn detect(id: &'static str, app: &App, now: &Snapshot, findings: &mut Findings) {
    if now.samples.is_empty() && now.alerts.is_empty() {
        return;
    }
    let cpu = look(app, now);
    let saturated = cpu.share.is_some_and(|s| s >= SATURATED);
    if !(cpu.throttled || (cpu.alerted && cpu.is_busy)) {
        findings.found.extend(at_limit(id, app, now));
        return;
    }
    let grew = cpu.grew.is_some_and(|g| g >= GREW);
    let overload = grew || (cpu.is_busy && cpu.grew.is_none());
    let mechanism = if overload { "cpu-overload" } else { "cpu-throttled" };
    let (name, limit) = limit_of(app);
    let value = limit.map_or_else(|| "not shown".to_owned(), |q| q.text("cpu"));
    let of = limit.map(|q| format!(" of {}", q.text("cpu"))).unwrap_or_default();
    let headline = match (mechanism, cpu.grew.filter(|g| g.is_finite())) {
        ("cpu-overload", Some(times)) => format!(
            "{} needs {times:.1} times the CPU of before and is held back at its limit{of}",
            app.object
        ),
        ("cpu-overload", None) => {
            format!("{} needs more CPU than its limit{of} gives it", app.object)
        }
        _ => format!("{} is held back by its CPU limit{of} without doing more work", app.object),
    };
    let expected = match limit {
        Some(limit) => {
            format!("{} or more, or the work spread over more pods", limit.plus(limit).text("cpu"))
        }
        None => "a limit above what it needs, or more pods".into(),
    };
    let field = container_field(app, name, "resources.limits.cpu");
    let other: &[&str] =
        if mechanism == "cpu-overload" { &["cpu-throttled"] } else { &["cpu-overload"] };
    let mut finding = Finding::new(id, mechanism, app.object.clone(), headline)
        .field(field, value, expected)
        .since(cpu.since)
        .evidence(cpu.evidence);
    if !(cpu.throttled && (saturated || grew)) {
        let look =
            format!("kubectl top pod{} --containers", namespace_option(&app.object.namespace));
        finding = finding.unsure(Certainty::Likely, other, look);
    }
    if cpu.is_over && !cpu.alerted {
        finding = finding.state(State::Recovered);
    }
    let pods = app.running().count();
    finding = finding.affects(app.object.clone(), format!("{pods} pods held back"));
    for (caller, how) in slow_callers(app, now) {
        finding = finding.affects(caller, how);
    }
    findings.push(finding);
}

/// At this share of its limit a single look says that a container gets no more.
const PINNED: f64 = 0.95;

/// A single look (`kubectl top`) at pods that use all that their limit gives them. What works
/// as fast as it may is well, so that this alone is suspected only.
fn at_limit(id: &'static str, app: &App, now: &Snapshot) -> Option<Finding> {
    let (name, limit) = limit_of(app);
    let containers = app.spec().map_or(0, |s| s.containers.len());
    let (limit, true) = (limit.filter(|l| l.milli() > 0)?, containers == 1) else { return None };
    let cores = limit.milli() as f64 / 1000.0;
    let own = |subject: &str| {
        let mut parts = subject.split('/');
        let (first, second) = (parts.next().unwrap_or_default(), parts.next());
        let pod = second.unwrap_or(first);
        let near = second.is_none() || first == app.object.namespace;
        near && app.running().any(|p| p.meta.name == pod)
    };
    let single = |s: &&model::Sample| s.at.is_none() && s.metric == "cpu_usage";
    let mut samples = now.samples.iter().filter(single).filter(|s| own(&s.subject));
    let sample = samples.find(|s| s.value >= PINNED * cores)?;
    let text = limit.text("cpu");
    let headline = format!("{} uses all of its CPU limit of {text}", app.object);
    let usage = format!("{}m of {text}", (sample.value * 1000.0).round());
    let field = format!("cpu_usage of {}", sample.subject);
    let look = format!("kubectl top pod{} --containers", namespace_option(&app.object.namespace));
    let expected = format!("{} or more", limit.plus(limit).text("cpu"));
    let finding = Finding::new(id, "cpu-throttled", app.object.clone(), headline)
        .field(container_field(app, name, "resources.limits.cpu"), text, expected)
        .evidence([evidence::field(sample.document, &app.object, field, usage)])
        .affects(app.object.clone(), "held back by its limit")
        .unsure(Certainty::Likely, &["cpu-overload"], look);
    let suffers = app.lost_replicas() > 0;
    Some(if suffers { finding } else { finding.state(State::Suspected) })
}

fn look(app: &App, now: &Snapshot) -> Cpu {
    let mut cpu = Cpu::default();
    let usage = measured::of(app, Measure::Cpu, now);
    let throttling = measured::of(app, Measure::Throttling, now);
    let limit = limit_of(app).1.map(|q| q.milli() as f64 / 1000.0);
    if let Some(series) = &throttling {
        let high = series.high();
        // Some throttling at the start, or a little of it always, is usual.
        cpu.throttled = high >= THROTTLED && high >= 4.0 * series.before();
        let always = series.before() >= THROTTLED;
        cpu.throttled |= always;
        if cpu.throttled {
            cpu.since = series.rose_at();
            cpu.is_over = !series.is_high_still();
            cpu.evidence.push(course(app, series, "s/s held back"));
        }
    }
    if let Some(series) = &usage {
        let (before, high) = (series.before(), series.high());
        cpu.share = limit.filter(|l| *l > 0.0).map(|l| cores(series, high) / l);
        cpu.grew = Some(if before > 0.0 { high / before } else { f64::INFINITY });
        let full = cpu.share.is_some_and(|s| s >= SATURATED);
        let is_rising = cpu.grew.is_some_and(|g| g >= GREW);
        cpu.is_busy = full && is_rising;
        if full || cpu.throttled {
            cpu.evidence.push(course(app, series, "cores"));
        }
        if cpu.is_busy && throttling.is_none() {
            cpu.throttled = true;
            cpu.since = series.rose_at();
            cpu.is_over = !series.is_high_still();
        }
    }
    let names = names(app);
    for alert in now.alerts.iter().filter(|a| is_about(a, &names)) {
        read_alert(alert, app, &mut cpu);
    }
    cpu
}

/// Usage in cores, whatever unit the metric has.
fn cores(series: &Series, value: f64) -> f64 {
    let metric = series.metric.to_ascii_lowercase();
    if metric.contains("milli") || value > 1000.0 { value / 1000.0 } else { value }
}

fn is_about(alert: &Alert, names: &[&str]) -> bool {
    alert.subjects.iter().any(|s| names.contains(&s.rsplit('/').next().unwrap_or_default()))
}

/// What an alert says about the processor.
fn read_alert(alert: &Alert, app: &App, cpu: &mut Cpu) {
    let told = format!("{} {}", alert.name, alert.text);
    let throttled = says(&told, wording::CPU_THROTTLED);
    let busy = says(&told, wording::CPU_BUSY);
    if !(throttled || busy) {
        return;
    }
    cpu.alerted = true;
    cpu.throttled |= throttled;
    cpu.is_busy |= busy;
    cpu.since = cpu.since.or(alert.since);
    let about_cpu =
        |line: &&str| says(line, wording::CPU_THROTTLED) || says(line, wording::CPU_BUSY);
    let lines: Vec<&str> = alert.text.lines().filter(about_cpu).collect();
    if let Some(percent) = lines.iter().find_map(|l| percent_more(l)) {
        cpu.grew = cpu.grew.or(Some(1.0 + percent / 100.0));
    }
    let text = if lines.is_empty() { alert.name.to_string() } else { lines.join("; ") };
    let value: String = text.chars().take(300).collect();
    let fact = evidence::field(alert.document, &app.object, format!("alert/{}", alert.name), value);
    cpu.evidence.push(Evidence { at: alert.since, ..fact });
}

/// The 318.0 of `+318.0%`, in a line about usage.
fn percent_more(line: &str) -> Option<f64> {
    if !says(line, wording::CPU_BUSY) {
        return None;
    }
    let (_, rest) = line.split_once('+')?;
    rest.split_once('%')?.0.trim().parse().ok()
}

fn course(app: &App, series: &Series, unit: &str) -> Evidence {
    let value = format!(
        "{:.3} before, {:.3} at its highest, {:.3} now ({unit})",
        series.before(),
        series.high(),
        series.last()
    );
    let at = series.rose_at();
    let field = format!("{} of {}", series.metric, series.subject);
    Evidence { at, ..evidence::field(series.document, &app.object, field, value) }
}

/// The container with the lowest CPU limit: it is held back first.
fn limit_of(app: &App) -> (&str, Option<model::Quantity>) {
    let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
    let limited = containers.filter_map(|c| Some((c.resources.limits.get("cpu")?, c)));
    match limited.min_by_key(|(limit, _)| *limit) {
        Some((limit, c)) => (c.name.as_str(), Some(limit)),
        None => ("", None),
    }
}

/// Workloads that call this one, directly or through one more, and of which alerts speak:
/// they wait for it.
fn slow_callers(app: &App, now: &Snapshot) -> Vec<(ObjectRef, String)> {
    let mut callers: Vec<ObjectRef> = Vec::new();
    let mut edge = vec![app.object.clone()];
    for _ in 0..3 {
        let mut next = Vec::new();
        for object in &edge {
            let Some(called) = now.app(object) else { continue };
            let services = now.services_of(called).into_iter();
            let found = services.flat_map(|s| now.dependants(&s));
            next.extend(found.map(|(_, o)| o).filter(|o| o.kind != Kind::Ingress));
        }
        next.retain(|o| *o != app.object && !callers.contains(o));
        next.sort();
        next.dedup();
        callers.extend(next.iter().cloned());
        edge = next;
    }
    let alerted = |o: &ObjectRef| {
        let caller = now.app(o)?;
        let names = names(caller);
        let alert = now.alerts.iter().find(|a| is_about(a, &names))?;
        let line = alert.text.lines().next().unwrap_or(&alert.name);
        Some((o.clone(), format!("waits for it: {}", line.chars().take(120).collect::<String>())))
    };
    callers.iter().filter_map(alerted).collect()
}

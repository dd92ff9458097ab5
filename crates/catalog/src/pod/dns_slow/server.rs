//! What the cluster's name server, and the nodes' tables of connections, tell of themselves.

use model::{
    Alert, App, Certainty, Evidence, HostFigure, Kind, ObjectRef, Sample, Snapshot, UNNAMED_HOST,
};

use crate::evidence;
use crate::pod::log_lines;
use crate::wording::{is_upstream_timeout, question, says};

/// Lines at the end of a log that tell of now.
const LAST_LINES: usize = 1000;
/// Fewer questions that waited in vain mean nothing.
const LEAST_WAITED: usize = 3;
/// Fewer questions than this say nothing about their kind.
const LEAST_QUESTIONS: usize = 20;
/// The share of its limit, in percent, from which on the name server is short of cpu.
const STARVED_PERCENT: f64 = 90.0;

/// Why lookups take long.
pub(super) struct Reason {
    pub(super) mechanism: &'static str,
    pub(super) object: ObjectRef,
    pub(super) headline: String,
    /// The field to edit, its value, and what it should be.
    pub(super) field: Option<(String, String, String)>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) certainty: Certainty,
}

/// The surest reason that is told.
pub(super) fn reason(servers: &[&App], now: &Snapshot) -> Option<Reason> {
    upstream(servers, now).or_else(|| starved(servers, now)).or_else(|| lost(now))
}

/// It waits in vain for the servers that it asks itself.
fn upstream(servers: &[&App], now: &Snapshot) -> Option<Reason> {
    let of = |app: &App| {
        let logs = log_lines::of(app, "", now).into_iter().filter(|l| !l.previous);
        let lines = logs
            .flat_map(|log| log.lines.iter().rev().take(LAST_LINES).map(move |line| (log, line)));
        let waited: Vec<_> = lines.filter(|(_, line)| is_upstream_timeout(line)).collect();
        let (log, line) = waited.first()?;
        let fact = log_lines::fact(app, log, line);
        (waited.len() >= LEAST_WAITED).then(|| (app.object.clone(), waited.len(), fact))
    };
    let (app, count, fact) = servers.iter().copied().find_map(of)?;
    // Whom it asks stands in its settings.
    let map =
        now.named(Kind::ConfigMap, &app.namespace, "coredns").filter(|m| m.settings.is_some());
    let forward = map.and_then(|m| {
        let lines = m.settings.as_deref().unwrap_or_default().lines().map(str::trim);
        let mut forward = lines.filter(|l| l.starts_with("forward ") || l.starts_with("proxy "));
        forward.next().map(|l| l.trim_end_matches('{').trim_end().to_owned())
    });
    let field = forward
        .map(|line| ("data.Corefile".to_owned(), line, "servers that answer in time".to_owned()));
    Some(Reason {
        mechanism: "upstream-slow",
        headline: format!(
            "the name server {app} waited {count} times in vain for the servers that it asks itself"
        ),
        object: map.map_or(app, |m| m.meta.object(Kind::ConfigMap)),
        field,
        evidence: vec![fact],
        certainty: Certainty::Proven,
    })
}

/// It uses what its limit allows, or an alert says that it is held back.
fn starved(servers: &[&App], now: &Snapshot) -> Option<Reason> {
    servers.iter().find_map(|app| {
        let container = app.spec()?.containers.first()?;
        let limit = container.resources.limits.get("cpu");
        let measured = limit.and_then(|limit| {
            let cores = limit.milli() as f64 / 1000.0;
            let sample = busiest(app, now)?;
            let near = cores > 0.0 && sample.value * 100.0 >= cores * STARVED_PERCENT;
            let value = format!("{} uses {:.2} cores of {cores:.2}", sample.subject, sample.value);
            let fact = evidence::field(sample.document, &app.object, "cpu", value.clone());
            near.then_some((value, fact))
        });
        let (value, fact) = measured.or_else(|| {
            let alert = now.alerts.iter().find(|a| is_throttled(a, app))?;
            let text: String = alert.text.chars().take(200).collect();
            let value = format!("alert {}: {text}", alert.name);
            let fact = evidence::field(alert.document, &app.object, "alert", value);
            Some(("it is held back by its limit".to_owned(), fact))
        })?;
        let field = app.spec_field(&format!("containers[{}].resources.limits.cpu", container.name));
        let stated = limit.map_or("not shown".into(), |q| q.text("cpu"));
        Some(Reason {
            mechanism: "server-starved",
            object: app.object.clone(),
            headline: format!("the name server {} is short of cpu: {value}", app.object),
            field: Some((field, stated, "none, or well above what it uses".into())),
            evidence: vec![fact],
            certainty: Certainty::Likely,
        })
    })
}

/// What the busiest of its pods uses of the processors.
fn busiest<'s>(app: &App, now: &'s Snapshot) -> Option<&'s Sample> {
    let own = |s: &&Sample| {
        let mut parts = s.subject.split('/');
        let pod = parts.nth(1).or(Some(s.subject.as_str()));
        s.metric == "cpu_usage" && app.pods.iter().any(|p| Some(p.meta.name.as_str()) == pod)
    };
    now.samples.iter().filter(own).max_by(|a, b| a.value.total_cmp(&b.value))
}

fn is_throttled(alert: &Alert, app: &App) -> bool {
    let names = log_lines::names(app);
    let own = |s: &model::Text| names.contains(&s.rsplit('/').next().unwrap_or_default());
    says(&alert.name, &["throttl"]) && alert.subjects.iter().any(own)
}

/// The kernel of a node dropped packets whose connections collided.
fn lost(now: &Snapshot) -> Option<Reason> {
    let failed = now.hosts.iter().filter_map(|h| match h.figure {
        HostFigure::Conntrack { insert_failed, .. } if insert_failed > 0 => {
            Some((insert_failed, h.node.as_str(), h.document))
        }
        _ => None,
    });
    let counted = now.samples.iter().filter_map(|s| {
        let own = s.metric.contains("conntrack") && s.metric.contains("insert_failed");
        let value = s.value.clamp(0.0, 1e15) as u64;
        (own && value > 0).then_some((value, s.subject.as_str(), s.document))
    });
    let (count, node, document) = failed.chain(counted).max()?;
    let known = node != UNNAMED_HOST && !node.is_empty();
    let object = match known {
        true => ObjectRef::new(Kind::Node, "", node),
        false => ObjectRef::component("coredns"),
    };
    let place = if known { format!("node {node}") } else { "a node".to_owned() };
    let value = format!("insert_failed={count}");
    let fact = evidence::field(document, &object, "conntrack", value);
    Some(Reason {
        mechanism: "packets-lost",
        headline: format!(
            "{place} dropped {count} packets whose connections collided in its table: lookups \
             are asked again after 5 s"
        ),
        object,
        field: None,
        evidence: vec![fact],
        certainty: Certainty::Likely,
    })
}

/// That most questions it logged are of the search list: there is no such name.
pub(super) fn storm(servers: &[&App], now: &Snapshot) -> Option<Evidence> {
    servers.iter().find_map(|app| {
        let logs = log_lines::of(app, "", now);
        let lines = logs.iter().flat_map(|l| l.lines.iter().rev().take(LAST_LINES));
        let (mut all, mut walked) = (0_usize, 0_usize);
        for asked in lines.filter_map(|l| question(l)) {
            all += 1;
            let name = asked.name.trim_end_matches('.');
            // A name of a Service has five parts with its suffix; what walked has more.
            let suffixed = name.ends_with(".cluster.local") && name.matches('.').count() > 4;
            walked += usize::from(asked.is_unknown && suffixed);
        }
        let many = all >= LEAST_QUESTIONS && walked * 2 >= all;
        let document = logs.first().map_or(0, |l| l.document);
        let value = format!("{walked} of {all} questions were for names of the search list");
        many.then(|| evidence::field(document, &app.object, "log", value))
    })
}

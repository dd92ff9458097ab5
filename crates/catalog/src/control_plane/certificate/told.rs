//! Certificates that somebody says are over: who serves them is found by the host that is named.

use model::record::VolumeSource;
use model::{
    App, Evidence, Finding, Findings, Impact, Kind, LogLines, ObjectRef, Snapshot, Timestamp,
};

use crate::control_plane::certificate_expiring::KIND;
use crate::evidence;
use crate::wording::{self, Ended};

/// Lines at the end of a log that are looked at.
const LAST_LINES: usize = 500;

/// A complaint is over when it was not repeated for this long, in seconds.
const OVER_SECONDS: i64 = 3_600;

struct Told {
    ended: Ended,
    evidence: Evidence,
    /// Namespace in which the host was named.
    namespace: String,
    /// Who says so, when it is a workload.
    client: Option<ObjectRef>,
}

pub(crate) fn detect(now: &Snapshot, findings: &mut Findings) {
    for told in events(now).into_iter().chain(logs(now)) {
        findings.found.extend(finding(told, now));
    }
}

fn events(now: &Snapshot) -> Vec<Told> {
    let told = now.events_where(|e| wording::ended_certificate(&e.message).is_some());
    let recent = told.into_iter().rev().filter(|e| evidence::is_recent(e, now, OVER_SECONDS));
    recent
        .filter_map(|e| {
            let ended = wording::ended_certificate(&e.message)?;
            let about = e.about.clone()?;
            let namespace = about.namespace.to_string();
            let client = now.app(&about).map(|a| a.object.clone());
            Some(Told { ended, evidence: evidence::event(e, now)?, namespace, client })
        })
        .collect()
}

fn logs(now: &Snapshot) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for log in now.logs.iter().filter(|l| l.unit.is_empty()) {
        for line in log.lines.iter().rev().take(LAST_LINES) {
            let Some(ended) = wording::ended_certificate(line) else { continue };
            if told.iter().any(|t| t.ended.host == ended.host && t.namespace == log.namespace) {
                continue;
            }
            let app = teller(log, now);
            let namespace = app.map_or(log.namespace.as_str(), |a| a.object.namespace.as_str());
            let writer = ObjectRef::new(Kind::Pod, namespace, &log.name);
            let short: String = line.chars().take(300).collect();
            let evidence = evidence::field(log.document, &writer, "log", short);
            let client = app.map(|a| a.object.clone());
            told.push(Told { ended, evidence, namespace: namespace.to_owned(), client });
        }
    }
    told
}

/// The workload whose log it is.
fn teller<'s>(log: &LogLines, now: &'s Snapshot) -> Option<&'s App> {
    now.apps.iter().find(|a| {
        let place = log.namespace.is_empty() || log.namespace == a.object.namespace;
        place && (a.object.name == log.name || a.pods.iter().any(|p| p.meta.name == log.name))
    })
}

/// Only a host inside of the cluster has something that can be named and mended here.
fn finding(told: Told, now: &Snapshot) -> Option<Finding> {
    let (service, app) = server(&told, now)?;
    let secret = app.and_then(|a| own_secret(a, now));
    let object = secret.clone().or(app.map(|a| a.object.clone())).unwrap_or(service.clone());
    let (mechanism, date): (_, Option<Timestamp>) = match &told.ended {
        e if e.not_before.is_some() => ("clock-skew", e.not_before),
        e => ("certificate-expired", e.not_after),
    };
    let since = date.map(|d| match mechanism {
        "clock-skew" => format!(" is not valid before {d}"),
        _ => format!(" is over since {d}"),
    });
    let headline = format!(
        "the certificate of Service {service}{}{}",
        since.unwrap_or_else(|| " is over".into()),
        secret.map(|s| format!(" (Secret {})", s.name)).unwrap_or_default()
    );
    let value = date.map_or("past".into(), |d| d.to_string());
    let mut found = Finding::new(KIND.id, mechanism, object, headline)
        .field(
            if mechanism == "clock-skew" { "notBefore" } else { "notAfter" },
            value,
            "a date to come",
        )
        .since(date.filter(|_| mechanism == "certificate-expired"))
        .evidence([told.evidence])
        .affects(service, "clients refuse its certificate")
        .impact(Impact { services: 1, ..Impact::default() });
    if let Some(client) = told.client {
        found = found.affects(client, "refuses the certificate of its peer");
    }
    Some(found)
}

/// The Service that the host names, and the workload behind it.
fn server<'s>(told: &Told, now: &'s Snapshot) -> Option<(ObjectRef, Option<&'s App>)> {
    let mut parts = told.ended.host.split('.');
    let name = parts.next().filter(|n| !n.is_empty())?;
    let by_address = || now.services.iter().find(|s| s.cluster_address == *told.ended.host);
    let namespace = parts.next().unwrap_or(&told.namespace);
    let service = now.services.get(namespace, name).or_else(by_address)?;
    let apps = now.apps_selected(&service.meta.namespace, &service.selector);
    let app = apps.first().copied().filter(|_| !service.selector.is_empty());
    Some((service.meta.object(Kind::Service), app))
}

/// The one Secret with a certificate that the workload mounts.
fn own_secret(app: &App, now: &Snapshot) -> Option<ObjectRef> {
    let namespace = app.object.namespace.as_str();
    let of = |v: &model::record::Volume| match &v.source {
        VolumeSource::Secret(r) => Some(r.name.to_string()),
        _ => None,
    };
    let names: Vec<String> = app.spec()?.volumes.iter().filter_map(of).collect();
    let is_tls = |n: &&String| {
        let known = now.named(Kind::Secret, namespace, n);
        known.is_some_and(|s| s.state == "kubernetes.io/tls")
            || n.contains("tls")
            || n.contains("cert")
    };
    let mut fit = names.iter().filter(is_tls);
    let only = fit.next().filter(|_| fit.next().is_none())?;
    Some(ObjectRef::new(Kind::Secret, namespace, only))
}

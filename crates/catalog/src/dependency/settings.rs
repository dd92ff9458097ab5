//! Addresses in the settings of workloads, compared with the Services that exist and with the
//! settings of their siblings.

use std::collections::BTreeMap;

use model::{App, Kind, Peer, Snapshot};

use crate::pod::edit::nearest;
use crate::pod::peer;

/// An address that contradicts what is there.
#[derive(Clone, Debug)]
pub(crate) struct Contradiction<'s> {
    pub(crate) app: &'s App,
    pub(crate) setting: &'s str,
    /// As written.
    pub(crate) value: String,
    pub(crate) expected: String,
    /// A clause that can follow "because".
    pub(crate) why: String,
    /// How many things contradict it.
    pub(crate) signs: usize,
    /// Whether it names no Service at all.
    pub(crate) is_dangling: bool,
}

/// Words in the names of settings for what a program can do without.
const OPTIONAL: &[&str] = &[
    "OTEL",
    "OTLP",
    "COLLECTOR",
    "JAEGER",
    "ZIPKIN",
    "TRACING",
    "TRACE",
    "METRICS",
    "STATSD",
    "SENTRY",
    "DATADOG",
    "PROMETHEUS",
    "PROFIL",
    "PROXY",
    "ISTIO",
    "APM",
    "TELEMETRY",
];

/// Ends of the names of settings that hold an address.
const ENDS: &[&str] = &[
    "HOST", "HOSTNAME", "ADDR", "ADDRESS", "ENDPOINT", "URL", "URI", "SERVER", "SERVERS", "BROKER",
    "BROKERS", "DSN", "UPSTREAM", "BACKEND", "TARGET",
];

/// Words of settings' names that say nothing about who is meant.
const GENERAL: &[&str] = &[
    "SERVICE",
    "SVC",
    "API",
    "APP",
    "SERVER",
    "HTTP",
    "GRPC",
    "INTERNAL",
    "CLIENT",
    "BASE",
    "SPRING",
    "DATASOURCE",
    "DATA",
    "DB",
    "DATABASE",
    "CACHE",
    "QUEUE",
    "MQ",
    "REDIS",
    "MYSQL",
    "POSTGRES",
    "PG",
    "MONGO",
    "MONGODB",
    "RABBITMQ",
    "AMQP",
    "KAFKA",
    "BOOTSTRAP",
    "REMOTE",
    "UPSTREAM",
    "BACKEND",
    "TARGET",
    "CONNECTION",
    "NODE",
    "MASTER",
    "SLAVE",
    "MY",
    "THE",
];

/// Addresses of workloads that contradict the Services of their namespace or their siblings.
pub(crate) fn contradictions(now: &Snapshot) -> Vec<Contradiction<'_>> {
    let namespaces = now.namespaces_where(|n, now| !contradictions_in(n, now).is_empty());
    namespaces.iter().flat_map(|n| contradictions_in(n, now)).collect()
}

fn contradictions_in<'s>(namespace: &str, now: &'s Snapshot) -> Vec<Contradiction<'s>> {
    let mut used: BTreeMap<(&str, &str), Vec<(&App, Peer<'_>)>> = BTreeMap::new();
    for app in now.apps_in(namespace) {
        for peer in now.peers_of(app).into_iter().filter(is_address) {
            let key = (app.object.namespace.as_str(), peer.setting);
            used.entry(key).or_default().push((app, peer));
        }
    }
    let mut found = Vec::new();
    for ((namespace, setting), users) in &used {
        for (app, peer) in users {
            let others: Vec<&Peer<'_>> =
                users.iter().filter(|(a, _)| a.object != app.object).map(|(_, p)| p).collect();
            let others = agreed(&others);
            found.extend(check(app, peer, namespace, setting, others, now));
        }
    }
    found
}

/// The address all the others agree on.
fn agreed<'p, 's>(others: &[&'p Peer<'s>]) -> Option<&'p Peer<'s>> {
    let first = others.first()?;
    others.iter().all(|p| (p.host, p.port) == (first.host, first.port)).then_some(first)
}

fn is_address(peer: &Peer<'_>) -> bool {
    let name = peer.setting.to_ascii_uppercase();
    let ends = ENDS.iter().any(|end| name.ends_with(end));
    (ends || peer.port.is_some())
        && name != "HOSTNAME"
        && peer.setting != "args"
        && !peer::is_local(peer.host)
        && !peer::is_address(peer.host)
}

fn check<'s>(
    app: &'s App,
    peer: &Peer<'s>,
    namespace: &str,
    setting: &'s str,
    others: Option<&Peer<'_>>,
    now: &'s Snapshot,
) -> Option<Contradiction<'s>> {
    let own = app.object.namespace.as_str();
    let text = |host: &str, port: Option<u16>| {
        port.map_or_else(|| host.to_owned(), |p| format!("{host}:{p}"))
    };
    let value = text(peer.host, peer.port);
    let (name, of) = peer::parts(peer.host, own);
    let exists = peer::service_of(peer.host, own, now).is_some();
    let dangling =
        !exists && peer::is_in_cluster(peer.host, now) && now.is_missing(Kind::Service, of, name);
    let other = others.filter(|o| o.host != peer.host);
    let other = other.filter(|o| peer::service_of(o.host, own, now).is_some());
    let meant = meant(setting, namespace, now);
    let contradiction = |expected: String, why: String, signs| {
        Some(Contradiction {
            app,
            setting,
            value: value.clone(),
            expected,
            why,
            signs,
            is_dangling: dangling,
        })
    };
    if dangling {
        let names = || now.services.in_namespace(of).map(|s| s.meta.name.as_str());
        let typo = nearest(name, names());
        let better = other.map(|o| o.host).or(typo).or(meant.filter(|m| *m != name));
        let why = format!("there is no Service {name} in namespace {of}");
        let optional = OPTIONAL.iter().any(|w| setting.to_ascii_uppercase().contains(w));
        return match better {
            Some(host) => contradiction(text(host, peer.port), why, 2),
            None if optional => None,
            None => contradiction("the name of a Service".into(), why, 1),
        };
    }
    // The setting is named after another Service than the one it leads to.
    let meant = meant.filter(|m| exists && *m != name && !is_like(setting, name));
    match (meant, other) {
        (Some(m), Some(o)) if peer::parts(o.host, own).0 == m => {
            let why = format!("{setting} leads to {name}, and elsewhere to {m}");
            contradiction(text(o.host, o.port), why, 2)
        }
        (Some(m), None) => {
            let why = format!("{setting} leads to {name}, though there is a Service {m}");
            let service = now.services.get(namespace, m);
            let port = service.and_then(|s| s.ports.first()).map(|p| p.port);
            contradiction(text(m, port.filter(|_| peer.port.is_some())), why, 1)
        }
        _ => None,
    }
}

/// Words of a setting's name that say who is meant.
fn words(setting: &str) -> Vec<String> {
    let upper = setting.to_ascii_uppercase();
    let words = upper.split(['_', '-', '.']);
    let telling = |w: &&str| w.len() > 2 && !GENERAL.contains(w) && !ENDS.contains(w);
    words.filter(telling).map(str::to_ascii_lowercase).collect()
}

/// Whether the name of a Service fits the name of a setting.
fn is_like(setting: &str, name: &str) -> bool {
    let words = words(setting);
    words.is_empty() || words.iter().any(|w| name.contains(w.as_str()))
}

/// The one Service that a setting is named after.
fn meant<'s>(setting: &str, namespace: &str, now: &'s Snapshot) -> Option<&'s str> {
    let words = words(setting);
    if words.is_empty() {
        return None;
    }
    let all = words.concat();
    let here = || now.services.in_namespace(namespace).map(|s| s.meta.name.as_str());
    let plain = |n: &str| n.replace('-', "");
    let is = |n: &&str| {
        let rest = plain(n).replacen(&all, "", 1);
        matches!(rest.as_str(), "" | "service" | "svc" | "api" | "server" | "app")
    };
    let mut fits = here().filter(is);
    fits.next().filter(|_| fits.next().is_none())
}

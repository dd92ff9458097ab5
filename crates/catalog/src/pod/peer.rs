//! The peer that a log line names, checked against the workload's settings and the Services
//! that exist.

use std::net::Ipv4Addr;

use model::record::Service;
use model::{App, Certainty, Kind, Peer, Snapshot};

use super::edit::{nearest, spec_field};
use super::log_lines::Says;

/// A peer and what is wrong with reaching it.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) mechanism: &'static str,
    pub(crate) certainty: Certainty,
    pub(crate) alternatives: &'static [&'static str],
    /// Field of the workload, when its settings name the peer.
    pub(crate) field: Option<String>,
    /// The peer as written.
    pub(crate) value: String,
    pub(crate) expected: String,
    /// What is wrong, in words.
    pub(crate) why: String,
}

/// A host, perhaps with a port, as a text names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named<'t> {
    pub(crate) host: &'t str,
    pub(crate) port: Option<u16>,
}

/// Words after which a host stands.
const MARKS: [&str; 13] = [
    "lookup ",
    "connection to server at ",
    "enotfound ",
    "eai_again ",
    "could not translate host name ",
    "could not resolve host: ",
    "unknownhostexception: ",
    "unknown host ",
    // nslookup, of the usual kind and of busybox.
    "server can't find ",
    "can't resolve ",
    "bad address ",
    "unknown mysql server host ",
    "host not found in upstream ",
];

/// What is wrong with reaching the peer that `text` names; `None` when it names none.
pub(crate) fn trouble(app: &App, text: &str, says: Says, now: &Snapshot) -> Option<Trouble> {
    Some(judge(app, named(app, text, now)?, says, now))
}

/// The setting of the workload that means this peer.
pub(crate) fn setting<'s>(app: &'s App, named: Named<'_>, now: &Snapshot) -> Option<Peer<'s>> {
    let namespace = app.object.namespace.as_str();
    let peers = now.peers_of(app);
    let service = service_of(named.host, namespace, now);
    let found = peers.iter().find(|p| p.host == named.host).or_else(|| {
        let behind =
            |s: &Service| peers.iter().find(|p| p.is(&s.meta.name, &s.meta.namespace, namespace));
        service.and_then(behind).or_else(|| {
            let mut same_port = peers.iter().filter(|p| p.port.is_some() && p.port == named.port);
            same_port.next().filter(|_| same_port.next().is_none() && is_address(named.host))
        })
    });
    found.cloned()
}

/// What is wrong with reaching this peer.
pub(crate) fn judge(app: &App, named: Named<'_>, says: Says, now: &Snapshot) -> Trouble {
    let namespace = app.object.namespace.as_str();
    let service = service_of(named.host, namespace, now);
    let setting = setting(app, named, now);
    let setting = setting.as_ref();
    let host = setting.map_or(named.host, |s| s.host);
    let port = setting.and_then(|s| s.port).or(named.port);
    let service = service.or_else(|| service_of(host, namespace, now));
    let field = setting.map(|s| match s.setting {
        "args" => spec_field(app, "containers[*].args"),
        name => spec_field(app, &format!("containers[*].env[{name}]")),
    });
    let value = port.map_or_else(|| host.to_owned(), |p| format!("{host}:{p}"));
    let mut trouble = Trouble {
        mechanism: "dependency-unreachable",
        certainty: Certainty::Likely,
        alternatives: &["dependency-address-wrong"],
        field,
        value,
        expected: "a peer that answers".into(),
        why: String::new(),
    };
    match service {
        Some(service) => known_service(&mut trouble, host, port, service, now),
        None => unknown_peer(&mut trouble, host, port, says, app, now),
    }
    trouble
}

fn known_service(
    trouble: &mut Trouble,
    host: &str,
    port: Option<u16>,
    service: &Service,
    now: &Snapshot,
) {
    let name = &service.meta.name;
    // It is only another name: it has neither pods nor ports of its own.
    if service.kind == "ExternalName" {
        let outside = &service.external_name;
        trouble.expected = format!("Service {name} stands for a host that answers");
        trouble.why = match outside.is_empty() {
            true => format!("Service {name} is only another name, whose host does not answer"),
            false => format!("Service {name} is only another name for {outside}"),
        };
        return;
    }
    let has = |p: u16| service.ports.iter().any(|s| s.port == p);
    if let (Some(port), Some(first)) = (port.filter(|p| !has(*p)), service.ports.first()) {
        trouble.mechanism = "dependency-address-wrong";
        trouble.certainty = Certainty::Proven;
        trouble.alternatives = &[];
        trouble.expected = format!("{host}:{}", first.port);
        trouble.why = format!("Service {name} has no port {port}");
        return;
    }
    trouble.certainty = Certainty::Proven;
    trouble.alternatives = &[];
    trouble.expected = format!("Service {name} answers");
    trouble.why = match now.addresses(service) {
        Some((0, _)) => format!("Service {name} has no ready pod behind it"),
        _ => format!("Service {name} does not answer it at {}", trouble.value),
    };
}

fn unknown_peer(
    trouble: &mut Trouble,
    host: &str,
    port: Option<u16>,
    says: Says,
    app: &App,
    now: &Snapshot,
) {
    let own = app.object.namespace.as_str();
    let (name, namespace) = parts(host, own);
    let here = || now.services.in_namespace(namespace);
    if is_local(host) {
        let with_port = here().find(|s| s.ports.iter().any(|p| Some(p.port) == port));
        trouble.why = format!("nothing in its own pod listens at {}", trouble.value);
        if let Some(service) = with_port {
            trouble.mechanism = "dependency-address-wrong";
            trouble.alternatives = &["dependency-unreachable"];
            trouble.expected = format!("{}:{}", service.meta.name, port.unwrap_or(0));
        }
        return;
    }
    trouble.why = format!("{} does not answer it", trouble.value);
    let in_cluster = is_in_cluster(host, now) && !is_address(host);
    if in_cluster && now.is_missing(Kind::Service, namespace, name) {
        let names = || here().map(|s| s.meta.name.as_str());
        let same_port = || {
            let mut fits = here().filter(|s| s.ports.iter().any(|p| Some(p.port) == port));
            fits.next().filter(|_| fits.next().is_none()).map(|s| s.meta.name.as_str())
        };
        let better = nearest(name, names()).or_else(same_port);
        trouble.mechanism = "dependency-address-wrong";
        trouble.certainty = Certainty::Proven;
        trouble.alternatives = &[];
        trouble.expected = match (better, port) {
            (Some(better), Some(port)) => format!("{better}:{port}"),
            (Some(better), None) => better.to_owned(),
            (None, _) => format!("the name of a Service of namespace {namespace}"),
        };
        trouble.why = format!("there is no Service {name} in namespace {namespace}");
        return;
    }
    if says == Says::NameUnknown {
        trouble.mechanism = "dependency-address-wrong";
        trouble.alternatives = &["dependency-unreachable"];
        trouble.expected = "a host name that resolves".into();
        trouble.why = format!("the name {host} is not known");
    }
}

/// The peer that a text names: one of the settings or Services first, else what stands after
/// a word such as `lookup`, else the first host with a port. A bare word counts last of the
/// known ones: it may be the name of what was asked for, not of who was asked.
pub(crate) fn named<'t>(app: &App, text: &'t str, now: &Snapshot) -> Option<Named<'t>> {
    let all: Vec<Named<'t>> = text.split(is_between).filter_map(host_and_port).collect();
    let peers = now.peers_of(app);
    let known = |n: &&Named<'_>| {
        n.host != app.object.name
            && (peers.iter().any(|p| p.host == n.host)
                || service_of(n.host, &app.object.namespace, now).is_some())
    };
    let with_port = || all.iter().filter(|n| n.port.is_some() && !is_any(n.host));
    let found = with_port().find(known).copied().or_else(|| marked(text));
    let found = found.or_else(|| all.iter().find(known).copied());
    let mut found = found.or_else(|| with_port().next().copied())?;
    if found.port.is_none() {
        found.port = port_in_words(text);
    }
    Some(found)
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || "\"'`()[]{}<>,;=".contains(c)
}

/// `db:5432`, `10.0.0.1:80`, `tcp://db:5432/x`, `10.0.0.2:41000->10.0.0.1:80`; a bare word is
/// a host without a port.
fn host_and_port(word: &str) -> Option<Named<'_>> {
    let word = word.rsplit("->").next().unwrap_or(word);
    let word = word.split_once("://").map_or(word, |(_, rest)| rest);
    let word = word.rsplit_once('@').map_or(word, |(_, rest)| rest);
    let word = word.strip_prefix("ipv4:").unwrap_or(word);
    // `db/10.0.0.1:5432`: a name and the address it means.
    if let Some((name, address)) = word.split_once('/')
        && let Some((address, port)) = address.trim_end_matches([':', '.']).split_once(':')
        && is_address(address)
    {
        let host = if name.is_empty() { address } else { name };
        return Some(Named { host, port: Some(port.parse().ok()?) });
    }
    let word = word.split('/').next().unwrap_or(word);
    let word = word.trim_end_matches([':', '.', '?', '!']).trim_start_matches('-');
    let (host, port) = match word.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse::<u16>().ok().filter(|p| *p > 0)?)),
        None => (word, None),
    };
    let plain = host.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._".contains(&c));
    let source = [".go", ".py", ".js", ".ts", ".java", ".rb", ".rs", ".c", ".cc", ".cpp", ".php"];
    let is_source = source.iter().any(|end| host.ends_with(end));
    let number = host.bytes().all(|c| c.is_ascii_digit());
    let ok = plain && !host.is_empty() && !number && !is_source && port != Some(53);
    ok.then_some(Named { host, port })
}

/// What stands after one of the words that announce a host.
fn marked(text: &str) -> Option<Named<'_>> {
    let lower = text.to_ascii_lowercase();
    MARKS.iter().find_map(|mark| {
        let start = lower.find(mark)? + mark.len();
        let word = text.get(start..)?.split(is_between).find(|w| !w.is_empty())?;
        host_and_port(word)
    })
}

/// `port 5432` or `port: 5432`.
fn port_in_words(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("port")?;
    let digits = rest.trim_start_matches([' ', ':', '=']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits.get(..end)?.parse().ok()
}

/// Name and namespace of a host within the cluster.
pub(crate) fn parts<'h>(host: &'h str, own: &'h str) -> (&'h str, &'h str) {
    let mut labels = host.split('.');
    let name = labels.next().unwrap_or_default();
    (name, labels.next().unwrap_or(own))
}

/// The Service that a host or an address means.
pub(crate) fn service_of<'s>(host: &str, own: &str, now: &'s Snapshot) -> Option<&'s Service> {
    if is_address(host) {
        return now.services.iter().find(|s| s.cluster_address == host);
    }
    let (name, namespace) = parts(host, own);
    now.services.get(namespace, name).filter(|_| is_in_cluster(host, now))
}

/// One name, or a name and a namespace that exists, or `name.namespace.svc...`.
pub(crate) fn is_in_cluster(host: &str, now: &Snapshot) -> bool {
    let mut labels = host.split('.').skip(1);
    match (labels.next(), labels.next()) {
        (None, _) | (_, Some("svc")) => true,
        (Some(namespace), None) => {
            now.named(Kind::Namespace, "", namespace).is_some()
                || !now.apps_in(namespace).is_empty()
                || now.services.in_namespace(namespace).next().is_some()
        }
        _ => false,
    }
}

pub(crate) fn is_address(host: &str) -> bool {
    host.parse::<Ipv4Addr>().is_ok()
}

pub(crate) fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<Ipv4Addr>().is_ok_and(|a| a.is_loopback())
}

fn is_any(host: &str) -> bool {
    host == "0.0.0.0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_found_in_the_words_of_many_programs() {
        for (text, host, port) in [
            ("tcp://ledger-db:5432/x", "ledger-db", Some(5432)),
            ("10.0.0.2:41000->10.0.0.1:80:", "10.0.0.1", Some(80)),
            ("redis.shop.svc:6379", "redis.shop.svc", Some(6379)),
            ("ipv4:10.0.0.7:3550:", "10.0.0.7", Some(3550)),
            ("ledger-db/10.0.0.9:5432", "ledger-db", Some(5432)),
        ] {
            assert_eq!(host_and_port(text), Some(Named { host, port }), "{text}");
        }
        for text in ["main.go:45", "12:30:05", "10.96.0.10:53", ":8080", "x:99999"] {
            assert_eq!(host_and_port(text), None, "{text}");
        }
        let line = "could not translate host name \"ledger\" to address: Name or service";
        assert_eq!(marked(line).map(|n| n.host), Some("ledger"));
        assert_eq!(port_in_words("server at \"db\", port 5432 failed"), Some(5432));
    }
}

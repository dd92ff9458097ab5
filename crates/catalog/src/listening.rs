//! Where the containers of a pod listen, as far as their description says: declared ports,
//! settings, arguments and probes. A container need not declare a port to listen on it, so the
//! absence of one sign alone proves nothing; signs that point elsewhere do.

use model::record::{Container, PodSpec, Port, Probe};

/// What is spoken on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Speech {
    Http,
    Https,
    Grpc,
    /// Something over TCP that is neither.
    Other,
}

impl Speech {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Speech::Http => "http",
            Speech::Https => "https",
            Speech::Grpc => "grpc",
            Speech::Other => "tcp",
        }
    }

    /// What the name of a port says about it.
    pub(crate) fn of_name(name: &str) -> Option<Speech> {
        let name = name.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|w| name.contains(w));
        if has(&["grpc"]) {
            Some(Speech::Grpc)
        } else if has(&["https", "tls", "ssl"]) {
            Some(Speech::Https)
        } else if has(&["http", "rest", "web"]) {
            Some(Speech::Http)
        } else if has(&["redis", "sql", "postgres", "mongo", "amqp", "kafka", "tcp", "memcache"]) {
            Some(Speech::Other)
        } else {
            None
        }
    }

    /// What a probe speaks; a TCP connection fits everything.
    pub(crate) fn of_probe(probe: &Probe) -> Option<Speech> {
        match probe.target()?.0 {
            "http" => Some(Speech::Http),
            "https" => Some(Speech::Https),
            "grpc" => Some(Speech::Grpc),
            _ => None,
        }
    }
}

/// What kind of sign it is, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Probe,
    Declared,
    Argument,
    Setting,
}

/// A place that says where a container listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sign {
    pub(crate) port: u16,
    pub(crate) source: Source,
    /// Name of the container.
    pub(crate) container: String,
    /// Field below the container, e.g. `env[PORT]`.
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) speech: Option<Speech>,
}

/// The three probes of a container, with their fields.
pub(crate) fn probes(c: &Container) -> impl Iterator<Item = (&'static str, &Probe)> {
    let all = [
        ("livenessProbe", c.liveness_probe.as_deref()),
        ("readinessProbe", c.readiness_probe.as_deref()),
        ("startupProbe", c.startup_probe.as_deref()),
    ];
    all.into_iter().filter_map(|(field, probe)| Some((field, probe?)))
}

/// Everything in a pod that says where it listens. Containers of a pod share one network.
pub(crate) fn signs(spec: &PodSpec) -> Vec<Sign> {
    let stays = |c: &&Container| c.restart_policy.as_deref() == Some("Always");
    let sidecars = spec.init_containers.iter().filter(stays);
    spec.containers.iter().chain(sidecars).flat_map(of_container).collect()
}

/// Everything in one container that says where it listens.
pub(crate) fn of_container(c: &Container) -> Vec<Sign> {
    let sign = |port, source, field: String, value: String, speech| Sign {
        port,
        source,
        container: c.name.to_string(),
        field,
        value,
        speech,
    };
    let mut found = Vec::new();
    for p in &c.ports {
        let label =
            if p.name.is_empty() { p.container_port.to_string() } else { p.name.to_string() };
        let value = p.container_port.to_string();
        let speech = Speech::of_name(&p.name);
        found.push(sign(
            p.container_port,
            Source::Declared,
            format!("ports[{label}]"),
            value,
            speech,
        ));
    }
    for e in c.env.iter().filter(|e| is_own_port(&e.name, c)) {
        let Some(port) = e.value.as_deref().and_then(own_address) else { continue };
        let value = e.value.as_deref().unwrap_or_default().to_owned();
        let speech = Speech::of_name(&e.name);
        found.push(sign(port, Source::Setting, format!("env[{}]", e.name), value, speech));
    }
    for (port, argument) in argument_ports(c) {
        found.push(sign(port, Source::Argument, "args".into(), argument, None));
    }
    for (field, probe) in probes(c) {
        let Some((how, action)) = probe.target() else { continue };
        let Some(port) = number(c, &action.port) else { continue };
        let field = format!("{field}.{}.port", action_field(how));
        let value = action.port.to_string();
        found.push(sign(port, Source::Probe, field, value, Speech::of_probe(probe)));
    }
    found
}

/// The API's field for a probe's protocol.
pub(crate) fn action_field(protocol: &str) -> &'static str {
    match protocol {
        "grpc" => "grpc",
        "tcp" => "tcpSocket",
        _ => "httpGet",
    }
}

/// The number that a port of a container means.
pub(crate) fn number(c: &Container, port: &Port) -> Option<u16> {
    match port {
        Port::Number(0) => None,
        Port::Number(n) => Some(*n),
        Port::Name(_) => c.port(port).map(|p| p.container_port),
    }
}

/// The port that most signs name, other than `not`; then the one named by the strongest sign.
/// `None` when two are named alike.
pub(crate) fn likeliest(signs: &[Sign], not: u16) -> Option<u16> {
    let mut ports: Vec<u16> = signs.iter().map(|s| s.port).filter(|p| *p != not).collect();
    ports.sort_unstable();
    ports.dedup();
    let weight = |port: u16| {
        let of = || signs.iter().filter(move |s| s.port == port);
        (of().map(|s| s.source).max(), of().count())
    };
    let best = ports.iter().map(|p| weight(*p)).max()?;
    let mut first = ports.into_iter().filter(|p| weight(*p) == best);
    let only = first.next()?;
    first.next().is_none().then_some(only)
}

/// Whether a variable says where the program itself listens, not where a peer is.
fn is_own_port(name: &str, c: &Container) -> bool {
    let upper = name.to_ascii_uppercase();
    if upper.contains("LISTEN") || upper.contains("BIND_") || upper == "ASPNETCORE_URLS" {
        return true;
    }
    if matches!(upper.as_str(), "PORT" | "ADDR" | "ADDRESS" | "BIND") {
        return true;
    }
    let Some(prefix) = upper.strip_suffix("_PORT").or(upper.strip_suffix("_ADDR")) else {
        return upper == "ASPNETCORE_HTTP_PORTS";
    };
    let own = [
        "HTTP",
        "HTTPS",
        "GRPC",
        "SERVER",
        "APP",
        "WEB",
        "API",
        "SERVICE",
        "METRICS",
        "ADMIN",
        "HEALTH",
        "MANAGEMENT",
        "MANAGEMENT_SERVER",
        "CONTAINER",
        "MAIN",
        "REST",
        "NODE_APP",
    ];
    // `API_HOST` beside `API_PORT` makes it a peer.
    let host = |e: &model::record::Env| {
        let other = e.name.to_ascii_uppercase();
        other.strip_prefix(prefix).is_some_and(|rest| rest == "_HOST" || rest == "_HOSTNAME")
            && e.value.as_deref().is_none_or(|v| !is_any_address(v))
    };
    own.contains(&prefix) && !c.env.iter().any(host)
}

fn is_any_address(host: &str) -> bool {
    matches!(host, "" | "0.0.0.0" | "[::]" | "::" | "*" | "+" | "localhost" | "127.0.0.1")
}

/// The port of `8080`, `:8080`, `0.0.0.0:8080`, `http://+:8080`; `None` for a peer's address.
fn own_address(value: &str) -> Option<u16> {
    let value = value.split([',', ';']).next()?.trim();
    let bare = value.split_once("://").map_or(value, |(_, rest)| rest).trim_end_matches('/');
    let (host, port) = bare.rsplit_once(':').unwrap_or(("", bare));
    let port: u16 = port.parse().ok()?;
    (port > 0 && is_any_address(host)).then_some(port)
}

/// Ports that the command line tells a program to listen on, with the words that do.
fn argument_ports(c: &Container) -> Vec<(u16, String)> {
    let parts = c.command.iter().chain(&c.args);
    let words: Vec<&str> = parts.flat_map(|a| a.split_whitespace()).collect();
    let mut found = Vec::new();
    for (i, word) in words.iter().enumerate() {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (*word, words.get(i + 1).copied()),
        };
        if !is_port_flag(flag) {
            continue;
        }
        if let Some(port) = value.and_then(|v| own_address(v.trim_matches(['"', '\'']))) {
            let text =
                if word.contains('=') { (*word).to_owned() } else { format!("{flag} {port}") };
            found.push((port, text));
        }
    }
    found
}

fn is_port_flag(flag: &str) -> bool {
    if matches!(flag, "-p" | "http.server") {
        return true;
    }
    let Some(name) = flag.strip_prefix('-') else { return false };
    let name = name.trim_start_matches('-').to_ascii_lowercase();
    let name = name.strip_prefix("dserver").map_or(name.clone(), |rest| format!("server{rest}"));
    let peer = ["upstream", "backend", "remote", "target", "db", "redis", "proxy-to", "connect"];
    let own = name == "port"
        || name == "addr"
        || name == "bind"
        || name == "listen"
        || name.contains("listen")
        || name.contains("bind-addr")
        || name.ends_with("-port")
        || name.ends_with(".port");
    own && !peer.iter().any(|p| name.starts_with(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(container: &str, want: &[(u16, &str)]) {
        let c: Container = serde_json::from_str(container).expect("a container");
        let found: Vec<(u16, String)> =
            of_container(&c).into_iter().map(|s| (s.port, s.field)).collect();
        let want: Vec<(u16, String)> = want.iter().map(|(p, f)| (*p, (*f).to_owned())).collect();
        assert_eq!(found, want, "{container}");
    }

    #[test]
    fn ports_are_read_from_where_programs_are_told() {
        check(r#"{"name":"a","env":[{"name":"PORT","value":"8080"}]}"#, &[(8080, "env[PORT]")]);
        check(
            r#"{"name":"a","env":[{"name":"LISTEN_ADDR","value":"0.0.0.0:81"}]}"#,
            &[(81, "env[LISTEN_ADDR]")],
        );
        check(
            r#"{"name":"a","args":["--port=8080","--web.listen-address=:9"]}"#,
            &[(8080, "args"), (9, "args")],
        );
        check(r#"{"name":"a","command":["sh","-c","exec app --port 70"]}"#, &[(70, "args")]);
        check(
            r#"{"name":"a","ports":[{"name":"web","containerPort":80}],
                "livenessProbe":{"httpGet":{"port":"web"}}}"#,
            &[(80, "ports[web]"), (80, "livenessProbe.httpGet.port")],
        );
    }

    #[test]
    fn ports_of_peers_are_not_its_own() {
        for env in [
            r#"{"name":"DB_PORT","value":"5432"}"#,
            r#"{"name":"LISTEN_ADDR","value":"db:5432"}"#,
            r#"{"name":"API_PORT","value":"80"},{"name":"API_HOST","value":"api"}"#,
        ] {
            check(&format!(r#"{{"name":"a","env":[{env}]}}"#), &[]);
        }
        check(r#"{"name":"a","args":["--redis-port=6379","--verbose=1"]}"#, &[]);
    }

    #[test]
    fn the_port_with_the_strongest_signs_is_the_likeliest() {
        let c = r#"{"name":"a","ports":[{"containerPort":80},{"containerPort":90}],
            "env":[{"name":"PORT","value":"90"}]}"#;
        let c: Container = serde_json::from_str(c).expect("a container");
        assert_eq!(likeliest(&of_container(&c), 0), Some(90));
        assert_eq!(likeliest(&of_container(&c), 90), Some(80));
    }
}

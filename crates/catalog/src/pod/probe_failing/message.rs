//! What the kubelet's words about a failed probe mean, of all ages.

use crate::wording::{self, says};

/// Which of the three probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    Liveness,
    Readiness,
    Startup,
}

impl Which {
    pub(super) fn field(self) -> &'static str {
        match self {
            Which::Liveness => "livenessProbe",
            Which::Readiness => "readinessProbe",
            Which::Startup => "startupProbe",
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Which::Liveness => "liveness",
            Which::Readiness => "readiness",
            Which::Startup => "startup",
        }
    }

    pub(super) fn of_field(field: &str) -> Which {
        match field {
            "livenessProbe" => Which::Liveness,
            "startupProbe" => Which::Startup,
            _ => Which::Readiness,
        }
    }

    /// Whether failing it restarts the container; a readiness probe never does.
    pub(super) fn restarts(self) -> bool {
        self != Which::Readiness
    }
}

/// What a message says, the most specific first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Says {
    /// The port is given by a name that no port has.
    PortName,
    /// The command cannot be started.
    Command,
    /// What answers speaks another protocol.
    Protocol,
    /// An HTTP status.
    Status(u16),
    /// gRPC: the service says that it does not serve.
    NotServing,
    /// Nobody listens.
    Refused,
    /// The connection was cut.
    Cut,
    /// No answer in time.
    Timeout,
    /// Anything else, e.g. what a command printed.
    Other,
}

/// Reads the message of an `Unhealthy` event.
pub(super) fn read(message: &str) -> Option<(Which, Says, Option<u16>)> {
    let (first, rest) = message.split_once(" probe ")?;
    let which = match first.rsplit(' ').next().unwrap_or(first).to_ascii_lowercase().as_str() {
        "liveness" => Which::Liveness,
        "readiness" => Which::Readiness,
        "startup" => Which::Startup,
        _ => return None,
    };
    if rest.starts_with("warning") || says(rest, wording::PROBE_WITHOUT_CONTAINER) {
        return None;
    }
    // The kernel refused: the probe never ran.
    if wording::is_group_trouble(rest) || wording::lacks_processes(rest) {
        return None;
    }
    let (_, detail) = rest.split_once(':').unwrap_or(("", rest));
    Some((which, meaning(detail), port(detail)))
}

fn meaning(text: &str) -> Says {
    let lower = text.to_ascii_lowercase();
    let network =
        ["://", "dial tcp", "connect service", "statuscode"].iter().any(|w| lower.contains(w));
    let cut = says(&lower, &["eof", "connection reset", "broken pipe"]);
    if says(&lower, wording::PROBE_PORT_NAME) {
        Says::PortName
    } else if says(&lower, wording::PROBE_PROTOCOL) && (!cut || lower.contains("malformed")) {
        Says::Protocol
    } else if let Some(code) = status(&lower) {
        Says::Status(code)
    } else if says(&lower, &["not_serving", "service unhealthy"]) {
        Says::NotServing
    } else if !network && cannot_start(&lower) {
        Says::Command
    } else if says(&lower, wording::PROBE_REFUSED) {
        Says::Refused
    } else if cut {
        Says::Cut
    } else if says(&lower, wording::PROBE_TIMEOUT) {
        Says::Timeout
    } else {
        Says::Other
    }
}

/// A command that prints `No such file` has run; one that the runtime cannot start has not.
fn cannot_start(lower: &str) -> bool {
    let runtime = says(lower, &["exec failed", "exec:", "oci runtime", "stat "]);
    let shell = says(lower, &["executable file not found", "command not found"])
        || lower.lines().any(|l| l.contains("sh: ") && l.trim_end().ends_with(": not found"));
    shell || (runtime && says(lower, wording::PROBE_COMMAND))
}

fn status(lower: &str) -> Option<u16> {
    let (_, rest) = lower.split_once("statuscode: ").or(lower.split_once("status code: "))?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// The port that the probe connected to.
fn port(text: &str) -> Option<u16> {
    let starts = ["://", "dial tcp ", "connect service \""];
    let rest = starts.iter().find_map(|s| text.split_once(s)).map(|(_, rest)| rest)?;
    let address = rest.split(['/', '"', ' ', '?']).next()?;
    address.trim_end_matches(':').rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_all_ages_are_read() {
        use Says as S;
        for (message, says, port) in [
            (
                "Liveness probe failed: Get http://10.1.2.3:8080/x: dial tcp 10.1.2.3:8080: \
                 connect: connection refused",
                S::Refused,
                Some(8080),
            ),
            (
                "Readiness probe failed: Get \"http://10.1.2.3:81/\": dial tcp 10.1.2.3:81: \
                 connect: connection refused",
                S::Refused,
                Some(81),
            ),
            (
                "Readiness probe failed: timeout: failed to connect service \"10.1.2.3:9000\" \
                 within 1s: context deadline exceeded",
                S::Refused,
                Some(9000),
            ),
            (
                "Liveness probe failed: Get \"http://10.1.2.3:82/\": net/http: HTTP/1.x transport \
                 connection broken: malformed HTTP response \"\\x00\\x00\"",
                S::Protocol,
                Some(82),
            ),
            (
                "Readiness probe failed: HTTP probe failed with statuscode: 503",
                S::Status(503),
                None,
            ),
            ("Liveness probe failed: Get \"http://10.1.2.3:82/\": EOF", S::Cut, Some(82)),
            (
                "Readiness probe failed: Get \"http://10.1.2.3:82/\": context deadline exceeded \
                 (Client.Timeout exceeded while awaiting headers)",
                S::Timeout,
                Some(82),
            ),
            (
                "Readiness probe errored and resulted in unknown state: couldn't find port: web",
                S::PortName,
                None,
            ),
            (
                "Liveness probe errored: rpc error: code = Unknown desc = failed to exec in \
                 container: OCI runtime exec failed: exec failed: unable to start container \
                 process: exec: \"pg_isread\": executable file not found in $PATH: unknown",
                S::Command,
                None,
            ),
            ("Liveness probe failed: /bin/sh: 1: curl: not found\n", S::Command, None),
            (
                "Liveness probe failed: cat: can't open '/tmp/ok': No such file or directory",
                S::Other,
                None,
            ),
            (
                "Readiness probe failed: service unhealthy (responded with \"NOT_SERVING\")",
                S::NotServing,
                None,
            ),
            ("Liveness probe failed: dial tcp 10.1.2.3:70: i/o timeout", S::Timeout, Some(70)),
            (
                "Readiness probe failed: error: this server does not implement the grpc health \
                 protocol (grpc.health.v1.Health): unknown service",
                S::Protocol,
                None,
            ),
            (
                "Readiness probe failed: Get \"https://10.1.2.3:82/\": http: server gave HTTP \
                 response to HTTPS client",
                S::Protocol,
                Some(82),
            ),
        ] {
            let (_, found, at) = read(message).expect(message);
            assert_eq!((found, at), (says, port), "{message}");
        }
        assert!(read("Startup probe warning: Probe terminated redirects").is_none());
        assert!(read("Readiness probe errored: rpc error: container not running (abc)").is_none());
        assert!(read("something else").is_none());
    }
}

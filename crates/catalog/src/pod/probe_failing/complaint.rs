//! What the kubelet says about a probe that failed, and whether it still matters.

use model::record::{ClusterEvent, ContainerState, EventTime, Pod, Probe};
use model::{App, Kind, Snapshot, Timestamp};

use crate::evidence;
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

/// One probe of one pod, failing.
#[derive(Clone, Copy)]
pub(super) struct Complaint<'s> {
    pub(super) which: Which,
    pub(super) says: Says,
    pub(super) port: Option<u16>,
    pub(super) event: &'s ClusterEvent,
    pub(super) pod: &'s Pod,
}

/// Whether a complaint still matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its pod suffers now.
    Fails,
    /// Its pod is ready now, but the probe keeps failing in between.
    Flaps,
    /// It is over.
    Over,
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
    let (_, detail) = rest.split_once(':').unwrap_or(("", rest));
    Some((which, meaning(detail), port(detail)))
}

fn meaning(text: &str) -> Says {
    let lower = text.to_ascii_lowercase();
    let network = ["://", "dial tcp", "connect service", "statuscode"].iter().any(|w| lower.contains(w));
    let cut = says(&lower, &["eof", "connection reset", "broken pipe"]);
    if says(&lower, wording::PROBE_PORT_NAME) {
        Says::PortName
    } else if says(&lower, wording::PROBE_PROTOCOL) && !(cut && !lower.contains("malformed")) {
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

/// Complaints about the pods of a workload, in the order of their pods.
pub(super) fn of<'s>(app: &'s App, now: &'s Snapshot) -> Vec<Complaint<'s>> {
    let mut found = Vec::new();
    for pod in app.running() {
        for event in now.events_about(&pod.meta.object(Kind::Pod)) {
            if event.reason != "Unhealthy" {
                continue;
            }
            if let Some((which, says, port)) = read(&event.message) {
                found.push(Complaint { which, says, port, event, pod });
            }
        }
    }
    found
}

/// The container that was killed for failing a liveness or startup probe.
pub(super) fn killed<'s>(pod: &Pod, now: &'s Snapshot) -> Option<(&'s ClusterEvent, &'s str)> {
    let events = now.events_about(&pod.meta.object(Kind::Pod)).iter().rev();
    let mut kills = events.filter(|e| e.reason == "Killing" || e.reason == "Unhealthy");
    kills.find_map(|e| {
        let container = wording::between(&e.message, "ontainer ", " failed")?;
        let probe = says(&e.message, &["failed liveness probe", "failed startup probe"]);
        probe.then_some((e, container.trim_matches(['"', '\''])))
    })
}

/// How long failing probes of a restarted container can be apart, in seconds: the longest
/// pause before a restart, and what the probe itself takes.
fn cycle_seconds(probe: Option<&Probe>) -> i64 {
    300 + 30 + i64::from(probe.map_or(60, budget_seconds)) + 60
}

/// Time a container has until a probe that never succeeds has counted as failed.
pub(super) fn budget_seconds(probe: &Probe) -> u32 {
    let period = probe.period_seconds.unwrap_or(10).max(1);
    let threshold = probe.failure_threshold.unwrap_or(3).max(1);
    let delay = probe.initial_delay_seconds.unwrap_or(0);
    delay.saturating_add(period.saturating_mul(threshold))
}

/// Whether the containers of a pod end for another reason than a probe: too soon for it, or
/// for lack of memory.
pub(super) fn ended_by_itself(pod: &Pod, probe: Option<&Probe>, now: &Snapshot) -> bool {
    if killed(pod, now).is_some() {
        return false;
    }
    let soonest = probe.map_or(0, |p| {
        let period = p.period_seconds.unwrap_or(10).max(1);
        i64::from(budget_seconds(p).saturating_sub(period)) - 2
    });
    pod.containers.iter().filter_map(|c| c.ended()).any(|end| {
        let life = end.finished_at.zip(end.started_at).map(|(f, s)| f.since(s));
        end.reason == "OOMKilled" || life.is_some_and(|l| l < soonest)
    })
}

/// Whether the restarted container has run for longer than a failing probe lets it, with no
/// new complaint.
fn passes_now(c: &Complaint<'_>, probe: Option<&Probe>, now: &Snapshot) -> bool {
    let since = running_since(c.pod);
    let (Some(since), Some(last)) = (since, evidence::last_time(c.event, now)) else {
        return false;
    };
    last <= since && outlived(since, probe, now)
}

/// When the container that started last did so.
fn running_since(pod: &Pod) -> Option<Timestamp> {
    let times = pod.containers.iter().filter_map(|s| match &s.state {
        ContainerState::Running(since) => *since,
        _ => None,
    });
    times.max()
}

/// Whether a container that runs since then has outlived a probe that would always fail.
fn outlived(since: Timestamp, probe: Option<&Probe>, now: &Snapshot) -> bool {
    now.now.since(since) > i64::from(probe.map_or(60, budget_seconds)) + 45
}

/// Whether a restarted pod may be restarted again by this probe: it waits, or has run for less
/// than the probe lets it.
pub(super) fn may_be_in_a_loop(pod: &Pod, probe: &Probe, now: &Snapshot) -> bool {
    let row = pod.summary.as_ref().and_then(|s| s.last_restart_age_seconds);
    match (running_since(pod), row) {
        (Some(since), _) => !outlived(since, Some(probe), now),
        (None, Some(age)) => i64::from(age) <= i64::from(budget_seconds(probe)) + 45,
        (None, None) => pod.is_ready() != Some(true),
    }
}

/// Whether a complaint still matters. Nearly every pod fails a probe in its first seconds.
pub(super) fn standing(c: &Complaint<'_>, probe: Option<&Probe>, now: &Snapshot) -> Standing {
    let age = match c.event.last {
        EventTime::Unknown => None,
        _ => evidence::last_time(c.event, now).map(|t| now.now.since(t)),
    };
    let within = |seconds: i64| age.is_none_or(|a| a <= seconds);
    let ready = c.pod.is_ready();
    if c.which.restarts() {
        let by_itself = ended_by_itself(c.pod, probe, now);
        let fails = match (c.pod.restarts() > 0 || killed(c.pod, now).is_some(), ready) {
            (true, _) => within(cycle_seconds(probe)) && !by_itself && !passes_now(c, probe, now),
            (false, Some(true)) => false,
            (false, _) => within(120),
        };
        return if fails { Standing::Fails } else { flapping(c, now) };
    }
    match ready {
        Some(true) => flapping(c, now),
        Some(false) if within(900) => Standing::Fails,
        None if within(120) => Standing::Fails,
        _ => Standing::Over,
    }
}

/// Whether a pod is younger than this; not when its age is unknown.
pub(super) fn is_young(pod: &Pod, now: &Snapshot, seconds: i64) -> bool {
    let age = match (pod.meta.age_seconds, pod.started.or(pod.meta.created)) {
        (Some(age), _) => Some(i64::from(age)),
        (None, at) => at.filter(|_| now.has_time).map(|at| now.now.since(at)),
    };
    age.is_some_and(|a| a < seconds)
}

/// A ready pod whose probe has failed many times over a long time, and just now.
fn flapping(c: &Complaint<'_>, now: &Snapshot) -> Standing {
    let (Some(first), Some(last)) =
        (evidence::first_time(c.event, now), evidence::last_time(c.event, now))
    else {
        return Standing::Over;
    };
    let often = c.event.count >= 5 && last.since(first) >= 300 && now.now.since(last) <= 120;
    if often && c.pod.is_ready() == Some(true) { Standing::Flaps } else { Standing::Over }
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
            ("Readiness probe failed: HTTP probe failed with statuscode: 503", S::Status(503), None),
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

//! Why a probe fails: what the kubelet says about it, weighed against the comparison of the
//! probe with the container.

use model::record::{ContainerState, Terminated};
use model::{App, Certainty, Evidence, Snapshot};

use super::compare::{Contradiction, Place};
use super::complaint::{self, Complaint};
use super::message::{Says, Which};
use crate::evidence;
use crate::pod::{edit, log_lines, peer};
use crate::wording;

/// A mechanism with what speaks for it.
pub(super) struct Cause {
    pub(super) mechanism: &'static str,
    pub(super) certainty: Certainty,
    pub(super) alternatives: &'static [&'static str],
    /// Field below the container, its value, and what it should have been.
    pub(super) field: (String, String, String),
    /// What is wrong, as a clause after the probe's name.
    pub(super) why: String,
    pub(super) evidence: Vec<Evidence>,
}

impl Cause {
    fn new(mechanism: &'static str, field: &str, value: &str, expected: &str, why: String) -> Self {
        Cause {
            mechanism,
            certainty: Certainty::Proven,
            alternatives: &[],
            field: (field.into(), value.into(), expected.into()),
            why,
            evidence: Vec::new(),
        }
    }

    fn unsure(mut self, certainty: Certainty, alternatives: &'static [&'static str]) -> Self {
        self.certainty = certainty;
        self.alternatives = alternatives;
        self
    }
}

/// A port that contradicts the rest of the pod.
pub(super) fn port(c: Contradiction) -> Cause {
    let why = format!("goes to port {}, but the container listens on {}", c.value, c.expected);
    let cause = Cause::new("probe-port-wrong", &c.field, &c.value, &c.expected, why);
    Cause { evidence: c.evidence, ..cause }
}

/// A protocol that contradicts the rest of the pod.
pub(super) fn speech(c: Contradiction) -> Cause {
    let why = format!("speaks {}, but {} is spoken on its port", c.value, c.expected);
    let cause = Cause::new("probe-protocol-wrong", &c.field, &c.value, &c.expected, why);
    Cause { evidence: c.evidence, ..cause }
}

/// Why this probe fails, with the complaint that says most; `None` when it is only the echo of
/// something else.
pub(super) fn of(place: Option<&Place<'_>>, c: &Complaint<'_>, now: &Snapshot) -> Option<Cause> {
    let wrong_port = place.and_then(Place::wrong_port);
    let strong = |w: &Option<Contradiction>| w.as_ref().is_some_and(|w| w.strong);
    let text = c.event.message.as_str();
    let field = c.which.field();
    let starting = c.pod.restarts() == 0 && !has_run_for(c, now, 60);
    match c.says {
        Says::PortName => Some(wrong_port.map_or_else(|| port_name(c), port)),
        Says::Command => Some(command(place, c)),
        _ if strong(&wrong_port) => wrong_port.map(port),
        Says::Protocol => Some(protocol(place, c)),
        Says::Status(500..) | Says::NotServing | Says::Other | Says::Timeout if starting => None,
        Says::Status(code @ 400..=499) => Some(path(place, c, code, now)),
        Says::Status(_) | Says::NotServing => Some(not_serving(place, c, now)),
        Says::Other => other(place, c, now),
        Says::Refused | Says::Cut | Says::Timeout => {
            if let Some(wrong) = place.and_then(Place::wrong_speech).filter(|w| w.strong) {
                return Some(speech(wrong));
            }
            if let Some(wrong) = wrong_port {
                let cause = port(wrong);
                let by_age = Cause::unsure(cause, Certainty::Likely, &["slow-start"]);
                return Some(by_age);
            }
            if c.says == Says::Cut
                && let Some(wrong) = place.and_then(Place::wrong_speech)
            {
                return Some(speech(wrong).unsure(Certainty::Likely, &["dependency-down"]));
            }
            if let Some(cause) = slow_start(place, c, now) {
                return Some(cause);
            }
            if c.says == Says::Timeout && !text.is_empty() {
                return Some(too_tight(place, field));
            }
            silent_port(place, c, now)
        }
    }
}

fn port_name(c: &Complaint<'_>) -> Cause {
    let field = format!("{}.httpGet.port", c.which.field());
    let why = "names a port that its container does not have".to_owned();
    Cause::new("probe-port-wrong", &field, "a name", "a port the container declares", why)
}

fn command(place: Option<&Place<'_>>, c: &Complaint<'_>) -> Cause {
    let exec = place.and_then(|p| p.probe.exec.as_ref());
    let words = exec.map(|e| e.command.iter().map(|w| w.as_str()).collect::<Vec<_>>().join(" "));
    let named = wording::between(&c.event.message, "exec: \"", "\"");
    let value = words.or(named.map(str::to_owned)).unwrap_or_else(|| "a command".into());
    let why =
        format!("runs `{}`, which cannot be started in the container", named.unwrap_or(&value));
    let field = format!("{}.exec.command", c.which.field());
    Cause::new("probe-command-wrong", &field, &value, "a program that is in the image", why)
}

fn protocol(place: Option<&Place<'_>>, c: &Complaint<'_>) -> Cause {
    if let Some(wrong) = place.and_then(Place::wrong_speech) {
        return speech(wrong);
    }
    let text = c.event.message.to_ascii_lowercase();
    let has = |words: &[&str]| wording::says(&text, words);
    let expected = if has(&["server gave http response to https", "wrong version number"]) {
        "http"
    } else if has(&["http request to an https server", "sent to https port"]) {
        "https"
    } else if has(&["does not implement the grpc", "server preface", "frame too large"]) {
        "httpGet or tcpSocket"
    } else if has(&["malformed"]) {
        "grpc or tcpSocket"
    } else {
        "the protocol that is spoken on the port"
    };
    let action = place.and_then(|p| p.probe.target());
    let spoken = if has(&["grpc", "server preface"]) { "grpc" } else { "http" };
    let how = action.map_or(spoken, |(how, _)| how);
    let action = crate::listening::action_field(how);
    let tls = matches!(expected, "http" | "https");
    let field = match tls {
        true => format!("{}.{action}.scheme", c.which.field()),
        false => format!("{}.{action}", c.which.field()),
    };
    let why = format!("speaks {how}, which is not what is spoken on its port");
    Cause::new("probe-protocol-wrong", &field, how, expected, why)
}

fn path(place: Option<&Place<'_>>, c: &Complaint<'_>, code: u16, now: &Snapshot) -> Cause {
    if code == 400
        && let Some(wrong) = place.and_then(Place::wrong_speech)
    {
        return speech(wrong);
    }
    let http = place.and_then(|p| p.probe.http_get.as_ref());
    let value = match (http, place) {
        (Some(h), _) => h.path.as_deref().unwrap_or("/").to_owned(),
        _ => "(not shown)".to_owned(),
    };
    let other = place.and_then(Place::other_path);
    let expected = match (code, other) {
        (401 | 403, _) => "a path that asks for no credentials".to_owned(),
        (_, Some(path)) => path,
        (_, None) => "a path that answers 200".to_owned(),
    };
    let field = format!("{}.httpGet.path", c.which.field());
    let asked = if http.is_some() { value.as_str() } else { "its path" };
    let why = format!("asks for {asked}, which the container answers with {code}");
    let cause = Cause::new("probe-path-wrong", &field, &value, &expected, why);
    // A server that is only starting may not know its paths yet.
    let first = evidence::first_time(c.event, now);
    let lasting = match (first, evidence::last_time(c.event, now)) {
        (Some(first), Some(last)) => last.since(first) >= 30 || c.event.count >= 3,
        _ => c.event.count >= 3,
    };
    if lasting || matches!(code, 401 | 403) {
        cause
    } else {
        cause.unsure(Certainty::Likely, &["slow-start"])
    }
}

/// The container answers that it cannot serve: look for the peer it lacks.
fn not_serving(place: Option<&Place<'_>>, c: &Complaint<'_>, now: &Snapshot) -> Cause {
    let says = match c.says {
        Says::Status(code) => format!("is answered with {code}"),
        _ => "is answered with NOT_SERVING".to_owned(),
    };
    dependency(place, c, &says, now).unwrap_or_else(|| {
        let expected = "the container serves";
        Cause::new("dependency-down", c.which.field(), "failing", expected, says)
            .unsure(Certainty::Possible, &["slow-start", "probe-path-wrong"])
    })
}

/// A peer that the log of the container, or the probe's own output, says does not answer.
fn dependency(
    place: Option<&Place<'_>>,
    c: &Complaint<'_>,
    says: &str,
    now: &Snapshot,
) -> Option<Cause> {
    let place = place?;
    let app = place.app;
    let container = place.container.name.as_str();
    let output = c.event.message.as_str();
    let by_output = (c.says == Says::Other && wording::says(output, wording::CONNECTION_FAILED))
        .then(|| peer::trouble(app, output, log_lines::Says::ConnectionFailed, now))
        .flatten()
        .map(|t| (t, None));
    let by_log = || {
        let clue = log_lines::read(app, container, now)?;
        let kind =
            matches!(clue.says, log_lines::Says::ConnectionFailed | log_lines::Says::NameUnknown);
        let trouble = kind.then(|| peer::trouble(app, clue.line, clue.says, now)).flatten()?;
        Some((trouble, Some(clue.evidence)))
    };
    let (trouble, fact) = by_output.or_else(by_log)?;
    let why = format!("{says}: {}", trouble.why);
    let field = trouble.field.clone().unwrap_or_else(|| c.which.field().to_owned());
    let mut cause = Cause::new("dependency-down", &field, &trouble.value, &trouble.expected, why);
    cause.evidence.extend(fact);
    Some(cause.unsure(trouble.certainty, &[]))
}

/// What a command printed, or an answer of a form that is not known.
fn other(place: Option<&Place<'_>>, c: &Complaint<'_>, now: &Snapshot) -> Option<Cause> {
    if let Some(cause) = dependency(place, c, "says", now) {
        return Some(cause);
    }
    let exec = place.and_then(|p| p.probe.exec.as_ref());
    if place.is_some() && exec.is_none() {
        return None;
    }
    let words = exec.map(|e| e.command.iter().map(|w| w.as_str()).collect::<Vec<_>>().join(" "));
    let value = words.unwrap_or_else(|| "a command".into());
    let field = format!("{}.exec.command", c.which.field());
    let why = format!("runs `{value}`, which fails");
    let cause =
        Cause::new("probe-command-wrong", &field, &value, "a command that ends with 0", why);
    Some(cause.unsure(Certainty::Possible, &["dependency-down"]))
}

/// The probe kills the container before it has started.
fn slow_start(place: Option<&Place<'_>>, c: &Complaint<'_>, now: &Snapshot) -> Option<Cause> {
    if !c.which.restarts() || c.pod.restarts() == 0 {
        return None;
    }
    let probe = place.map(|p| p.probe)?;
    let budget = complaint::budget_seconds(probe);
    let ended = last_end(place, c);
    if ended.is_some_and(|e| e.reason == "OOMKilled") {
        return None;
    }
    let life = ended.and_then(|e| Some(e.finished_at?.since(e.started_at?)));
    let by_hand = complaint::killed(c.pod, now).is_some();
    // From the last failure to the end the container has its grace period.
    let short = life.map_or(by_hand, |l| l <= i64::from(budget) + 60 + 30);
    if !short {
        return None;
    }
    let delay = probe.initial_delay_seconds.unwrap_or(0);
    let (field, value, expected) = match c.which {
        Which::Startup => (
            "startupProbe.failureThreshold",
            probe.failure_threshold.unwrap_or(3).to_string(),
            "enough periods for the longest start",
        ),
        _ => {
            ("startupProbe", "none".to_owned(), "a startup probe that waits for the longest start")
        }
    };
    let why = format!(
        "gives the container {budget} s to start (initialDelaySeconds {delay}) and kills it before"
    );
    let cause = Cause::new("slow-start", field, &value, expected, why);
    Some(cause.unsure(Certainty::Likely, &["probe-port-wrong"]))
}

fn last_end<'p>(place: Option<&Place<'_>>, c: &Complaint<'p>) -> Option<&'p Terminated> {
    let name = place.map_or("", |p| p.container.name.as_str());
    let own = c.pod.containers.iter().find(|s| s.name == name || name.is_empty());
    own.or(c.pod.containers.first()).and_then(|s| s.ended())
}

fn too_tight(place: Option<&Place<'_>>, field: &str) -> Cause {
    let seconds = place.and_then(|p| p.probe.timeout_seconds).unwrap_or(1);
    let why = format!("gets no answer within {seconds} s");
    let field = format!("{field}.timeoutSeconds");
    let expected = seconds.saturating_mul(5).max(5).to_string();
    Cause::new("probe-timing-too-tight", &field, &seconds.to_string(), &expected, why)
        .unsure(Certainty::Likely, &["node-loaded"])
}

/// Nobody listens where the probe goes, and nothing says that it should go elsewhere.
fn silent_port(place: Option<&Place<'_>>, c: &Complaint<'_>, now: &Snapshot) -> Option<Cause> {
    let own_end = complaint::ended_by_itself(c.pod, place.map(|p| p.probe), now);
    let readiness = !c.which.restarts() && complaint::killed(c.pod, now).is_none();
    let ends_by_itself = c.pod.restarts() > 0 && (own_end || readiness);
    if ends_by_itself || !has_run_for(c, now, 60) {
        return None;
    }
    let text = |p: &Place<'_>| p.probe.target().map(|(_, a)| a.port.to_string());
    let value = place.and_then(text).or(c.port.map(|p| p.to_string())).unwrap_or_default();
    let field = match place.and_then(|p| p.probe.target()) {
        Some((how, _)) => {
            format!("{}.{}.port", c.which.field(), crate::listening::action_field(how))
        }
        None => c.which.field().to_owned(),
    };
    let why = format!("finds nobody listening on port {value}");
    let expected = "the port the container listens on";
    let cause = Cause::new("probe-port-wrong", &field, &value, expected, why);
    Some(cause.unsure(Certainty::Possible, &["slow-start", "dependency-down"]))
}

/// Whether the containers have had this long to begin to listen.
fn has_run_for(c: &Complaint<'_>, now: &Snapshot, seconds: i64) -> bool {
    let running = c.pod.containers.iter().filter_map(|s| match &s.state {
        ContainerState::Running(since) => *since,
        _ => None,
    });
    let since = running.max().or(c.pod.started).or(c.pod.meta.created);
    match (since, c.pod.meta.age_seconds) {
        (Some(since), _) if now.has_time => now.now.has_come(since.plus_seconds(seconds)),
        (_, Some(age)) => i64::from(age) >= seconds,
        _ => true,
    }
}

/// The full field of a cause: that of a probe is below its container.
pub(super) fn full_field(app: &App, cause: &Cause, place: Option<&Place<'_>>) -> String {
    let field = &cause.field.0;
    let container = place.map_or("", |p| p.container.name.as_str());
    if field.starts_with("spec.") {
        field.clone()
    } else {
        edit::container_field(app, container, field)
    }
}

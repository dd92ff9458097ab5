//! Why a container ends again and again: what the kubelet and the runtime say about its start,
//! its exit code, the last lines of its log, and what the newest revision changed.

use model::record::{ClusterEvent, Terminated};
use model::{App, Certainty, Evidence, Kind, Role, Snapshot};

use super::crash_field;
use super::edit::{changes, container_field};
use super::log_lines::{self, Clue, Says};
use super::restarts::Ended;
use super::{exit_code, peer};
use crate::evidence;
use crate::wording::{self, says};

/// Why, and what a person would edit.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) mechanism: &'static str,
    pub(crate) certainty: Certainty,
    pub(crate) alternatives: &'static [&'static str],
    pub(crate) edit: Option<(String, String, String)>,
    /// A clause that can follow "because".
    pub(crate) why: String,
    pub(crate) role: Role,
    pub(crate) evidence: Vec<Evidence>,
}

impl Cause {
    pub(super) fn new(mechanism: &'static str, why: impl Into<String>) -> Self {
        Cause {
            mechanism,
            certainty: Certainty::Proven,
            alternatives: &[],
            edit: None,
            why: why.into(),
            role: Role::Trigger,
            evidence: Vec::new(),
        }
    }

    pub(super) fn unsure(mut self, certainty: Certainty, others: &'static [&'static str]) -> Self {
        (self.certainty, self.alternatives) = (certainty, others);
        self
    }

    pub(super) fn edit(mut self, edit: Option<(String, String, String)>) -> Self {
        self.edit = edit;
        self
    }
}

/// Why a container of the workload ended.
pub(crate) fn of(ended: &Ended<'_>, app: &App, now: &Snapshot) -> Cause {
    let clue = log_lines::read(app, ended.container, now);
    let mut cause = why(ended, clue.as_ref(), app, now);
    if let Some(clue) = clue {
        cause.evidence.push(clue.evidence);
    }
    if let Some(end) = ended.end {
        cause.evidence.push(end_evidence(ended, end));
    }
    cause
}

fn why(ended: &Ended<'_>, clue: Option<&Clue<'_>>, app: &App, now: &Snapshot) -> Cause {
    if is_out_of_memory(ended, now) {
        let mut cause = Cause::new("out-of-memory", "it needs more memory than it may use");
        cause.role = Role::Symptom;
        return cause;
    }
    if let Some(cause) = by_hook(ended, app, now) {
        return cause;
    }
    if let Some((text, fact)) = start_failure(ended, now)
        && let Some(mut cause) = from_text(&text, ended, app, now)
    {
        cause.evidence.extend(fact);
        return cause;
    }
    if let Some(cause) = by_probe(ended, clue, app, now) {
        return cause;
    }
    if let Some(clue) = clue.filter(|c| c.says != Says::Fault)
        && let Some(cause) = from_text(clue.line, ended, app, now)
    {
        return cause;
    }
    from_exit(ended, clue, app)
}

/// Whether it was killed for its memory, by the kernel's word.
pub(crate) fn is_out_of_memory(ended: &Ended<'_>, now: &Snapshot) -> bool {
    let killed =
        |e: &Terminated| e.reason == "OOMKilled" || says(&e.message, wording::KILLED_AT_START);
    ended.word == "OOMKilled"
        || ended.end.is_some_and(killed)
        || says(ended.message, wording::KILLED_AT_START)
        || start_failure(ended, now).is_some_and(|(text, _)| says(&text, wording::KILLED_AT_START))
}

/// Killed because what is to be done after its start did not go well.
fn by_hook(ended: &Ended<'_>, app: &App, now: &Snapshot) -> Option<Cause> {
    let failed = |e: &&ClusterEvent| e.reason == "FailedPostStartHook";
    let event = now.pod_events(ended.pod).iter().rfind(failed);
    let says_so = ended.word == "PostStartHookError";
    let begun = ended.end.and_then(|e| e.started_at);
    let told = event.and_then(|e| evidence::last_time(e, now));
    // One that failed before an earlier start says nothing about this end.
    let of_before = begun.zip(told).is_some_and(|(begun, told)| begun.since(told) > 60);
    if !says_so && (event.is_none() || of_before) {
        return None;
    }
    let why = "its postStart hook fails, and the kubelet ends it for that";
    let field = container_field(app, ended.container, "lifecycle.postStart");
    let edit = (field, "a command that fails".into(), "a command that ends well".into());
    let mut cause = Cause::new("start-hook-failing", why).edit(Some(edit));
    cause.evidence.extend(event.and_then(|e| evidence::event(e, now)));
    Some(cause)
}

/// What the runtime said when it could not start the container.
fn start_failure(ended: &Ended<'_>, now: &Snapshot) -> Option<(String, Option<Evidence>)> {
    let not_started = |e: &&Terminated| {
        matches!(e.reason.as_str(), "StartError" | "ContainerCannotRun")
            || (matches!(e.exit_code, 126..=128) && says(&e.message, &["exec", "runtime create"]))
    };
    if let Some(end) = ended.end.filter(not_started).filter(|e| !e.message.is_empty()) {
        return Some((end.message.to_string(), None));
    }
    let waits = matches!(ended.word, "RunContainerError" | "CreateContainerError" | "StartError");
    if waits && !ended.message.is_empty() {
        let pod = ended.pod.meta.object(Kind::Pod);
        let field = format!("status.containerStatuses[{}].state.waiting", ended.container);
        let fact = evidence::field(ended.pod.meta.source, &pod, field, ended.message);
        return Some((ended.message.to_owned(), Some(fact)));
    }
    let pod = ended.pod.meta.object(Kind::Pod);
    let told = |e: &&ClusterEvent| {
        e.reason == "Failed"
            && says(
                &e.message,
                &["runtime create failed", "failed to start", "exec:", "security options"],
            )
    };
    let event = now.events_about(&pod).iter().rfind(told)?;
    Some((event.message.to_string(), evidence::event(event, now)))
}

/// What a line of a log, or the runtime, says.
fn from_text(text: &str, ended: &Ended<'_>, app: &App, now: &Snapshot) -> Option<Cause> {
    let name = ended.container;
    if says(text, wording::MOUNT_OVER_FILE) {
        return Some(mount_over_file(text, name, app));
    }
    let said = log_lines::meaning(text)?;
    let named = |words: &str, else_named: &str| {
        format!("{words} {}", log_lines::path(text).unwrap_or(else_named))
    };
    let cause = match said {
        Says::Permission => {
            Cause::new("permission-denied", named("its user may not use", "a file it needs"))
                .edit(crash_field::permission(app, name, text))
        }
        Says::ReadOnly => {
            Cause::new("read-only-file-system", named("it may not write to", "its file system"))
                .edit(crash_field::read_only(app, name, text))
        }
        Says::AddressInUse => Cause::new("address-in-use", "the port it wants is taken")
            .edit(crash_field::port(app, name, text)),
        Says::CommandMissing => Cause::new("command-not-found", "its program is not in the image")
            .edit(crash_field::command(app, name, text)),
        Says::ProgramFormat => {
            let why = "its program is built for other processors";
            Cause::new("platform-wrong", why).edit(crash_field::image(app, name))
        }
        Says::FileMissing if says(text, &["exec", "starting container process"]) => {
            Cause::new("command-not-found", "its program is not in the image")
                .edit(crash_field::command(app, name, text))
        }
        Says::ConfigInvalid => Cause::new("configuration-invalid", "it does not like its settings")
            .edit(crash_field::setting(app, name, text)),
        Says::ValueUnreadable => unreadable(text, name, app),
        Says::FileMissing => Cause::new("configuration-invalid", named("it misses", "a file"))
            .edit(crash_field::setting(app, name, text))
            .unsure(Certainty::Likely, &["application-error"]),
        Says::NoMemory => Cause::new("out-of-memory", "it gets no more memory")
            .unsure(Certainty::Likely, &["application-error"])
            .edit(crash_field::memory(app, name)),
        Says::CredentialsRejected | Says::CredentialsMissing => {
            Cause::new("credentials-rejected", "a peer refuses its credentials")
                .edit(crash_field::credentials(app, name))
        }
        Says::CertificateRejected => {
            Cause::new("certificate-rejected", "a certificate is not accepted")
        }
        Says::DiskFull => Cause::new("application-error", named("no room is left for", "a file"))
            .unsure(Certainty::Likely, &["read-only-file-system"]),
        Says::StoreReadOnly => store(text, "a data store it needs takes no writes", app, now),
        Says::ConnectionsExhausted | Says::PoolExhausted => {
            store(text, "a data store it needs has no connection left", app, now)
        }
        Says::NameUnknown
        | Says::NameResolutionDown
        | Says::ConnectionFailed
        | Says::AnswersLate
        | Says::TlsMismatch => dependency(text, said, app, now)?,
        Says::Fault => return None,
    };
    Some(cause)
}

/// A value that the program cannot make out: one of its settings where they hold that value,
/// else perhaps something it read.
fn unreadable(text: &str, container: &str, app: &App) -> Cause {
    match crash_field::value(app, container, text) {
        Some(edit) => {
            let why = format!("it cannot make out the value {:?}", edit.1);
            Cause::new("configuration-invalid", why).edit(Some(edit))
        }
        None => Cause::new("configuration-invalid", "it cannot make out a value that it was given")
            .edit(crash_field::setting(app, container, text))
            .unsure(Certainty::Likely, &["application-error"]),
    }
}

/// A volume gives a directory where a file is wanted, or a file in place of a directory.
fn mount_over_file(text: &str, container: &str, app: &App) -> Cause {
    let path = wording::between(text, "rootfs at \"", "\"").unwrap_or("a path of the image");
    let spec = app.spec().and_then(|s| super::edit::container(s, container));
    let mount = spec.and_then(|c| c.volume_mounts.iter().find(|m| m.mount_path == path));
    let volume = mount.map_or("a volume", |m| m.name.as_str());
    let field = container_field(app, container, &format!("volumeMounts[{path}]"));
    let expected = "a subPath that names a key of its volume, or the path of a directory";
    Cause::new("mount-path-wrong", format!("volume {volume} does not fit at {path}")).edit(Some((
        field,
        volume.to_owned(),
        expected.into(),
    )))
}

/// A data store that answers, but not with what is needed. Its own side is what to look at.
fn store(text: &str, why: &str, app: &App, now: &Snapshot) -> Cause {
    let peer = peer::trouble(app, text, Says::ConnectionFailed, now);
    let why = peer.map_or_else(|| why.to_owned(), |p| format!("{why} ({})", p.value));
    Cause::new("dependency-unreachable", why).unsure(Certainty::Likely, &["application-error"])
}

/// A peer that cannot be reached.
fn dependency(text: &str, said: Says, app: &App, now: &Snapshot) -> Option<Cause> {
    if let Some(trouble) = peer::trouble(app, text, said, now) {
        let value = trouble.value;
        let edit = trouble.field.map(|field| (field, value, trouble.expected));
        let cause = Cause::new(trouble.mechanism, trouble.why).edit(edit);
        return Some(cause.unsure(trouble.certainty, trouble.alternatives));
    }
    // "deadline exceeded" and the like, without a peer, can be anything.
    let mechanism = match said {
        Says::NameUnknown => "dependency-address-wrong",
        _ => "dependency-unreachable",
    };
    let cause = Cause::new(mechanism, "a peer it needs cannot be reached");
    Some(cause.unsure(Certainty::Possible, &["application-error", "dependency-address-wrong"]))
}

/// The kubelet ended it because a check failed.
fn by_probe(
    ended: &Ended<'_>,
    clue: Option<&Clue<'_>>,
    app: &App,
    now: &Snapshot,
) -> Option<Cause> {
    let pod = ended.pod.meta.object(Kind::Pod);
    let events = now.events_about(&pod);
    let of_container = |e: &&ClusterEvent| {
        ended.container.is_empty()
            || ended.pod.containers.len() < 2
            || e.message.contains(ended.container)
    };
    let killed = |e: &&ClusterEvent| {
        matches!(e.reason.as_str(), "Killing" | "Unhealthy")
            && says(&e.message, wording::KILLED_BY_PROBE)
    };
    let failed = |e: &&ClusterEvent| {
        e.reason == "Unhealthy" && says(&e.message, &["liveness probe", "startup probe"])
    };
    let code = ended.end.map(|e| e.exit_code);
    let by_signal = matches!(code, Some(137 | 143));
    let mut cause = Cause::new("killed-by-probe", "its liveness probe fails");
    cause.role = Role::Symptom;
    let last_failed = events.iter().rfind(failed);
    if last_failed.is_some_and(|e| says(&e.message, &["startup probe"])) {
        cause.why = "its startup probe fails".into();
    }
    if let Some(event) = events.iter().rfind(|e| killed(e) && of_container(e)) {
        cause.evidence.extend(evidence::event(event, now));
    } else if let Some(event) = last_failed.filter(|_| by_signal) {
        cause.evidence.extend(evidence::event(event, now));
        cause = cause.unsure(Certainty::Likely, &["application-error"]);
    } else {
        return None;
    }
    // A program that names its own fault and ends by itself was not killed.
    let own_fault = clue.is_some_and(|c| c.says != Says::Fault) && matches!(code, Some(1..=127));
    if own_fault && code != Some(2) {
        return None;
    }
    let probe = if cause.why.contains("startup") { "startupProbe" } else { "livenessProbe" };
    cause.edit = Some((
        container_field(app, ended.container, probe),
        last_failed.map_or_else(|| "fails".into(), |e| e.message.chars().take(160).collect()),
        "a check that a healthy container passes".into(),
    ));
    Some(cause)
}

/// Whether a probe that kills still failed after the container was started anew.
pub(super) fn fails_still(ended: &Ended<'_>, now: &Snapshot) -> bool {
    let events = now.pod_events(ended.pod).iter();
    let failed = events.filter(|e| {
        says(&e.message, wording::KILLED_BY_PROBE)
            || (e.reason == "Unhealthy" && says(&e.message, &["liveness probe", "startup probe"]))
    });
    let last = failed.filter_map(|e| evidence::last_time(e, now)).max();
    let finished = ended.end.and_then(|e| e.finished_at);
    last.is_some_and(|t| {
        // A kill and the end it brings are told within seconds of each other.
        finished.is_some_and(|f| t.since(f) > 5) || now.now.since(t) <= 90
    })
}

/// Only the exit code, or not even that, is left.
fn from_exit(ended: &Ended<'_>, clue: Option<&Clue<'_>>, app: &App) -> Cause {
    let name = ended.container;
    let Some(end) = ended.end else {
        return unknown(ended, app, "nobody has said yet why");
    };
    let text = exit_code::text(end.exit_code);
    let has_probe = app.spec().and_then(|s| super::edit::container(s, name));
    let has_probe = has_probe.is_some_and(|c| c.liveness_probe.is_some());
    match end.exit_code {
        0 => Cause::new("completed-under-always", "its program ends, and it is started anew")
            .edit(crash_field::completed(app, name)),
        126 => Cause::new("permission-denied", text)
            .unsure(Certainty::Likely, &["command-not-found"])
            .edit(crash_field::command(app, name, "")),
        127 => Cause::new("command-not-found", text)
            .unsure(Certainty::Likely, &["application-error"])
            .edit(crash_field::command(app, name, "")),
        137 if has_probe => Cause::new("killed-by-probe", text)
            .unsure(Certainty::Possible, &["out-of-memory", "application-error"]),
        137 => Cause::new("out-of-memory", text)
            .unsure(Certainty::Possible, &["killed-by-probe", "application-error"]),
        _ => {
            let fault = clue.filter(|c| c.says == Says::Fault);
            let mut cause = unknown(ended, app, &text);
            if fault.is_some() && cause.certainty < Certainty::Likely {
                cause = cause.unsure(Certainty::Likely, &["configuration-invalid"]);
            }
            cause
        }
    }
}

/// An error of the program; what the newest revision changed is the first suspect.
fn unknown(ended: &Ended<'_>, app: &App, why: &str) -> Cause {
    let others = &["configuration-invalid", "dependency-unreachable"];
    let cause = Cause::new("application-error", why).unsure(Certainty::Possible, others);
    let Some((field, old, new)) = changes(app, ended.container).into_iter().next() else {
        return cause;
    };
    let certainty = if old_is_well(app) { Certainty::Likely } else { Certainty::Possible };
    let mut cause = cause.unsure(certainty, &["configuration-invalid"]);
    cause.why = format!("{why}; the newest revision changed {field}");
    cause.edit = Some((field, new, format!("{old} (the revision before)")));
    cause
}

/// Whether pods of another revision run well beside those of the newest.
fn old_is_well(app: &App) -> bool {
    app.sets.iter().filter(|s| s.counts.ready > 0).count() > 0
}

fn end_evidence(ended: &Ended<'_>, end: &Terminated) -> Evidence {
    let pod = ended.pod.meta.object(Kind::Pod);
    let field = format!("status.containerStatuses[{}].lastState.terminated", ended.container);
    let mut value = exit_code::text(end.exit_code);
    if !end.reason.is_empty() {
        value = format!("{}, {value}", end.reason);
    }
    if !end.message.is_empty() {
        value = format!("{value}: {}", end.message.chars().take(200).collect::<String>());
    }
    Evidence { at: end.finished_at, ..evidence::field(ended.pod.meta.source, &pod, field, value) }
}

//! What the lines of a program's log say about its end, and about the peers it lacks.

use std::collections::BTreeMap;

use model::{App, Apps, Evidence, Kind, LogLines, ObjectRef, Snapshot};

use crate::wording::{self, says};

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    CredentialsMissing,
    CredentialsRejected,
    CertificateRejected,
    TlsMismatch,
    ConnectionsExhausted,
    PoolExhausted,
    StoreReadOnly,
    ReadOnly,
    AddressInUse,
    DiskFull,
    NoMemory,
    NameUnknown,
    NameResolutionDown,
    ConnectionFailed,
    AnswersLate,
    ProgramFormat,
    CommandMissing,
    Permission,
    ConfigInvalid,
    ValueUnreadable,
    FileMissing,
    Fault,
}

/// Fragments, the more telling ones first: a line often holds several.
const LINES: [(&[&str], Says); 22] = [
    (wording::CREDENTIALS_MISSING, Says::CredentialsMissing),
    (wording::CREDENTIALS_REJECTED, Says::CredentialsRejected),
    (wording::TLS_MISMATCH, Says::TlsMismatch),
    (wording::CERTIFICATE_REJECTED, Says::CertificateRejected),
    (wording::CONNECTIONS_EXHAUSTED, Says::ConnectionsExhausted),
    (wording::POOL_EXHAUSTED, Says::PoolExhausted),
    (wording::READ_ONLY, Says::ReadOnly),
    (wording::STORE_READ_ONLY, Says::StoreReadOnly),
    (wording::ADDRESS_IN_USE, Says::AddressInUse),
    (wording::NO_SPACE, Says::DiskFull),
    (wording::NO_MEMORY, Says::NoMemory),
    (wording::NAME_UNKNOWN, Says::NameUnknown),
    (wording::NAME_RESOLUTION_DOWN, Says::NameResolutionDown),
    (wording::CONNECTION_FAILED, Says::ConnectionFailed),
    (wording::ANSWERS_LATE, Says::AnswersLate),
    (wording::PROGRAM_FORMAT, Says::ProgramFormat),
    (wording::PERMISSION, Says::Permission),
    (wording::COMMAND_MISSING, Says::CommandMissing),
    (wording::CONFIG_INVALID, Says::ConfigInvalid),
    (wording::VALUE_UNREADABLE, Says::ValueUnreadable),
    (wording::FILE_MISSING, Says::FileMissing),
    (wording::PROGRAM_FAULT, Says::Fault),
];

/// Only the end of a log is about the end of its program.
const LAST_LINES: usize = 60;

/// How much of a line is read: programs print whole documents in one.
const LINE_BYTES: usize = 4096;

/// What a text says, if it says anything known.
pub(crate) fn meaning(text: &str) -> Option<Says> {
    let end = (0..=text.len().min(LINE_BYTES)).rev().find(|i| text.is_char_boundary(*i));
    let text = text.get(..end.unwrap_or(0)).unwrap_or_default().to_ascii_lowercase();
    let said = |words: &[&str]| words.iter().any(|w| text.contains(w));
    let says = LINES.iter().find(|(words, _)| said(words)).map(|(_, says)| *says);
    match says {
        Some(Says::ConnectionFailed) if wording::asks_dns(&text) => Some(Says::NameResolutionDown),
        says => says,
    }
}

/// The most telling of the last lines.
#[derive(Clone, Debug)]
pub(crate) struct Clue<'s> {
    pub(crate) says: Says,
    pub(crate) line: &'s str,
    pub(crate) evidence: Evidence,
}

/// Names under which logs, samples and alerts may speak of a workload: its own, its pods' and
/// those of its application labels.
pub(crate) fn names(app: &App) -> Vec<&str> {
    let mut names = vec![app.object.name.as_str()];
    names.extend(app.pods.iter().map(|p| p.meta.name.as_str()));
    let labels = app.pod_labels();
    let keys = ["app", "app.kubernetes.io/name", "k8s-app", "name"];
    names.extend(keys.iter().filter_map(|key| labels.and_then(|l| l.get(key))));
    names
}

/// Which workload a name means, in logs, samples and alerts.
pub(crate) struct Owners<'s> {
    by_name: BTreeMap<&'s str, Vec<usize>>,
    apps: &'s Apps,
}

/// The names of all workloads.
pub(crate) fn owners(now: &Snapshot) -> Owners<'_> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, app) in now.apps.iter().enumerate() {
        let mut names = names(app);
        names.sort_unstable();
        names.dedup();
        names.into_iter().for_each(|n| by_name.entry(n).or_default().push(i));
    }
    Owners { by_name, apps: &now.apps }
}

impl Owners<'_> {
    /// The place of the only workload of this name in the snapshot's list.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        self.only(name, |_| true)
    }

    /// The place of the workload that wrote a log.
    pub(crate) fn of(&self, log: &LogLines) -> Option<usize> {
        let here = |a: &App| log.namespace.is_empty() || a.object.namespace == log.namespace;
        self.only(&log.name, here)
    }

    fn only(&self, name: &str, fits: impl Fn(&App) -> bool) -> Option<usize> {
        let name = name.rsplit('/').next().unwrap_or_default();
        let all = self.by_name.get(name).into_iter().flatten().copied();
        let mut found = all.filter(|i| self.apps.get(*i).is_some_and(&fits));
        found.next().filter(|_| found.next().is_none())
    }
}

/// Logs of a workload, those of containers before their last restart first.
pub(crate) fn of<'s>(app: &App, container: &str, now: &'s Snapshot) -> Vec<&'s LogLines> {
    let names = names(app);
    let is_own = |log: &&LogLines| {
        let name = log.name.rsplit('/').next().unwrap_or_default();
        log.unit.is_empty()
            && names.contains(&name)
            && (log.namespace.is_empty() || log.namespace == app.object.namespace)
            && (log.container.is_empty() || container.is_empty() || log.container == container)
    };
    let mut logs: Vec<&LogLines> = now.logs.iter().filter(is_own).collect();
    logs.sort_by_key(|log| !log.previous);
    logs
}

/// The most telling line of a container's logs: the last one that names a known fault, else
/// the last one in which the program gives up.
pub(crate) fn read<'s>(app: &App, container: &str, now: &'s Snapshot) -> Option<Clue<'s>> {
    of(app, container, now).into_iter().find_map(|log| {
        let told = log.lines.iter().rev().take(LAST_LINES);
        let told = told.filter(|l| !is_from_kubectl(l));
        let told = told.filter_map(|line| Some((meaning(line)?, line.as_str())));
        let told: Vec<(Says, &str)> = told.collect();
        let named = told.iter().find(|(says, _)| *says != Says::Fault);
        let (says, line) = *named.or(told.first())?;
        Some(Clue { says, line, evidence: fact(app, log, line) })
    })
}

/// What kubectl says when there is no log is not the program's word.
pub(crate) fn is_from_kubectl(line: &str) -> bool {
    says(line, &["error from server", "is waiting to start", "previous terminated container"])
}

pub(crate) fn fact(app: &App, log: &LogLines, line: &str) -> Evidence {
    let pod = app.pods.iter().find(|p| p.meta.name == log.name);
    let object = pod.map_or_else(|| app.object.clone(), |p| p.meta.object(Kind::Pod));
    let field = if log.previous { "log before the last restart" } else { "log" };
    let value = line.chars().take(300).collect::<String>();
    crate::evidence::field(log.document, &object, field, value)
}

/// The path that a text names: the first word that begins with a slash.
pub(crate) fn path(text: &str) -> Option<&str> {
    let words = text.split(|c: char| c.is_whitespace() || "\"'`()[],;=<>".contains(c));
    let words = words.map(|w| w.trim_end_matches([':', '.']));
    words.into_iter().find(|w| w.len() > 1 && w.starts_with('/') && !w.starts_with("//"))
}

/// The command that shows the log of a container.
pub(crate) fn command(pod: &ObjectRef, container: &str, previous: bool) -> String {
    let previous = if previous { " --previous" } else { "" };
    let container = if container.is_empty() { String::new() } else { format!(" -c {container}") };
    let namespace = super::edit::namespace_option(&pod.namespace);
    format!("kubectl logs{namespace} {}{container}{previous}", pod.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_is_wrong() {
        for (line, want) in [
            ("dial tcp 10.0.0.7:5432: connect: connection refused", Says::ConnectionFailed),
            ("Error: getaddrinfo ENOTFOUND ledger-db", Says::NameUnknown),
            ("lookup ledger on 10.96.0.10:53: server misbehaving", Says::NameResolutionDown),
            ("mkdir: cannot create directory '/data/x': Permission denied", Says::Permission),
            ("/bin/sh: 1: serve: not found", Says::CommandMissing),
            ("listen tcp :8080: bind: address already in use", Says::AddressInUse),
            ("open /app/x.pid: read-only file system", Says::ReadOnly),
            ("FATAL ERROR: Reached heap limit - JavaScript heap out of memory", Says::NoMemory),
            ("FATAL: password authentication failed for user \"a\"", Says::CredentialsRejected),
            ("x509: certificate signed by unknown authority", Says::CertificateRejected),
            (
                "Access denied for user 'a'@'10.0.0.9' (using password: YES)",
                Says::CredentialsRejected,
            ),
            (
                "Access denied for user 'a'@'10.0.0.9' (using password: NO)",
                Says::CredentialsMissing,
            ),
            ("NOAUTH Authentication required.", Says::CredentialsMissing),
            ("pq: sorry, too many clients already", Says::ConnectionsExhausted),
            ("message from server: \"Too many connections\"", Says::ConnectionsExhausted),
            (
                "HikariPool-1 - Connection is not available, request timed out after 30000ms.",
                Says::PoolExhausted,
            ),
            (
                "The MySQL server is running with the --read-only option so it cannot execute this \
              statement",
                Says::StoreReadOnly,
            ),
            ("ERROR: cannot execute INSERT in a read-only transaction", Says::StoreReadOnly),
            ("READONLY You can't write against a read only replica.", Says::StoreReadOnly),
            ("write /data/x: no space left on device", Says::DiskFull),
            ("http: server gave HTTP response to HTTPS client", Says::TlsMismatch),
            (
                "javax.net.ssl.SSLException: Unrecognized SSL message, plaintext connection?",
                Says::TlsMismatch,
            ),
            (
                "upstream connect error or disconnect/reset before headers. reset reason: \
              connection failure",
                Says::ConnectionFailed,
            ),
            (
                "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure",
                Says::ConnectionFailed,
            ),
            ("MongoServerSelectionError: getaddrinfo ENOTFOUND notes", Says::NameUnknown),
            ("java.net.SocketTimeoutException: Read timed out", Says::AnswersLate),
            ("rpc error: code = DeadlineExceeded desc = stream timeout", Says::AnswersLate),
            ("upstream timed out (110: Operation timed out) while reading", Says::AnswersLate),
            ("error: unknown flag: --colour", Says::ConfigInvalid),
            ("NumberFormatException: For input string: \"many\"", Says::ValueUnreadable),
            ("strconv.Atoi: parsing \"many\": bad number", Says::ValueUnreadable),
            ("open /etc/app.yaml: no such file or directory", Says::FileMissing),
            ("panic: index out of range", Says::Fault),
            ("exec /app: exec format error", Says::ProgramFormat),
        ] {
            assert_eq!(meaning(line), Some(want), "{line}");
        }
        assert_eq!(meaning("listening on port 8080"), None);
    }

    #[test]
    fn paths_are_found() {
        assert_eq!(path("mkdir '/data/x': Permission denied"), Some("/data/x"));
        assert_eq!(path("see https://a/b"), None);
    }
}

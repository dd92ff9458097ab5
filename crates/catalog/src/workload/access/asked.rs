//! Requests of service accounts that were refused, each once, with who said so.

use model::record::ClusterEvent;
use model::{App, ClientError, Evidence, Kind, LogLines, ObjectRef, Snapshot, Timestamp};

use crate::evidence;
use crate::wording::{self, Denial};

/// Lines at the end of a log that are looked at.
const LAST_LINES: usize = 2_000;

/// A refusal is over when the log went on for this long without it, in seconds.
const OVER_SECONDS: i64 = 3_600;

/// Requests that are kept; programs that are refused much say the same again and again.
const MOST: usize = 200;

/// A refused request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) denial: Denial,
    pub(crate) evidence: Evidence,
    /// How often it was told.
    pub(crate) count: u32,
    /// Name of the pod or workload that told it, or empty.
    teller: String,
}

impl Request {
    /// The service account.
    pub(crate) fn account(&self) -> ObjectRef {
        let d = &self.denial;
        ObjectRef::new(Kind::ServiceAccount, &d.account_namespace, &d.account)
    }

    /// `list pods in namespace quay`.
    pub(crate) fn text(&self) -> String {
        let d = &self.denial;
        let what = if d.path.is_empty() { self.resource() } else { d.path.clone() };
        let place = match d.namespace.as_str() {
            _ if !d.path.is_empty() => String::new(),
            "" => " of the whole cluster".to_owned(),
            namespace => format!(" in namespace {namespace}"),
        };
        format!("{} {what}{place}", d.verb)
    }

    /// `deployments.apps`, as kubectl takes it.
    pub(crate) fn resource(&self) -> String {
        let d = &self.denial;
        let (plain, part) = d.resource.split_once('/').unwrap_or((&d.resource, ""));
        let group = if d.group.is_empty() { String::new() } else { format!(".{}", d.group) };
        let part = if part.is_empty() { String::new() } else { format!("/{part}") };
        format!("{plain}{group}{part}")
    }

    /// The command that asks the API whether it is allowed now.
    pub(crate) fn can_i(&self) -> String {
        let d = &self.denial;
        let what = if d.path.is_empty() { self.resource() } else { d.path.clone() };
        let place = match d.namespace.as_str() {
            "" if d.path.is_empty() => " -A".to_owned(),
            "" => String::new(),
            namespace => format!(" -n {namespace}"),
        };
        format!(
            "kubectl auth can-i {} {what}{place} --as=system:serviceaccount:{}:{}",
            d.verb, d.account_namespace, d.account
        )
    }

    /// Workloads whose pods use the account; the one that told it, where that is known.
    pub(crate) fn apps<'s>(&self, now: &'s Snapshot) -> Vec<&'s App> {
        let here = || now.apps_in(&self.denial.account_namespace).iter();
        let told = |a: &&App| {
            a.object.name == self.teller || a.pods.iter().any(|p| p.meta.name == self.teller)
        };
        let teller: Vec<&App> = here().filter(told).collect();
        if !teller.is_empty() {
            return teller;
        }
        here().filter(|a| account_of(a) == Some(self.denial.account.as_str())).collect()
    }
}

/// The account that the pods of a workload use; `None` where it was not shown.
pub(crate) fn account_of(app: &App) -> Option<&str> {
    let account = app.spec().filter(|_| app.shows_spec())?.service_account.as_str();
    Some(if account.is_empty() { "default" } else { account })
}

/// All requests that were refused of late.
pub(crate) fn all(now: &Snapshot) -> Vec<Request> {
    let mut found: Vec<Request> = Vec::new();
    let mut add = |request: Request| {
        let full = found.len() >= MOST;
        let same = |r: &&mut Request| r.denial == request.denial;
        match found.iter_mut().find(same) {
            Some(known) => known.count = known.count.saturating_add(request.count),
            None if full => {}
            None => found.push(request),
        }
    };
    let told = now.events_where(|e| wording::denial(&e.message).is_some());
    told.into_iter().rev().filter_map(|e| by_event(e, now)).for_each(&mut add);
    for log in now.logs.iter().filter(|l| l.unit.is_empty()) {
        by_log(log, now).into_iter().for_each(&mut add);
    }
    now.client_errors.iter().filter_map(by_client).for_each(&mut add);
    found
}

/// What a client was told, when it spoke for a service account.
fn by_client(error: &ClientError) -> Option<Request> {
    let denial = wording::denial(&error.text)?;
    let account = ObjectRef::new(Kind::ServiceAccount, &denial.account_namespace, &denial.account);
    let evidence = evidence::field(error.document, &account, "answer to a client", &*error.text);
    Some(Request { denial, evidence, count: 1, teller: String::new() })
}

fn by_event(event: &ClusterEvent, now: &Snapshot) -> Option<Request> {
    let denial = wording::denial(&event.message)?;
    if !evidence::is_recent(event, now, OVER_SECONDS) {
        return None;
    }
    let about = event.about.clone();
    let evidence = evidence::event(event, now)?;
    let teller = about.map(|o| o.name.to_string()).unwrap_or_default();
    Some(Request { denial, evidence, count: event.count, teller })
}

fn by_log(log: &LogLines, now: &Snapshot) -> Vec<Request> {
    let mut found: Vec<Request> = Vec::new();
    for line in log.lines.iter().rev().take(LAST_LINES) {
        let Some(denial) = wording::denial(line) else { continue };
        let at = time_of(line);
        if at.is_some_and(|t| now.has_time && now.now.since(t) > OVER_SECONDS) {
            continue;
        }
        if let Some(known) = found.iter_mut().find(|r| r.denial == denial) {
            known.count = known.count.saturating_add(1);
            continue;
        }
        let namespace = if log.namespace.is_empty() {
            denial.account_namespace.as_str()
        } else {
            log.namespace.as_str()
        };
        let writer = match log.name.as_str() {
            "" => ObjectRef::new(Kind::ServiceAccount, namespace, &denial.account),
            name => ObjectRef::new(Kind::Pod, namespace, name),
        };
        let short = excerpt(line);
        let fact = evidence::field(log.document, &writer, "log", short);
        let evidence = Evidence { at, ..fact };
        found.push(Request { denial, evidence, count: 1, teller: log.name.to_string() });
    }
    found
}

/// The part of a line that tells of the refusal: some lines hold a whole answer of the API.
fn excerpt(line: &str) -> String {
    const BEFORE: usize = 100;
    let at = line.find("system:serviceaccount:").unwrap_or_default().saturating_sub(BEFORE);
    let start = (at..=line.len()).find(|i| line.is_char_boundary(*i)).unwrap_or_default();
    let part: String = line.get(start..).unwrap_or_default().chars().take(300).collect();
    if start > 0 { format!("...{part}") } else { part }
}

/// The time at the beginning of a line.
fn time_of(line: &str) -> Option<Timestamp> {
    let first = line.split(' ').next()?;
    (first.len() >= 20).then(|| first.parse().ok()).flatten()
}

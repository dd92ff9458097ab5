//! Watches: replay from a version, selectors, bookmarks, an end.
//!
//! A watch is a value that is asked for its next lines whenever something may have happened;
//! the shell decides when, and writes them out.

use bytes::Bytes;
use model::Timestamp;
use serde_json::{Value, json};

use super::encode::{Shape, Telling, enclosed, line, write_object};
use super::list::{own_trouble, version};
use super::query::Query;
use super::route::Target;
use super::selector::Filter;
use super::views;
use crate::kernel::{SECOND, plus};
use crate::kinds::Kind;
use crate::registry::{Cause, Failure, Registry};
use crate::schema::envelope;
use crate::store::{Change, Expired, Object, sealed};

/// A bookmark is sent this often.
const BOOKMARK: i64 = 60 * SECOND;
/// Without `timeoutSeconds` a watch lasts half an hour to an hour.
const SHORTEST_SECONDS: i64 = 1800;
/// No watch lasts longer than a day.
const LONGEST_SECONDS: i64 = 86_400;

/// What is to be told.
#[derive(Debug)]
enum Event {
    /// A kind of event and the object as it is stored.
    Plain(&'static str, Object),
    Told(Value),
}

/// An open watch.
#[derive(Debug)]
pub(crate) struct Watch {
    kind: &'static Kind,
    namespace: Option<String>,
    name: Option<String>,
    filter: Filter,
    shape: Shape,
    telling: Telling,
    /// Told up to this version.
    cursor: u64,
    /// Events that are ready.
    ready: Vec<Event>,
    /// Whether events are told as frames of protobuf instead of lines.
    pub binary: bool,
    bookmark_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    /// How long it may last, in seconds; for shells with a clock of their own.
    pub timeout_seconds: u64,
    ended: bool,
}

/// Refuses options that do not go with a watch.
fn check_options(query: &Query) -> Result<(), Failure> {
    const MATCH: &str = "resourceVersionMatch";
    let (rule, initial) = (query.get(MATCH), query.has("sendInitialEvents"));
    let mut causes = Vec::new();
    if initial && rule != Some("NotOlderThan") {
        let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        causes.push(Cause::forbidden(MATCH, why));
    }
    if rule.is_some() && !initial {
        let why =
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
        causes.push(Cause::forbidden(MATCH, why));
    }
    if let Some(rule) = rule.filter(|rule| *rule != "NotOlderThan") {
        causes.push(Cause::unsupported(MATCH, &rule.into(), &["NotOlderThan"]));
    }
    if query.get("continue").is_some() {
        let why = "resourceVersionMatch is forbidden when continue is provided";
        causes.push(Cause::forbidden(MATCH, why));
    }
    if causes.is_empty() { Ok(()) } else { Err(Failure::bad_options("ListOptions", &causes)) }
}

impl Watch {
    pub(super) fn open(
        registry: &mut Registry,
        target: &Target,
        query: &Query,
        shape: Shape,
        own_clock: bool,
    ) -> Result<Self, Failure> {
        let asked = version(query).map_err(own_trouble)?;
        check_options(query)?;
        let spread = i64::try_from(registry.store.rv() % 1800).unwrap_or(0);
        let timeout = match query.number("timeoutSeconds")? {
            Some(seconds) if seconds > 0 => seconds.min(LONGEST_SECONDS),
            _ => SHORTEST_SECONDS + spread,
        };
        let now = registry.now;
        let mut watch = Self {
            kind: target.kind,
            namespace: target.namespace.clone(),
            name: target.name.clone(),
            filter: Filter::parse(target.kind, query)?,
            shape,
            telling: Telling::new(query, now)?,
            cursor: registry.store.rv(),
            ready: Vec::new(),
            binary: false,
            bookmark_at: query.flag("allowWatchBookmarks").then(|| plus(now, BOOKMARK)),
            ends_at: (!own_clock).then(|| plus(now, timeout.saturating_mul(SECOND))),
            timeout_seconds: timeout.unsigned_abs(),
            ended: false,
        };
        let initial = query.flag("sendInitialEvents");
        match asked {
            _ if initial => watch.tell_all(registry, true),
            None | Some(0) if query.get("sendInitialEvents").is_none() => {
                watch.tell_all(registry, false);
            }
            None | Some(0) => {}
            Some(rv) => watch.cursor = rv,
        }
        let oldest = registry.custom_since(target.kind);
        if watch.cursor < oldest {
            let expired = Expired { asked: watch.cursor, oldest };
            watch.expire(&expired);
        }
        Ok(watch)
    }

    /// The lines that can be told now, and whether the watch has ended with them.
    pub fn next(&mut self, registry: &Registry) -> (Vec<Bytes>, bool) {
        let (events, ended) = self.events(registry);
        (events.iter().map(|event| self.written(event)).collect(), ended)
    }

    fn written(&self, event: &Event) -> Bytes {
        let event = match event {
            Event::Told(event) if !self.binary => return line(event),
            Event::Told(event) => event,
            Event::Plain(what, object) if !self.binary => {
                let mut out = format!("{{\"type\":\"{what}\",\"object\":").into_bytes();
                write_object(&mut out, self.kind, object);
                out.extend_from_slice(b"}\n");
                return out.into();
            }
            Event::Plain(what, object) => {
                let told = enclosed(self.kind, object).ok();
                let framed = told.and_then(|told| envelope::framed(what, &told).ok());
                match framed {
                    Some(framed) => return framed.into(),
                    None => &json!({"type": what, "object": ***object}),
                }
            }
        };
        // What cannot be told ends in an error that can.
        let told = |why: String| {
            let failure = Failure::new(500, "InternalError", why).status();
            envelope::frame(&json!({"type": "ERROR", "object": failure})).unwrap_or_default()
        };
        envelope::frame(event).unwrap_or_else(told).into()
    }

    fn events(&mut self, registry: &Registry) -> (Vec<Event>, bool) {
        let mut lines = std::mem::take(&mut self.ready);
        if self.ended {
            return (lines, true);
        }
        self.telling.now = registry.now;
        // A version that is yet to come: silence until the store gets there.
        if self.cursor <= registry.store.rv() {
            match registry.store.changes_since(self.cursor) {
                Ok(changes) => {
                    let own = changes.filter(|c| c.key.resource == self.kind.storage);
                    let changes: Vec<_> = own.cloned().collect();
                    self.cursor = registry.store.rv();
                    for change in &changes {
                        lines.extend(self.tell(registry, change));
                    }
                }
                Err(expired) => {
                    self.expire(&expired);
                    lines.append(&mut self.ready);
                    return (lines, true);
                }
            }
        }
        self.ended = self.ends_at.is_some_and(|end| registry.now >= end);
        if let Some(due) = self.bookmark_at.filter(|due| registry.now >= *due || self.ended) {
            lines.push(self.bookmark(false));
            let next = plus(due.max(registry.now), BOOKMARK);
            self.bookmark_at = Some(next);
        }
        (lines, self.ended)
    }

    /// What the watch is to begin with is forgotten: it says so and ends.
    fn expire(&mut self, expired: &Expired) {
        self.ended = true;
        let gone = Failure::new(410, "Expired", expired.to_string());
        self.ready.push(Event::Told(json!({"type": "ERROR", "object": gone.status()})));
    }

    /// The last lines when the shell's own clock ends the watch.
    pub fn finish(&mut self, registry: &Registry) -> Vec<Bytes> {
        self.ends_at = Some(registry.now);
        self.next(registry).0
    }

    fn tell_all(&mut self, registry: &Registry, marked: bool) {
        let table = registry.store.table(self.kind.storage);
        let objects: Vec<_> = table.values().filter(|o| self.admits(o)).cloned().collect();
        for object in objects {
            let told = self.event(registry, "ADDED", &object);
            self.ready.push(told);
        }
        if marked && self.bookmark_at.is_some() {
            let mark = self.bookmark(true);
            self.ready.push(mark);
        }
    }

    /// The event of a change: entering and leaving the selection look like birth and death.
    fn tell(&mut self, registry: &Registry, change: &Change) -> Option<Event> {
        let before = change.before.as_ref().filter(|o| self.admits(o));
        let after = change.after.as_ref().filter(|o| self.admits(o));
        match (before, after) {
            (None, Some(after)) => Some(self.event(registry, "ADDED", after)),
            (Some(_), Some(after)) => Some(self.event(registry, "MODIFIED", after)),
            (Some(before), None) => Some(self.event(registry, "DELETED", change.last(before))),
            (None, None) => None,
        }
    }

    fn admits(&self, object: &Value) -> bool {
        let is = |key: &str, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| object["metadata"][key] == wanted)
        };
        is("namespace", &self.namespace) && is("name", &self.name) && self.filter.admits(object)
    }

    fn event(&mut self, registry: &Registry, kind: &'static str, object: &Object) -> Event {
        let shown = views::of(self.kind, &registry.shown(self.kind, object));
        if self.shape == Shape::Plain {
            return Event::Plain(kind, shown);
        }
        let told = self.shape.object(self.kind, &shown, &self.telling);
        self.telling.headers = false;
        Event::Told(json!({"type": kind, "object": told}))
    }

    fn bookmark(&mut self, initial_end: bool) -> Event {
        let mut mark = json!({
            "kind": self.kind.kind, "apiVersion": self.kind.api_version(),
            "metadata": {"resourceVersion": self.cursor.to_string()},
        });
        if initial_end {
            mark["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let told = match self.shape {
            Shape::Table => self.shape.object(self.kind, &sealed(mark), &self.telling),
            _ => mark,
        };
        Event::Told(json!({"type": "BOOKMARK", "object": told}))
    }
}

//! Joins what the readers hand on into evidence: objects become records, the rest facts.
//!
//! It knows the shape of objects, but never what a fact means.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{
    ClientError, DecodeError, Dial, HealthCheck, HostFact, Kind, LogLines, Object, ObjectRef,
    Sample, Text, UnitState, decode_value, decode_with,
};
use serde::Deserialize;
use serde_json::Value;

use crate::alerts;
use crate::json::{Decode, Head, Json, Objects};
use crate::piece::{Form, LogOwner, Piece, Place};
use crate::report::{Capture, Document, Skipped};
use crate::source::{self, DocumentReport, Visit};
use crate::specs::KnownSpecs;

/// Reports of what could not be read that are kept; more are only counted.
const SKIPPED_LIMIT: usize = 1_000;

/// Collects evidence from one document after the other.
#[derive(Default)]
pub(crate) struct Assembler {
    capture: Capture,
    /// Where the live objects of this document are: kind to namespaces.
    seen: BTreeMap<Kind, BTreeSet<Text>>,
    live_objects: usize,
    log_lines: usize,
    /// A client of this document was told of an error and has had no answer since.
    unanswered: bool,
    specs: Arc<KnownSpecs>,
}

impl Assembler {
    /// All that was read.
    pub(crate) fn finish(self) -> Capture {
        self.capture
    }

    fn document_index(&self) -> u16 {
        u16::try_from(self.capture.documents.len()).unwrap_or(u16::MAX)
    }

    /// The API server answered: what clients of this document were told before is over.
    fn note_answer(&mut self) {
        if std::mem::take(&mut self.unanswered) {
            let document = self.document_index();
            let errors = self.capture.evidence.client_errors.iter_mut().rev();
            errors.take_while(|e| e.document == document).for_each(|e| e.answered_later = true);
        }
    }

    fn add(&mut self, object: Object, listed: bool) {
        self.note_answer();
        if let (Some(meta), true) = (object.meta(), listed)
            && meta.created.is_some()
        {
            self.live_objects += 1;
            let namespaces = self.seen.entry(object.kind()).or_default();
            if !namespaces.contains(&meta.namespace) {
                namespaces.insert(meta.namespace.clone());
            }
        }
        let document = self.document_index();
        self.capture.evidence.add(object, document);
    }

    fn value(&mut self, value: &Value, form: Form, place: Place) {
        let Some(kind) = wanted(text_at(value, "/kind"), text_at(value, "/apiVersion")) else {
            return;
        };
        match decode_value(kind, value, form == Form::Text) {
            Ok(object) => self.add(object, form == Form::Api),
            Err(error) => self.skip(unreadable(&error), place),
        }
    }

    fn skip(&mut self, why: String, place: Place) {
        if self.capture.skipped.len() < SKIPPED_LIMIT {
            let Place { document, line } = place;
            self.capture.skipped.push(Skipped { document, line, why });
        }
    }

    fn log(&mut self, of: LogOwner, lines: Vec<String>) {
        self.log_lines += lines.len();
        let document = self.document_index();
        self.capture.evidence.logs.push(LogLines {
            name: of.name.into(),
            namespace: of.namespace.unwrap_or_default().into(),
            container: of.container.unwrap_or_default().into(),
            unit: of.unit.unwrap_or_default().into(),
            previous: of.previous,
            lines,
            document,
        });
    }

    fn alert(&mut self, value: &Value) {
        // A webhook also tells of alerts that are over.
        if text_at(value, "/status") == "resolved" {
            return;
        }
        let document = self.document_index();
        self.capture.evidence.alerts.push(alerts::record(value, document));
    }

    /// Closes a document: what a list of live objects shows, it shows completely, unless it ended
    /// early.
    fn close(&mut self, report: DocumentReport, before: (usize, usize)) {
        if report.skipped > 0 {
            self.seen.keys().for_each(|kind| self.capture.evidence.coverage.note_cut(*kind));
            // Events have no name of their own to be counted by; in text they are never complete.
            let is_list = ["json", "yaml"].contains(&report.form.name());
            if is_list && self.capture.evidence.counts().1 > before.1 {
                self.capture.evidence.coverage.note_cut(Kind::Event);
            }
        } else if self.live_objects >= 2 {
            for (kind, namespaces) in &self.seen {
                let everywhere = namespaces.len() > 1;
                for namespace in namespaces {
                    let namespace = (!everywhere).then_some(namespace.as_str());
                    self.capture.evidence.coverage.list(*kind, namespace);
                }
            }
        }
        let (objects, events) = self.capture.evidence.counts();
        self.capture.documents.push(Document {
            name: report.name,
            format: report.form.name().into(),
            objects: objects - before.0,
            events: events - before.1,
            lines: self.log_lines,
            skipped: usize::try_from(report.skipped).unwrap_or(usize::MAX),
        });
        self.seen.clear();
        (self.live_objects, self.log_lines, self.unanswered) = (0, 0, false);
    }
}

fn text_at<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn unreadable(error: &DecodeError) -> String {
    error.to_string()
}

/// The kind, when it is one that is told apart and of Kubernetes itself: other groups use the
/// same names for other things.
fn wanted(kind: &str, api_version: &str) -> Option<Kind> {
    let kind = Kind::from_name(kind).filter(|k| k.is_api_object())?;
    let group = |v: &'_ str| v.split_once('/').map_or(String::new(), |(g, _)| g.to_owned());
    let same = group(api_version) == group(kind.api_version());
    let older = matches!(api_version, "" | "extensions/v1beta1")
        || (kind == Kind::Event && group(api_version) == "events.k8s.io");
    (same || older).then_some(kind)
}

/// Decodes the kinds that are told apart.
#[derive(Clone)]
pub(crate) struct ToRecords(Arc<KnownSpecs>);

impl Decode for ToRecords {
    type Object = Option<Object>;

    fn decode(&self, head: Head<'_>, json: &mut Json<'_>) -> serde_json::Result<Option<Object>> {
        match wanted(head.kind, head.api_version) {
            Some(kind) => decode_with(kind, json, &*self.0).map(Some),
            None => serde::de::IgnoredAny::deserialize(json).map(|_| None),
        }
    }
}

impl Objects for Assembler {
    type Decoder = ToRecords;

    fn decoder(&self) -> ToRecords {
        ToRecords(Arc::clone(&self.specs))
    }

    fn object(&mut self, object: Option<Object>, _line: u32, gone: bool) {
        match object {
            Some(object) if gone => {
                if let Some(name) = object.object() {
                    self.capture.evidence.remove(&name);
                }
            }
            Some(object) => self.add(object, true),
            None => {}
        }
    }

    fn piece(&mut self, piece: Piece) {
        let document = self.document_index();
        match piece {
            Piece::Object { value, form, place } => self.value(&value, form, place),
            Piece::Gone { value, .. } => {
                if let Some(kind) = Kind::from_name(text_at(&value, "/kind")) {
                    let namespace = text_at(&value, "/metadata/namespace");
                    let name = text_at(&value, "/metadata/name");
                    self.capture.evidence.remove(&ObjectRef::new(kind, namespace, name));
                }
            }
            Piece::Listed { kind, namespace, .. } => {
                self.note_answer();
                if let Some(kind) = Kind::from_name(&kind) {
                    self.capture.evidence.coverage.list(kind, namespace.as_deref());
                }
            }
            Piece::Missing { kind, namespace, name, .. } => {
                if let Some(kind) = Kind::from_name(&kind) {
                    let namespace = namespace.unwrap_or_default();
                    self.capture.evidence.coverage.note_missing(kind, &namespace, &name);
                }
            }
            Piece::Log { of, lines, .. } => self.log(of, lines),
            Piece::Unit { node, unit, active, state, .. } => {
                let (node, unit) = (node.into(), unit.into());
                let unit = UnitState { node, unit, active, state, document };
                self.capture.evidence.units.push(unit);
            }
            Piece::Host { node, figure, .. } => {
                let node = node.into();
                self.capture.evidence.hosts.push(HostFact { node, figure, document });
            }
            Piece::Dial { host, port, connected, answer, .. } => {
                let host = host.into();
                let dial = Dial { host, port, connected, answer, document };
                self.capture.evidence.dials.push(dial);
            }
            Piece::ClientError { text, .. } => {
                let error = ClientError { text, answered_later: false, document };
                self.capture.evidence.client_errors.push(error);
                self.unanswered = true;
            }
            Piece::Check { name, healthy, said, .. } => {
                let check = HealthCheck { name: name.into(), healthy, said, document };
                self.capture.evidence.checks.push(check);
            }
            Piece::Sample { subject, metric, value, at, .. } => {
                let at = at.and_then(|t| t.parse().ok());
                let (subject, metric) = (subject.into(), metric.into());
                let sample = Sample { subject, metric, value, at, document };
                self.capture.evidence.samples.push(sample);
            }
            Piece::Alert { value, .. } => self.alert(&value),
            Piece::Skipped { why, place } => self.skip(why, place),
        }
    }
}

impl Visit for Assembler {
    fn document(&mut self, document: &mut source::Document<'_>) {
        let before = self.capture.evidence.counts();
        let report = source::read(document, self);
        self.close(report, before);
    }

    fn skipped(&mut self, piece: Piece) {
        self.piece(piece);
    }

    fn lost(&mut self) {
        self.capture.evidence.coverage.note_lost_source();
    }
}

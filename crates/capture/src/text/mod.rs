//! Reads text made for people: pasted terminal sessions, `kubectl get` tables, `describe`,
//! logs, `systemctl status`, connection tests.
//!
//! It turns text into [`Piece`]s shaped like the API and must never judge, guess a fact the text
//! does not state, panic on any input, or drop lines silently: a block nobody understands
//! becomes one [`Piece::Skipped`].
//!
//! # Keys beyond the API's shape
//!
//! Text says less than the API, and some things differently. Objects of [`Form::Text`] may hold:
//!
//! | key | meaning |
//! |---|---|
//! | `metadata.ageSeconds` | age of the object when the text was printed |
//! | `metadata.deletingSeconds` | deletion was asked for so long ago |
//! | `metadata.labelsPartial` | a node's labels are only those its roles tell |
//! | `status.summary` of a pod | its row, see below |
//! | `status.summary.status` | status word of a job or claim that is no phase |
//! | `status.summary.requests`, `.limits` | a pod's totals as listed by its node |
//! | `status.leaseRenewTime` | last renewal of a node's lease, RFC 3339 |
//! | `status.allocatedRequests`, `status.allocatedLimits` | a node's totals by resource |
//! | `status.podsShown` | a node's list of its pods was printed and is whole |
//! | `status.podCounts` | `running`, `waiting`, `succeeded`, `failed` of a workload |
//! | `status.newReplicaSet`, `status.oldReplicaSets` | names, as of a deployment |
//! | `status.activeCount`, `status.lastScheduleAgeSeconds` | a cron job's row |
//! | `status.durationSeconds` | a job's row |
//! | `eventsShown` | the events of this object were printed, be it `<none>` |
//! | `usedBy` | pods that mount a claim |
//! | `backendNotes` | an ingress' backends as printed: `{service, note}` |
//! | `moreAddresses` | endpoints left out as `+ 3 more...` |
//! | `dataKeys`, `dataCount` | keys of a config map or secret, and how many |
//! | `nameHidden` of a container's port | it may have a name that was not printed |
//! | `secretCount` | a service account's row |
//! | `ageSeconds`, `firstAgeSeconds` of an event | age of its last and first occurrence |
//!
//! `status.summary` of a pod holds `ready` and `containers` (counts), `status` (the word, e.g.
//! `CrashLoopBackOff`), `restarts` and `lastRestartAgeSeconds`. Events have `metadata.name` only
//! where the text prints it.
//!
//! In `describe` of a container that was printed whole, `resources.limits`, `resources.requests`
//! are `{}`, `command`, `args` are `[]` and probes are `null` when the container has none.
//! `spec.nodeName` is `""` for a pod without a node. A limit range printed inside its namespace
//! has no name in the text; it is called `(unnamed)`.

mod address;
mod block;
mod command;
mod describe;
mod dial;
mod embedded;
mod errors;
pub mod kinds;
mod lines;
mod log;
mod machine;
mod operations;
mod shape;
mod systemd;
mod table;
pub(crate) mod time;
mod top;
mod transcript;

#[cfg(test)]
mod tests;

use crate::piece::{Form, LogOwner, Piece, Place};
use serde_json::Value;

pub use table::object_from_row;

/// What the caller knows about a text from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// Namespace of objects whose text and command name none.
    pub namespace: Option<String>,
    /// Name of the file, to tell log files (`*.log`) and name their owner.
    pub file: Option<String>,
    /// The whole text is a log of this owner.
    pub log_of: Option<LogOwner>,
}

/// Reads `text` and hands every piece to `sink` in the order of the text.
///
/// `document` names the text in every [`Place`]. Any input is allowed.
pub fn read_text(document: &str, text: &str, hints: &Hints, sink: &mut dyn FnMut(Piece)) {
    let mut out = Out { document, sink };
    let lines = lines::split(text, &mut out);
    if let Some(of) = &hints.log_of {
        log::emit(&lines, of, &mut out);
        return;
    }
    for block in transcript::blocks(&lines) {
        block::read(&block, hints, &mut out);
    }
}

/// Where the readers put their pieces.
struct Out<'a> {
    document: &'a str,
    sink: &'a mut dyn FnMut(Piece),
}

impl Out<'_> {
    fn place(&self, line: u32) -> Place {
        Place { document: self.document.to_owned(), line }
    }

    /// An object read from text for people.
    fn object(&mut self, value: Value, line: u32) {
        let place = self.place(line);
        (self.sink)(Piece::Object { value, form: Form::Text, place });
    }

    fn object_of(&mut self, value: Value, form: Form, line: u32) {
        let place = self.place(line);
        (self.sink)(Piece::Object { value, form, place });
    }

    fn skipped(&mut self, why: String, line: u32) {
        let place = self.place(line);
        (self.sink)(Piece::Skipped { why, place });
    }

    fn listed(&mut self, kind: &str, namespace: Option<String>, line: u32) {
        let place = self.place(line);
        (self.sink)(Piece::Listed { kind: kind.to_owned(), namespace, place });
    }

    fn missing(&mut self, kind: &str, namespace: Option<String>, name: &str, line: u32) {
        let place = self.place(line);
        let (kind, name) = (kind.to_owned(), name.to_owned());
        (self.sink)(Piece::Missing { kind, namespace, name, place });
    }

    fn send(&mut self, piece: Piece) {
        (self.sink)(piece);
    }
}

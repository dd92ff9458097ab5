//! Meaning over the store: defaults, validation, uids, generations, graceful deletion.
//!
//! The API and the controllers write through here, so that an object looks the same whoever
//! made it. Must never know HTTP, nor when or why something is written.

mod acting;
mod addresses;
mod admission;
mod certificates;
mod create;
mod definitions;
mod delete;
mod events;
mod failure;
mod heartbeat;
mod limits;
mod pods;
mod policies;
mod quota;
mod scale;
mod security;
mod size;
mod update;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

pub use acting::Deletion;
pub(crate) use delete::{DeleteOptions, Deleted, Propagation};
pub(crate) use events::{Note, Source};
pub(crate) use failure::{Cause, Failure};
pub(crate) use heartbeat::{Heartbeat, NODE_LEASES};
pub(crate) use policies::Asked;
pub(crate) use quota::used;
pub(crate) use scale::{scale_of, set_replicas};
pub(crate) use writer::{Noted, Part, Write, complete, view};

use crate::access::Access;
use crate::field;
use crate::kernel::Dice;
use crate::kinds::{Kind, LEASE, NAMESPACE, NODE, validate};
use crate::store::{Object, Store};

/// How many changes the watch ring keeps; a watch that is further behind gets a 410.
pub(crate) const HISTORY_LIMIT: usize = 20_000;

/// The largest body of a request that is read.
pub(crate) const MOST_BODY_BYTES: usize = 3 << 20;
/// So many watches may be open at once.
pub(crate) const MOST_WATCHES: u64 = 10_000;

/// What the shell counts about its limits.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    pub bodies_refused: u64,
    pub watches_open: u64,
    pub watches_opened: u64,
    pub watches_refused: u64,
}

impl Meters {
    /// Counts a watch that is to be opened; whether it may.
    pub fn open_watch(&mut self) -> bool {
        let may = self.watches_open < MOST_WATCHES;
        self.watches_open += u64::from(may);
        self.watches_opened += u64::from(may);
        self.watches_refused += u64::from(!may);
        may
    }
}

/// The objects of the cluster and the rules under which they are written.
#[derive(Debug)]
pub(crate) struct Registry {
    pub store: Store,
    /// Virtual time.
    pub now: Timestamp,
    /// By node name.
    pub heartbeats: BTreeMap<String, Heartbeat>,
    /// Counts starts and stops of heartbeats.
    pub beats: u64,
    /// Who may do what.
    pub access: Access,
    /// What admission has to say about the present request besides yes.
    pub remarks: Vec<String>,
    /// Rows of the custom kinds that are served, and the version of the store they were read at.
    customs: (u64, Vec<&'static Kind>),
    /// Use of the limits.
    pub meters: Meters,
    dice: Dice,
    acting: acting::Acting,
    /// Names of events by what they tell.
    told: BTreeMap<u64, String>,
    /// What was told lately.
    flood: events::Flood,
}

impl Registry {
    pub fn new(seed: u64, now: Timestamp) -> Self {
        let store = Store::new(HISTORY_LIMIT);
        let mut keys = Dice::of(seed, "token-key");
        let key = [keys.uuid(), keys.uuid()].concat().into_bytes();
        Self {
            store,
            now,
            heartbeats: BTreeMap::new(),
            beats: 0,
            access: Access { key, ..Access::default() },
            remarks: Vec::new(),
            customs: (0, Vec::new()),
            meters: Meters::default(),
            dice: Dice::of(seed, "registry"),
            acting: acting::Acting::default(),
            told: BTreeMap::new(),
            flood: events::Flood::default(),
        }
    }

    /// An id that nothing else has.
    pub fn uuid(&mut self) -> String {
        self.dice.uuid()
    }

    /// An object as it is stored.
    pub fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<&Object, Failure> {
        let found = self.store.get(kind.storage, namespace, name);
        found.ok_or_else(|| Failure::not_found(kind, name))
    }

    /// An object as a reader sees it: heartbeats filled in.
    pub fn shown(&self, kind: &Kind, object: &Object) -> Object {
        let beats = kind.storage == NODE.storage
            || kind.storage == LEASE.storage && field::namespace(object) == NODE_LEASES;
        match self.heartbeats.get(field::name(object)).filter(|_| beats) {
            Some(beat) => beat.shown(kind, object, self.now),
            None => Arc::clone(object),
        }
    }

    /// The kubelet of a node falls silent now.
    pub fn silence(&mut self, node: &str) {
        if let Some(beat) = self.heartbeats.get_mut(node).filter(|beat| beat.stopped.is_none()) {
            beat.stopped = Some(self.now);
            self.beats += 1;
        }
    }

    /// The kubelet of a node is heard of again from now on.
    pub fn revive(&mut self, node: &str) {
        if let Some(beat) = self.heartbeats.get_mut(node).filter(|beat| beat.stopped.is_some()) {
            *beat = Heartbeat { since: self.now, stopped: None, ..*beat };
            self.beats += 1;
        }
    }

    /// Rules for every kind, then the kind's own.
    fn check(&self, kind: &Kind, value: &Value, own: bool) -> Result<(), Failure> {
        let causes = self.causes(kind, value, None, own);
        let name = field::name(value);
        if causes.is_empty() { Ok(()) } else { Err(Failure::invalid(kind, name, &causes)) }
    }

    fn causes(&self, kind: &Kind, value: &Value, old: Option<&Value>, own: bool) -> Vec<Cause> {
        let mut causes = validate::metadata(kind, value);
        causes.extend(match own {
            true => (kind.validate)(value),
            false => validate::client_causes(kind.storage, value),
        });
        if let Some(custom) = kind.custom {
            causes.extend(custom.causes(value, old));
        }
        causes
    }

    /// Notes the remarks about an object that a client wrote.
    fn warn(&mut self, kind: &Kind, new: &Value, old: Option<&Value>) {
        for remark in crate::kinds::warnings(kind, new, old) {
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
        }
    }

    /// The namespace must exist and live.
    fn admit_place(&self, kind: &Kind, namespace: &str, name: &str) -> Result<(), Failure> {
        if !kind.namespaced {
            return Ok(());
        }
        let home = self.get(&NAMESPACE, "", namespace)?;
        if !field::is_deleting(home) {
            return Ok(());
        }
        let message = format!(
            "{} \"{name}\" is forbidden: unable to create new content in namespace {namespace} \
             because it is being terminated",
            kind.qualified()
        );
        Err(Failure::ending_namespace(kind, namespace, name, message))
    }

    /// Policies must not deny the write of a client.
    pub fn admit(&mut self, asked: &Asked<'_>) -> Result<(), Failure> {
        policies::check(&self.store, asked, &mut self.remarks)
    }

    /// Plugins that only look at what would be stored.
    fn admit_result(
        &mut self,
        kind: &Kind,
        (old, new): (Option<&Value>, &Value),
        write: Write<'_>,
    ) -> Result<(), Failure> {
        if write.part != Part::Status {
            let mut remarks = Vec::new();
            security::check_pod(&self.store, kind, old, new, &mut remarks)?;
            if kind.storage == NAMESPACE.storage {
                security::check_namespace(&self.store, kind, (old, new), &mut remarks)?;
            }
            if write.user.is_some() {
                self.remarks.extend(remarks);
            }
        }
        let Some(user) = self.writer(write.user) else { return Ok(()) };
        // A scale is another document than the object that is stored.
        if write.part == Part::Other("scale") {
            return Ok(());
        }
        self.admit(&Asked {
            operation: if old.is_some() { "UPDATE" } else { "CREATE" },
            kind,
            subresource: write.part.subresource(),
            namespace: field::namespace(new),
            name: field::name(new),
            object: Some(new),
            old,
            user: &user,
            dry: write.dry,
        })
    }

    /// The name must be free.
    fn admit_name(&self, kind: &Kind, namespace: &str, name: &str) -> Result<(), Failure> {
        match self.store.get(kind.storage, namespace, name) {
            Some(_) => Err(Failure::already_exists(kind, name)),
            None => Ok(()),
        }
    }
}

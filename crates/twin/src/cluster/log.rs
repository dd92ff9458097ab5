//! What happened in the cluster: a hash over all of it, and, if wanted, the thing itself.
//!
//! The hash tells two runs apart by what was written when; it must never depend on who reads.

use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use crate::kernel::fnv64;
use crate::store::{Change, Object};

/// One write, as the log keeps it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// When it was written.
    pub at: Timestamp,
    /// The object before; `None` when it was created.
    pub before: Option<Value>,
    /// The object after; `None` when it was removed.
    pub after: Option<Value>,
}

/// The log of a cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    hash: u64,
    kept: Option<Vec<Recorded>>,
}

impl Log {
    /// Keeps what happens from now on.
    pub fn keep(&mut self) {
        self.kept.get_or_insert_default();
    }

    /// What was kept so far; the log goes on without it.
    pub fn take(&mut self) -> Vec<Recorded> {
        self.kept.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn note(&mut self, at: Timestamp, change: &Arc<Change>) {
        let key = &change.key;
        let mut sign = self.hash.to_le_bytes().to_vec();
        sign.extend(at.micros().to_le_bytes());
        for text in [key.resource, &key.namespace, &key.name] {
            sign.extend(text.as_bytes());
            sign.push(0);
        }
        sign.push(u8::from(change.before.is_some()) * 2 + u8::from(change.after.is_some()));
        self.hash = fnv64(&sign);
        if let Some(kept) = &mut self.kept {
            let copy = |object: &Option<Object>| object.as_ref().map(|one| Value::clone(one));
            let (before, after) = (copy(&change.before), copy(&change.after));
            kept.push(Recorded { at, before, after });
        }
    }
}

//! The ring of the last changes.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Change;

/// The asked-for version is older than anything remembered.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("too old resource version: {asked} ({oldest})")]
pub(crate) struct Expired {
    pub asked: u64,
    /// The oldest version from which changes can still be told.
    pub oldest: u64,
}

/// Changes in order of their version, at most `limit` of them.
#[derive(Debug)]
pub(super) struct History {
    changes: VecDeque<Arc<Change>>,
    limit: usize,
    /// Version of the newest change that was forgotten.
    forgotten: u64,
}

impl History {
    pub fn new(limit: usize) -> Self {
        Self { changes: VecDeque::new(), limit, forgotten: 0 }
    }

    pub fn push(&mut self, change: Change) {
        self.changes.push_back(Arc::new(change));
        while self.changes.len() > self.limit {
            if let Some(old) = self.changes.pop_front() {
                self.forgotten = old.rv;
            }
        }
    }

    pub fn len(&self) -> usize {
        self.changes.len()
    }

    pub fn since(&self, rv: u64) -> Result<impl Iterator<Item = &Arc<Change>>, Expired> {
        if rv < self.forgotten {
            return Err(Expired { asked: rv, oldest: self.forgotten });
        }
        let from = self.changes.partition_point(|change| change.rv <= rv);
        Ok(self.changes.range(from..))
    }
}

//! A table of records, sorted by namespace, name and kind.

use std::sync::Arc;

use super::reads::{Part, Set, note};
use crate::record::{Meta, Record};
use crate::{Kind, ObjectRef};

/// Records of one type, sorted by namespace, name and kind.
#[derive(Clone, Debug)]
pub struct Table<T> {
    rows: Vec<Arc<T>>,
    set: Set,
    kind: fn(&T) -> Kind,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { rows: Vec::new(), set: Set::default(), kind: |_| Kind::Component }
    }
}

fn key(meta: &Meta) -> (&str, &str) {
    (&meta.namespace, &meta.name)
}

impl<T: Record + Clone> Table<T> {
    /// Sorts the records and completes those that were read more than once. `kind` tells two
    /// objects of one name apart.
    pub(super) fn build(set: Set, mut rows: Vec<Arc<T>>, kind: fn(&T) -> Kind) -> Self {
        rows.sort_by(|a, b| order(&**a, kind).cmp(&order(&**b, kind)));
        // In place: a second list of a large cluster's pods would stand beside the first.
        rows.dedup_by(|row, known| {
            let same = order(&**known, kind) == order(&**row, kind);
            if same {
                Arc::make_mut(known).absorb(row);
            }
            same
        });
        rows.shrink_to_fit();
        Table { rows, set, kind }
    }

    /// All rows of one name (of different kinds).
    pub fn all(&self, namespace: &str, name: &str) -> impl Iterator<Item = &T> + use<'_, T> {
        note(Part::Row(self.set, namespace, name));
        let start = self.rows.partition_point(|r| key(r.meta()) < (namespace, name));
        let rest = self.rows.get(start..).unwrap_or_default();
        let count = rest.iter().take_while(|r| key(r.meta()) == (namespace, name)).count();
        rest.iter().take(count).map(|r| &**r)
    }

    /// The row of this name.
    pub fn get(&self, namespace: &str, name: &str) -> Option<&T> {
        note(Part::Row(self.set, namespace, name));
        let at = self.rows.binary_search_by(|r| key(r.meta()).cmp(&(namespace, name))).ok()?;
        self.rows.get(at).map(|r| &**r)
    }

    /// The rows of one namespace.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &T> + use<'_, T> {
        note(Part::Space(self.set, namespace));
        self.space(namespace).iter().map(|r| &**r)
    }

    /// The rows of one namespace, for those who have noted what they read.
    pub(super) fn space(&self, namespace: &str) -> &[Arc<T>] {
        let start = self.rows.partition_point(|r| r.meta().namespace.as_str() < namespace);
        let rest = self.rows.get(start..).unwrap_or_default();
        let end = rest.partition_point(|r| r.meta().namespace.as_str() <= namespace);
        rest.get(..end).unwrap_or_default()
    }

    /// The row of this name and kind, for those who have noted what they read.
    pub(super) fn row(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Arc<T>> {
        self.rows.get(self.find((namespace, name, kind)).ok()?)
    }

    /// What a row is called.
    pub(super) fn name_of(&self, row: &T) -> ObjectRef {
        row.meta().object((self.kind)(row))
    }

    fn find(&self, name: (&str, &str, Kind)) -> Result<usize, usize> {
        self.rows.binary_search_by(|r| order(&**r, self.kind).cmp(&name))
    }

    /// Puts a row where the one of its name was; gives that one.
    pub(super) fn put(&mut self, row: Arc<T>) -> Option<Arc<T>> {
        match self.find(order(&*row, self.kind)) {
            Ok(at) => self.rows.get_mut(at).map(|old| std::mem::replace(old, row)),
            Err(at) => {
                self.rows.insert(at, row);
                None
            }
        }
    }

    /// Takes out the row of this name.
    pub(super) fn take(&mut self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<T>> {
        self.find((namespace, name, kind)).ok().map(|at| self.rows.remove(at))
    }
}

/// What a row is sorted by.
fn order<T: Record>(row: &T, kind: fn(&T) -> Kind) -> (&str, &str, Kind) {
    let (namespace, name) = key(row.meta());
    (namespace, name, kind(row))
}

impl<T> Table<T> {
    /// All rows, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        note(Part::All(self.set));
        self.rows.iter().map(|r| &**r)
    }

    /// All rows, shared.
    pub(super) fn shared(&self) -> &[Arc<T>] {
        &self.rows
    }

    /// Which set it holds.
    pub(super) fn set(&self) -> Set {
        self.set
    }

    /// How many.
    pub fn len(&self) -> usize {
        note(Part::All(self.set));
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        note(Part::Any(self.set));
        self.rows.is_empty()
    }
}

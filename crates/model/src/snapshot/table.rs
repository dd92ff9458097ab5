//! A table of records, sorted by namespace and name.

use std::sync::Arc;

use crate::record::{Meta, Record};

/// Records of one type, sorted by namespace and name.
#[derive(Clone, Debug)]
pub struct Table<T>(Vec<Arc<T>>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table(Vec::new())
    }
}

fn key(meta: &Meta) -> (&str, &str) {
    (&meta.namespace, &meta.name)
}

impl<T: Record + Clone> Table<T> {
    /// Sorts the records and completes those that were read more than once. `same` tells
    /// whether two records of one name are the same object (of one kind).
    pub fn build(mut rows: Vec<Arc<T>>, same: impl Fn(&T, &T) -> bool) -> Self {
        rows.sort_by(|a, b| key(a.meta()).cmp(&key(b.meta())));
        let mut merged: Vec<Arc<T>> = Vec::with_capacity(rows.len());
        for row in rows {
            let twin = merged
                .iter_mut()
                .rev()
                .take_while(|m| key(m.meta()) == key(row.meta()))
                .find(|m| same(m, &row));
            match twin {
                Some(known) => Arc::make_mut(known).absorb(&row),
                None => merged.push(row),
            }
        }
        merged.shrink_to_fit();
        Table(merged)
    }

    /// All rows of one name (of different kinds).
    pub fn all(&self, namespace: &str, name: &str) -> impl Iterator<Item = &T> + use<'_, T> {
        let start = self.0.partition_point(|r| key(r.meta()) < (namespace, name));
        let rest = self.0.get(start..).unwrap_or_default();
        let count = rest.iter().take_while(|r| key(r.meta()) == (namespace, name)).count();
        rest.iter().take(count).map(|r| &**r)
    }

    /// The row of this name.
    pub fn get(&self, namespace: &str, name: &str) -> Option<&T> {
        let at = self.0.binary_search_by(|r| key(r.meta()).cmp(&(namespace, name))).ok()?;
        self.0.get(at).map(|r| &**r)
    }

    /// The rows of one namespace.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &T> + use<'_, T> {
        let start = self.0.partition_point(|r| r.meta().namespace.as_str() < namespace);
        let end = self.0.partition_point(|r| r.meta().namespace.as_str() <= namespace);
        self.0.get(start..end).unwrap_or_default().iter().map(|r| &**r)
    }
}

impl<T> Table<T> {
    /// All rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|r| &**r)
    }

    /// All rows, shared.
    pub fn shared(&self) -> &[Arc<T>] {
        &self.0
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

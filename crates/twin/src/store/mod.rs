//! The store: objects by resource, namespace and name, one global resourceVersion, and a ring
//! of the last changes from which watches, paged lists and old versions are served.
//!
//! Must never know what an object means: it only stamps `metadata.resourceVersion`.

mod history;
mod object;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

pub(crate) use history::Expired;
use history::History;
pub(crate) use object::{Object, sealed};

/// Objects of one resource by namespace and name.
pub(crate) type Table = BTreeMap<(String, String), Object>;

/// Where an object is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// Storage name of the resource, such as `pods` or `deployments.apps`.
    pub resource: &'static str,
    /// "" for cluster-scoped objects.
    pub namespace: String,
    pub name: String,
}

/// One write.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub rv: u64,
    pub key: Key,
    /// `None` when it was created.
    pub before: Option<Object>,
    /// `None` when it was removed.
    pub after: Option<Object>,
    /// The last state, once it was asked for.
    last: OnceLock<Object>,
}

impl Change {
    /// The newest state that the change tells of.
    pub fn object(&self) -> Option<&Object> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// The state before, with the version of this change.
    pub fn last(&self, before: &Object) -> &Object {
        self.last.get_or_init(|| stamped(before, self.rv))
    }
}

/// All objects and the ring of changes.
#[derive(Debug)]
pub(crate) struct Store {
    rv: u64,
    tables: BTreeMap<&'static str, Table>,
    /// Version of the last write of each resource.
    touched: BTreeMap<&'static str, u64>,
    history: History,
}

/// The object with another resourceVersion.
pub(crate) fn stamped(object: &Value, rv: u64) -> Object {
    let mut value = object.clone();
    value["metadata"]["resourceVersion"] = rv.to_string().into();
    sealed(value)
}

static NOTHING: Table = BTreeMap::new();

impl Store {
    /// An empty store that remembers the last `history_limit` changes.
    pub fn new(history_limit: usize) -> Self {
        let (tables, touched) = (BTreeMap::new(), BTreeMap::new());
        Self { rv: 1, tables, touched, history: History::new(history_limit) }
    }

    /// The resourceVersion of the last write.
    pub fn rv(&self) -> u64 {
        self.rv
    }

    /// How many changes are remembered.
    pub fn remembered(&self) -> usize {
        self.history.len()
    }

    /// Version of the last write of a resource, 0 for none.
    pub fn last_change(&self, resource: &str) -> u64 {
        self.touched.get(resource).copied().unwrap_or(0)
    }

    /// All objects of a resource.
    pub fn table(&self, resource: &str) -> &Table {
        self.tables.get(resource).unwrap_or(&NOTHING)
    }

    /// One object.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<&Object> {
        self.table(resource).get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Objects of a resource in one namespace, in order of their names.
    pub fn in_namespace(&self, resource: &str, namespace: &str) -> impl Iterator<Item = &Object> {
        let from = (namespace.to_owned(), String::new());
        let end = namespace.to_owned();
        self.table(resource).range(from..).take_while(move |(k, _)| k.0 == end).map(|(_, o)| o)
    }

    /// Writes an object and stamps its resourceVersion.
    pub fn put(&mut self, key: Key, mut value: Value) -> Object {
        self.rv += 1;
        value["metadata"]["resourceVersion"] = self.rv.to_string().into();
        let object = sealed(value);
        self.touched.insert(key.resource, self.rv);
        let place = (key.namespace.clone(), key.name.clone());
        let table = self.tables.entry(key.resource).or_default();
        let before = table.insert(place, Arc::clone(&object));
        self.history.push(Change {
            rv: self.rv,
            key,
            before,
            after: Some(Arc::clone(&object)),
            last: OnceLock::new(),
        });
        object
    }

    /// Removes an object; the answer is its last state with the removal's resourceVersion.
    pub fn remove(&mut self, key: Key) -> Option<Object> {
        let place = (key.namespace.clone(), key.name.clone());
        let before = self.tables.get_mut(key.resource)?.remove(&place)?;
        self.rv += 1;
        self.touched.insert(key.resource, self.rv);
        let last = stamped(&before, self.rv);
        self.history.push(Change {
            rv: self.rv,
            key,
            before: Some(before),
            after: None,
            last: OnceLock::new(),
        });
        Some(last)
    }

    /// The changes after `rv`, oldest first; 410 if some were already forgotten.
    pub fn changes_since(&self, rv: u64) -> Result<impl Iterator<Item = &Arc<Change>>, Expired> {
        self.history.since(rv)
    }

    /// The table of a resource as it was at `rv`; 410 if that is too long ago.
    pub fn table_at(&self, resource: &str, rv: u64) -> Result<Table, Expired> {
        let mut table = self.table(resource).clone();
        let newer: Vec<_> = self.history.since(rv)?.collect();
        for change in newer.into_iter().rev().filter(|c| c.key.resource == resource) {
            let place = (change.key.namespace.clone(), change.key.name.clone());
            match &change.before {
                Some(before) => table.insert(place, Arc::clone(before)),
                None => table.remove(&place),
            };
        }
        Ok(table)
    }

    /// Every object as if it was created just now, for those who read everything anew.
    pub fn as_created(&self) -> impl Iterator<Item = Arc<Change>> {
        let tables = self.tables.iter();
        tables.flat_map(|(resource, table)| {
            table.iter().map(|((namespace, name), object)| {
                let (namespace, name) = (namespace.clone(), name.clone());
                let key = Key { resource, namespace, name };
                let after = Some(Arc::clone(object));
                Arc::new(Change { rv: self.rv, key, before: None, after, last: OnceLock::new() })
            })
        })
    }

    /// Every object, in a fixed order.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Object)> {
        self.tables.iter().flat_map(|(r, table)| table.values().map(|o| (*r, o)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(name: &str) -> Key {
        Key { resource: "pods", namespace: "a".into(), name: name.into() }
    }

    fn put(store: &mut Store, name: &str, n: i64) -> u64 {
        store.put(key(name), json!({"metadata": {"name": name}, "n": n}));
        store.rv()
    }

    fn names(table: &Table) -> Vec<(String, i64)> {
        table.iter().map(|(k, o)| (k.1.clone(), o["n"].as_i64().unwrap())).collect()
    }

    #[test]
    fn an_old_version_is_read_through_the_history() {
        let mut store = Store::new(100);
        put(&mut store, "x", 1);
        let then = put(&mut store, "y", 1);
        put(&mut store, "x", 2);
        store.remove(key("y"));
        put(&mut store, "z", 1);
        assert_eq!(names(store.table("pods")), [("x".into(), 2), ("z".into(), 1)]);
        let old = store.table_at("pods", then).unwrap();
        assert_eq!(names(&old), [("x".into(), 1), ("y".into(), 1)]);
    }

    #[test]
    fn the_ring_forgets_and_says_so() {
        let mut store = Store::new(2);
        let first = put(&mut store, "x", 1);
        put(&mut store, "x", 2);
        put(&mut store, "x", 3);
        assert_eq!(store.changes_since(first).unwrap().count(), 2);
        put(&mut store, "x", 4);
        let refused = store.changes_since(first).err().unwrap();
        assert_eq!((refused.asked, refused.oldest), (first, first + 1));
        assert!(store.table_at("pods", first).is_err());
    }

    #[test]
    fn a_removal_carries_its_own_version() {
        let mut store = Store::new(10);
        let before = put(&mut store, "x", 1);
        let last = store.remove(key("x")).unwrap();
        assert_eq!(last["metadata"]["resourceVersion"], (before + 1).to_string());
        assert!(store.remove(key("x")).is_none());
        assert_eq!(store.in_namespace("pods", "a").count(), 0);
    }
}

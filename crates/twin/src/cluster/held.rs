//! A cluster that only holds objects made elsewhere: nobody acts on them and nothing expires.

use model::Timestamp;
use serde_json::Value;

use super::Cluster;
use crate::field;
use crate::kinds;
use crate::registry;
use crate::scenario::{Controllers, Scenario};
use crate::store::Key;

/// An object that cannot be held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {name} of {api_version} is of no kind that the twin knows, or has no name")]
pub struct UnknownObject {
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its `kind`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Cluster {
    /// What an API server makes when it starts on an empty store.
    pub fn bare(now: Timestamp) -> Self {
        let mut cluster = Self::empty(nothing(now), now);
        cluster.found();
        cluster.handed = cluster.registry.store.rv();
        cluster
    }

    /// A cluster of these objects, as if they had always been stored: the API's defaults are
    /// filled in, as it does on every read, and nothing else is changed or checked.
    pub fn of_objects(objects: Vec<Value>, now: Timestamp) -> Result<Self, UnknownObject> {
        let mut cluster = Self::empty(nothing(now), now);
        for mut object in objects {
            let text = |pointer| field::text(&object, pointer).to_owned();
            let (api_version, kind) = (text("/apiVersion"), text("/kind"));
            let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
            let known = kinds::of_object(&api_version, &kind).filter(|_| !name.is_empty());
            let Some(known) = known else {
                return Err(UnknownObject { api_version, kind, name });
            };
            // What does not fit its type is held as it was told.
            object = registry::complete(known, object.clone()).unwrap_or(object);
            cluster.registry.store.put(Key { resource: known.storage, namespace, name }, object);
        }
        // These writes are no news to anybody: the timers of events must not start.
        cluster.handed = cluster.registry.store.rv();
        Ok(cluster)
    }
}

/// No nodes, no workloads, no story.
fn nothing(now: Timestamp) -> Scenario {
    Scenario {
        name: "objects".into(),
        seed: 0,
        start: now,
        age_seconds: 0,
        nodes: Vec::new(),
        workloads: Vec::new(),
        objects: Vec::new(),
        timeline: Vec::new(),
        duration_seconds: 0,
        controllers: Controllers::All,
    }
}

//! What the scenario's timeline does to the cluster.

use serde_json::Value;

use super::Cluster;
use crate::kinds;
use crate::registry::Part;
use crate::scenario::Fault;

impl Cluster {
    /// Carries out one entry of the timeline.
    pub(super) fn strike(&mut self, index: usize) {
        let Some((_, fault)) = self.scenario.timeline.get(index).cloned() else { return };
        match fault {
            Fault::Patch { api_version, kind, namespace, name, patch } => {
                let Some(kind) = kinds::of_object(&api_version, &kind) else { return };
                let Ok(found) = self.registry.get(kind, &namespace, &name) else { return };
                let mut value = Value::clone(found);
                json_patch::merge(&mut value, &patch);
                // Refused like anybody's patch; the object then stays as it is.
                drop(self.registry.update(kind, &namespace, &name, value, Part::Spec));
            }
            Fault::Behave { namespace, workload, memory } => {
                self.behaviours.change(&namespace, &workload, memory);
            }
            Fault::StopKubelet { node } => self.registry.silence(&node),
        }
    }
}

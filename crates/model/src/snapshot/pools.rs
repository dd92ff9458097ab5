//! Equal parts of objects, kept once. A large cluster has many pods and few kinds of pod.

use std::borrow::Borrow;
use std::collections::HashSet; // tidy: lookup only
use std::hash::Hash;
use std::sync::Arc;

use crate::record::{
    ConfigSource, Container, ContainerPort, Env, Meta, Mount, Needs, Owner, PodSpec, Probe,
    ServicePort,
};
use crate::{Labels, List, Shared, Text};

type Pool<T> = HashSet<T>; // tidy: lookup only

/// One pool for each type that is shared. Only looked up, never iterated.
#[derive(Debug, Default)]
pub(super) struct Pools {
    specs: Pool<Arc<PodSpec>>,
    metas: Pool<Arc<Labels>>,
    owners: Pool<Arc<Owner>>,
    labels: Pool<Labels>,
    ports: Pool<Shared<List<ContainerPort>>>,
    service_ports: Pool<Shared<List<ServicePort>>>,
    mounts: Pool<Shared<List<Mount>>>,
    env: Pool<Shared<List<Env>>>,
    env_from: Pool<Shared<List<ConfigSource>>>,
    words: Pool<Shared<List<Text>>>,
    needs: Pool<Shared<Needs>>,
    probes: Pool<Shared<Probe>>,
}

/// The one value equal to this.
fn share<K: Borrow<T> + Clone + Eq + Hash, T: Eq + Hash>(pool: &mut Pool<K>, value: &mut K) {
    match pool.get((*value).borrow()) {
        Some(known) => *value = known.clone(),
        None => {
            pool.insert(value.clone());
        }
    }
}

impl Pools {
    /// Shares labels and owner.
    pub(super) fn meta(&mut self, meta: &mut Meta) {
        share::<_, Labels>(&mut self.metas, &mut meta.labels);
        if let Some(owner) = &mut meta.owner {
            share::<_, Owner>(&mut self.owners, owner);
        }
    }

    /// Shares template labels.
    pub(super) fn template_labels(&mut self, labels: &mut Arc<Labels>) {
        share::<_, Labels>(&mut self.metas, labels);
    }

    /// Shares a selector's labels.
    pub(super) fn labels(&mut self, labels: &mut Labels) {
        share::<_, Labels>(&mut self.labels, labels);
    }

    /// Shares the ports of a Service.
    pub(super) fn service_ports(&mut self, ports: &mut Shared<List<ServicePort>>) {
        share::<_, List<ServicePort>>(&mut self.service_ports, ports);
    }

    /// Shares a pod spec; of a new one, its parts.
    pub(super) fn spec(&mut self, spec: &mut Arc<PodSpec>) {
        if let Some(known) = self.specs.get(&**spec) {
            *spec = Arc::clone(known);
            return;
        }
        let new = Arc::make_mut(spec);
        self.labels(&mut new.node_selector);
        let containers = new.containers.iter_mut().chain(new.init_containers.iter_mut());
        containers.for_each(|c| self.container(c));
        self.specs.insert(Arc::clone(spec));
    }

    fn container(&mut self, c: &mut Container) {
        share::<_, List<ContainerPort>>(&mut self.ports, &mut c.ports);
        share::<_, List<Mount>>(&mut self.mounts, &mut c.volume_mounts);
        share::<_, List<Env>>(&mut self.env, &mut c.env);
        share::<_, List<ConfigSource>>(&mut self.env_from, &mut c.env_from);
        share::<_, List<Text>>(&mut self.words, &mut c.command);
        share::<_, List<Text>>(&mut self.words, &mut c.args);
        share::<_, Needs>(&mut self.needs, &mut c.resources);
        let probes = [&mut c.liveness_probe, &mut c.readiness_probe, &mut c.startup_probe];
        for probe in probes.into_iter().flatten() {
            share::<_, Probe>(&mut self.probes, probe);
        }
    }
}

//! Equal parts of objects, kept once. A large cluster has many pods and few kinds of pod.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::record::{
    ConfigSource, Container, ContainerPort, Env, Meta, Mount, Needs, Owner, PodSpec, Probe,
    ServicePort,
};
use crate::{Labels, List, Shared, Text};

/// Values of one type, each kept once. Only looked up, never iterated.
#[derive(Debug)]
struct Pool<T> {
    values: FxHashSet<T>, // tidy: lookup only
    /// The value shared last: lists are in order of names, so that what belongs together comes
    /// together, and to compare is cheaper than to hash.
    last: Option<T>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool { values: FxHashSet::default(), last: None }
    }
}

/// One pool for each type that is shared.
#[derive(Debug, Default)]
pub(super) struct Pools {
    specs: Pool<Arc<PodSpec>>,
    /// The shared spec of one that came before, by its address: readers hand out one spec
    /// many times, and comparing addresses is cheaper than comparing specs. Holding it keeps
    /// the address from being used again.
    known: FxHashMap<usize, (Arc<PodSpec>, Arc<PodSpec>)>, // tidy: lookup only
    metas: Pool<Arc<Labels>>,
    owners: Pool<Arc<Owner>>,
    labels: Pool<Labels>,
    service_ports: Pool<Shared<List<ServicePort>>>,
    parts: SpecParts,
}

/// The one value equal to this.
fn share<K: Borrow<T> + Clone + Eq + Hash, T: Eq + Hash>(pool: &mut Pool<K>, value: &mut K) {
    if let Some(last) = pool.last.as_ref().filter(|last| *last == value) {
        value.clone_from(last);
        return;
    }
    match pool.values.get((*value).borrow()) {
        Some(known) => *value = known.clone(),
        None => {
            pool.values.insert(value.clone());
        }
    }
    pool.last = Some(value.clone());
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

    /// Shares a pod spec.
    pub(super) fn spec(&mut self, spec: &mut Arc<PodSpec>) {
        let address = Arc::as_ptr(spec).addr();
        if let Some((_, shared)) = self.known.get(&address) {
            *spec = Arc::clone(shared);
            return;
        }
        let original = (Arc::strong_count(spec) > 1).then(|| Arc::clone(spec));
        if original.is_none()
            && let Some(new) = Arc::get_mut(spec)
        {
            self.parts.share(new);
        }
        share::<_, PodSpec>(&mut self.specs, spec);
        if let Some(original) = original {
            self.known.insert(address, (original, Arc::clone(spec)));
        }
    }
}

/// Equal parts of pod specs, kept once.
#[derive(Debug, Default)]
pub struct SpecParts {
    labels: Pool<Labels>,
    ports: Pool<Shared<List<ContainerPort>>>,
    mounts: Pool<Shared<List<Mount>>>,
    env: Pool<Shared<List<Env>>>,
    env_from: Pool<Shared<List<ConfigSource>>>,
    words: Pool<Shared<List<Text>>>,
    needs: Pool<Shared<Needs>>,
    probes: Pool<Shared<Probe>>,
}

impl SpecParts {
    /// Replaces the parts of a spec by the equal ones seen before.
    pub fn share(&mut self, spec: &mut PodSpec) {
        share::<_, Labels>(&mut self.labels, &mut spec.node_selector);
        let containers = spec.containers.iter_mut().chain(spec.init_containers.iter_mut());
        containers.for_each(|c| self.container(c));
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

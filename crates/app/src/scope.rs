//! Narrows what is reported, never what is read: an incident stays whole when any of its
//! objects is asked for, so its cause is told wherever that is.

use model::{
    FailureKind, Incident, Kind, Labels, ObjectRef, Selector, Situation, Snapshot, Verdict,
};

use crate::exit::Failure;
use crate::names;
use crate::settings::Diagnose;

mod selector;
pub(crate) mod since;

/// What the report is about.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    namespace: Option<String>,
    selector: Option<Selector>,
    kinds: Vec<&'static FailureKind>,
}

impl Scope {
    /// As the options say.
    ///
    /// # Errors
    /// A selector or a failure kind that is none.
    pub(crate) fn new(options: &Diagnose) -> Result<Self, Failure> {
        let selector = options.selector.as_deref().map(selector::parse).transpose();
        Ok(Scope {
            namespace: options.namespace.clone(),
            selector: selector.map_err(Failure::usage)?,
            kinds: options.kinds.iter().map(|id| names::failure(id)).collect::<Result<_, _>>()?,
        })
    }

    /// The situation as far as it is asked for.
    pub(crate) fn narrow(&self, mut situation: Situation, now: &Snapshot) -> Situation {
        if self.namespace.is_none() && self.selector.is_none() && self.kinds.is_empty() {
            return situation;
        }
        situation.incidents.retain(|i| self.wants(i, now));
        situation.ruled_out.retain(|r| self.is_about(&r.object, now) && self.is_kind(r.failure));
        situation.verdict = engine::verdict(&situation.incidents, now);
        if situation.verdict == Verdict::Healthy && self.sees_nothing(now) {
            situation.verdict = Verdict::Inconclusive;
        }
        situation
    }

    /// Whether nothing runs in the namespace that is asked for, which may be a slip of the pen.
    fn sees_nothing(&self, now: &Snapshot) -> bool {
        let runs = |namespace: &str| !now.apps_in(namespace).is_empty();
        self.namespace.as_ref().is_some_and(|n| !runs(n) && !runs(""))
    }

    /// Whether an object is among those asked for.
    pub(crate) fn includes(&self, object: &ObjectRef, now: &Snapshot) -> bool {
        self.is_about(object, now)
    }

    fn wants(&self, incident: &Incident, now: &Snapshot) -> bool {
        let mut findings = incident.members.iter().map(|m| &m.finding);
        let mut objects = incident.members.iter().flat_map(|m| {
            let affected = m.finding.affected.iter().map(|a| &a.object);
            affected.chain([&m.finding.object])
        });
        objects.any(|o| self.is_about(o, now)) && findings.any(|f| self.is_kind(f.failure))
    }

    fn is_kind(&self, failure: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|k| k.id == failure)
    }

    fn is_about(&self, object: &ObjectRef, now: &Snapshot) -> bool {
        // A table of one namespace does not name it: what has none may be meant.
        let nameless = object.kind.is_namespaced() && object.namespace.is_empty();
        let here = nameless || self.namespace.as_ref().is_none_or(|n| *n == object.namespace);
        let selected = |s: &Selector| labels(object, now).iter().any(|l| s.matches(l));
        here && self.selector.as_ref().is_none_or(selected)
    }
}

/// Labels of an object; a workload also answers to those of its pods.
fn labels<'s>(object: &ObjectRef, now: &'s Snapshot) -> Vec<&'s Labels> {
    let (namespace, name) = (object.namespace.as_str(), object.name.as_str());
    let of_pod = || {
        let pods = now.apps_in(namespace).iter().flat_map(|a| &a.pods);
        pods.filter(|p| p.meta.name == name).map(|p| &*p.meta.labels).collect()
    };
    let of_app = || {
        let app = now.app(object).into_iter();
        app.flat_map(|a| a.workload.iter().map(|w| &*w.meta.labels).chain(a.pod_labels())).collect()
    };
    match object.kind {
        Kind::Pod => of_pod(),
        Kind::Node => now.nodes.get("", name).map(|o| &*o.meta.labels).into_iter().collect(),
        Kind::Service => {
            now.services.get(namespace, name).map(|o| &*o.meta.labels).into_iter().collect()
        }
        Kind::PersistentVolumeClaim => {
            now.claims.get(namespace, name).map(|o| &*o.meta.labels).into_iter().collect()
        }
        _ => of_app(),
    }
}

//! A verdict that is kept up to date: after a change only those kinds are asked again, and only
//! about those objects, whose answer rests on something that is other than before.
//!
//! What an answer rests on is heard while it is given (`model::listen`), never declared, so a
//! kind needs to know nothing of this. The situation is that of [`crate::step`] on a snapshot of
//! the same objects, whatever came before.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Change, Detect, FailureKind, Findings, Kind, ObjectRef, PartKey, Situation, Snapshot, Text,
    Timestamp, listen,
};

mod rests;

use rests::{Kinds, Rests};

/// What is asked about at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Apps,
    Nodes,
    Services,
    Claims,
    Cluster,
}

impl Class {
    fn of(detect: &Detect) -> Option<Class> {
        Some(match detect {
            Detect::Apps(_) => Class::Apps,
            Detect::Nodes(_) => Class::Nodes,
            Detect::Services(_) => Class::Services,
            Detect::Claims(_) => Class::Claims,
            Detect::Cluster(_) => Class::Cluster,
            Detect::Exposure => return None,
        })
    }

    /// The class that an object is asked about in.
    fn of_object(object: &ObjectRef) -> Class {
        match object.kind {
            Kind::Node => Class::Nodes,
            Kind::Service => Class::Services,
            Kind::PersistentVolumeClaim => Class::Claims,
            Kind::Cluster => Class::Cluster,
            _ => Class::Apps,
        }
    }
}

/// How subjects follow each other when all are asked about: nodes that were read go before those
/// that are only told of.
type Place = (bool, Text, Text, Kind);

fn place(late: bool, object: &ObjectRef) -> Place {
    (late, object.namespace.clone(), object.name.clone(), object.kind)
}

/// A verdict that is kept up to date.
#[derive(Debug)]
pub struct Standing<'k> {
    now: Snapshot,
    kinds: Vec<&'k FailureKind>,
    /// The kinds of each class, as numbers of `kinds`.
    classes: BTreeMap<Class, Vec<usize>>,
    subjects: BTreeMap<ObjectRef, u32>,
    names: Vec<ObjectRef>,
    rests: Rests,
    /// What was said, in the order of kinds and subjects; nothing is not kept.
    said: BTreeMap<(usize, Place), Findings>,
}

impl<'k> Standing<'k> {
    /// Asks every kind about everything.
    pub fn new(now: Snapshot, kinds: &[&'k FailureKind]) -> Self {
        let mut classes: BTreeMap<Class, Vec<usize>> = BTreeMap::new();
        for (number, kind) in kinds.iter().enumerate() {
            if let Some(class) = Class::of(&kind.detect) {
                classes.entry(class).or_default().push(number);
            }
        }
        let mut standing = Standing {
            now,
            kinds: kinds.to_vec(),
            classes,
            subjects: BTreeMap::new(),
            names: Vec::new(),
            rests: Rests::default(),
            said: BTreeMap::new(),
        };
        let all = standing.all();
        all.into_iter().for_each(|object| standing.meet(&object));
        standing
    }

    /// The snapshot that the verdict is on.
    pub fn now(&self) -> &Snapshot {
        &self.now
    }

    /// Takes over what changed up to this moment; how many questions were asked anew.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>, now: Timestamp) -> usize {
        let touched = self.now.apply(changes, now);
        let mut asked = 0;
        let mut open = self.rests.on(&touched.parts);
        for object in touched.moved {
            if let Some(number) = self.subjects.get(&object) {
                // One that went and came back in one step may be asked about in another place.
                open.remove(number);
                self.forget(&object);
            }
            if self.is_late(&object).is_some() {
                asked += self.kinds_of(Class::of_object(&object));
                self.meet(&object);
            }
        }
        for (number, kinds) in open {
            asked += self.ask(number, Some(kinds));
        }
        asked
    }

    /// What is wrong now.
    pub fn situation(&self) -> Situation {
        crate::conclude(self.said.values().cloned(), &self.now, &self.kinds)
    }

    /// Everything that is asked about.
    fn all(&self) -> BTreeSet<ObjectRef> {
        let now = &self.now;
        let nodes = now.known_nodes().map(|n| n.meta.object(Kind::Node));
        let services = now.services.iter().map(|s| s.meta.object(Kind::Service));
        let claims = now.claims.iter().map(|c| c.meta.object(Kind::PersistentVolumeClaim));
        let apps = now.apps.iter().map(|a| a.object.clone());
        let cluster = ObjectRef::new(Kind::Cluster, "", "");
        apps.chain(nodes).chain(services).chain(claims).chain([cluster]).collect()
    }

    fn kinds_of(&self, class: Class) -> usize {
        self.classes.get(&class).map_or(0, Vec::len)
    }

    /// Whether a subject goes after the others of its class; `None` when it is not there.
    fn is_late(&self, object: &ObjectRef) -> Option<bool> {
        let (namespace, name) = (&*object.namespace, &*object.name);
        match Class::of_object(object) {
            Class::Apps => self.now.app(object).map(|_| false),
            Class::Nodes => {
                let read = self.now.nodes.get("", name).map(|_| false);
                read.or_else(|| self.now.implied_nodes.get("", name).map(|_| true))
            }
            Class::Services => self.now.services.get(namespace, name).map(|_| false),
            Class::Claims => self.now.claims.get(namespace, name).map(|_| false),
            Class::Cluster => Some(false),
        }
    }

    fn meet(&mut self, object: &ObjectRef) {
        let number = self.rests.number();
        self.subjects.insert(object.clone(), number);
        match self.names.get_mut(number as usize) {
            Some(name) => name.clone_from(object),
            None => self.names.push(object.clone()),
        }
        self.ask(number, None);
    }

    fn forget(&mut self, object: &ObjectRef) {
        let Some(number) = self.subjects.remove(object) else { return };
        self.rests.free(number);
        let kinds = self.classes.get(&Class::of_object(object)).into_iter().flatten();
        for kind in kinds {
            for late in [false, true] {
                self.said.remove(&(*kind, place(late, object)));
            }
        }
    }

    /// Asks some kinds, or all, about a subject.
    fn ask(&mut self, number: u32, some: Option<Kinds>) -> usize {
        let Some(object) = self.names.get(number as usize).cloned() else { return 0 };
        let kinds = self.classes.get(&Class::of_object(&object)).cloned().unwrap_or_default();
        let asked = some.unwrap_or_else(Kinds::all);
        let late = self.is_late(&object).unwrap_or_default();
        let mut heard: Vec<(PartKey, Kinds)> = Vec::new();
        let mut count = 0;
        for (turn, kind) in kinds.into_iter().enumerate().filter(|(t, _)| asked.has(*t)) {
            let Some(detect) = self.kinds.get(kind).map(|k| &k.detect) else { continue };
            let (found, parts) = listen(|| ask(detect, &object, &self.now));
            heard.extend(parts.into_iter().map(|part| (part, Kinds::one(turn))));
            count += 1;
            let place = (kind, place(late, &object));
            if found == Findings::default() {
                self.said.remove(&place);
            } else {
                self.said.insert(place, found);
            }
        }
        self.rests.set(number, asked, heard);
        count
    }
}

/// What a kind says of one subject.
fn ask(detect: &Detect, object: &ObjectRef, now: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let (namespace, name) = (&*object.namespace, &*object.name);
    match detect {
        Detect::Apps(detect) => {
            if let Some(app) = now.app(object) {
                detect(app, now, &mut findings);
            }
        }
        Detect::Nodes(detect) => {
            let node = now.nodes.get("", name).or_else(|| now.implied_nodes.get("", name));
            if let Some(node) = node {
                detect(node, now, &mut findings);
            }
        }
        Detect::Services(detect) => {
            if let Some(service) = now.services.get(namespace, name) {
                detect(service, now, &mut findings);
            }
        }
        Detect::Claims(detect) => {
            if let Some(claim) = now.claims.get(namespace, name) {
                detect(claim, now, &mut findings);
            }
        }
        Detect::Cluster(detect) => detect(now, &mut findings),
        Detect::Exposure => {}
    }
    findings
}

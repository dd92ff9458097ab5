//! A verdict that is kept up to date: after a change only those kinds are asked again, and only
//! about those objects, whose answer rests on something that is other than before.
//!
//! What an answer rests on is heard while it is given (`model::listen`), never declared, so a
//! kind needs to know nothing of this. The situation is that of [`crate::step`] on a snapshot of
//! the same objects, whatever came before.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Change, Detect, FailureKind, Findings, Kind, ObjectRef, PartKey, Rests, Situation, Snapshot,
    Text, Timestamp, Turns, listen,
};

mod conclusion;
mod known;

use conclusion::Conclusion;

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
            Detect::Exposure | Detect::ExposedApps(_) => return None,
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

/// Which kind says something, and of whom: the order in which all are heard.
type Said = (usize, Place);

fn place(late: bool, object: &ObjectRef) -> Place {
    (late, object.namespace.clone(), object.name.clone(), object.kind)
}

/// How often each kind was asked about something.
pub type Asked = BTreeMap<&'static str, usize>;

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
    said: BTreeMap<Said, Findings>,
    conclusion: Conclusion,
}

impl<'k> Standing<'k> {
    /// Asks every kind about everything.
    pub fn new(mut now: Snapshot, kinds: &[&'k FailureKind]) -> Self {
        // What was asked before, nobody listened to.
        let moment = *now.now;
        now.apply([], moment);
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
            conclusion: Conclusion::default(),
        };
        let all = standing.all();
        all.into_iter().for_each(|object| standing.meet(&object, &mut Asked::default()));
        standing.conclusion.follow(&[], &standing.now, &standing.kinds);
        standing
    }

    /// The snapshot that the verdict is on.
    pub fn now(&self) -> &Snapshot {
        &self.now
    }

    /// Takes over what changed up to this moment; which kinds were asked anew, and how often.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = Change>, now: Timestamp) -> Asked {
        let touched = self.now.apply(changes, now);
        let mut asked = Asked::default();
        let mut open = self.rests.on(&touched.parts);
        for object in touched.moved {
            if let Some(number) = self.subjects.get(&object) {
                // One that went and came back in one step may be asked about in another place.
                open.remove(number);
                self.forget(&object);
            }
            if self.is_late(&object).is_some() {
                self.meet(&object, &mut asked);
            }
        }
        for (number, kinds) in open {
            self.ask(number, Some(kinds), &mut asked);
        }
        self.conclusion.follow(&touched.parts, &self.now, &self.kinds);
        asked
    }

    /// What is wrong now.
    pub fn situation(&self) -> &Situation {
        self.conclusion.situation()
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

    fn meet(&mut self, object: &ObjectRef, asked: &mut Asked) {
        let number = self.rests.number();
        self.subjects.insert(object.clone(), number);
        match self.names.get_mut(number as usize) {
            Some(name) => name.clone_from(object),
            None => self.names.push(object.clone()),
        }
        self.ask(number, None, asked);
    }

    fn forget(&mut self, object: &ObjectRef) {
        let Some(number) = self.subjects.remove(object) else { return };
        self.rests.free(number);
        let kinds = self.classes.get(&Class::of_object(object)).into_iter().flatten();
        for kind in kinds {
            for late in [false, true] {
                Self::say(&mut self.said, &mut self.conclusion, (*kind, place(late, object)), None);
            }
        }
    }

    /// Takes down what is said now; nothing is not kept.
    fn say(
        all: &mut BTreeMap<Said, Findings>,
        conclusion: &mut Conclusion,
        said: Said,
        new: Option<Findings>,
    ) {
        let nothing = Findings::default();
        let old = all.get(&said);
        if old != new.as_ref() {
            conclusion.say(&said, old.unwrap_or(&nothing), new.as_ref().unwrap_or(&nothing));
            match new {
                Some(new) => drop(all.insert(said, new)),
                None => drop(all.remove(&said)),
            }
        }
    }

    /// Asks some kinds, or all, about a subject.
    fn ask(&mut self, number: u32, some: Option<Turns>, count: &mut Asked) {
        let Some(object) = self.names.get(number as usize).cloned() else { return };
        let kinds = self.classes.get(&Class::of_object(&object)).cloned().unwrap_or_default();
        let asked = some.unwrap_or_else(Turns::all);
        let late = self.is_late(&object).unwrap_or_default();
        let mut heard: Vec<(PartKey, Turns)> = Vec::new();
        for (turn, kind) in kinds.into_iter().enumerate().filter(|(t, _)| asked.has(*t)) {
            let Some(asks) = self.kinds.get(kind) else { continue };
            let (found, parts) = listen(|| ask(&asks.detect, &object, &self.now));
            heard.extend(parts.into_iter().map(|part| (part, Turns::one(turn))));
            *count.entry(asks.id).or_default() += 1;
            let place = (kind, place(late, &object));
            let new = Some(found).filter(|found| *found != Findings::default());
            Self::say(&mut self.said, &mut self.conclusion, place, new);
        }
        self.rests.set(number, asked, heard);
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
        Detect::Exposure | Detect::ExposedApps(_) => {}
    }
    findings
}

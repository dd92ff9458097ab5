//! Events, by the object they are about. Every kind asks for the events of every pod, so the
//! answer must cost neither an allocation nor a search; most pods have none.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use super::ordered::Ordered;
use super::reads::{Part, Set, note};
use crate::record::ClusterEvent;
use crate::{Kind, ObjectRef};

/// Events, sorted by the object they are about, then by time.
#[derive(Clone, Debug, Default)]
pub struct Events {
    groups: Ordered<Group>,
    /// The number of the events about an object. Of two objects with one hash, the second is
    /// found by searching.
    by_object: FxHashMap<u64, u32>, // tidy: lookup only
    /// Whether two objects with one hash were ever seen.
    ambiguous: bool,
    count: usize,
}

/// All events about one object; never empty.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) about: Option<ObjectRef>,
    pub(super) events: Vec<ClusterEvent>,
}

impl Events {
    /// Of events that are sorted by object, then by time.
    pub(super) fn of(sorted: Vec<ClusterEvent>) -> Self {
        let count = sorted.len();
        let mut groups: Vec<Group> = Vec::new();
        for event in sorted {
            match groups.last_mut().filter(|g| g.about == event.about) {
                Some(group) => group.events.push(event),
                None => groups.push(Group { about: event.about.clone(), events: vec![event] }),
            }
        }
        let mut all = Events { count, ..Events::default() };
        for (number, group) in (0..).zip(&groups) {
            all.know(group.about.as_ref(), number);
        }
        all.groups = Ordered::of(groups);
        all
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &ClusterEvent> + Clone {
        note(Part::All(Set::Events));
        self.groups.iter().flat_map(|g| &g.events)
    }

    /// How many.
    pub fn len(&self) -> usize {
        note(Part::All(Set::Events));
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        note(Part::Any(Set::Events));
        self.count == 0
    }

    /// Those about one object.
    pub(super) fn about(&self, kind: Kind, namespace: &str, name: &str) -> &[ClusterEvent] {
        note(Part::About(kind, namespace, name));
        let number = self.by_object.get(&hash(kind, namespace, name));
        if number.is_none() && !self.ambiguous {
            return &[];
        }
        let is_it = |o: &ObjectRef| o.kind == kind && o.name == name && o.namespace == namespace;
        match number.and_then(|n| self.groups.number(*n)) {
            Some(group) if group.about.as_ref().is_some_and(is_it) => &group.events,
            _ => self.search(Some(&ObjectRef::new(kind, namespace, name))),
        }
    }

    /// Those about one object, or about none that is told apart, found by searching.
    pub(super) fn search(&self, about: Option<&ObjectRef>) -> &[ClusterEvent] {
        self.group(about).map_or(&[], |g| &g.events)
    }

    /// All about one object, for those who have noted what they read.
    pub(super) fn group(&self, about: Option<&ObjectRef>) -> Option<&Group> {
        self.groups.number(self.groups.find(|g| g.about.as_ref().cmp(&about)).ok()?)
    }

    /// All of them by what they are about, for those who have noted what they read.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    /// Objects of a kind in a namespace that something is said about.
    pub(super) fn subjects<'s>(
        &'s self,
        kind: Kind,
        namespace: &'s str,
    ) -> impl Iterator<Item = &'s ObjectRef> {
        let place = |g: &Group| {
            let about = g.about.as_ref();
            about.is_some_and(|o| (o.kind, o.namespace.as_str()) < (kind, namespace))
                || about.is_none()
        };
        let start = self.groups.before(place);
        let rest = self.groups.numbers().get(start..).unwrap_or_default().iter();
        let objects = rest.filter_map(|n| self.groups.number(*n)?.about.as_ref());
        objects.take_while(move |o| o.kind == kind && o.namespace == namespace)
    }

    fn know(&mut self, about: Option<&ObjectRef>, number: u32) {
        let known = *self.by_object.entry(hash_of(about)).or_insert(number);
        self.ambiguous |= known != number;
    }

    /// Replaces all events about one object by others, sorted by time; gives the old ones.
    pub(super) fn replace(
        &mut self,
        about: Option<&ObjectRef>,
        events: Vec<ClusterEvent>,
    ) -> Vec<ClusterEvent> {
        let compare = |g: &Group| g.about.as_ref().cmp(&about);
        let new = events.len();
        let old = match self.groups.find(compare) {
            Ok(_) if events.is_empty() => {
                let (number, group) = self.groups.remove(compare).unzip();
                let hash = hash_of(about);
                if self.by_object.get(&hash).copied() == number {
                    self.by_object.remove(&hash);
                }
                group.map(|g| g.events).unwrap_or_default()
            }
            Ok(number) => match self.groups.number_mut(number) {
                Some(group) => std::mem::replace(&mut group.events, events),
                None => Vec::new(),
            },
            Err(_) if events.is_empty() => Vec::new(),
            Err(place) => {
                let number = self.groups.insert(place, Group { about: about.cloned(), events });
                self.know(about, number);
                Vec::new()
            }
        };
        self.count = (self.count + new).saturating_sub(old.len());
        old
    }
}

impl<'s> IntoIterator for &'s Events {
    type Item = &'s ClusterEvent;
    type IntoIter = Box<dyn Iterator<Item = &'s ClusterEvent> + 's>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

fn hash_of(about: Option<&ObjectRef>) -> u64 {
    about.map_or(0, |o| hash(o.kind, &o.namespace, &o.name))
}

fn hash(kind: Kind, namespace: &str, name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    (kind, namespace, name).hash(&mut hasher);
    hasher.finish()
}

//! All workloads, sorted by namespace, name and kind.

use std::cmp::Ordering;

use super::App;
use super::ordered::Ordered;
use super::reads::{Part, Set, note};
use crate::{Kind, ObjectRef};

/// All workloads, sorted by namespace, name and kind.
#[derive(Clone, Debug, Default)]
pub struct Apps(pub(super) Ordered<App>);

/// What workloads are sorted by.
fn key(object: &ObjectRef) -> (&str, &str, Kind) {
    (&object.namespace, &object.name, object.kind)
}

/// How two workloads stand in the list.
pub(super) fn compare(a: &ObjectRef, b: &ObjectRef) -> Ordering {
    key(a).cmp(&key(b))
}

impl Apps {
    /// All of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &App> + Clone {
        note(Part::All(Set::Apps));
        self.0.iter()
    }

    /// The one at this place in the list.
    pub fn get(&self, place: usize) -> Option<&App> {
        note(Part::All(Set::Apps));
        self.0.at(place)
    }

    /// How many.
    pub fn len(&self) -> usize {
        note(Part::All(Set::Apps));
        self.0.numbers().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        note(Part::Any(Set::Apps));
        self.0.numbers().is_empty()
    }

    /// The one of this name.
    pub(super) fn named(&self, object: &ObjectRef) -> Option<&App> {
        note(Part::App(object.kind, &object.namespace, &object.name));
        self.unheard(object)
    }

    /// The one of this name, for those who have noted what they read.
    pub(super) fn unheard(&self, object: &ObjectRef) -> Option<&App> {
        self.0.number(self.0.find(|a| compare(&a.object, object)).ok()?)
    }

    /// Those of one namespace, for those who have noted what they read.
    pub(super) fn space(&self, namespace: &str) -> AppsHere<'_> {
        let start = self.0.before(|a| a.object.namespace.as_str() < namespace);
        let rest = self.0.numbers().get(start..).unwrap_or_default();
        let here = |n: &u32| self.0.number(*n).is_some_and(|a| a.object.namespace == namespace);
        // Most namespaces are small; galloping keeps the search among neighbours.
        let mut step = 1;
        while rest.get(step).is_some_and(here) {
            step *= 2;
        }
        let near = rest.get(..step.min(rest.len())).unwrap_or_default();
        let numbers = near.get(..near.partition_point(here)).unwrap_or_default();
        AppsHere { apps: self, numbers }
    }
}

/// For tests, which know what they made.
impl std::ops::Index<usize> for Apps {
    type Output = App;

    fn index(&self, place: usize) -> &App {
        match self.get(place) {
            Some(app) => app,
            None => unreachable!("there are {} workloads, and none at {place}", self.len()),
        }
    }
}

impl<'s> IntoIterator for &'s Apps {
    type Item = &'s App;
    type IntoIter = Members<'s>;

    fn into_iter(self) -> Members<'s> {
        note(Part::All(Set::Apps));
        Members { apps: self, numbers: self.0.numbers().iter() }
    }
}

/// Workloads of one namespace.
#[derive(Clone, Copy, Debug)]
pub struct AppsHere<'s> {
    apps: &'s Apps,
    numbers: &'s [u32],
}

impl<'s> AppsHere<'s> {
    /// All of them, in order.
    pub fn iter(&self) -> Members<'s> {
        Members { apps: self.apps, numbers: self.numbers.iter() }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }
}

impl<'s> IntoIterator for AppsHere<'s> {
    type Item = &'s App;
    type IntoIter = Members<'s>;

    fn into_iter(self) -> Members<'s> {
        self.iter()
    }
}

/// Workloads, one after the other.
#[derive(Clone, Debug)]
pub struct Members<'s> {
    apps: &'s Apps,
    numbers: std::slice::Iter<'s, u32>,
}

impl<'s> Iterator for Members<'s> {
    type Item = &'s App;

    fn next(&mut self) -> Option<&'s App> {
        self.numbers.by_ref().find_map(|n| self.apps.0.number(*n))
    }
}

impl DoubleEndedIterator for Members<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.numbers.by_ref().rev().find_map(|n| self.apps.0.number(*n))
    }
}

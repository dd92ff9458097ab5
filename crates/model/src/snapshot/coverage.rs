//! Which lists are complete: only then does an absence mean anything.

use std::collections::BTreeSet;

use crate::{Kind, Text};

/// Which kinds were listed completely, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    everywhere: BTreeSet<Kind>,
    namespaces: BTreeSet<(Kind, Text)>,
    missing: BTreeSet<(Kind, Text, Text)>,
    cut: BTreeSet<Kind>,
    lost_source: bool,
}

impl Coverage {
    /// Notes a complete list, of one namespace or of all.
    pub fn list(&mut self, kind: Kind, namespace: Option<&str>) {
        match namespace {
            Some(ns) if kind.is_namespaced() => {
                self.namespaces.insert((kind, ns.into()));
            }
            _ => {
                self.everywhere.insert(kind);
            }
        }
    }

    /// Notes that objects of this kind exist, or may, that were not read: a list was refused or
    /// ended early.
    pub fn note_cut(&mut self, kind: Kind) {
        self.cut.insert(kind);
    }

    /// Kinds of which a list was refused or ended early.
    pub fn cut(&self) -> impl Iterator<Item = Kind> {
        self.cut.iter().copied()
    }

    /// Notes that somebody who was to be asked did not tell all: a source of evidence beside the
    /// lists was out of reach.
    pub fn note_lost_source(&mut self) {
        self.lost_source = true;
    }

    /// Whether a source of evidence was asked in vain.
    pub fn has_lost_source(&self) -> bool {
        self.lost_source
    }

    /// Notes that the API said an object does not exist.
    pub fn note_missing(&mut self, kind: Kind, namespace: &str, name: &str) {
        self.missing.insert((kind, namespace.into(), name.into()));
    }

    /// Whether all objects of this kind in this namespace were seen.
    pub fn lists(&self, kind: Kind, namespace: &str) -> bool {
        self.everywhere.contains(&kind) || self.namespaces.contains(&(kind, namespace.into()))
    }

    /// Whether any list of this kind was seen.
    pub fn lists_any(&self, kind: Kind) -> bool {
        self.everywhere.contains(&kind) || self.namespaces.iter().any(|(k, _)| *k == kind)
    }

    /// Whether the API said that this object does not exist.
    pub fn says_missing(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        self.missing.contains(&(kind, namespace.into(), name.into()))
    }
}

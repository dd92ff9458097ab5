//! Who can be asked about: workloads, nodes, events, namespaces, or all there is.

use super::super::events::Group;
use super::super::reads::{Part, Set, note};
use super::super::{App, Snapshot};
use crate::record::Node;
use crate::{Kind, ObjectRef, Text};

/// Who can be asked about, in the order in which they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::snapshot) enum Key {
    App(Text, Text, Kind),
    /// Whether it is only told of, and its name.
    Node(bool, Text),
    Said(Option<ObjectRef>),
    Space(Space),
    Cluster,
}

/// A sort of thing that can be asked about.
pub(super) trait Subject: 'static {
    fn each(now: &Snapshot, visit: &mut dyn FnMut(&Self, &dyn Fn() -> Key));
    fn of<'s>(key: &'s Key, now: &'s Snapshot) -> Option<&'s Self>;
    /// Notes that it was read.
    fn heard(&self);
    fn is_key(key: &Key) -> bool;
}

/// A namespace with workloads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::snapshot) struct Space(pub(super) Text);

impl Subject for Space {
    fn each(now: &Snapshot, visit: &mut dyn FnMut(&Self, &dyn Fn() -> Key)) {
        let mut last = None;
        for name in now.apps.0.iter().map(|a| &a.object.namespace) {
            if last.replace(name) != Some(name) {
                visit(&Space(name.clone()), &|| Key::Space(Space(name.clone())));
            }
        }
    }

    fn of<'s>(key: &'s Key, now: &'s Snapshot) -> Option<&'s Self> {
        let Key::Space(name) = key else { return None };
        (!now.apps.space(&name.0).is_empty()).then_some(name)
    }

    fn heard(&self) {}

    fn is_key(key: &Key) -> bool {
        matches!(key, Key::Space(_))
    }
}

/// All there is.
pub(super) struct Whole;

impl Subject for Whole {
    fn each(_: &Snapshot, visit: &mut dyn FnMut(&Self, &dyn Fn() -> Key)) {
        visit(&Whole, &|| Key::Cluster);
    }

    fn of<'s>(key: &'s Key, _: &'s Snapshot) -> Option<&'s Self> {
        Self::is_key(key).then_some(&Whole)
    }

    fn heard(&self) {}

    fn is_key(key: &Key) -> bool {
        matches!(key, Key::Cluster)
    }
}

impl Subject for App {
    fn each(now: &Snapshot, visit: &mut dyn FnMut(&Self, &dyn Fn() -> Key)) {
        for app in now.apps.0.iter() {
            visit(app, &|| key_of_app(&app.object));
        }
    }

    fn of<'s>(key: &'s Key, now: &'s Snapshot) -> Option<&'s Self> {
        Self::find(key, now)
    }

    fn heard(&self) {
        App::heard(self);
    }

    fn is_key(key: &Key) -> bool {
        matches!(key, Key::App(..))
    }
}

impl Member for App {
    fn find<'s>(key: &Key, now: &'s Snapshot) -> Option<&'s Self> {
        let Key::App(namespace, name, kind) = key else { return None };
        let object = ObjectRef { kind: *kind, namespace: namespace.clone(), name: name.clone() };
        now.apps.unheard(&object)
    }
}

pub(super) fn key_of_app(object: &ObjectRef) -> Key {
    Key::App(object.namespace.clone(), object.name.clone(), object.kind)
}

impl Subject for Node {
    fn each(now: &Snapshot, visit: &mut dyn FnMut(&Self, &dyn Fn() -> Key)) {
        for (late, nodes) in [(false, &now.nodes), (true, &now.implied_nodes)] {
            for node in nodes.shared() {
                visit(node, &|| Key::Node(late, node.meta.name.clone()));
            }
        }
    }

    fn of<'s>(key: &'s Key, now: &'s Snapshot) -> Option<&'s Self> {
        Self::find(key, now)
    }

    fn heard(&self) {
        note(Part::Row(Set::Nodes, "", &self.meta.name));
        note(Part::Row(Set::ImpliedNodes, "", &self.meta.name));
    }

    fn is_key(key: &Key) -> bool {
        matches!(key, Key::Node(..))
    }
}

impl Member for Node {
    fn find<'s>(key: &Key, now: &'s Snapshot) -> Option<&'s Self> {
        let Key::Node(late, name) = key else { return None };
        let nodes = if *late { &now.implied_nodes } else { &now.nodes };
        nodes.row(Kind::Node, "", name).map(|node| &**node)
    }
}

impl Subject for Group {
    fn each(now: &Snapshot, visit: &mut dyn FnMut(&Self, &dyn Fn() -> Key)) {
        for group in now.events.groups() {
            visit(group, &|| Key::Said(group.about.clone()));
        }
    }

    fn of<'s>(key: &'s Key, now: &'s Snapshot) -> Option<&'s Self> {
        Self::find(key, now)
    }

    fn heard(&self) {
        match &self.about {
            Some(o) => note(Part::About(o.kind, &o.namespace, &o.name)),
            None => note(Part::All(Set::Events)),
        }
    }

    fn is_key(key: &Key) -> bool {
        matches!(key, Key::Said(..))
    }
}

impl Member for Group {
    fn find<'s>(key: &Key, now: &'s Snapshot) -> Option<&'s Self> {
        let Key::Said(about) = key else { return None };
        now.events.group(about.as_ref())
    }
}

/// A thing that a snapshot holds.
pub(super) trait Member: Subject {
    fn find<'s>(key: &Key, now: &'s Snapshot) -> Option<&'s Self>;
}

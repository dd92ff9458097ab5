//! A small cluster to which things happen, as a list of objects and events.

use std::collections::BTreeMap;

use model::record::ClusterEvent;
use model::{Builder, Change, Kind, Object, ObjectRef, Snapshot, Timestamp, decode_value};
use serde_json::Value;

use crate::{happenings, objects};

/// All objects, events and the time.
pub struct World {
    objects: BTreeMap<ObjectRef, Object>,
    /// By a name of their own.
    events: BTreeMap<u32, ClusterEvent>,
    next_event: u32,
    seconds: i64,
    listed: bool,
}

impl World {
    /// A cluster in which all is well; not all is `listed` where nobody may see all.
    pub fn new(listed: bool) -> Self {
        let mut world = World {
            objects: BTreeMap::new(),
            events: BTreeMap::new(),
            next_event: 0,
            seconds: 1_790_000_000,
            listed,
        };
        for (kind, value) in objects::beginning(&world.clock(-86_400)) {
            world.put(kind, &value);
        }
        world
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_seconds(self.seconds)
    }

    /// The time some seconds from now, as the API prints it.
    pub fn clock(&self, seconds: i64) -> String {
        Timestamp::from_seconds(self.seconds + seconds).to_string()
    }

    pub fn pass(&mut self, seconds: i64) {
        self.seconds += seconds;
    }

    pub fn happen(&mut self, (what, a, b, c): (u8, u8, u8, u8)) -> Vec<Change> {
        happenings::happen(self, what, (a, b, c))
    }

    pub fn put(&mut self, kind: Kind, value: &Value) -> Vec<Change> {
        let object = decode_value(kind, value, false).expect("well-shaped");
        self.objects.insert(object.object().expect("named"), object.clone());
        vec![Change::Put(object)]
    }

    pub fn gone(&mut self, kind: Kind, namespace: &str, name: &str) -> Vec<Change> {
        let object = ObjectRef::new(kind, namespace, name);
        self.objects.remove(&object);
        vec![Change::Gone(object)]
    }

    pub fn tell(&mut self, value: &Value) -> Vec<Change> {
        let Object::Event(event) = decode_value(Kind::Event, value, false).expect("well-shaped")
        else {
            unreachable!("it is an event");
        };
        let about = event.about.clone();
        self.next_event += 1;
        self.events.insert(self.next_event, event);
        self.told(about)
    }

    /// Forgets the oldest event of those kept, but some.
    pub fn forget(&mut self, turn: u8) -> Vec<Change> {
        let number = self.events.keys().nth(usize::from(turn) % 7).copied();
        let event = number.and_then(|n| self.events.remove(&n));
        event.map_or_else(Vec::new, |e| self.told(e.about))
    }

    fn told(&self, about: Option<ObjectRef>) -> Vec<Change> {
        let all = self.events.values().filter(|e| e.about == about).cloned().collect();
        vec![Change::Events(about, all)]
    }

    /// A fresh look at everything.
    pub fn snapshot(&self) -> Snapshot {
        let mut builder = Builder::default();
        // Lists come kind by kind, and nobody promises an order within.
        for object in self.objects.values().rev() {
            builder.add(object.clone(), 0);
        }
        for event in self.events.values() {
            builder.add(Object::Event(event.clone()), 0);
        }
        let unseen = [Kind::Node, Kind::PersistentVolumeClaim, Kind::HorizontalPodAutoscaler];
        for kind in Kind::ALL.iter().filter(|k| k.is_api_object()) {
            match (self.listed, kind) {
                (false, Kind::Pod | Kind::Service) => builder.coverage.list(*kind, Some("shop")),
                (false, kind) if unseen.contains(kind) => {}
                _ => builder.coverage.list(*kind, None),
            }
        }
        builder.finish(Some(self.now()))
    }
}

//! Affinity and anti-affinity between pods.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::filter::{Plugin, Refusal};
use super::room::{Room, is_choosy};
use super::rooms::Rooms;
use crate::cluster::Context;
use crate::controllers::selects;
use crate::field;
use crate::kinds::NAMESPACE;
use crate::store::Object;

/// A required term that is met counts this much for the choice of those it is about.
const MET: i64 = 1;

/// A term: which pods, in which namespaces, over which key.
struct Term {
    key: String,
    selector: Value,
    namespaces: BTreeSet<String>,
    everywhere: bool,
}

/// Values of a topology key: points by value.
type Places = BTreeMap<(String, String), i64>;

/// What a pod, and the pods that are there, want of each other.
pub(super) struct Wish {
    near: Vec<Term>,
    /// Where each of the terms is met.
    near_met: Vec<BTreeSet<String>>,
    far: Vec<Term>,
    far_met: Vec<BTreeSet<String>>,
    /// Key and value where pods are that do not want this one.
    unwelcome: BTreeSet<(String, String)>,
    /// A first pod may ask for itself.
    is_first_of_kind: bool,
    points: Places,
}

impl Wish {
    pub fn of(context: &Context<'_>, pod: &Object, rooms: &Rooms) -> Self {
        let near = terms(context, pod, "podAffinity");
        let far = terms(context, pod, "podAntiAffinity");
        let met = |term: &Term| -> BTreeSet<String> {
            let all = term.namespaces.iter().flat_map(|name| rooms.in_namespace(name));
            let meant = all.filter(|(_, other)| term.is_about(other));
            meant.filter_map(|(room, _)| room.label(&term.key).map(str::to_owned)).collect()
        };
        let near_met: Vec<_> = near.iter().map(met).collect();
        let is_first_of_kind =
            near_met.iter().all(BTreeSet::is_empty) && near.iter().all(|term| term.is_about(pod));
        let (unwelcome, points) = (unwelcome(context, pod, rooms), points(context, pod, rooms));
        let far_met = far.iter().map(met).collect();
        Self { near, near_met, far, far_met, unwelcome, is_first_of_kind, points }
    }

    /// Whether a node may be refused.
    pub fn is_hard(&self) -> bool {
        !(self.near.is_empty() && self.far.is_empty() && self.unwelcome.is_empty())
    }

    /// Whether the pod and its neighbours on this node would get along.
    pub fn check(&self, room: &Room) -> Result<(), Refusal> {
        let refused = |reason: &str, resolvable| {
            Err(Refusal { plugin: Plugin::Peers, reasons: vec![reason.to_owned()], resolvable })
        };
        let has = |(term, met): (&Term, &BTreeSet<String>)| {
            room.label(&term.key).is_some_and(|value| met.contains(value))
        };
        let all = self.near.iter().zip(&self.near_met).all(has);
        let first =
            self.is_first_of_kind && self.near.iter().all(|term| room.label(&term.key).is_some());
        if !all && !first {
            return refused("node(s) didn't match pod affinity rules", false);
        }
        if self.far.iter().zip(&self.far_met).any(has) {
            return refused("node(s) didn't match pod anti-affinity rules", true);
        }
        let hit = |(key, value): &(String, String)| room.label(key) == Some(value.as_str());
        if self.unwelcome.iter().any(hit) {
            return refused("node(s) didn't satisfy existing pods anti-affinity rules", true);
        }
        Ok(())
    }

    /// Points of each node, 0 to 100; none where nobody has a preference.
    pub fn scores(&self, fitting: &[&Room]) -> Option<Vec<i64>> {
        if self.points.is_empty() {
            return None;
        }
        let raw: Vec<i64> = fitting
            .iter()
            .map(|room| {
                let here = self
                    .points
                    .iter()
                    .filter(|((key, value), _)| room.label(key) == Some(value.as_str()));
                here.map(|(_, points)| *points).sum()
            })
            .collect();
        let (least, most) = (raw.iter().min()?, raw.iter().max()?);
        let span = most - least;
        let points = raw.iter().map(|one| if span > 0 { 100 * (one - least) / span } else { 0 });
        Some(points.collect())
    }
}

impl Term {
    fn of(context: &Context<'_>, pod: &Value, term: &Value) -> Self {
        let list = |key: &str| field::list(term, key).iter().filter_map(Value::as_str);
        let mut namespaces: BTreeSet<String> = list("/namespaces").map(str::to_owned).collect();
        let chosen = term.get("namespaceSelector").filter(|selector| selector.is_object());
        let mut everywhere = false;
        match chosen {
            Some(selector) => {
                everywhere = selector.as_object().is_some_and(serde_json::Map::is_empty);
                let all = context.registry.store.table(NAMESPACE.storage).values();
                let fits = all.filter(|namespace| selects(selector, namespace));
                namespaces.extend(fits.map(|namespace| field::name(namespace).to_owned()));
            }
            None if namespaces.is_empty() => {
                namespaces.insert(field::namespace(pod).to_owned());
            }
            None => {}
        }
        let mut selector = term["labelSelector"].clone();
        let labels = field::map(pod, "/metadata/labels");
        for key in list("/matchLabelKeys") {
            if let Some(value) = labels.and_then(|labels| labels.get(key)) {
                field::child(&mut selector, "matchLabels").insert(key.to_owned(), value.clone());
            }
        }
        let key = field::text(term, "/topologyKey").to_owned();
        Self { key, selector, namespaces, everywhere }
    }

    fn is_about(&self, pod: &Value) -> bool {
        (self.everywhere || self.namespaces.contains(field::namespace(pod)))
            && self.selector.is_object()
            && selects(&self.selector, pod)
    }
}

fn required(pod: &Value, which: &str) -> Vec<Value> {
    let path = format!("/spec/affinity/{which}/requiredDuringSchedulingIgnoredDuringExecution");
    field::list(pod, &path).to_vec()
}

fn terms(context: &Context<'_>, pod: &Value, which: &str) -> Vec<Term> {
    required(pod, which).iter().map(|term| Term::of(context, pod, term)).collect()
}

fn preferred(context: &Context<'_>, pod: &Value, which: &str) -> Vec<(i64, Term)> {
    let path = format!("/spec/affinity/{which}/preferredDuringSchedulingIgnoredDuringExecution");
    let all = field::list(pod, &path).iter();
    all.map(|one| (field::number(one, "/weight"), Term::of(context, pod, &one["podAffinityTerm"])))
        .collect()
}

/// Pods that want something of others.
fn choosy(rooms: &Rooms) -> impl Iterator<Item = (&Room, &Object)> {
    let some = rooms.values().filter(|room| room.choosy > 0);
    let all = some.flat_map(|room| room.pods.values().map(move |pod| (room, pod)));
    all.filter(|(_, pod)| is_choosy(pod))
}

/// Where pods are that must not be near this one.
fn unwelcome(context: &Context<'_>, pod: &Object, rooms: &Rooms) -> BTreeSet<(String, String)> {
    let mut all = BTreeSet::new();
    for (room, other) in choosy(rooms) {
        for term in terms(context, other, "podAntiAffinity") {
            if let Some(value) = room.label(&term.key).filter(|_| term.is_about(pod)) {
                all.insert((term.key.clone(), value.to_owned()));
            }
        }
    }
    all
}

/// What speaks for and against each place.
fn points(context: &Context<'_>, pod: &Object, rooms: &Rooms) -> Places {
    let mut places = Places::new();
    let mut add = |room: &Room, term: &Term, weight: i64| {
        if let Some(value) = room.label(&term.key) {
            *places.entry((term.key.clone(), value.to_owned())).or_default() += weight;
        }
    };
    let (near, far) =
        (preferred(context, pod, "podAffinity"), preferred(context, pod, "podAntiAffinity"));
    let liked = near.iter().map(|(weight, term)| (*weight, term));
    for (weight, term) in liked.chain(far.iter().map(|(weight, term)| (-weight, term))) {
        for (room, other) in term.namespaces.iter().flat_map(|name| rooms.in_namespace(name)) {
            if term.is_about(other) {
                add(room, term, weight);
            }
        }
    }
    for (room, other) in choosy(rooms) {
        let met = terms(context, other, "podAffinity").into_iter().map(|term| (MET, term));
        let near = preferred(context, other, "podAffinity").into_iter();
        let far = preferred(context, other, "podAntiAffinity").into_iter().map(|(w, t)| (-w, t));
        for (weight, term) in met.chain(near).chain(far) {
            if term.is_about(pod) {
                add(room, &term, weight);
            }
        }
    }
    places
}

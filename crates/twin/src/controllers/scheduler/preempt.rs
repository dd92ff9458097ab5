//! Making room for a pod by removing less important ones.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use serde_json::Value;

use super::filter::{Refusal, Wish};
use super::queue::Queue;
use super::room::Room;
use super::rooms::Rooms;
use super::{COMPONENT, Scheduler, volumes};
use crate::cluster::Context;
use crate::controllers::selects;
use crate::field;
use crate::kinds::{DISRUPTION_BUDGET, POD};
use crate::registry::{DeleteOptions, Note, Part};
use crate::store::Object;
use crate::world::set_condition;

const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

/// What came of the search for victims.
pub(super) enum Outcome {
    /// These go, on this node.
    Victims(String, Vec<Object>),
    /// Nobody goes, for this reason.
    None(String),
}

/// A node and who would have to go from it.
struct Candidate {
    node: String,
    victims: Vec<Object>,
    /// How many of them a budget protects.
    protected: usize,
}

pub(super) fn priority(pod: &Value) -> i64 {
    field::number(pod, "/spec/priority")
}

/// Looks for the node where the least is lost.
pub(super) fn search(
    context: &Context<'_>,
    wish: &Wish<'_>,
    (rooms, queue): (&Rooms, &Queue),
    refusals: &BTreeMap<String, Refusal>,
) -> Outcome {
    let pod = wish.pod;
    if field::text(pod, "/spec/preemptionPolicy") == "Never" {
        return Outcome::None("not eligible due to preemptionPolicy=Never.".to_owned());
    }
    let nominated = field::text(pod, "/status/nominatedNodeName");
    let leaving = rooms.get(nominated).is_some_and(|room| {
        room.pods.values().any(|other| field::is_deleting(other) && priority(other) < priority(pod))
    });
    if leaving {
        let why = "not eligible due to a terminating pod on the nominated node.";
        return Outcome::None(why.to_owned());
    }
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    let mut candidates = Vec::new();
    for room in rooms.values() {
        let resolvable = refusals.get(room.name()).is_some_and(|refusal| refusal.resolvable);
        if !resolvable {
            *told.entry(NOT_HELPFUL.to_owned()).or_default() += 1;
            continue;
        }
        match victims(context, wish, room, (rooms, queue)) {
            Ok(candidate) => candidates.push(candidate),
            Err(reasons) => {
                for reason in reasons {
                    *told.entry(reason).or_default() += 1;
                }
            }
        }
    }
    match candidates.into_iter().min_by_key(loss) {
        Some(best) => Outcome::Victims(best.node, best.victims),
        None => {
            let nodes = rooms.len();
            let told = super::counted(&told);
            Outcome::None(format!("0/{nodes} nodes are available: {told}."))
        }
    }
}

/// What is lost with a candidate, in the order in which it matters.
fn loss(candidate: &Candidate) -> (usize, i64, i64, usize, std::cmp::Reverse<Option<Timestamp>>) {
    let priorities = || candidate.victims.iter().map(|pod| priority(pod));
    let highest = priorities().max().unwrap_or(i64::MIN);
    let sum = priorities().map(|one| one + i64::from(i32::MAX) + 1).sum();
    let most = candidate.victims.iter().filter(|pod| priority(pod) == highest);
    let earliest = most.filter_map(|pod| start(pod)).min();
    (candidate.protected, highest, sum, candidate.victims.len(), std::cmp::Reverse(earliest))
}

fn start(pod: &Value) -> Option<Timestamp> {
    field::time(pod, "/status/startTime")
        .or_else(|| field::time(pod, "/metadata/creationTimestamp"))
}

/// Who would have to go from a node; the error is why it would not help.
fn victims(
    context: &Context<'_>,
    wish: &Wish<'_>,
    room: &Room,
    (rooms, queue): (&Rooms, &Queue),
) -> Result<Candidate, Vec<String>> {
    let mut lower: Vec<Object> =
        room.pods.values().filter(|other| priority(other) < priority(wish.pod)).cloned().collect();
    if lower.is_empty() {
        return Err(vec![NO_VICTIMS.to_owned()]);
    }
    // Those that matter most first: as many as possible are kept.
    lower.sort_by_key(|pod| (std::cmp::Reverse(priority(pod)), start(pod)));
    let fits = |gone: &[Object]| -> Result<(), Refusal> {
        let mut left = room.clone();
        for pod in gone {
            left.free(field::uid(pod));
        }
        // What was promised to others is not there for this one.
        for other in queue.promised_beside(wish.pod, room.name()) {
            left.take(other);
        }
        let without: BTreeSet<&str> = gone.iter().map(|pod| field::uid(pod)).collect();
        let needs_all = wish.spread.is_hard() || wish.peers.is_hard();
        match needs_all {
            true => {
                let rooms = rooms.without(&without);
                let claims = volumes::of(context, wish.pod).unwrap_or_default();
                Wish::of(context, wish.pod, &rooms, claims).check(&left)
            }
            false => wish.check(&left),
        }
    };
    fits(&lower).map_err(|refusal| refusal.reasons)?;
    let (protected, others) = by_budget(context, &lower);
    let mut gone = lower;
    let mut lost = 0;
    for (pod, is_protected) in
        protected.iter().map(|pod| (pod, true)).chain(others.iter().map(|pod| (pod, false)))
    {
        let mut fewer = gone.clone();
        fewer.retain(|one| field::uid(one) != field::uid(pod));
        if fits(&fewer).is_ok() {
            gone = fewer;
        } else {
            lost += usize::from(is_protected);
        }
    }
    Ok(Candidate { node: room.name().to_owned(), victims: gone, protected: lost })
}

/// Pods whose budgets allow no more disruption, and the others.
fn by_budget(context: &Context<'_>, pods: &[Object]) -> (Vec<Object>, Vec<Object>) {
    let mut allowed: BTreeMap<String, i64> = BTreeMap::new();
    pods.iter().cloned().partition(|pod| {
        let store = &context.registry.store;
        let budgets = store.in_namespace(DISRUPTION_BUDGET.storage, field::namespace(pod));
        let mut is_protected = false;
        for budget in budgets.filter(|budget| selects(&budget["spec"]["selector"], pod)) {
            let names = field::map(budget, "/status/disruptedPods");
            if names.is_some_and(|names| names.contains_key(field::name(pod))) {
                continue;
            }
            let left = allowed
                .entry(field::uid(budget).to_owned())
                .or_insert_with(|| field::number(budget, "/status/disruptionsAllowed"));
            *left -= 1;
            is_protected |= *left < 0;
        }
        is_protected
    })
}

impl Scheduler {
    /// Removes the victims; the pod is promised their node.
    pub(super) fn remove_victims(
        context: &mut Context<'_>,
        pod: &Object,
        node: &str,
        victims: &[Object],
    ) {
        let now = context.now();
        for victim in victims {
            let marked = context.registry.modify(&POD, victim, Part::Status, |victim| {
                let why = "default-scheduler: preempting to accommodate a higher priority pod";
                set_condition(
                    victim,
                    "DisruptionTarget",
                    "True",
                    ("PreemptionByScheduler", why),
                    now,
                );
            });
            drop(marked);
            let (namespace, name) = (field::namespace(victim), field::name(victim));
            let options = DeleteOptions {
                uid: Some(field::uid(victim).to_owned()),
                ..DeleteOptions::default()
            };
            if context.registry.delete(&POD, namespace, name, &options).is_ok() {
                let text = format!("Preempted by pod {} on node {node}", field::uid(pod));
                context.tell(COMPONENT, victim, &Note::normal("Preempted", text));
            }
        }
    }
}

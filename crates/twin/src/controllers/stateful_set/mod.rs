//! StatefulSets: numbered pods, made one after the other and changed from the last.

mod claims;
mod pod;
mod status;

use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::work::Work;
use super::{has_ended, is_ready, owner_of, pods, revisions};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{POD, STATEFUL_SET};
use crate::store::{Change, Object};

const COMPONENT: &str = "statefulset-controller";
const REVISION: &str = "controller-revision-hash";

/// The controller.
#[derive(Debug, Default)]
pub(super) struct StatefulSets {
    work: Work,
}

impl Actor for StatefulSets {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == STATEFUL_SET.storage || change.key.resource == POD.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for change in changes {
            if change.key.resource == STATEFUL_SET.storage {
                let place = (change.key.namespace.clone(), change.key.name.clone());
                self.work.add(place, now);
                continue;
            }
            for pod in change.before.iter().chain(&change.after) {
                if let Some(owner) = owner_of(pod, STATEFUL_SET.kind) {
                    self.work.add(owner, now);
                }
            }
            if let Some(pod) = &change.after {
                for taker in pods::takers(context, &STATEFUL_SET, pod) {
                    self.work.add(taker, now);
                }
            }
        }
        for place in self.work.take(now) {
            let found = context.registry.get(&STATEFUL_SET, &place.0, &place.1);
            let Ok(set) = found.map(Arc::clone) else { continue };
            match sync(context, &set) {
                Ok(later) => {
                    self.work.forgive(&place);
                    if let Some(at) = later {
                        self.work.add(place, at);
                    }
                }
                Err(Refused) => self.work.retry(&place, now),
            }
        }
        if let Some(next) = self.work.next() {
            context.wake(next);
        }
    }
}

/// A pod or a claim was refused.
struct Refused;

/// What one sync works with.
struct Plan {
    set: Object,
    /// Names of the revisions.
    current: String,
    update: String,
    first: i64,
    wanted: i64,
    pods: Vec<Object>,
    now: Timestamp,
}

impl Plan {
    fn find(&self, number: i64) -> Option<&Object> {
        self.pods.iter().find(|pod| self.ordinal(pod) == Some(number))
    }

    fn ordinal(&self, pod: &Value) -> Option<i64> {
        pod::ordinal(field::name(&self.set), field::name(pod))
    }

    fn range(&self) -> std::ops::Range<i64> {
        self.first..self.first.saturating_add(self.wanted)
    }

    fn is_parallel(&self) -> bool {
        field::text(&self.set, "/spec/podManagementPolicy") == "Parallel"
    }

    fn is_available(&self, pod: &Value) -> bool {
        let patience = field::number(&self.set, "/spec/minReadySeconds");
        is_running(pod) && pods::available_at(pod, patience).is_some_and(|at| at <= self.now)
    }

    /// Which revision the pod with this number has when it is made.
    fn revision_for(&self, number: i64, current_replicas: i64) -> &str {
        let rolling = &self.set["spec"]["updateStrategy"]["rollingUpdate"];
        let is_rolling = field::text(&self.set, "/spec/updateStrategy/type") != "OnDelete";
        let keeps = match rolling["partition"].as_i64().filter(|partition| *partition > 0) {
            Some(partition) => number < self.first + partition,
            None => number < self.first + current_replicas,
        };
        if is_rolling && keeps { &self.current } else { &self.update }
    }
}

fn is_running(pod: &Value) -> bool {
    field::text(pod, "/status/phase") == "Running" && is_ready(pod)
}

fn revision_of(pod: &Value) -> &str {
    let labels = field::map(pod, "/metadata/labels");
    labels.and_then(|labels| labels.get(REVISION)).and_then(Value::as_str).unwrap_or_default()
}

fn sync(context: &mut Context<'_>, set: &Object) -> Result<Option<Timestamp>, Refused> {
    let update = revisions::current(context, set);
    let update = format!("{}-{update}", field::name(set));
    let known = field::text(set, "/status/currentRevision").to_owned();
    let current = match revisions::exists(context, set, &known) {
        true => known,
        false => update.clone(),
    };
    let mut pods = pods::claim(context, set);
    pods.retain(|pod| pod::ordinal(field::name(set), field::name(pod)).is_some());
    let plan = Plan {
        first: field::number(set, "/spec/ordinals/start"),
        wanted: field::number(set, "/spec/replicas").max(0),
        set: Arc::clone(set),
        current,
        update,
        pods,
        now: context.now(),
    };
    let mut status = status::Counts::of(&plan);
    let mut done = Ok(());
    if !field::is_deleting(set) {
        claims::keep(context, &plan);
        done = replace(context, &plan, &mut status);
    }
    status::write(context, &plan, &status);
    revisions::forget_old(context, set, &plan.pods, &[&plan.current, &plan.update]);
    done?;
    let patience = field::number(set, "/spec/minReadySeconds");
    let ready = plan.pods.iter().filter_map(|pod| pods::available_at(pod, patience));
    // Whole seconds only: a little later is early enough.
    Ok(ready.filter(|at| *at > plan.now).min().map(|at| plus(at, SECOND / 100)))
}

/// One step towards the wanted pods.
fn replace(
    context: &mut Context<'_>,
    plan: &Plan,
    status: &mut status::Counts,
) -> Result<(), Refused> {
    let parallel = plan.is_parallel();
    for number in plan.range() {
        let settled = match plan.find(number) {
            None => {
                let revision = plan.revision_for(number, status.current).to_owned();
                pod::create(context, plan, &revision, number)?;
                status.made(&revision, plan);
                false
            }
            Some(pod) if has_ended(pod) && !field::is_deleting(pod) => {
                pod::recreate(context, plan, pod);
                status.lost(pod, plan);
                false
            }
            Some(pod) => {
                claims::make(context, plan, pod)?;
                !field::is_deleting(pod) && plan.is_available(pod)
            }
        };
        if !settled && !parallel {
            return Ok(());
        }
    }
    if shrink(context, plan, status) {
        roll(context, plan, status);
    }
    Ok(())
}

/// Removes pods beyond the wanted ones, the highest first; whether an update may go on.
fn shrink(context: &mut Context<'_>, plan: &Plan, status: &mut status::Counts) -> bool {
    let mut surplus: Vec<&Object> = plan
        .pods
        .iter()
        .filter(|pod| plan.ordinal(pod).is_some_and(|number| !plan.range().contains(&number)))
        .collect();
    surplus.sort_by_key(|pod| std::cmp::Reverse(plan.ordinal(pod)));
    for pod in surplus {
        if field::is_deleting(pod) {
            if !plan.is_parallel() {
                return false;
            }
            continue;
        }
        claims::condemn(context, plan, pod);
        pod::delete(context, plan, pod);
        status.lost(pod, plan);
        if !plan.is_parallel() {
            return false;
        }
    }
    true
}

/// Replaces pods of old revisions, from the last on, as many at a time as may be missing.
fn roll(context: &mut Context<'_>, plan: &Plan, status: &mut status::Counts) {
    let strategy = &plan.set["spec"]["updateStrategy"];
    if field::text(strategy, "/type") == "OnDelete" {
        return;
    }
    let rolling = &strategy["rollingUpdate"];
    let partition = field::number(rolling, "/partition");
    let most = super::rollout::share(rolling.get("maxUnavailable"), plan.wanted, true).max(1);
    let is_missing = |pod: &Object| field::is_deleting(pod) || !plan.is_available(pod);
    let numbers: Vec<i64> = plan.range().collect();
    let mut missing = numbers
        .iter()
        .filter_map(|number| plan.find(*number))
        .filter(|pod| is_missing(pod))
        .count() as i64;
    for number in numbers.into_iter().rev().filter(|number| *number >= plan.first + partition) {
        let Some(pod) = plan.find(number) else { return };
        let is_old = revision_of(pod) != plan.update;
        if is_old && !field::is_deleting(pod) {
            if !is_missing(pod) && missing >= most {
                return;
            }
            missing += i64::from(!is_missing(pod));
            pod::delete(context, plan, pod);
            status.lost(pod, plan);
        }
        if missing >= most && (is_old || is_missing(pod)) {
            return;
        }
    }
}

//! Why a pod was evicted, and when its turn would come.

use model::record::{Pod, PodSpec};
use model::{App, Kind, Question, Snapshot, Truth};

use crate::evidence;

/// Conditions of a node that is short of something.
pub(super) const NODE_PRESSURES: [&str; 3] = ["MemoryPressure", "DiskPressure", "PIDPressure"];

/// Reasons with which a pod was put off its node, as its status, a table or an event says.
const EVICTIONS: [&str; 6] =
    ["Evicted", "Preempted", "Preempting", "TaintManagerEviction", "NodeShutdown", "Terminated"];

/// Whether somebody put the pod off its node.
pub(super) fn is_evicted(pod: &Pod, now: &Snapshot) -> bool {
    let said = pod.why.as_ref().is_some_and(|w| EVICTIONS.contains(&w.0.as_str()));
    let row = pod.summary.as_ref().is_some_and(|s| EVICTIONS.contains(&s.status.as_str()));
    let object = pod.meta.object(Kind::Pod);
    let told = || now.events_about(&object).iter().any(|e| EVICTIONS.contains(&e.reason.as_str()));
    said || row || (pod.is_finished() || pod.meta.deleting.is_some()) && told()
}

/// Who evicted it and why, and how the node is now.
pub(super) fn ask(pod: &Pod, app: &App, now: &Snapshot) -> Question {
    let object = pod.meta.object(Kind::Pod);
    let mut question = Question::new("Why was it evicted?", "");
    if let Some(why) = pod.why.as_deref() {
        let field = evidence::field(pod.meta.source, &object, "status.message", why.1.as_str());
        question.fact_from(why.0.as_str(), field);
    }
    let events =
        now.events_about(&object).iter().filter(|e| EVICTIONS.contains(&e.reason.as_str()));
    let message = pod.why.as_deref().map_or("", |w| w.1.as_str());
    for fact in events.filter(|e| e.message != message).filter_map(|e| evidence::event(e, now)) {
        question.fact_from("was said", fact);
    }
    if let Some(node) = now.nodes.get("", &pod.node) {
        for c in node.conditions.iter().filter(|c| NODE_PRESSURES.contains(&c.kind.as_str())) {
            let state = if c.status == Truth::True { "yes" } else { "no longer" };
            question.fact_at(format!("{} of {}", c.kind, pod.node), state, c.since);
        }
        for taint in node.taints.iter().filter(|t| t.effect == "NoExecute") {
            question.fact_at(format!("taint of {}", pod.node), taint.text(), taint.time_added);
        }
    }
    let spec = if pod.spec.containers.is_empty() { app.spec() } else { Some(&*pod.spec) };
    if let Some(spec) = spec {
        question.fact("its class of service", class(spec));
    }
    question
}

/// When its turn comes, if its node runs short.
pub(super) fn order(pod: &Pod) -> Question {
    let mut question = Question::new("When would it be evicted, if its node ran short?", "");
    if pod.spec.containers.is_empty() || !pod.meta.known.has(model::record::Known::SPEC) {
        return question;
    }
    let turn = match class(&pod.spec) {
        "BestEffort" => "Among the first: it has requested nothing, so all it uses is more.",
        "Guaranteed" => "Among the last: it cannot use more than it has requested.",
        _ => "When it uses more than it has requested, the furthest above first.",
    };
    question.answer = turn.into();
    question.fact("class of service", class(&pod.spec));
    if !pod.spec.priority_class.is_empty() {
        question.fact("priority class", pod.spec.priority_class.as_str());
    }
    question
}

/// The class of service that the kubelet gives a pod.
fn class(spec: &PodSpec) -> &'static str {
    let all = || spec.all_containers();
    let bare = |c: &model::record::Container| {
        c.resources.requests.is_empty() && c.resources.limits.is_empty()
    };
    let whole = |c: &model::record::Container| {
        ["cpu", "memory"].iter().all(|r| {
            let (asks, gets) = (c.resources.requests.get(r), c.resources.limits.get(r));
            gets.is_some() && (asks.is_none() || asks == gets)
        })
    };
    if all().all(bare) {
        "BestEffort"
    } else if all().all(whole) {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

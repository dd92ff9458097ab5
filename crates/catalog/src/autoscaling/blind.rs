//! `hpa-blind`: an autoscaler does not know what it shall scale by.

use model::record::{Amount, MetricSource, Scaler};
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Scenario,
    Snapshot, State, Step,
};

use super::signs::{Signs, excuse, signs};
use crate::evidence;
use crate::pod::edit;
use crate::wording::{self, between, says};

failure! {
    /// # An autoscaler does not see what it scales by
    ///
    /// ## Signs
    /// `kubectl get hpa` shows `<unknown>` for a present value. The condition `ScalingActive`
    /// is False with `FailedGetResourceMetric` or a relative of it, or `AbleToScale` is False
    /// with `FailedGetScale`. The number of replicas stays where it is, whatever the load.
    ///
    /// ## Why it happens
    /// The autoscaler asks the metrics API for the use of each pod and compares it with what
    /// the pods request. It is blind when that API does not answer (metrics-server is down or
    /// may not reach the kubelets), when one container of the pods states no request (a
    /// sidecar is enough), when a metric of its own has no adapter or no data, when its target
    /// does not exist, or when two autoscalers watch the same pods.
    ///
    /// It never takes pods away while it is blind, but it adds none either.
    ///
    /// ## What we do
    /// 1. Read the message of the condition: it names the part.
    /// 2. Under load, hold a safe number by hand first: raise `minReplicas`.
    /// 3. `kubectl top pods` fails too: repair metrics-server. It works: compare requests.
    /// 4. Give every container a request.
    ///
    /// ## How to avoid it
    /// A LimitRange with default requests, an alert on `ScalingActive` False, metrics-server
    /// with two replicas, and `ContainerResource` metrics where sidecars are injected.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Horizontal Pod Autoscaling" and "Resource metrics pipeline".
    id: "hpa-blind",
    mechanisms: {
        "request-missing": "a container of its pods states no request to compare with",
        "metrics-api-down": "the metrics API gives no figures",
        "metric-missing": "the metric it names has no figures",
        "target-missing": "what it shall scale does not exist",
        "pods-shared": "another autoscaler or workload claims the same pods",
    },
    reads: [HorizontalPodAutoscaler, Deployment, StatefulSet, ReplicaSet, Pod, Event],
    leads_to: [],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Blind since it was made, and for longer than this: nobody misses it.
const STANDING_SECONDS: i64 = 86_400;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut api: Vec<(Finding, ObjectRef)> = Vec::new();
    for scaler in now.scalers.iter() {
        let Some(signs) = signs(scaler, now) else { continue };
        let object = scaler.meta.object(Kind::HorizontalPodAutoscaler);
        let target = now.scaled_by(scaler);
        if let Some(why) = excuse(scaler, target, &signs, now) {
            findings.rule_out(KIND.id, object, why);
            continue;
        }
        let finding = finish(of(scaler, target, &signs, now), scaler, target, &signs, now);
        if finding.mechanism == "metrics-api-down" {
            api.push((finding, object));
        } else {
            findings.push(finding);
        }
    }
    findings.found.extend(metrics_api(api, now));
}

/// What is wrong, in order of how well it can be told.
fn of(scaler: &Scaler, target: Option<&App>, signs: &Signs, now: &Snapshot) -> Finding {
    let object = scaler.meta.object(Kind::HorizontalPodAutoscaler);
    let text = signs.text.as_str();
    if let Some(finding) = without_target(scaler, target, signs, &object, now) {
        return finding;
    }
    let by_message = says(text, wording::REQUEST_MISSING);
    if let Some((app, container, resource)) = target.and_then(|app| {
        lacks_request(scaler, app).map(|(container, resource)| (app, container, resource))
    }) && (by_message || signs.by_value)
    {
        let field =
            edit::container_field(app, &container, &format!("resources.requests.{resource}"));
        let headline = format!(
            "autoscaler {object} is blind: container {container} of {} states no {resource} \
             request",
            app.object
        );
        return Finding::new(KIND.id, "request-missing", app.object.clone(), headline).field(
            field,
            "not set",
            "what the container needs on average",
        );
    }
    if by_message {
        let container = between(text, "in container ", " of").map(str::to_owned);
        let of =
            container.as_ref().map(|c| format!("container {c}")).unwrap_or("a container".into());
        let owner = target.map_or_else(|| named_target(scaler), |a| Some(a.object.clone()));
        let headline = format!("autoscaler {object} is blind: {of} of its pods states no request");
        let at = container.unwrap_or_else(|| "*".into());
        return Finding::new(KIND.id, "request-missing", owner.unwrap_or(object), headline).field(
            format!("spec.template.spec.containers[{at}].resources.requests"),
            "not set",
            "what the container needs on average",
        );
    }
    if says(text, wording::PODS_SHARED) || matches!(signs.reason.as_str(), "AmbiguousSelector") {
        let headline = format!("autoscaler {object} is off: others claim the same pods");
        return Finding::new(KIND.id, "pods-shared", object, headline).field(
            "spec.scaleTargetRef",
            scaler.target.1.to_string(),
            "a workload whose selector matches only its own pods, with one autoscaler",
        );
    }
    no_figures(scaler, signs, object)
}

/// A metric without figures: its own, or those of all pods.
fn no_figures(scaler: &Scaler, signs: &Signs, object: ObjectRef) -> Finding {
    let text = signs.text.as_str();
    let own =
        |s: MetricSource| !matches!(s, MetricSource::Resource | MetricSource::ContainerResource);
    let custom = scaler.metrics.iter().find(|m| own(m.source) && m.current.is_none());
    if says(text, wording::CUSTOM_METRIC) || (custom.is_some() && signs.by_value) {
        let name = custom.map_or("a metric", |m| m.name.as_str());
        let headline = format!("autoscaler {object} is blind: {name} has no figures");
        return Finding::new(KIND.id, "metric-missing", object, headline).field(
            format!("spec.metrics[{name}]"),
            name,
            "a metric that an adapter serves",
        );
    }
    let headline = "the metrics API gives no figures: autoscalers are blind".to_owned();
    let finding = Finding::new(KIND.id, "metrics-api-down", ObjectRef::component(SERVER), headline);
    match says(text, wording::METRICS_API_DOWN) {
        true => finding,
        false => {
            let certainty = if says(text, wording::NO_METRICS) {
                Certainty::Likely
            } else {
                Certainty::Possible
            };
            let look = format!("kubectl describe {}", object.for_kubectl());
            finding.unsure(certainty, &["request-missing"], look)
        }
    }
}

const SERVER: &str = "metrics-server";

fn named_target(scaler: &Scaler) -> Option<ObjectRef> {
    let kind = Kind::from_name(&scaler.target.0)?;
    Some(ObjectRef::new(kind, &scaler.meta.namespace, &scaler.target.1))
}

fn without_target(
    scaler: &Scaler,
    target: Option<&App>,
    signs: &Signs,
    object: &ObjectRef,
    now: &Snapshot,
) -> Option<Finding> {
    let (kind, name) = &scaler.target;
    let known = Kind::from_name(kind);
    let missing = known.is_some_and(|k| now.is_missing(k, &scaler.meta.namespace, name));
    if target.is_some() || !(missing || signs.reason == "FailedGetScale") {
        return None;
    }
    let here = now.apps_in(&scaler.meta.namespace).iter();
    let names = here.filter(|a| Some(a.object.kind) == known).map(|a| a.object.name.as_str());
    let meant =
        edit::nearest(name, names).map_or("the name of what exists".to_owned(), str::to_owned);
    let headline = format!("autoscaler {object} has no target: there is no {kind} {name}");
    let finding = Finding::new(KIND.id, "target-missing", object.clone(), headline).field(
        "spec.scaleTargetRef.name",
        name.to_string(),
        meant,
    );
    let sure = missing || says(&signs.text, &["not found"]);
    let look = format!("kubectl get {} -n {}", kind.to_lowercase(), scaler.meta.namespace);
    Some(if sure { finding } else { finding.unsure(Certainty::Likely, &[], look) })
}

/// The container without the request that a percentage needs, and the resource.
fn lacks_request(scaler: &Scaler, app: &App) -> Option<(String, String)> {
    let spec = app.spec().filter(|_| app.shows_spec())?;
    let by_percent = |m: &&model::record::ScalerMetric| {
        matches!(m.target, Some(Amount::Percent(_))) && m.current.is_none()
    };
    scaler.metrics.iter().filter(by_percent).find_map(|m| {
        let mut counted =
            spec.containers.iter().filter(|c| m.container.is_empty() || c.name == m.container);
        let lacking = counted.find(|c| {
            // A limit without a request is a request too.
            let of = &c.resources;
            of.requests.get(&m.name).or(of.limits.get(&m.name)).is_none()
        })?;
        Some((lacking.name.to_string(), m.name.to_string()))
    })
}

/// Evidence, time and who is concerned.
fn finish(
    finding: Finding,
    scaler: &Scaler,
    target: Option<&App>,
    signs: &Signs,
    now: &Snapshot,
) -> Finding {
    let object = scaler.meta.object(Kind::HorizontalPodAutoscaler);
    let stays = format!("stays at {} replicas", scaler.replicas.0);
    let stays = if scaler.replicas.0 > 0 { stays } else { "is not scaled".into() };
    let sufferer = target.map(|a| a.object.clone()).or_else(|| named_target(scaler));
    let always = signs.since.zip(scaler.meta.created).is_some_and(|(since, made)| {
        since.since(made) < 600 && now.now.since(since) > STANDING_SECONDS
    });
    let state =
        if always && scaler.last_scaled.is_none() { State::Suspected } else { State::Active };
    let finding = finding.since(signs.since).evidence(signs.evidence.clone()).state(state);
    match sufferer {
        Some(app) if finding.mechanism != "target-missing" => finding.affects(app, stays),
        _ => finding.affects(object, "scales nothing"),
    }
}

/// One finding for all autoscalers that miss the same API.
fn metrics_api(all: Vec<(Finding, ObjectRef)>, now: &Snapshot) -> Option<Finding> {
    let count = all.len();
    let mut all = all.into_iter();
    let (mut first, scaler) = all.next()?;
    let mut several = vec![scaler];
    for (next, scaler) in all {
        first.affected.extend(next.affected);
        first.evidence.extend(next.evidence);
        first.since = first.since.into_iter().chain(next.since).min();
        if next.certainty > first.certainty {
            (first.certainty, first.alternatives) = (next.certainty, next.alternatives);
        }
        first.state = first.state.min(next.state);
        several.push(scaler);
    }
    // That all of them miss a request is far less likely.
    if count > 1 && first.certainty == Certainty::Possible {
        first.certainty = Certainty::Likely;
    }
    first.headline = match several.as_slice() {
        [one] => format!("autoscaler {one} is blind: the metrics API gives no figures"),
        many => format!("{} autoscalers are blind: the metrics API gives no figures", many.len()),
    };
    let server =
        now.apps.iter().find(|a| a.object.name == SERVER && a.object.kind == Kind::Deployment);
    if let Some(app) = server.filter(|a| a.lost_replicas() > 0 || a.wanted() == Some(0)) {
        let value = format!("{} of {} ready", app.ready(), app.wanted().unwrap_or(0));
        first.object = app.object.clone();
        first.evidence.push(evidence::field(app.document(), &app.object, "status", value));
        first.certainty = Certainty::Proven;
    }
    Some(first)
}

/// Percentages of requests that are not stated: blind as soon as it is looked at.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for scaler in now.scalers.iter() {
        let Some(app) = now.scaled_by(scaler) else { continue };
        let Some((container, resource)) = lacks_request(scaler, app) else { continue };
        gaps.push(Gap {
            failure: KIND.id,
            object: app.object.clone(),
            field: edit::container_field(
                app,
                &container,
                &format!("resources.requests.{resource}"),
            ),
            why: format!("autoscaler {} scales by a percentage of it", scaler.meta.name),
        });
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let namespace = edit::namespace_option(&finding.object.namespace);
    let mut next = Vec::new();
    match finding.mechanism {
        "request-missing" => {
            next.push(Step::look(
                "See what the containers use, to state that",
                format!("kubectl top pods{namespace} --containers"),
            ));
            let container = finding.field.as_deref().and_then(|f| between(f, "ontainers[", "]"));
            let container = container.filter(|c| *c != "*").map(|c| format!(" -c {c}"));
            next.push(Step {
                what: "Give the container a request (its pods are replaced)".into(),
                command: Some(format!(
                    "kubectl set resources {object}{} --requests=cpu=100m",
                    container.unwrap_or_default()
                )),
                risk: model::Risk::Disruptive,
                undo: Some(format!("kubectl rollout undo {object}")),
            });
        }
        "metrics-api-down" => {
            next.push(Step::look(
                "See whether the API is served, and by whom",
                "kubectl get apiservices v1beta1.metrics.k8s.io; kubectl top nodes",
            ));
            next.push(Step::look(
                "See how metrics-server is",
                "kubectl get pods -n kube-system -l k8s-app=metrics-server -o wide",
            ));
        }
        "metric-missing" => next.push(Step::look(
            "See which metrics adapters serve",
            "kubectl get apiservices | grep metrics.k8s.io",
        )),
        "target-missing" => {
            next.push(Step::advice(format!("Name a target that exists: kubectl edit {object}")));
        }
        _ => next.push(Step::look(
            "See which autoscalers and workloads claim the pods",
            format!("kubectl get hpa,deployments{namespace} -o wide"),
        )),
    }
    let scaler = now.scalers.iter().find(|s| {
        s.meta.object(Kind::HorizontalPodAutoscaler) == finding.object
            || now.scaled_by(s).is_some_and(|a| a.object == finding.object)
    });
    if let Some(s) = scaler.filter(|s| s.replicas.0 > 0) {
        let hpa = s.meta.object(Kind::HorizontalPodAutoscaler).for_kubectl();
        let patch =
            |n: i64| format!("kubectl patch {hpa} -p '{{\"spec\":{{\"minReplicas\":{n}}}}}'");
        let (now, before) = (patch(s.replicas.0), patch(s.fewest()));
        next.push(Step::change("Hold the present number until it sees again", now, before));
    }
    let do_not = "Do not delete the autoscaler: the number of replicas would then be anybody's";
    Remedy { next, do_not: vec![do_not.into()] }
}

/// How much to request nobody can read from the gap; a request of 100m is a beginning.
fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let container = between(&gap.field, "ontainers[", "]")?;
    let resource = gap.field.rsplit('.').next()?;
    let amount = if resource == "memory" { "128Mi" } else { "100m" };
    let body = format!(
        "spec:\n  template:\n    spec:\n      containers:\n      - name: {container}\n        \
         resources:\n          requests:\n            {resource}: {amount}\n"
    );
    Some(Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "An autoscaler scales by a percentage of requests that its pods do not state.",
        acts: vec![(10, Act::Unmodelled("the autoscaler's controller writes its conditions"))],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests;

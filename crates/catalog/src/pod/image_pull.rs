//! `pod-image-pull-failing`: a container cannot start because its image cannot be had.

use model::record::{ClusterEvent, ContainerState, Pod};
use model::{
    Act, App, Certainty, Factor, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Risk, Role,
    Scenario, Snapshot, State, Step, duration_text,
};

use super::pull_cause::{self, Cause};
use crate::evidence;
use crate::wording::{self, says};
use crate::workload::image_untagged;

failure! {
    /// # A pod cannot pull its image
    ///
    /// ## Signs
    /// The pod waits with `ErrImagePull` or `ImagePullBackOff`, or with `InvalidImageName` or
    /// `ErrImageNeverPull`. `kubectl describe pod` shows a `Failed` event that quotes the
    /// registry word for word.
    ///
    /// ## Why it happens
    /// The kubelet asks the container runtime, and that asks the registry named at the front
    /// of the image. Each step can fail in its own way: the name is not allowed, the
    /// registry's name does not resolve, it does not answer, its certificate is not trusted,
    /// it wants credentials, it has had too many questions, it does not know the image, or it
    /// knows it only for other processors. Registries often answer "denied" for images that
    /// do not exist, so that nobody can find out which ones do.
    ///
    /// ## What we do
    /// 1. Read the last `Failed` event: what did the registry say?
    /// 2. Compare the image with the one of the revision before and with those of its
    ///    siblings: a slip in the tag or the name shows at once.
    /// 3. Refused? See which pull secrets the pod and its service account name and whether
    ///    they exist in its own namespace: secrets are not shared between namespaces.
    /// 4. Correct the object, or go back to the revision before.
    ///
    /// Old pods keep running while a rollout waits for the image: nobody has to hurry to
    /// delete anything.
    ///
    /// ## How to avoid it
    /// Let the pipeline that builds an image also write its name (best with its digest) into
    /// the object. Keep pull secrets on the service account instead of every pod. Use a
    /// mirror or cache near the cluster.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Images" and "Pull an image from a private registry".
    id: "pod-image-pull-failing",
    mechanisms: {
        "image-not-found": "its registry has no such image",
        "image-name-invalid": "the name of the image breaks the rules for names",
        "pull-secret-missing": "the registry wants credentials and the pod has none",
        "registry-unauthorized": "the registry does not accept the credentials",
        "registry-name-unresolved": "the name of the registry does not resolve",
        "registry-unreachable": "the registry does not answer",
        "registry-certificate": "the certificate of the registry is not accepted",
        "registry-rate-limited": "the registry gives no more images for now",
        "platform-missing": "there is no such image for the processors of the node",
        "pull-slow": "the pull takes too long",
        "disk-full": "the node has no room for the image",
    },
    reads: [Pod, Event, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, Secret,
        ServiceAccount],
    leads_to: [
        "control-plane-degraded",
        "deployment-rollout-failing",
        "hpa-blind",
        "job-failing",
        "pdb-blocking/pods-unhealthy",
        "pod-sandbox-failing",
        "service-without-endpoints",
        "slo-burning",
        "statefulset-update-stuck/new-pod-unready",
        "webhook-deadlock",
        "workload-dependency-failing",
    ],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A pull that has said nothing for this long is slow.
const SLOW_SECONDS: i64 = 300;

/// A container whose image cannot be had, with all that is said about it.
struct Waiting<'s> {
    pod: &'s Pod,
    container: &'s str,
    image: String,
    text: String,
    event: Option<&'s ClusterEvent>,
}

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    let mut waiting: Vec<Waiting<'_>> = app.running().flat_map(|p| of_pod(p, app, now)).collect();
    // The pod that says most speaks for all.
    waiting.sort_by_key(|w| pull_cause::said(&w.text).is_none());
    let Some(first) = waiting.first() else { return slow_or_over(app, now, findings) };
    let cause = pull_cause::of(app, first.container, &first.image, &first.text, now);
    let mut finding = finding(app, first, cause, now);
    let pods = waiting.iter().map(|w| &w.pod.meta.name).collect::<std::collections::BTreeSet<_>>();
    finding = finding
        .affects(app.object.clone(), format!("{} of {} pods wait", pods.len(), app.pods.len()))
        .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() });
    findings.push(finding);
}

/// Containers of a pod that wait for their images.
fn of_pod<'s>(pod: &'s Pod, app: &'s App, now: &'s Snapshot) -> Vec<Waiting<'s>> {
    let object = pod.meta.object(Kind::Pod);
    let events = now.events_about(&object);
    let is_image = |word: &str| wording::IMAGE_WORDS.contains(&word);
    let is_waiting = |c: &&model::record::ContainerStatus| is_image(c.waiting());
    let mut names: Vec<(&str, String)> = pod
        .all_containers()
        .filter(is_waiting)
        .map(|c| (c.name.as_str(), format!("{} {}", c.waiting(), c.waiting_message())))
        .collect();
    if names.is_empty() && pod.all_containers().next().is_none() {
        let word = pod.words().find(|w| is_image(w));
        names.extend(word.map(|w| ("", w.to_owned())));
    }
    let told = |image: &str| {
        let of_image = |e: &&ClusterEvent| {
            matches!(e.reason.as_str(), "Failed" | "InspectFailed" | "ErrImageNeverPull")
                && (image.is_empty() || e.message.contains(image))
                && pull_cause::said(&e.message).is_some()
        };
        events.iter().rfind(of_image)
    };
    names
        .into_iter()
        .map(|(container, text)| {
            let image = image_of(pod, app, container, events);
            let event = told(&image);
            let message = event.map_or("", |e| &e.message);
            Waiting { pod, container, text: format!("{message} {text}"), image, event }
        })
        .collect()
}

/// The image of a container: from the spec, else quoted in an event.
fn image_of(pod: &Pod, app: &App, container: &str, events: &[ClusterEvent]) -> String {
    let specs = [Some(&*pod.spec), app.spec()];
    let named = specs.into_iter().flatten().find_map(|s| super::edit::container(s, container));
    if let Some(found) = named.filter(|c| !c.image.is_empty()) {
        return found.image.to_string();
    }
    let pulls = events.iter().filter(|e| says(&e.message, &["pull", "image"]));
    let mut quoted = pulls.filter_map(|e| wording::between(&e.message, "\"", "\""));
    quoted.next_back().unwrap_or_default().to_owned()
}

fn finding(app: &App, first: &Waiting<'_>, cause: Cause, now: &Snapshot) -> Finding {
    let image = if first.image.is_empty() { "its image" } else { &first.image };
    let why = KIND.meaning(cause.mechanism);
    let why = match cause.mechanism {
        "pull-secret-missing" if cause.value != "none" => {
            format!("pull secret {} does not exist", cause.value)
        }
        _ => why.to_owned(),
    };
    let headline = format!("{} cannot pull {image}: {why}", app.object);
    let pod = first.pod.meta.object(Kind::Pod);
    let word = first.pod.words().find(|w| wording::IMAGE_WORDS.contains(w)).unwrap_or_default();
    let state = evidence::field(first.pod.meta.source, &pod, "status", word);
    let since = first.event.and_then(|e| evidence::first_time(e, now)).filter(|_| now.has_time);
    // Events are forgotten after an hour; the pod knows since when it is not ready.
    let unready = first.pod.ready.filter(|r| r.status != model::Truth::True);
    let unready = unready.and_then(|r| r.since);
    let mut finding = Finding::new(KIND.id, cause.mechanism, app.object.clone(), headline)
        .field(cause.field, cause.value, cause.expected)
        .since(since.into_iter().chain(unready).min().or(first.pod.meta.created))
        .evidence(cause.evidence)
        .evidence(first.event.and_then(|e| evidence::event(e, now)))
        .evidence([state]);
    if cause.certainty < Certainty::Proven {
        let look = format!("kubectl describe {}", pod.for_kubectl());
        finding = finding.unsure(cause.certainty, cause.alternatives, look);
    }
    if cause.mechanism == "disk-full" {
        finding = finding.role(Role::Symptom);
    }
    let asked = ["registry-unreachable", "registry-name-unresolved", "registry-rate-limited"];
    if asked.contains(&cause.mechanism) {
        finding.factors.extend(image_untagged::factor(app, &first.image));
    }
    let secret = |e: &&ClusterEvent| e.reason == "FailedToRetrieveImagePullSecret";
    if cause.mechanism != "pull-secret-missing"
        && let Some(event) = app.pod_events(now).filter(secret).last()
    {
        finding.factors.push(Factor {
            failure: "pod-config-missing",
            object: app.object.clone(),
            role: Role::Contributing,
            why: event.message.to_string(),
        });
    }
    finding
}

/// No container waits with a word for it: a pull may still hang, or may have failed before.
fn slow_or_over(app: &App, now: &Snapshot, findings: &mut Findings) {
    for pod in app.running() {
        let events = now.pod_events(pod);
        let failed = |e: &&ClusterEvent| {
            e.reason == "Failed" && says(&e.message, &["failed to pull image", "errimagepull"])
        };
        if pod.is_ready() == Some(true) && events.iter().any(|e| failed(&e)) {
            let what = format!("a failed pull of pod {}", pod.meta.name);
            findings.stale(what, "the pod is ready now");
            continue;
        }
        let Some((event, seconds)) = hanging(pod, events, now) else { continue };
        let image = wording::between(&event.message, "\"", "\"").unwrap_or("its image");
        let headline =
            format!("{} pulls {image} for {} already", app.object, duration_text(seconds));
        let look = format!("kubectl describe {}", pod.meta.object(Kind::Pod).for_kubectl());
        let field = super::edit::container_field(app, "", "image");
        findings.push(
            Finding::new(KIND.id, "pull-slow", app.object.clone(), headline)
                .field(field, image, "a smaller image, or one that is on the nodes")
                .since(evidence::first_time(event, now))
                .unsure(Certainty::Likely, &["registry-unreachable"], look)
                .evidence(evidence::event(event, now))
                .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() })
                .state(State::Active),
        );
        return;
    }
}

/// A pull that began long ago and of which nothing was heard since.
fn hanging<'s>(
    pod: &Pod,
    events: &'s [ClusterEvent],
    now: &Snapshot,
) -> Option<(&'s ClusterEvent, i64)> {
    let waits = |c: &model::record::ContainerStatus| {
        matches!(c.state, ContainerState::Waiting(_)) && c.waiting() == "ContainerCreating"
    };
    let last = events.iter().rfind(|e| {
        matches!(e.reason.as_str(), "Pulling" | "Pulled" | "Failed" | "Created" | "Started")
    });
    let pulling = last.filter(|e| e.reason == "Pulling" && pod.all_containers().any(waits))?;
    let seconds = now.now.since(evidence::last_time(pulling, now)?);
    (now.has_time && seconds >= SLOW_SECONDS).then_some((pulling, seconds))
}

/// A pull secret that does not exist is missed only when a node does not have the image.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in &now.apps {
        let Some(spec) = app.spec() else { continue };
        for name in spec.pull_secrets.iter() {
            if now.is_missing(Kind::Secret, &app.object.namespace, name) {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: app.object.clone(),
                    field: super::edit::spec_field(app, &format!("imagePullSecrets[{name}]")),
                    why: format!(
                        "secret {name} does not exist: a node without the image cannot pull it"
                    ),
                });
            }
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let namespace = super::edit::namespace_option(&finding.object.namespace);
    let value = finding.value.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    let mut next = Vec::new();
    match finding.mechanism {
        "image-not-found" | "image-name-invalid" | "registry-name-unresolved" => {
            next.extend(set_image(finding, expected, value));
        }
        "pull-secret-missing" | "registry-unauthorized" => {
            let name = if value == "none" { "registry-credentials" } else { value };
            next.push(Step {
                what: "Create the pull secret with credentials of the registry".into(),
                command: Some(format!(
                    "kubectl create secret docker-registry {name}{namespace} \
                     --docker-server=SERVER --docker-username=USER --docker-password=PASSWORD"
                )),
                risk: Risk::Reversible,
                undo: Some(format!("kubectl delete secret {name}{namespace}")),
            });
        }
        "registry-rate-limited" => next.push(Step::advice(
            "Give the pods credentials of the registry, or pull through a mirror or cache",
        )),
        "disk-full" => next.push(Step::look(
            "See how full the disk of the node is",
            "kubectl describe nodes | grep -A8 Conditions",
        )),
        _ => next.push(Step::look(
            "Try the same pull on the node itself",
            format!("crictl pull {value}"),
        )),
    }
    let has_history = now.app(&finding.object).is_some_and(|a| a.sets.len() > 1);
    if finding.object.kind == Kind::Deployment && has_history {
        next.push(Step::change(
            "Or go back to the revision before",
            format!("kubectl rollout undo {object}"),
            format!("kubectl rollout undo {object}"),
        ));
    }
    Remedy {
        next,
        do_not: vec![
            "Do not delete the waiting pods: their successors ask for the same image".into(),
            "Do not scale up: more pods ask the same registry".into(),
        ],
    }
}

/// The command that sets the image that was probably meant.
fn set_image(finding: &Finding, expected: &str, value: &str) -> Option<Step> {
    let object = finding.object.for_kubectl();
    let field = finding.field.as_deref()?;
    let container = wording::between(field, "ontainers[", "]")?;
    let image = expected.split_whitespace().next().filter(|i| i.contains([':', '/']));
    let image = image.unwrap_or("IMAGE");
    let command = format!("kubectl set image {object} {container}={image}");
    let undo = format!("kubectl set image {object} {container}={value}");
    Some(Step::change(format!("Set the image to {image}"), command, undo))
}

/// The secret itself cannot be made by a patch: nobody here knows the credentials.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload is given an image that its registry does not have.",
        acts: vec![
            (10, Act::LoseImage("reg.example/team/basket:1.1")),
            (
                20,
                Act::Apply(drill_deployment!(
                    "basket",
                    replicas: 2,
                    container: "image: 'reg.example/team/basket:1.1'"
                )),
            ),
        ],
        found_within_seconds: 60,
    })
}

#[cfg(test)]
mod tests;

//! What to do about Services without endpoints, how to avoid and how to rehearse them.

use model::{Act, Finding, Gap, Kind, Patch, Remedy, Scenario, Snapshot, Step};

use super::KIND;
use crate::service::nearest::{self, Nearest};

/// One replica behind a Service: any restart of it empties the Service.
pub(super) fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind == Kind::Deployment) {
        let services = now.services_of(app);
        if let (Some(1), Some(service)) = (app.wanted(), services.first()) {
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field: "spec.replicas".into(),
                why: format!("one replica: whenever it stops, Service {} is empty", service.name),
            });
        }
    }
}

/// A word that may stand in a quoted shell argument.
fn safe(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "._/-".contains(*c)).collect()
}

fn selector_patch(from: &model::Labels, to: &[(String, Option<String>)]) -> (String, String) {
    let pair = |key: &str, value: Option<&str>| match value {
        Some(v) => format!("\"{}\":\"{}\"", safe(key), safe(v)),
        None => format!("\"{}\":null", safe(key)),
    };
    let wrap =
        |pairs: Vec<String>| format!("{{\"spec\":{{\"selector\":{{{}}}}}}}", pairs.join(","));
    let new = to.iter().map(|(k, v)| pair(k, v.as_deref())).collect();
    let old = to.iter().map(|(k, _)| pair(k, from.get(k))).collect();
    (wrap(new), wrap(old))
}

/// What the selector has to say instead, key by key.
fn correction(near: &Nearest<'_>) -> Vec<(String, Option<String>)> {
    let mut pairs: Vec<(String, Option<String>)> = Vec::new();
    for d in &near.differences {
        pairs.push((d.key.clone(), d.carried.clone()));
        if let (None, Some(other)) = (&d.carried, &d.other_key) {
            pairs.push((other.clone(), Some(d.wanted.clone())));
        }
    }
    pairs
}

pub(super) fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = &finding.object;
    let namespace = &object.namespace;
    let mut next = Vec::new();
    let service =
        now.services.get(namespace, &object.name).filter(|_| object.kind == Kind::Service);
    let near = service.filter(|_| finding.mechanism == "selector-unmatched");
    if let Some((service, near)) = near.and_then(|s| Some((s, nearest::of(s, now)?))) {
        let (new, old) = selector_patch(&service.selector, &correction(&near));
        let patch =
            |body| format!("kubectl patch {} --type merge -p '{body}'", object.for_kubectl());
        let what = format!("Let the selector match the pods of {}", near.app.object.name);
        next.push(Step::change(what, patch(new), patch(old)));
    } else if finding.mechanism == "selector-unmatched" {
        let what = "Give the pods the label back that the Service selects".to_owned();
        next.push(Step::change(
            what,
            format!("kubectl edit {}", object.for_kubectl()),
            format!("kubectl rollout undo {}", object.for_kubectl()),
        ));
    }
    if let Some(service) = service {
        let look = format!("kubectl get pods -n {namespace} -l '{}' -o wide", service.selector);
        next.push(Step::look("See which pods the selector matches and how they are", look));
    }
    let do_not = match finding.mechanism {
        "selector-unmatched" => {
            "Do not restart the pods or the clients: the selector will not match new pods either"
        }
        _ => "Do not change the Service: it only shows that its pods are missing or not ready",
    };
    Remedy { next, do_not: vec![do_not.into()] }
}

pub(super) fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let body = "spec:\n  replicas: 2\n".to_owned();
    (gap.field == "spec.replicas").then(|| Patch { object: gap.object.clone(), body })
}

pub(super) fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A Service selects a label that its pods do not carry.",
        acts: vec![(10, Act::Apply(REHEARSAL))],
        found_within_seconds: 120,
    })
}

const REHEARSAL: &str = concat!(
    drill_deployment!("drill-basket", replicas: 2, container: "image: 'drill:1'"),
    drill_service!(
        "drill-basket",
        selects: "drill-baskets",
        ports: "{port: 80, targetPort: 8080}"
    ),
);

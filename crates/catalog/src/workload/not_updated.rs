//! `replicationcontroller-not-updated`: its template was changed, its pods were not.

use model::record::Known;
use model::{
    Act, App, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Risk, Scenario, Snapshot, State,
    Step,
};

use crate::evidence;
use crate::pod::edit;

failure! {
    /// # A ReplicationController's pods have an old template
    ///
    /// ## Signs
    /// The template of a ReplicationController (or of a ReplicaSet that nothing owns) was
    /// changed, `kubectl apply` said `configured`, and the pods still run the old image or the
    /// old settings.
    ///
    /// ## Why it happens
    /// A ReplicationController only counts pods: it makes new ones from its template when some
    /// are missing, and never touches those that exist. There is no rollout. Only Deployments,
    /// StatefulSets and DaemonSets replace pods when their template changes. The command that
    /// did it for ReplicationControllers, `kubectl rolling-update`, is gone since 1.18.
    ///
    /// ## What we do
    /// 1. Compare the image of a pod with that of the template.
    /// 2. Delete the pods one by one, waiting for each replacement to be ready.
    /// 3. Then move to a Deployment with the same selector.
    ///
    /// ## How to avoid it
    /// Use Deployments. Nothing new should be a ReplicationController.
    ///
    /// ## Sources
    /// Kubernetes documentation, "ReplicationController".
    id: "replicationcontroller-not-updated",
    mechanisms: {
        "template-ignored": "it never replaces pods when its template changes",
    },
    reads: [ReplicationController, ReplicaSet, Pod],
    leads_to: ["pod-crash-looping", "pod-image-pull-failing", "pod-probe-failing"],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn only_counts(app: &App) -> bool {
    matches!(app.object.kind, Kind::ReplicationController | Kind::ReplicaSet)
        && app.workload.as_ref().is_some_and(|w| w.meta.owner.is_none())
}

fn detect(app: &App, _: &Snapshot, findings: &mut Findings) {
    if !only_counts(app) {
        return;
    }
    let Some(workload) = app.workload.as_ref().filter(|w| w.meta.live.has(Known::SPEC)) else {
        return;
    };
    let Some(template) = workload.template.as_deref() else { return };
    let shown = app.running().filter(|p| p.meta.known.has(Known::SPEC));
    let old: Vec<_> = shown.filter(|p| edit::runs_otherwise(template, &p.spec)).collect();
    let Some(first) = old.first() else { return };
    let object = &app.object;
    let pod = first.meta.object(Kind::Pod);
    let difference = template.containers.iter().find_map(|c| {
        let of_pod = edit::container(&first.spec, &c.name)?;
        (of_pod.image != c.image).then_some((c, of_pod))
    });
    let all = app.running().count();
    let headline = format!(
        "{} of {all} pods of {} {object} do not have its template, and will not get it",
        old.len(),
        object.kind
    );
    let mut finding = Finding::new(KIND.id, "template-ignored", object.clone(), headline)
        .affects(object.clone(), format!("{} pods with an old template", old.len()));
    if let Some((wanted, has)) = difference {
        let field = edit::container_field(app, &wanted.name, "image");
        let at = format!("spec.containers[{}].image", wanted.name);
        finding = finding
            .field(field, wanted.image.to_string(), "a Deployment, which replaces its pods")
            .evidence([evidence::field(first.meta.source, &pod, at, has.image.to_string())]);
    } else {
        let field = edit::spec_field(app, "containers");
        finding = finding
            .field(field, "differs from the pods'", "a Deployment, which replaces its pods")
            .evidence([evidence::field(first.meta.source, &pod, "spec", "an older template")]);
    }
    let sick = old.iter().filter(|p| p.is_ready() == Some(false)).count();
    if sick > 0 {
        let lost = u32::try_from(sick).unwrap_or(u32::MAX);
        finding = finding.impact(Impact { replicas: lost, ..Impact::default() });
    } else {
        finding = finding.state(State::Suspected);
    }
    findings.push(finding);
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind == Kind::ReplicationController) {
        if only_counts(app) {
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field: "kind".into(),
                why: "a ReplicationController never updates its pods; a Deployment does".into(),
            });
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let namespace = &finding.object.namespace;
    let app = now.app(&finding.object);
    let pod = app.and_then(|a| a.running().next()).map_or("POD", |p| p.meta.name.as_str());
    Remedy {
        next: vec![
            Step::look(
                "Compare template and pods",
                format!("kubectl get {object} -o yaml; kubectl get pods -n {namespace} -o wide"),
            ),
            Step {
                what: "Delete its pods one by one, waiting for each new one to be ready".into(),
                command: Some(format!("kubectl delete pod -n {namespace} {pod}")),
                risk: Risk::Disruptive,
                undo: None,
            },
        ],
        do_not: vec!["Do not delete all of its pods at once: nothing would serve meanwhile".into()],
    }
}

/// Another kind of object is needed, not a patch of this one.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The template of a ReplicationController is changed while its pods run.",
        acts: vec![(10, Act::Unmodelled("the ReplicationController's controller makes pods"))],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check, check_gaps};

    fn controller(kind: &str, image: &str) -> String {
        format!(
            "kind: {kind}\nmetadata: {{namespace: mint, name: die, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 1, selector: {{app: die}}, template: \
             {{metadata: {{labels: {{app: die}}}}, spec: {{containers: [{{name: main, image: \
             '{image}'}}]}}}}}}\nstatus: {{replicas: 1}}\n---\n"
        )
    }

    fn pod(kind: &str, image: &str, ready: &str) -> String {
        format!(
            "kind: Pod\nmetadata: {{namespace: mint, name: die-x2x4z, creationTimestamp: \
             2026-01-01T00:00:00Z, ownerReferences: [{{kind: {kind}, name: die, controller: \
             true}}]}}\nspec: {{nodeName: n1, containers: [{{name: main, image: '{image}', \
             terminationMessagePath: /x}}], tolerations: [{{key: node.kubernetes.io/not-ready, \
             operator: Exists, effect: NoExecute, tolerationSeconds: 300}}]}}\nstatus: {{phase: \
             Running, conditions: [{{type: Ready, status: '{ready}'}}]}}\n---\n"
        )
    }

    #[test]
    fn pods_with_another_image_than_the_template() {
        let rc = "ReplicationController";
        let yaml = controller(rc, "die:2") + &pod(rc, "die:1", "False");
        check(&KIND, &yaml, &["template-ignored rc/die Proven Active"]);
        let well = controller(rc, "die:2") + &pod(rc, "die:1", "True");
        check(&KIND, &well, &["template-ignored rc/die Proven Suspected"]);
        check_gaps(&KIND, &well, &["rc/die kind"]);
        let set = controller("ReplicaSet", "die:2") + &pod("ReplicaSet", "die:1", "False");
        check(&KIND, &set, &["template-ignored rs/die Proven Active"]);
    }

    #[test]
    fn pods_of_the_template_stay_quiet() {
        let rc = "ReplicationController";
        check(&KIND, &(controller(rc, "die:2") + &pod(rc, "die:2", "True")), &[]);
        let owned = controller("Deployment", "die:2") + &pod("Deployment", "die:1", "True");
        check(&KIND, &owned, &[]);
    }
}

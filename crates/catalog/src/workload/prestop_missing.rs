//! `prestop-missing`: pods that stop listening before their Services have forgotten them.

use model::record::{Container, Known, Node};
use model::{Act, App, Factor, Gap, Patch, Scenario, Snapshot};

use super::audit;
use crate::pod::edit;

failure! {
    /// # Pods behind a Service that stop at once
    ///
    /// ## Signs
    /// A Service leads to pods whose containers have no `preStop` hook. At each rollout, drain
    /// or scale-down a few requests are refused or cut off, though all is well before and after.
    ///
    /// ## Why it happens
    /// When a pod is deleted two things begin at the same time. Its kubelet asks the program to
    /// stop, and its address is taken out of the Service: out of the endpoints, then out of the
    /// tables of every node, out of ingress controllers and load balancers. The second takes
    /// some seconds. A program that stops at once refuses whoever is still sent to it. A
    /// `preStop` hook that waits puts the two in order; the time counts against
    /// `terminationGracePeriodSeconds`, which is 30 when it is not stated.
    ///
    /// ## What we do
    /// 1. Add a `preStop` hook that waits ten seconds: `sleep: {seconds: 10}` since Kubernetes
    ///    1.30, before that a command, which the image must have.
    /// 2. Let the program finish its requests when it is asked to stop (SIGTERM).
    /// 3. Keep the grace period longer than both together.
    ///
    /// Do not raise the hook above the grace period: then the program is killed without ever
    /// being asked.
    ///
    /// ## How to avoid it
    /// Put it into the template of all services, together with a readiness probe: the one is
    /// for the end of a pod what the other is for its beginning.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Container Lifecycle Hooks" and "Pod Lifecycle" (termination).
    id: "prestop-missing",
    mechanisms: {
        "prestop-missing": "its pods stop listening while they are still sent requests",
    },
    reads: [Deployment, StatefulSet, Service, Node],
    leads_to: ["service-refused"],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: audit::remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// How long a pod should wait before it stops, in seconds.
const WAIT_SECONDS: u32 = 10;

/// The first minor version of Kubernetes 1 whose kubelets wait by themselves.
const SLEEP_SINCE: u32 = 30;

/// The container that serves and stops at once; `None` when there is none, or when the
/// template's hooks were not shown.
fn hasty(app: &App) -> Option<&Container> {
    let shown = app.workload.as_ref().is_some_and(|w| w.meta.shows(Known::PLACEMENT));
    let spec = app.spec().filter(|_| shown && app.shows_spec())?;
    // One container that waits keeps nobody else, but who wrote it thought of it.
    if spec.all_containers().any(|c| c.pre_stop) {
        return None;
    }
    spec.containers.iter().find(|c| !c.ports.is_empty()).or(spec.containers.first())
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, now: &Snapshot, gaps: &mut Vec<Gap>) {
    if !audit::is_app(app) {
        return;
    }
    let Some(container) = hasty(app) else { return };
    let Some(service) = now.services_of(app).into_iter().next() else { return };
    let field = edit::container_field(app, &container.name, "lifecycle.preStop");
    let why = format!("Service {} sends it requests while it stops", service.name);
    gaps.push(audit::gap(KIND.id, app, field, why));
}

/// That the pods of a workload refuse their last requests.
pub(crate) fn factor(app: &App) -> Option<Factor> {
    let why = "its pods stop listening before their Services have forgotten them";
    hasty(app).map(|_| audit::factor(KIND.id, app, why))
}

/// Whether all kubelets can wait by themselves, as far as their versions are known.
fn kubelets_wait(now: &Snapshot) -> bool {
    let minor = |n: &Node| n.kubelet_version.split('.').nth(1)?.parse::<u32>().ok();
    let mut versions = now.nodes.iter().map(minor).peekable();
    versions.peek().is_some() && versions.all(|v| v.is_some_and(|v| v >= SLEEP_SINCE))
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let hook = if kubelets_wait(now) {
        format!("sleep: {{seconds: {WAIT_SECONDS}}}")
    } else {
        format!("exec: {{command: [sleep, '{WAIT_SECONDS}']}}")
    };
    edit::container_patch(gap, &format!("lifecycle: {{preStop: {{{hook}}}}}"))
}

fn rehearse() -> Option<Scenario> {
    let act = "shop/drill-counter is rolled out while clients call it, and addresses leave the \
               tables of the nodes 5 s after their pods were asked to stop";
    Some(Scenario {
        story: "Clients are refused during a rollout, because pods stop at once.",
        acts: vec![
            (
                10,
                Act::Apply(concat!(
                    drill_deployment!(
                        "drill-counter",
                        replicas: 3,
                        container: "image: 'drill:1', ports: [{containerPort: 8080}]"
                    ),
                    drill_service!(
                        "drill-counter",
                        selects: "drill-counter",
                        ports: "{port: 80, targetPort: 8080}"
                    ),
                )),
            ),
            (60, Act::Unmodelled(act)),
        ],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests {
    use super::{KIND, factor};
    use crate::testing::{check_gaps, snapshot};
    use model::record::Known;
    use model::{Gap, Kind, ObjectRef};

    fn yaml(kind: &str, more: &str) -> String {
        format!(
            "kind: {kind}\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{metadata: {{labels: {{app: \
             buoy}}}}, spec: {{affinity: {{}}, containers: [{{name: main, resources: {{}}, ports: \
             [{{containerPort: 8080}}]{more}}}]}}}}}}\n---\nkind: Service\nmetadata: {{namespace: \
             dock, name: buoy, creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{selector: {{app: \
             buoy}}, ports: [{{port: 80, targetPort: 8080}}]}}\n---\n"
        )
    }

    const FIELD: &str = "spec.template.spec.containers[main].lifecycle.preStop";

    #[test]
    fn pods_that_serve_and_stop_at_once_are_a_gap() {
        check_gaps(&KIND, &yaml("Deployment", ""), &[&format!("deploy/buoy {FIELD}")]);
        let other = ", lifecycle: {postStart: {exec: {command: [warm]}}}";
        check_gaps(&KIND, &yaml("StatefulSet", other), &[&format!("sts/buoy {FIELD}")]);
        assert!(factor(&snapshot(&yaml("Deployment", "")).apps[0]).is_some());
    }

    #[test]
    fn a_hook_or_nobody_who_calls_closes_it() {
        for hook in ["exec: {command: [sleep, '5']}", "sleep: {seconds: 5}"] {
            let hook = format!(", lifecycle: {{preStop: {{{hook}}}}}");
            check_gaps(&KIND, &yaml("Deployment", &hook), &[]);
        }
        let alone = yaml("Deployment", "").replace("selector: {app: buoy}", "selector: {app: x}");
        check_gaps(&KIND, &alone, &[]);
        check_gaps(&KIND, &yaml("Deployment", "").replace("dock", "kube-system"), &[]);
    }

    #[test]
    fn a_form_that_does_not_print_hooks_says_nothing() {
        let now = snapshot(&yaml("Deployment", ""));
        let mut app = now.apps[0].clone();
        let mut workload = (**app.workload.as_ref().expect("a workload")).clone();
        workload.meta.live = workload.meta.live.without(Known::PLACEMENT);
        app.workload = Some(workload.into());
        assert_eq!(factor(&app), None);
    }

    #[test]
    fn the_patch_is_what_the_kubelets_understand() {
        let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
        let gap = Gap { failure: KIND.id, object, field: FIELD.into(), why: String::new() };
        let patch = |version: &str| {
            let node = format!(
                "kind: Node\nmetadata: {{name: n1}}\nstatus: {{nodeInfo: {{kubeletVersion: \
                 '{version}'}}}}\n"
            );
            let now = snapshot(&(yaml("Deployment", "") + &node));
            (KIND.prevent)(&gap, &now).expect("a patch").body
        };
        assert!(patch("v1.31.2").contains("preStop: {sleep: {seconds: 10}}"));
        assert!(patch("v1.29.4+k3s1").contains("preStop: {exec: {command: [sleep, '10']}}"));
        assert!(patch("").contains("exec:"));
    }
}

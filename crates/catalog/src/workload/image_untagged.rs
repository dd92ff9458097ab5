//! `image-untagged`: nobody can say which program a workload runs.

use model::{Act, App, Factor, Gap, Patch, Scenario, Snapshot};

use super::audit;
use crate::pod::edit;
use crate::pod::image::is_floating;

failure! {
    /// # An image without a version
    ///
    /// ## Signs
    /// The image of a container has no tag, or the tag `latest`, and no digest. Two pods of one
    /// revision behave differently; a restart brings another program than before.
    ///
    /// ## Why it happens
    /// Without a tag the name means `latest`, and `latest` is whatever was pushed last. The
    /// template does not change when the program does. So there is no revision to go back to:
    /// `kubectl rollout undo` brings the same name, and the name means the new program. Nodes
    /// that pulled at different times run different ones.
    ///
    /// With this tag the pull policy is `Always` unless it is stated. Then each start of a
    /// container asks the registry, and a registry that is down keeps pods from starting on
    /// nodes that have the image already.
    ///
    /// ## What we do
    /// 1. See what runs now: `kubectl get pod POD -o jsonpath='{.status.containerStatuses[*]
    ///    .imageID}'` shows the digest.
    /// 2. Write that version, or the digest, into the template.
    /// 3. Let the pipeline write a new tag for each build, and never push over one.
    ///
    /// Do not delete pods to see whether that helps: they come back with another program.
    ///
    /// ## How to avoid it
    /// Immutable tags in the registry, a policy that refuses `latest`, digests where it matters
    /// most.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Images".
    id: "image-untagged",
    mechanisms: {
        "image-untagged": "the name of its image means another program after each build",
    },
    reads: [Deployment, StatefulSet, DaemonSet],
    leads_to: ["deployment-rollout-failing", "pod-crash-looping", "pod-image-pull-failing"],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: audit::remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, _: &Snapshot, gaps: &mut Vec<Gap>) {
    if !audit::is_shown(app) {
        return;
    }
    let containers = app.spec().into_iter().flat_map(|s| s.all_containers());
    for c in containers.filter(|c| is_floating(&c.image)) {
        let field = edit::container_field(app, &c.name, "image");
        let why = format!("{} means another program after each build", c.image);
        gaps.push(audit::gap(KIND.id, app, field, why));
    }
}

/// That each start of a container asks the registry because of its image's name.
pub(crate) fn factor(app: &App, image: &str) -> Option<Factor> {
    let why = "with this tag every start asks the registry, also where the image is there already";
    is_floating(image).then(|| audit::factor(KIND.id, app, why))
}

/// Which version was meant is known to its owner alone.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "another program is pushed under the name drill, and a node that starts a pod of \
               shop/drill-parrot pulls it while the others keep the old one";
    Some(Scenario {
        story: "Pods of one revision run two programs, because their image has no tag.",
        acts: vec![
            (
                10,
                Act::Apply(drill_deployment!(
                    "drill-parrot",
                    replicas: 2,
                    container: "image: drill"
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

    fn yaml(image: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{spec: {{containers: [{{name: \
             main, image: '{image}', resources: {{}}}}]}}}}}}\n"
        )
    }

    #[test]
    fn a_name_that_means_whatever_was_built_last_is_a_gap() {
        let field = "deploy/buoy spec.template.spec.containers[main].image";
        for image in ["buoy", "buoy:latest", "registry.example:5000/harbour/buoy"] {
            check_gaps(&KIND, &yaml(image), &[field]);
        }
        let init = yaml("buoy:1").replace(
            "{containers:",
            "{initContainers: [{name: before, image: 'tools:latest'}], containers:",
        );
        let field = "deploy/buoy spec.template.spec.initContainers[before].image";
        check_gaps(&KIND, &init, &[field]);
    }

    #[test]
    fn a_version_or_a_digest_is_none() {
        let digest = "@sha256:4b1f6f0a8f1d2f5f0f4f5f6f7f8f9fafbfcfdfeff0f1f2f3f4f5f6f7f8f9fafb";
        for image in ["buoy:1.4.2", "registry.example:5000/buoy:v1", &format!("buoy{digest}")] {
            check_gaps(&KIND, &yaml(image), &[]);
        }
        check_gaps(&KIND, &yaml(&format!("buoy:latest{digest}")), &[]);
        check_gaps(&KIND, &yaml("buoy").replace("dock", "kube-system"), &[]);
    }

    #[test]
    fn it_is_a_factor_of_pulls_that_fail() {
        let now = snapshot(&yaml("buoy"));
        assert!(factor(&now.apps[0], "buoy:latest").is_some_and(|f| f.failure == KIND.id));
        assert_eq!(factor(&now.apps[0], "buoy:1"), None);
    }
}

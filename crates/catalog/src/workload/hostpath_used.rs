//! `hostpath-used`: a workload keeps its data in a directory of whatever node it is on.

use model::record::{PodSpec, VolumeSource};
use model::{Act, App, Factor, Gap, Kind, Patch, Scenario, Snapshot};

use super::audit;
use crate::pod::edit;

failure! {
    /// # A workload writes to a directory of its node
    ///
    /// ## Signs
    /// The template has a volume of the type `hostPath`, one of its containers mounts it and
    /// may write to it, and it is no agent that has to run on every node.
    ///
    /// ## Why it happens
    /// It is the quickest way to a disk: no class, no claim. But the directory belongs to one
    /// machine. A pod that is placed elsewhere finds an empty one, so the data seems lost, or
    /// two pods on one node write into the same files. What is written there counts for
    /// nobody: no limit bounds it, evicting the pod does not free it, and removing images
    /// does not either. A node whose disk it fills stays short of disk until somebody deletes
    /// files by hand.
    ///
    /// ## What we do
    /// 1. Find out whether the data is needed. If not, use an `emptyDir` with a `sizeLimit`.
    /// 2. If it is, move it into a claim: copy it with a pod that mounts both.
    /// 3. Where it must be the node's own disk, use a local volume, which the scheduler knows.
    ///
    /// Do not delete the directory while the workload runs, and not before its data is copied.
    ///
    /// ## How to avoid it
    /// Let the Pod Security level `baseline`, which refuses hostPath, hold for the namespaces
    /// of workloads.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Volumes" (hostPath, local) and "Pod Security Standards".
    id: "hostpath-used",
    mechanisms: {
        "hostpath-used": "what it writes stays on one node, counted and bounded by nobody",
    },
    reads: [Deployment, StatefulSet],
    leads_to: ["node-disk-pressure", "node-disk-pressure-loop"],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: audit::remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Directories of the node that its own agents use and hardly fill.
const AGENTS: [&str; 11] = [
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/opt/cni",
    "/proc",
    "/run",
    "/sys",
    "/usr",
    "/var/run",
    "/var/lib/kubelet",
];

/// A directory of the node that containers can write to: the volume and the path. Sockets, the
/// root, and what agents use are none that anybody fills.
pub(crate) fn written(spec: &PodSpec) -> Option<(&str, &str)> {
    spec.volumes.iter().find_map(|v| match &v.source {
        VolumeSource::HostPath(path) => {
            let agent = |a: &&str| {
                path.strip_prefix(*a).is_some_and(|r| r.is_empty() || r.starts_with('/'))
            };
            let file = path.ends_with(".sock") || path == "/";
            let mut mounts = spec.all_containers().flat_map(|c| c.volume_mounts.iter());
            let written = mounts.any(|m| m.name == v.name && !m.read_only);
            let other = !file && !AGENTS.iter().any(agent);
            (other && written).then_some((v.name.as_str(), path.as_str()))
        }
        _ => None,
    })
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, _: &Snapshot, gaps: &mut Vec<Gap>) {
    // An agent of every node is meant to use its node.
    if !audit::is_shown(app) || app.object.kind == Kind::DaemonSet {
        return;
    }
    let Some((volume, path)) = app.spec().and_then(written) else { return };
    let field = edit::spec_field(app, &format!("volumes[{volume}].hostPath"));
    let why = format!("what it writes to {path} stays on one node and is bounded by nobody");
    gaps.push(audit::gap(KIND.id, app, field, why));
}

/// That what a workload wrote to its node is freed by nobody.
pub(crate) fn factor(app: &App) -> Option<Factor> {
    let (_, path) = app.spec().and_then(written)?;
    let why = format!("no limit bounds what it writes to {path}, and evicting it frees nothing");
    Some(audit::factor(KIND.id, app, why))
}

/// Where the data shall be is its owner's decision.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "the container of shop/drill-hoard writes to /data/hoard of its node until the disk \
               is short, and neither evictions nor removed images free it";
    Some(Scenario {
        story: "A workload fills a directory of its node.",
        acts: vec![
            (
                10,
                Act::Apply(drill_deployment!(
                    "drill-hoard",
                    replicas: 1,
                    container: "image: 'drill:1', volumeMounts: [{name: hoard, mountPath: /data}]",
                    pod: "volumes: [{name: hoard, hostPath: {path: /data/hoard}}]"
                )),
            ),
            (60, Act::Unmodelled(act)),
        ],
        found_within_seconds: 1800,
    })
}

#[cfg(test)]
mod tests {
    use super::{KIND, factor};
    use crate::testing::{check_gaps, snapshot};

    fn yaml(kind: &str, path: &str, mount: &str) -> String {
        format!(
            "kind: {kind}\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{spec: {{containers: [{{name: \
             main, resources: {{}}, volumeMounts: [{{name: data, mountPath: /data{mount}}}]}}], \
             volumes: [{{name: data, hostPath: {{path: {path}}}}}]}}}}}}\n"
        )
    }

    #[test]
    fn data_in_a_directory_of_the_node_is_a_gap() {
        let field = "spec.template.spec.volumes[data].hostPath";
        let deployment = yaml("Deployment", "/srv/buoy", "");
        check_gaps(&KIND, &deployment, &[&format!("deploy/buoy {field}")]);
        let set = yaml("StatefulSet", "/mnt/disk1", ", readOnly: false");
        check_gaps(&KIND, &set, &[&format!("sts/buoy {field}")]);
        let now = snapshot(&deployment);
        assert!(factor(&now.apps[0]).is_some_and(|f| f.why.contains("/srv/buoy")));
    }

    #[test]
    fn agents_and_readers_are_none() {
        check_gaps(&KIND, &yaml("DaemonSet", "/var/log", ""), &[]);
        check_gaps(&KIND, &yaml("Deployment", "/srv/buoy", ", readOnly: true"), &[]);
        check_gaps(&KIND, &yaml("Deployment", "/var/run/docker.sock", ""), &[]);
        check_gaps(&KIND, &yaml("Deployment", "/srv", "").replace("dock", "kube-system"), &[]);
        let scratch =
            yaml("Deployment", "/srv", "").replace("hostPath: {path: /srv}", "emptyDir: {}");
        check_gaps(&KIND, &scratch, &[]);
        assert_eq!(factor(&snapshot(&scratch).apps[0]), None);
    }
}

use super::KIND;
use crate::testing::{check, check_gaps, lines, snapshot};

/// A Deployment with a volume and a pod of it on node `n1` that waits; complaints about it.
fn app(name: &str, volume: &str, complaints: &[(&str, &str)]) -> String {
    let spec = format!(
        "{{nodeName: n1, containers: [{{name: main, image: i}}], volumes: [{{name: shelf, {volume}}}]}}"
    );
    let mut yaml = format!(
        "kind: Deployment\nmetadata: {{name: {name}, namespace: park, creationTimestamp: \
         2026-01-02T09:00:00Z}}\nspec:\n  replicas: 1\n  template:\n    metadata: {{labels: {{app: \
         {name}}}}}\n    spec: {spec}\n---\nkind: Pod\nmetadata:\n  name: {name}-6f4d5b7c9d-x2x4z\n  \
         namespace: park\n  creationTimestamp: 2026-01-02T10:00:00Z\n  ownerReferences: [{{kind: \
         ReplicaSet, name: {name}-6f4d5b7c9d, controller: true}}]\nspec: {spec}\nstatus: {{phase: \
         Pending, conditions: [{{type: Ready, status: 'False'}}], containerStatuses: [{{name: \
         main, ready: false, state: {{waiting: {{reason: ContainerCreating}}}}}}]}}\n"
    );
    for (i, (reason, message)) in complaints.iter().enumerate() {
        yaml.push_str(&format!(
            "---\nkind: Event\nmetadata: {{name: e{i}, namespace: park}}\ntype: Warning\nreason: \
             {reason}\nmessage: '{message}'\ninvolvedObject: {{kind: Pod, namespace: park, name: \
             {name}-6f4d5b7c9d-x2x4z}}\nfirstTimestamp: 2026-01-02T10:00:05Z\nlastTimestamp: \
             2026-01-02T10:0{}:30Z\n",
            i + 2
        ));
    }
    yaml
}

const CLAIM: &str = "persistentVolumeClaim: {claimName: books}";
const BOOKS: &str = "---\nkind: PersistentVolumeClaim\nmetadata: {name: books, namespace: \
                     park}\nspec: {accessModes: [ReadWriteOnce], volumeName: \
                     pvc-7}\nstatus: {phase: Bound}\n";

/// A pod of another workload on node `n2` that has the claim.
fn holder(name: &str) -> String {
    format!(
        "---\nkind: Pod\nmetadata: {{name: {name}-6f4d5b7c9d-aaaaa, namespace: park, \
         creationTimestamp: 2026-01-02T09:00:00Z, ownerReferences: [{{kind: ReplicaSet, name: \
         {name}-6f4d5b7c9d, controller: true}}]}}\nspec: {{nodeName: n2, containers: [{{name: main, \
         image: i}}], volumes: [{{name: shelf, {CLAIM}}}]}}\nstatus: {{phase: Running, conditions: \
         [{{type: Ready, status: 'True'}}]}}\n"
    )
}

#[test]
fn what_a_volume_shows_and_nobody_made() {
    let map = "configMap: {name: maps}";
    let said = "MountVolume.SetUp failed for volume \"shelf\" : configmap \"maps\" not found";
    let want = "config-map-missing deploy/web Proven Active";
    check(&KIND, &app("web", map, &[("FailedMount", said)]), &[want]);
    check(&KIND, &app("web", map, &[]), &[want]);
    let several = "projected: {sources: [{secret: {name: pw}}, {configMap: {name: maps}}]}";
    check(&KIND, &app("web", several, &[]), &[want, "secret-missing deploy/web Proven Active"]);
    let key = "configMap: {name: maps, items: [{key: a.txt, path: a}]}";
    let said = "MountVolume.SetUp failed for volume \"shelf\" : configmap references non-existent config key: a.txt";
    let has = "---\nkind: ConfigMap\nmetadata: {name: maps, namespace: park}\ndata: {b.txt: x}\n";
    let want = "key-missing deploy/web Proven Active";
    check(&KIND, &(app("web", key, &[("FailedMount", said)]) + has), &[want]);
    check(&KIND, &(app("web", key, &[]) + has), &[want]);
}

#[test]
fn the_words_of_storage_name_the_mechanism() {
    for (volume, reason, message, want) in [
        (
            CLAIM,
            "FailedAttachVolume",
            "Multi-Attach error for volume \"pvc-7\" Volume is already exclusively attached to one node and can''t be attached to another",
            "attach-conflict deploy/web",
        ),
        (
            CLAIM,
            "FailedMount",
            "MountVolume.MountDevice failed for volume \"pvc-7\" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name shelf.csi.example.com not found in the list of registered CSI drivers",
            "driver-missing component/shelf.csi.example.com",
        ),
        (
            "nfs: {server: 10.0.0.9, path: /a}",
            "FailedMount",
            "MountVolume.SetUp failed for volume \"shelf\" : mount failed: exit status 32 Mounting command: mount Mounting arguments: -t nfs 10.0.0.9:/a /var/x Output: mount.nfs: Connection timed out",
            "network-storage-unreachable deploy/web",
        ),
        (
            CLAIM,
            "FailedMount",
            "MountVolume.SetUp failed for volume \"pvc-7\" : mount failed: exit status 32 Output: mount.nfs: access denied by server while mounting 10.0.0.9:/a",
            "permission-denied pv/pvc-7",
        ),
        (
            "hostPath: {path: /srv/a, type: Directory}",
            "FailedMount",
            "MountVolume.SetUp failed for volume \"shelf\" : hostPath type check failed: /srv/a is not a directory",
            "device-missing deploy/web",
        ),
        (
            CLAIM,
            "FailedMount",
            "MountVolume.MountDevice failed for volume \"pvc-7\" : fetching NodeStageSecretRef park/shelf-key failed: kubernetes.io/csi: failed to find the secret shelf-key in the namespace park with error: secrets \"shelf-key\" not found",
            "secret-missing deploy/web",
        ),
    ] {
        let yaml = app("web", volume, &[(reason, message)]) + BOOKS;
        check(&KIND, &yaml, &[&format!("{want} Proven Active")]);
    }
}

#[test]
fn who_holds_the_disk_is_named() {
    let said = "Multi-Attach error for volume \"pvc-7\" Volume is already used by pod(s) x";
    let yaml = app("web", CLAIM, &[("FailedAttachVolume", said)]) + BOOKS;
    check(&KIND, &(yaml.clone() + &holder("api")), &["attach-conflict pvc/books Proven Active"]);
    check(&KIND, &(yaml + &holder("web")), &["attach-conflict deploy/web Proven Active"]);
    // Nobody says anything yet: the objects do.
    let silent = app("web", CLAIM, &[("Scheduled", "x")]) + BOOKS + &holder("api");
    check(&KIND, &silent, &["attach-conflict pvc/books Likely Active"]);
    let shared = silent.replace("ReadWriteOnce", "ReadWriteMany");
    check(&KIND, &shared, &[]);
}

#[test]
fn a_wait_without_a_reason_is_only_a_question() {
    let new = "Unable to attach or mount volumes: unmounted volumes=[shelf], unattached volumes=[shelf kube-api-access-1]: timed out waiting for the condition";
    let old = "Unable to mount volumes for pod \"web_park(1)\": timeout expired waiting for volumes to attach or mount for pod \"park\"/\"web\". list of unmounted volumes=[shelf]";
    for said in [new, old] {
        let yaml = app("web", CLAIM, &[("FailedMount", said)]) + BOOKS;
        check(&KIND, &yaml, &["network-storage-unreachable deploy/web Possible Active"]);
    }
    // The event before says it.
    let said = "Multi-Attach error for volume \"pvc-7\" Volume is already exclusively attached";
    let yaml = app("web", CLAIM, &[("FailedAttachVolume", said), ("FailedMount", new)]) + BOOKS;
    check(&KIND, &yaml, &["attach-conflict deploy/web Proven Active"]);
}

#[test]
fn a_pod_that_has_its_volumes_or_just_lets_go_is_well() {
    let said =
        "MountVolume.SetUp failed for volume \"shelf\" : object \"park\"/\"maps\" not registered";
    let map = "configMap: {name: maps}";
    let has = "---\nkind: ConfigMap\nmetadata: {name: maps, namespace: park}\ndata: {b.txt: x}\n";
    check(&KIND, &(app("web", map, &[("FailedMount", said)]) + has), &[]);
    let pulls = [("FailedAttachVolume", "Multi-Attach error for volume"), ("Pulling", "Pulling")];
    check(&KIND, &(app("web", CLAIM, &pulls) + BOOKS), &[]);
    let young = app("web", CLAIM, &[("FailedAttachVolume", "Multi-Attach error for volume")]);
    let young = young.replace("10:02:30Z", "10:00:30Z");
    check(&KIND, &(young + BOOKS), &[]);
}

#[test]
fn one_driver_that_several_wait_for_is_one_cause() {
    let said = "AttachVolume.Attach failed for volume \"pvc-7\" : CSINode n1 does not contain driver shelf.csi.example.com";
    let complaint = [("FailedAttachVolume", said)];
    let driver = "---\nkind: DaemonSet\nmetadata: {name: csi-shelf-node, namespace: kube-system}\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}\n";
    let yaml = app("web", CLAIM, &complaint) + "---\n" + &app("api", CLAIM, &complaint) + driver;
    check(&KIND, &yaml, &["driver-missing ds/csi-shelf-node Proven Active"]);
}

#[test]
fn replicas_that_share_a_disk_are_a_gap() {
    let yaml = app("web", CLAIM, &[]) + BOOKS;
    check_gaps(&KIND, &yaml, &[]);
    let two = yaml.replace("replicas: 1", "replicas: 2");
    check_gaps(&KIND, &two, &["deploy/web spec.replicas"]);
}

#[test]
fn a_table_and_manifests_are_compared() {
    let map = "configMap: {name: maps}";
    let other = "---\nkind: ConfigMap\nmetadata: {name: rules, namespace: park}\ndata: {b.txt: x}\n\
                 ---\nkind: Event\nmetadata: {name: e, namespace: park}\nreason: Scheduled\nmessage: \
                 x\ninvolvedObject: {kind: Pod, namespace: park, name: other}\nlastTimestamp: \
                 2026-01-02T10:05:00Z\n";
    let mut now = snapshot(&(app("web", map, &[]) + other));
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), ["config-map-missing deploy/web Possible Active"]);
}

#[test]
fn a_program_that_may_not_use_its_volume_and_runs_on() {
    let spec = "{containers: [{name: main, image: i, volumeMounts: [{name: shelf, mountPath: /books}]}], securityContext: {runAsUser: 1000}, volumes: [{name: shelf, persistentVolumeClaim: {claimName: books}}]}";
    let yaml = |ready: &str| {
        format!(
            "kind: Deployment\nmetadata: {{name: web, namespace: park}}\nspec: {{replicas: 1, template: {{spec: {spec}}}}}\n---\nkind: Pod\nmetadata: {{name: web-6f4d5b7c9d-x2x4z, namespace: park, ownerReferences: [{{kind: ReplicaSet, name: web-6f4d5b7c9d, controller: true}}]}}\nspec: {spec}\nstatus: {{phase: Running, conditions: [{{type: Ready, status: '{ready}'}}], containerStatuses: [{{name: main, ready: false, state: {{running: {{}}}}}}]}}\n"
        )
    };
    let found = |ready: &str, line: &str| {
        let mut now = snapshot(&yaml(ready));
        now.logs.push(model::LogLines {
            name: "web-6f4d5b7c9d-x2x4z".into(),
            namespace: "park".into(),
            container: "main".into(),
            unit: "".into(),
            previous: false,
            lines: vec![line.to_owned()],
            document: 0,
        });
        lines(&KIND, &now)
    };
    let denied = "open /books/index: permission denied";
    assert_eq!(found("False", denied), ["permission-denied deploy/web Likely Active"]);
    assert_eq!(found("True", denied), Vec::<String>::new());
    let elsewhere = "open /etc/shadow: permission denied";
    assert_eq!(found("False", elsewhere), Vec::<String>::new());
}

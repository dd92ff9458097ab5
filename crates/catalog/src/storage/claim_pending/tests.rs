use super::KIND;
use crate::testing::{check, lines, snapshot};

fn claim(spec: &str, phase: &str) -> String {
    format!(
        "kind: PersistentVolumeClaim\nmetadata: {{name: paper, namespace: print, \
         creationTimestamp: 2026-02-01T08:00:00Z}}\nspec: {spec}\nstatus: {{phase: {phase}}}\n---\n"
    )
}

fn volume(name: &str, spec: &str, phase: &str) -> String {
    format!(
        "kind: PersistentVolume\nmetadata: {{name: {name}, creationTimestamp: \
         2026-01-01T00:00:00Z, labels: {{tier: slow}}}}\nspec: {spec}\nstatus: {{phase: {phase}}}\n---\n"
    )
}

fn class(name: &str, provisioner: &str, mode: &str) -> String {
    format!(
        "kind: StorageClass\nmetadata: {{name: {name}, creationTimestamp: 2026-01-01T00:00:00Z}}\n\
         provisioner: {provisioner}\nvolumeBindingMode: {mode}\n---\n"
    )
}

fn event(reason: &str, message: &str) -> String {
    format!(
        "kind: Event\nmetadata: {{name: e1, namespace: print}}\ninvolvedObject: {{kind: \
         PersistentVolumeClaim, name: paper, namespace: print}}\ntype: Warning\nreason: {reason}\n\
         message: '{message}'\nlastTimestamp: 2026-02-01T08:10:00Z\n---\n"
    )
}

const ASKS: &str = "{storageClassName: '', accessModes: [ReadWriteOnce], resources: {requests: \
                    {storage: 5Gi}}}";
const HAS: &str = "{storageClassName: '', accessModes: [ReadWriteOnce], capacity: {storage: 5Gi}}";
const NO_CLASS: &str = "no persistent volumes available for this claim and no storage class is set";

#[test]
fn the_field_in_which_claim_and_volume_differ_is_the_mechanism() {
    for (asks, has, want) in [
        (ASKS.replace("5Gi", "50Gi"), HAS.to_owned(), "capacity-too-small"),
        (ASKS.replace("Once", "Many"), HAS.to_owned(), "access-mode-mismatch"),
        (ASKS.to_owned(), HAS.replace("''", "slow"), "storage-class-mismatch"),
        (ASKS.replace("''", "rapid"), HAS.to_owned(), "storage-class-mismatch"),
        (
            ASKS.replace("}}}", "}}, selector: {matchLabels: {tier: fast}}}"),
            HAS.to_owned(),
            "selector-unmatched",
        ),
        (ASKS.replace("}}}", "}}, volumeMode: Block}"), HAS.to_owned(), "volume-mode-mismatch"),
        (
            ASKS.to_owned(),
            HAS.replace("{storageClass", "{claimRef: {namespace: print, name: ink}, storageClass"),
            "volume-taken",
        ),
    ] {
        let yaml = claim(&asks, "Pending") + &volume("v1", &has, "Available");
        let yaml = yaml + &event("FailedBinding", NO_CLASS);
        check(&KIND, &yaml, &[&format!("{want} pvc/paper Proven Active")]);
    }
}

#[test]
fn the_volume_that_comes_nearest_gives_the_numbers() {
    let yaml = claim(&ASKS.replace("5Gi", "50Gi"), "Pending")
        + &volume("v1", &HAS.replace("''", "other"), "Available")
        + &volume("v2", HAS, "Available")
        + &volume("v3", &HAS.replace("5Gi", "90Gi"), "Released");
    let now = snapshot(&yaml);
    let mut findings = model::Findings::default();
    now.claims.iter().for_each(|c| super::detect(c, &now, &mut findings));
    let finding = &findings.found[0];
    assert_eq!(finding.field.as_deref(), Some("spec.resources.requests.storage"));
    assert_eq!(finding.value.as_deref(), Some("50Gi"));
    assert_eq!(finding.expected.as_deref(), Some("at most 5Gi (volume v2)"));
}

#[test]
fn what_is_not_shown_leaves_a_doubt() {
    let asks = claim("{storageClassName: '', accessModes: [ReadWriteOnce]}", "Pending");
    let yaml = asks + &volume("v1", HAS, "Available") + &event("FailedBinding", NO_CLASS);
    check(&KIND, &yaml, &["capacity-too-small pvc/paper Likely Active"]);
}

#[test]
fn a_class_that_does_not_exist_is_named() {
    let said = event("ProvisioningFailed", "storageclass.storage.k8s.io \"rapid\" not found");
    let want = "storage-class-missing pvc/paper Proven Active";
    let asks = claim(&ASKS.replace("''", "rapid"), "Pending");
    check(&KIND, &(asks.clone() + &said), &[want]);
    check(&KIND, &(asks.clone() + &class("rabid", "x.example.com", "Immediate")), &[want]);
    check(
        &KIND,
        &(asks.clone() + &volume("v1", HAS, "Bound") + &said),
        &["storage-class-mismatch pvc/paper Proven Active"],
    );
    let mut now = snapshot(&(asks + &said));
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), [want]);
    check(&KIND, &(claim(ASKS, "Pending") + &event("FailedBinding", NO_CLASS)), &[want]);
}

#[test]
fn a_volume_that_is_named_must_exist_and_be_free() {
    let asks = claim(&ASKS.replace("{storage", "{volumeName: v9, storage"), "Pending");
    let missing = "volume-name-missing pvc/paper Proven Active";
    check(&KIND, &(asks.clone() + &volume("v1", HAS, "Available")), &[missing]);
    let taken = HAS.replace("{storageClass", "{claimRef: {namespace: a, name: b}, storageClass");
    let want = "volume-taken pvc/paper Proven Active";
    check(&KIND, &(asks.clone() + &volume("v9", &taken, "Bound")), &[want]);
    let small =
        event("FailedBinding", "Cannot bind to requested volume \"v9\": requested PV is too small");
    let mut now = snapshot(&(asks + &small));
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), ["capacity-too-small pvc/paper Proven Active"]);
    check(&KIND, &claim(&ASKS.replace("{storage", "{volumeName: v9, storage"), "Lost"), &[missing]);
}

#[test]
fn provisioners_fail_or_are_absent() {
    let asks = claim(&ASKS.replace("''", "rapid"), "Pending");
    let made = class("rapid", "disk.example.com", "Immediate");
    let want = "provisioner-failing pvc/paper Proven Active";
    let failed = event("ProvisioningFailed", "rpc error: code = ResourceExhausted desc = no space");
    check(&KIND, &(asks.clone() + &made + &failed), &[want]);
    let waits = event(
        "ExternalProvisioning",
        "Waiting for a volume to be created either by the external provisioner disk.example.com or \
         manually by the system administrator",
    );
    check(&KIND, &(asks.clone() + &made + &waits), &[want]);
    let by_hand = class("rapid", "kubernetes.io/no-provisioner", "Immediate");
    let plugin =
        event("ProvisioningFailed", "no volume plugin matched name: kubernetes.io/no-provisioner");
    let want = "no-volume pvc/paper Proven Active";
    check(&KIND, &(asks + &by_hand + &plugin), &[want]);
}

#[test]
fn look_alikes_stay_quiet() {
    let lazy = class("rapid", "disk.example.com", "WaitForFirstConsumer");
    let asks = ASKS.replace("''", "rapid");
    check(&KIND, &(claim(&asks, "Pending") + &lazy), &[]);
    let said =
        event("WaitForFirstConsumer", "waiting for first consumer to be created before binding");
    check(&KIND, &(claim(&asks, "Pending") + &said + &class("rapid", "d", "Immediate")), &[]);
    let bound = claim(ASKS, "Bound") + &event("FailedBinding", NO_CLASS);
    check(&KIND, &bound, &[]);
    // Made a moment ago.
    let new = claim(&asks, "Pending") + &class("rapid", "disk.example.com", "Immediate");
    check(&KIND, &new, &[]);
}

#[test]
fn what_a_claim_does_not_show_its_template_says() {
    let hidden = "kind: PersistentVolumeClaim\nmetadata: {name: paper-press-0, namespace: print}\n\
                  spec: {storageClassName: hand}\nstatus: {phase: Pending}\n---\n";
    let told = "kind: Event\nmetadata: {name: e2, namespace: print}\ninvolvedObject: {kind: \
                PersistentVolumeClaim, name: paper-press-0, namespace: print}\nreason: FailedBinding\n\
                message: no volume\n---\n";
    let set = |spec: &str| {
        format!(
            "kind: StatefulSet\nmetadata: {{name: press, namespace: print}}\nspec: \
             {{volumeClaimTemplates: [{{metadata: {{name: paper}}, spec: {{storageClassName: hand, \
             {spec}}}}}]}}\n---\n"
        )
    };
    let room = "storageClassName: hand, capacity: {storage: 5Gi}, accessModes: [ReadWriteOnce]";
    let there = volume("v1", &format!("{{{room}}}"), "Available") + hidden + told;
    let of = |mode: &str, size: &str| {
        there.clone()
            + &set(&format!("accessModes: [{mode}], resources: {{requests: {{storage: {size}}}}}"))
    };
    let claim = "pvc/paper-press-0 Proven Active";
    check(&KIND, &of("ReadWriteMany", "5Gi"), &[&format!("access-mode-mismatch {claim}")]);
    check(&KIND, &of("ReadWriteOnce", "9Gi"), &[&format!("capacity-too-small {claim}")]);
}

#[test]
fn who_asks_for_no_class_does_not_mean_a_volume_that_would_not_do() {
    let asks = ASKS.replace("storageClassName: '', ", "").replace("5Gi", "50Gi");
    let slow = volume("v1", &HAS.replace("''", "slow"), "Available");
    let yaml = claim(&asks, "Pending") + &slow + &event("FailedBinding", NO_CLASS);
    check(&KIND, &yaml, &["storage-class-missing pvc/paper Proven Active"]);
    let fits = yaml.replace("50Gi", "5Gi");
    check(&KIND, &fits, &["storage-class-mismatch pvc/paper Proven Active"]);
}

#[test]
fn a_pod_of_a_table_waits_for_the_claim_of_its_ordinal() {
    let mut claim =
        model::ObjectRef::new(model::Kind::PersistentVolumeClaim, "print", "paper-press-0");
    let mut builder = model::Builder::default();
    for (name, status) in [("press-0", "Pending"), ("ink-1", "Pending")] {
        let row = serde_json::json!({
            "kind": "Pod", "metadata": {"name": name, "namespace": "print"},
            "status": {"phase": "Pending", "summary": {"status": status, "ready": 0, "containers": 1}},
        });
        builder.add(model::decode_value(model::Kind::Pod, &row, true).expect("a pod"), 0);
    }
    let now = builder.finish(None);
    let names = |claim: &model::ObjectRef| -> Vec<String> {
        let users = super::of_ordinal(claim, &now);
        users.iter().map(|a| a.pods[0].meta.name.to_string()).collect()
    };
    assert_eq!(names(&claim), ["press-0"]);
    claim.name = "paper-press-1".into();
    assert_eq!(names(&claim), Vec::<String>::new());
}

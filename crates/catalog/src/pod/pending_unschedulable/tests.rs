use super::KIND;
use crate::testing::{check, lines, snapshot};

/// A Deployment with one pod without a node; `spec` is YAML of the pod spec, in braces.
fn waiting(spec: &str, said: &str) -> String {
    let condition = match said {
        "" => String::new(),
        text => format!(
            "  conditions:\n  - {{type: PodScheduled, status: 'False', reason: Unschedulable, \
             message: \"{text}\", lastTransitionTime: 2026-02-01T08:00:00Z}}\n"
        ),
    };
    format!(
        "kind: Deployment\nmetadata: {{name: press, namespace: print, \
         creationTimestamp: 2026-02-01T07:59:58Z}}\n\
         spec:\n  replicas: 1\n  selector: {{matchLabels: {{app: press}}}}\n\
         \x20 template:\n    metadata: {{labels: {{app: press}}}}\n    spec: {spec}\n\
         ---\nkind: Pod\nmetadata:\n  name: press-6b8d9c7f5-x2x4z\n  namespace: print\n\
         \x20 creationTimestamp: 2026-02-01T07:59:59Z\n  labels: {{app: press}}\n\
         \x20 ownerReferences: [{{kind: ReplicaSet, name: press-6b8d9c7f5, controller: true}}]\n\
         spec: {spec}\nstatus:\n  phase: Pending\n{condition}---\n"
    )
}

/// A worker with labels, its spec and what it has; all YAML in braces.
fn node(name: &str, labels: &str, spec: &str, has: &str) -> String {
    format!(
        "kind: Node\nmetadata: {{name: {name}, creationTimestamp: 2026-01-01T00:00:00Z, labels: \
         {labels}}}\nspec: {spec}\nstatus: {{allocatable: {has}, conditions: [{{type: Ready, \
         status: 'True', lastHeartbeatTime: 2026-02-01T08:10:00Z}}]}}\n---\n"
    )
}

const PLAIN: &str = "{containers: [{name: main, image: i}]}";
const HAS: &str = "{cpu: '4', memory: 8Gi, pods: '110'}";

/// A closed master and two workers.
fn cluster(labels: &str, spec: &str) -> String {
    let role = "{node-role.kubernetes.io/control-plane: ''}";
    node("master", role, "{unschedulable: true}", HAS)
        + &node("n1", labels, spec, HAS)
        + &node("n2", labels, spec, HAS)
}

fn selecting(selector: &str) -> String {
    format!("{{nodeSelector: {selector}, containers: [{{name: main, image: i}}]}}")
}

const MIXED: &str = "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't \
                     match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 \
                     Preemption is not helpful for scheduling.";

/// Two nodes have room, a third has not: how pods are spread is what keeps it from the two.
#[test]
fn what_free_nodes_are_refused_for_is_the_cause_not_what_full_ones_lack() {
    let spec = |rule: &str| {
        format!(
            "{{{rule}, containers: [{{name: m, image: i, resources: {{requests: {{cpu: '2'}}}}}}]}}"
        )
    };
    let spread = spec(
        "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: \
         DoNotSchedule, labelSelector: {matchLabels: {app: press}}}]",
    );
    let apart = spec(
        "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: \
         [{topologyKey: zone, labelSelector: {matchLabels: {app: press}}}]}}",
    );
    let full = node("n3", "{zone: b}", "{}", "{cpu: '1', memory: 8Gi, pods: '110'}");
    let nodes = cluster("{zone: a}", "{}") + &full;
    let said = |why: &str| {
        format!("0/4 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable, {why}.")
    };
    for (spec, why, want) in [
        (
            &spread,
            "2 node(s) didn't match pod topology spread constraints",
            "topology-spread-unsatisfiable deploy/press Proven Active",
        ),
        (
            &apart,
            "2 node(s) didn't match pod anti-affinity rules",
            "pod-anti-affinity-unmatched deploy/press Proven Active",
        ),
    ] {
        check(&KIND, &(waiting(spec, &said(why)) + &nodes), &[want]);
    }
}

#[test]
fn room_that_came_free_is_not_called_full() {
    let spec = "{containers: [{name: m, image: i, resources: {requests: {cpu: '3'}}}]}";
    let said = "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.";
    let mut findings = model::Findings::default();
    super::detect(&snapshot(&(waiting(spec, said) + &cluster("{}", "{}"))), &mut findings);
    let headline = &findings.found[0].headline;
    assert!(headline.ends_with("n2 has 4 left now"), "{headline}");
}

#[test]
fn a_selector_no_node_meets_is_the_cause_not_the_closed_master() {
    let want = "node-selector-unmatched deploy/press Proven Active";
    let nodes = cluster("{disk: hdd}", "{}");
    check(&KIND, &(waiting(&selecting("{disk: ssd}"), MIXED) + &nodes), &[want]);
    let old = "0/3 nodes are available: 3 node(s) didn't match node selector.";
    check(&KIND, &(waiting(&selecting("{disk: ssd}"), old) + &nodes), &[want]);
    // Without the nodes: one cordoned beside more that do not match is the usual master.
    check(&KIND, &waiting(&selecting("{disk: ssd}"), MIXED), &[want]);
}

#[test]
fn the_label_that_was_meant_is_named() {
    let yaml = waiting(&selecting("{disk: sdd}"), MIXED) + &cluster("{disk: ssd}", "{}");
    let mut findings = model::Findings::default();
    super::detect(&snapshot(&yaml), &mut findings);
    let finding = &findings.found[0];
    assert_eq!(finding.field.as_deref(), Some("spec.template.spec.nodeSelector.disk"));
    assert_eq!(finding.expected.as_deref(), Some("ssd (as n1, n2)"));
    assert!(finding.headline.ends_with("no node has the label disk=sdd"), "{}", finding.headline);
}

#[test]
fn selector_and_affinity_are_told_apart_by_the_spec() {
    let affinity = "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: \
                    {nodeSelectorTerms: [{matchExpressions: [{key: state, operator: NotIn, \
                    values: [repair]}]}]}}}, containers: [{name: main, image: i}]}";
    let want = "node-affinity-unmatched deploy/press Proven Active";
    let nodes = cluster("{state: repair}", "{}");
    check(&KIND, &(waiting(affinity, MIXED) + &nodes), &[want]);
    check(&KIND, &waiting(affinity, MIXED), &[want]);
}

#[test]
fn what_keeps_the_pod_from_the_nodes_it_wants_counts() {
    let said = "0/3 nodes are available: 1 node(s) had untolerated taint {team: red}, 1 node(s) \
                were unschedulable, 1 node(s) didn't match Pod's node affinity/selector.";
    let role = "{node-role.kubernetes.io/control-plane: ''}";
    let tainted = "{taints: [{key: team, value: red, effect: NoSchedule}]}";
    let nodes = node("master", role, "{unschedulable: true}", HAS)
        + &node("n1", "{disk: ssd}", tainted, HAS)
        + &node("n2", "{disk: hdd}", "{}", HAS);
    let want = "taint-not-tolerated deploy/press Proven Active";
    check(&KIND, &(waiting(&selecting("{disk: ssd}"), said) + &nodes), &[want]);
    // The same in words alone leaves a doubt.
    let open = "0/4 nodes are available: 2 node(s) had taint {team: red}, that the pod didn't \
                tolerate, 2 node(s) didn't match node selector.";
    let want = "taint-not-tolerated deploy/press Likely Active";
    check(&KIND, &waiting(&selecting("{disk: ssd}"), open), &[want]);
    let plain = "0/2 nodes are available: 2 node(s) had untolerated taint {team: red}.";
    let want = "taint-not-tolerated deploy/press Proven Active";
    check(&KIND, &waiting(PLAIN, plain), &[want]);
}

#[test]
fn a_sick_node_is_what_to_repair() {
    let said = "0/3 nodes are available: 1 node(s) were unschedulable, 1 node(s) had untolerated \
                taint {node.kubernetes.io/unreachable: }, 1 node(s) didn't match Pod's node \
                affinity/selector.";
    let sick = "{taints: [{key: node.kubernetes.io/unreachable, effect: NoSchedule}]}";
    let role = "{node-role.kubernetes.io/control-plane: ''}";
    let nodes = node("master", role, "{unschedulable: true}", HAS)
        + &node("n1", "{disk: ssd}", sick, HAS)
        + &node("n2", "{disk: hdd}", "{}", HAS);
    let want = "taint-not-tolerated node/n1 Proven Active";
    check(&KIND, &(waiting(&selecting("{disk: ssd}"), said) + &nodes), &[want]);
    // The label with the node's name counts also where it was not printed.
    check(&KIND, &(waiting(&selecting("{kubernetes.io/hostname: n1}"), said) + &nodes), &[want]);
}

#[test]
fn one_cordoned_node_is_edited_itself_several_are_named_at_the_workload() {
    let said = "0/3 nodes are available: 2 node(s) were unschedulable, 1 node(s) didn't match \
                Pod's node affinity/selector.";
    let role = "{node-role.kubernetes.io/control-plane: ''}";
    let nodes = node("master", role, "{unschedulable: true}", HAS)
        + &node("n1", "{disk: ssd}", "{unschedulable: true}", HAS)
        + &node("n2", "{disk: hdd}", "{}", HAS);
    let one = "node-cordoned node/n1 Proven Active";
    check(&KIND, &(waiting(&selecting("{disk: ssd}"), said) + &nodes), &[one]);
    let all = "0/3 nodes are available: 3 node(s) were unschedulable.";
    let many = "node-cordoned deploy/press Proven Active";
    let nodes = cluster("{disk: ssd}", "{unschedulable: true}");
    check(&KIND, &(waiting(PLAIN, all) + &nodes), &[many]);
    check(&KIND, &waiting(PLAIN, all), &[many]);
}

#[test]
fn too_large_a_request_is_told_from_a_full_cluster() {
    let asks = |cpu: &str| {
        format!(
            "{{containers: [{{name: main, image: i, resources: {{requests: {{cpu: '{cpu}'}}}}}}]}}"
        )
    };
    let said = "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.";
    let nodes = cluster("{a: b}", "{}");
    let want = "insufficient-cpu deploy/press Proven Active";
    for (cpu, end) in [
        ("9", "it asks for 9 of cpu and the largest node has 4"),
        ("3", "it asks for 3 of cpu and the cluster is full: at most 2 is left, on n2"),
    ] {
        let holder = |node: &str| {
            format!(
                "kind: Pod\nmetadata: {{name: hog-{node}, namespace: print, creationTimestamp: \
                 2026-01-05T00:00:00Z}}\nspec: {{nodeName: {node}, containers: [{{name: main, \
                 resources: {{requests: {{cpu: '2'}}}}}}]}}\nstatus: {{phase: Running}}\n---\n"
            )
        };
        let yaml = waiting(&asks(cpu), said) + &nodes + &holder("n1") + &holder("n2");
        check(&KIND, &yaml, &[want]);
        let mut findings = model::Findings::default();
        super::detect(&snapshot(&yaml), &mut findings);
        assert!(findings.found[0].headline.ends_with(end), "{}", findings.found[0].headline);
    }
    let old = "No nodes are available that match all of the predicates: Insufficient cpu (2), \
               NodeUnschedulable (1).";
    check(&KIND, &waiting(&asks("9"), old), &[want]);
}

#[test]
fn each_further_reason_has_its_mechanism() {
    for (said, want) in [
        ("2 Insufficient memory", "insufficient-memory"),
        ("2 Insufficient ephemeral-storage", "insufficient-ephemeral-storage"),
        ("2 Insufficient example.com/fpga", "insufficient-extended-resource"),
        ("2 Too many pods", "insufficient-pods"),
        ("2 node(s) didn't have free ports for the requested pod ports", "host-port-taken"),
        ("2 node(s) didn't match pod affinity rules", "pod-affinity-unmatched"),
        ("2 node(s) didn't match pod anti-affinity rules", "pod-anti-affinity-unmatched"),
        ("2 node(s) didn't match pod topology spread constraints", "topology-spread-unsatisfiable"),
        ("2 node(s) had volume node affinity conflict", "volume-node-conflict"),
        ("2 node(s) exceed max volume count", "volume-limit-reached"),
        ("pod has unbound immediate PersistentVolumeClaims", "claim-unbound"),
        (r#"persistentvolumeclaim \"paper\" not found"#, "claim-unbound"),
    ] {
        let text = format!("0/2 nodes are available: {said}.");
        let want = format!("{want} deploy/press Proven Active");
        check(&KIND, &waiting(PLAIN, &text), &[&want]);
    }
}

#[test]
fn a_claim_that_does_not_exist_is_the_workloads_fault() {
    let mounts = "{volumes: [{name: data, persistentVolumeClaim: {claimName: papper}}], \
                  containers: [{name: main, image: i}]}";
    let claim = |name: &str, phase: &str| {
        format!(
            "kind: PersistentVolumeClaim\nmetadata: {{name: {name}, namespace: print, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{storageClassName: fast}}\n\
             status: {{phase: {phase}}}\n---\n"
        )
    };
    let said = r#"persistentvolumeclaim \"papper\" not found"#;
    let run = |yaml: String| {
        let mut findings = model::Findings::default();
        super::detect(&snapshot(&yaml), &mut findings);
        let found = &findings.found[0];
        (found.mechanism, found.role, found.expected.clone().unwrap_or_default())
    };
    let missing = run(waiting(mounts, said) + &claim("paper", "Bound"));
    assert_eq!(missing, ("claim-unbound", model::Role::Trigger, "paper, which exists".into()));
    let unbound = "0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.";
    let pending = run(waiting(mounts, unbound) + &claim("papper", "Pending"));
    assert_eq!(pending, ("claim-unbound", model::Role::Symptom, "a bound claim".into()));
}

#[test]
fn a_pod_nobody_looked_at_has_no_scheduler() {
    let nodes = cluster("{a: b}", "{}");
    let quiet = waiting(PLAIN, "") + &nodes;
    check(&KIND, &quiet, &["scheduler-absent component/kube-scheduler Likely Active"]);
    let proven = "scheduler-absent component/kube-scheduler Proven Active";
    let scheduler = |ready: &str| {
        format!(
            "kind: Pod\nmetadata: {{name: kube-scheduler-master, namespace: kube-system, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{nodeName: master, containers: \
             [{{name: s}}]}}\nstatus: {{phase: Running, conditions: [{{type: Ready, status: \
             '{ready}'}}]}}\n"
        )
    };
    check(&KIND, &(quiet.clone() + &scheduler("False")), &[proven]);
    let mut now = snapshot(&quiet);
    now.units.push(model::UnitState {
        node: "master".into(),
        unit: "kube-scheduler".into(),
        active: false,
        state: "inactive (dead)".into(),
        document: 0,
    });
    assert_eq!(lines(&KIND, &now), [proven]);
    // It runs: then the input does not say why.
    let unclear = "insufficient-cpu deploy/press Possible Active";
    check(&KIND, &(quiet + &scheduler("True")), &[unclear]);
}

#[test]
fn a_scheduler_of_another_name_is_looked_for() {
    let named = "{schedulerName: defualt-scheduler, containers: [{name: main, image: i}]}";
    let want = "scheduler-name-unknown deploy/press Proven Active";
    check(&KIND, &(waiting(named, "") + &cluster("{a: b}", "{}")), &[want]);
}

#[test]
fn a_gate_holds_a_pod_back() {
    let gated = "{schedulingGates: [{name: example.com/approval}], containers: [{name: main}]}";
    let yaml = waiting(gated, "Scheduling is blocked due to non-empty scheduling gates")
        .replace("reason: Unschedulable", "reason: SchedulingGated");
    check(&KIND, &yaml, &["scheduling-gated deploy/press Proven Active"]);
}

#[test]
fn objects_alone_prove_it_where_nothing_was_said() {
    let row = "kind: Pod\nmetadata: {name: press-6b8d9c7f5-x2x4z, namespace: print}\n\
               spec: {nodeSelector: {disk: ssd}, containers: [{name: main}]}\n\
               status: {phase: Pending}\n---\n";
    let now = {
        let mut now = snapshot(&(row.to_owned() + &cluster("{disk: hdd}", "{}")));
        now.coverage = model::Coverage::default();
        now
    };
    assert_eq!(lines(&KIND, &now), ["node-selector-unmatched deploy/press Proven Active"]);
}

#[test]
fn look_alikes_stay_quiet() {
    let warned = waiting(PLAIN, MIXED);
    // It has a node now.
    let placed = warned.replace("spec: {containers", "spec: {nodeName: n1, containers");
    check(&KIND, &placed, &[]);
    // A node is being added for it.
    let helped = warned.clone()
        + "kind: Event\nmetadata: {name: e1, namespace: print}\n\
           involvedObject: {kind: Pod, name: press-6b8d9c7f5-x2x4z, namespace: print}\n\
           type: Normal\nreason: TriggeredScaleUp\n\
           message: 'pod triggered scale-up: [{pool 2->3}]'\n\
           lastTimestamp: 2026-02-01T08:00:30Z\n";
    check(&KIND, &helped, &[]);
    // Only just made.
    let new = waiting(PLAIN, "").replace(
        "creationTimestamp: 2026-02-01T07:59:58Z",
        "creationTimestamp: 2026-02-01T08:00:00Z",
    );
    check(&KIND, &new, &[]);
}

#[test]
fn events_alone_speak_for_pods_that_were_not_shown() {
    let event = "kind: Event\nmetadata: {name: e1, namespace: print}\n\
                 involvedObject: {kind: Pod, name: press-6b8d9c7f5-x2x4z, namespace: print}\n\
                 type: Warning\nreason: FailedScheduling\n\
                 message: '0/3 nodes are available: 3 Insufficient memory.'\n\
                 lastTimestamp: 2026-02-01T08:00:30Z\n";
    let mut now = snapshot(event);
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), ["insufficient-memory deploy/press Proven Active"]);
    // Listed pods without it: it is gone.
    check(&KIND, &format!("{event}---\n{}", node("n1", "{a: b}", "{}", HAS)), &[]);
}

#[test]
fn a_full_node_is_suspected_while_nobody_waits() {
    let pod = |node: &str, name: &str| {
        format!(
            "kind: Pod\nmetadata: {{name: {name}, namespace: print}}\nspec: {{nodeName: {node}, \
             containers: [{{name: main}}]}}\nstatus: {{phase: Running}}\n---\n"
        )
    };
    let two = "{cpu: '4', memory: 8Gi, pods: '2'}";
    let full = node("n1", "{}", "{}", two) + &pod("n1", "a") + &pod("n1", "b");
    check(&KIND, &full, &["insufficient-pods node/n1 Proven Suspected"]);
    // Another one takes them.
    check(&KIND, &(full.clone() + &node("n2", "{}", "{}", two) + &pod("n2", "c")), &[]);
    // What somebody closed takes none.
    let closed = full + &node("n2", "{}", "{unschedulable: true}", two);
    check(&KIND, &closed, &["insufficient-pods node/n1 Proven Suspected"]);
    check(&KIND, &(node("n1", "{}", "{}", two) + &pod("n1", "a")), &[]);
}

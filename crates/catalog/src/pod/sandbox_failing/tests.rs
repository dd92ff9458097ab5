use super::KIND;
use crate::testing::check;

/// A waiting pod of a workload on a node, with what was said about its sandbox.
fn waiting(name: &str, node: &str, message: &str) -> String {
    let message = message.replace('\'', "''");
    format!(
        "kind: Pod\nmetadata:\n  name: {name}-6f4d5b7c9d-x2x4z\n  namespace: park\n  \
         creationTimestamp: 2026-01-02T10:00:00Z\n  ownerReferences: [{{kind: ReplicaSet, name: \
         {name}-6f4d5b7c9d, controller: true}}]\nspec: {{nodeName: {node}, containers: [{{name: \
         main, image: i}}]}}\nstatus: {{phase: Pending, containerStatuses: [{{name: main, ready: \
         false, state: {{waiting: {{reason: ContainerCreating}}}}}}]}}\n---\nkind: \
         Event\nmetadata: {{name: e-{name}, namespace: park}}\ntype: Warning\nreason: \
         FailedCreatePodSandBox\nmessage: '{message}'\ncount: 9\ninvolvedObject: {{kind: Pod, \
         namespace: park, name: {name}-6f4d5b7c9d-x2x4z}}\nfirstTimestamp: \
         2026-01-02T10:00:05Z\nlastTimestamp: 2026-01-02T10:03:30Z\n"
    )
}

const CNI: &str = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup \
                   network for sandbox \"ab\": plugin type=\"calico\" failed (add): error getting \
                   ClusterInformation: connection refused";

#[test]
fn the_words_of_runtimes_old_and_new_name_the_mechanism() {
    for (message, want) in [
        (CNI, "network-plugin-down node/n1"),
        (
            "Failed create pod sandbox: rpc error: code = Unknown desc = failed to set up sandbox container \"ab\" network for pod \"web\": networkPlugin cni failed to set up pod \"web_park\" network: netplugin failed with no error message",
            "network-plugin-down node/n1",
        ),
        (
            "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to set up sandbox container \"ab\" network for pod \"web\": NetworkPlugin cni failed to set up pod \"web_park\" network: add cmd: failed to assign an IP address to container",
            "addresses-exhausted node/n1",
        ),
        (
            "failed to setup network for sandbox \"ab\": plugin type=\"bridge\" failed (add): failed to allocate for range 0: no IP addresses available in range set: 10.0.1.1-10.0.1.254",
            "addresses-exhausted node/n1",
        ),
        (
            "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for \"vm\" is configured",
            "runtime-class deploy/web",
        ),
        (
            "Failed to create pod sandbox: failed to generate seccomp spec opts: seccomp profile not found: stat /var/lib/kubelet/seccomp/web.json: no such file or directory",
            "security-profile deploy/web",
        ),
        (
            "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image \"reg.example/pause:3.9\": failed to pull",
            "sandbox-image-missing node/n1",
        ),
        (
            "Failed to create pod sandbox: mkdir /run/x: no space left on device",
            "disk-full node/n1",
        ),
        (
            "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
            "runtime-down node/n1",
        ),
    ] {
        check(&KIND, &waiting("web", "n1", message), &[&format!("{want} Proven Active")]);
    }
    let unclear = waiting("web", "n1", "Failed to create pod sandbox: it did not work");
    check(&KIND, &unclear, &["network-plugin-down node/n1 Possible Active"]);
}

#[test]
fn what_fails_on_several_nodes_is_the_plugin() {
    let two = waiting("web", "n1", CNI) + "---\n" + &waiting("api", "n2", CNI);
    check(&KIND, &two, &["network-plugin-down component/network-plugin Proven Active"]);
    let plugin = "---\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}\n";
    check(&KIND, &(two + plugin), &["network-plugin-down ds/calico-node Proven Active"]);
}

#[test]
fn the_plugins_own_sick_pod_is_the_cause_also_on_one_node() {
    let sick = "---\nkind: DaemonSet\nmetadata: {name: calico-node, namespace: kube-system}\nspec: {template: {spec: {containers: [{name: a, image: b}]}}}\n\
                ---\nkind: Pod\nmetadata: {name: calico-node-abcde, namespace: kube-system, ownerReferences: [{kind: DaemonSet, name: calico-node, controller: true}]}\n\
                spec: {nodeName: n1, containers: [{name: a, image: b}]}\nstatus: {phase: Running, conditions: [{type: Ready, status: 'False'}]}\n";
    let yaml = waiting("web", "n1", CNI) + sick;
    check(&KIND, &yaml, &["network-plugin-down ds/calico-node Proven Active"]);
    let well = sick.replace("'False'", "'True'");
    check(
        &KIND,
        &(waiting("web", "n1", CNI) + &well),
        &["network-plugin-down node/n1 Proven Active"],
    );
}

#[test]
fn a_pod_that_got_its_sandbox_and_a_first_try_are_quiet() {
    let runs = waiting("web", "n1", CNI)
        .replace("phase: Pending", "phase: Running, conditions: [{type: Ready, status: 'True'}]");
    check(&KIND, &runs, &[]);
    let first =
        waiting("web", "n1", CNI).replace("count: 9", "count: 1").replace("10:03:30", "10:00:05");
    check(&KIND, &first, &[]);
    let pulled = waiting("web", "n1", CNI)
        + "---\nkind: Event\nmetadata: {name: p, namespace: park}\nreason: Pulling\nmessage: Pulling\ninvolvedObject: {kind: Pod, namespace: park, name: web-6f4d5b7c9d-x2x4z}\nlastTimestamp: 2026-01-02T10:04:30Z\n";
    check(&KIND, &pulled, &[]);
    let low = "Failed to create pod sandbox: runc create failed: container init was OOM-killed (memory limit too low?)";
    check(&KIND, &waiting("web", "n1", low), &[]);
}

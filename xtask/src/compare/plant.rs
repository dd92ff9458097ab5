//! `cargo xtask compare plant`: plants further kinds of fault in a running cluster whose nodes
//! have no kubelets, and says for the pods what a kubelet would say.
//!
//! Everything goes through kubectl. It must meet only what it made itself.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::faults;

const OBJECTS: &str = include_str!("objects.yaml");
const NAMESPACES: [&str; 4] = ["lab", "lab-small", "lab-strict", "lab-guarded"];
/// How often the cluster is asked whether its controllers are done, one second apart.
const TRIES: u32 = 60;
/// Pods that a right cluster binds: workload and how many.
const BOUND: [(&str, usize); 11] = [
    ("beacon", 3),
    ("chute", 2),
    ("crane", 2),
    ("hopper", 2),
    ("oven", 2),
    ("press", 2),
    ("quorum", 2),
    ("scale", 2),
    ("stamp", 1),
    ("sweep", 1),
    ("wheel", 2),
];

/// The cluster to plant in.
pub struct Cluster<'a> {
    pub kubectl: &'a str,
    pub kubeconfig: &'a str,
}

/// Plants all, and writes the list of what was planted.
pub fn run(cluster: &Cluster<'_>, truth: &Path) -> Result<()> {
    // A webhook or a quota must stand before what it refuses: kubectl keeps the order.
    cluster.kubectl(&["apply", "-f", "-"], Some(OBJECTS))?;
    cluster.speak_for_the_far_node()?;
    cluster.wait("pods are bound", |pods| {
        BOUND.iter().all(|(name, wanted)| {
            let own = |p: &&Value| of(p, name) && text(p, "/spec/nodeName").is_some();
            pods.iter().filter(own).count() >= *wanted
        })
    })?;
    cluster.speak_for_kubelets(2)?;
    // What people do next: a change, a drain, a deletion.
    let image = "main=registry.example/lab/oven:2";
    cluster.kubectl(&["-n", "lab", "set", "image", "deployment/oven", image], None)?;
    cluster.kubectl(&["cordon", "lab-old-0"], None)?;
    let delete = ["-n", "lab", "delete", "pod", "stamp-0", "--force", "--grace-period=0"];
    cluster.kubectl(&[delete.as_slice(), &["--wait=false"]].concat(), None)?;
    cluster.wait("the new revision's pod is bound", |pods| {
        pods.iter().any(|p| is_new(p) && text(p, "/spec/nodeName").is_some())
    })?;
    cluster.speak_for_kubelets(102)?;
    let rows = faults::PLANTED.iter().map(|[fault, kind, namespace, name]| {
        json!({"fault": fault, "kind": kind, "namespace": namespace, "name": name})
    });
    let list = serde_json::to_string_pretty(&rows.collect::<Value>())?;
    std::fs::write(truth, list).with_context(|| format!("cannot write {}", truth.display()))?;
    println!("{} faults planted", faults::PLANTED.len());
    Ok(())
}

impl Cluster<'_> {
    fn kubectl(&self, words: &[&str], input: Option<&str>) -> Result<Vec<u8>> {
        let mut command = Command::new(self.kubectl);
        command.arg("--kubeconfig").arg(self.kubeconfig).args(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", self.kubectl))?;
        let mut pipe = child.stdin.take().context("kubectl takes no input")?;
        pipe.write_all(input.unwrap_or_default().as_bytes()).context("cannot tell kubectl")?;
        drop(pipe);
        let out = child.wait_with_output().context("cannot wait for kubectl")?;
        ensure!(out.status.success(), "kubectl {} failed", words.join(" "));
        Ok(out.stdout)
    }

    /// Its one sign of life: what follows is silence.
    fn speak_for_the_far_node(&self) -> Result<()> {
        let out = self.kubectl(&["get", "node", "lab-far-0", "-o", "json"], None)?;
        let node: Value = serde_json::from_slice(&out).context("the node is no JSON")?;
        let at = text(&node, "/metadata/creationTimestamp").context("the node has no age")?;
        let ready = json!({"type": "Ready", "status": "True", "reason": "KubeletReady",
            "message": "kubelet is posting ready status", "lastHeartbeatTime": at,
            "lastTransitionTime": at});
        self.patch_status("node", "", "lab-far-0", &json!({"conditions": [ready]}))
    }

    fn patch_status(&self, kind: &str, ns: &str, name: &str, status: &Value) -> Result<()> {
        let patch = json!({ "status": status }).to_string();
        let mut words = vec!["patch", kind, name, "--subresource=status", "--type=merge"];
        if !ns.is_empty() {
            words.extend(["-n", ns]);
        }
        words.extend(["-p", &patch]);
        self.kubectl(&words, None).map(|_| ())
    }

    /// The pods of our namespaces.
    fn pods(&self) -> Result<Vec<Value>> {
        let mut pods = Vec::new();
        for namespace in NAMESPACES {
            let out = self.kubectl(&["get", "pods", "-n", namespace, "-o", "json"], None)?;
            let mut list: Value = serde_json::from_slice(&out).context("the pods are no JSON")?;
            match list.get_mut("items").map(Value::take) {
                Some(Value::Array(items)) => pods.extend(items),
                _ => bail!("kubectl printed no list of pods"),
            }
        }
        Ok(pods)
    }

    fn wait(&self, what: &str, done: impl Fn(&[Value]) -> bool) -> Result<()> {
        for _ in 0..TRIES {
            if done(&self.pods()?) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_secs(1));
        }
        bail!("waited {TRIES} s in vain until {what}");
    }

    /// Says of each bound pod that nothing was said of yet what a kubelet would.
    fn speak_for_kubelets(&self, first_address: usize) -> Result<()> {
        for (serial, pod) in self.pods()?.iter().enumerate() {
            let told = pod.pointer("/status/containerStatuses").is_some();
            let (Some(_), false) = (text(pod, "/spec/nodeName"), told) else { continue };
            let namespace = text(pod, "/metadata/namespace").context("a pod has no namespace")?;
            let name = text(pod, "/metadata/name").context("a pod has no name")?;
            self.patch_status("pod", namespace, name, &status(pod, first_address + serial))?;
        }
        Ok(())
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// Whether a pod is of the workload of that name.
fn of(pod: &Value, workload: &str) -> bool {
    text(pod, "/metadata/labels/app") == Some(workload)
        || text(pod, "/metadata/labels/job-name") == Some(workload)
}

/// Whether a pod is of the revision whose image does not exist.
fn is_new(pod: &Value) -> bool {
    text(pod, "/spec/containers/0/image").is_some_and(|i| i.ends_with("/oven:2"))
}

/// What a kubelet says of a pod soon after it was made.
fn status(pod: &Value, address: usize) -> Value {
    let at = text(pod, "/metadata/creationTimestamp").unwrap_or_default();
    let image = text(pod, "/spec/containers/0/image").unwrap_or_default();
    let waiting = |reason: &str, message: String| {
        ("Pending", json!({"waiting": {"reason": reason, "message": message}}))
    };
    let (phase, state) = if is_new(pod) {
        let message =
            format!("Back-off pulling image \"{image}\": ErrImagePull: {image}: not found");
        waiting("ImagePullBackOff", message)
    } else if of(pod, "scale") {
        let message = "couldn't find key RATE in ConfigMap lab/scale-settings".to_owned();
        waiting("CreateContainerConfigError", message)
    } else if of(pod, "sweep") {
        let ended = json!({"exitCode": 3, "reason": "Error", "startedAt": at, "finishedAt": at});
        ("Failed", json!({ "terminated": ended }))
    } else {
        ("Running", json!({"running": {"startedAt": at}}))
    };
    let ready = phase == "Running";
    let mut conditions = vec![json!({"type": "PodScheduled", "status": "True",
        "lastTransitionTime": at})];
    for kind in ["Initialized", "Ready", "ContainersReady"] {
        let holds = ready || kind == "Initialized";
        let mut condition = json!({"type": kind, "lastTransitionTime": at,
            "status": if holds { "True" } else { "False" }});
        if let (false, Some(map)) = (holds, condition.as_object_mut()) {
            map.insert("reason".to_owned(), "ContainersNotReady".into());
            map.insert("message".to_owned(), "containers with unready status: [main]".into());
        }
        conditions.push(condition);
    }
    json!({"phase": phase, "startTime": at, "podIP": format!("10.250.0.{}", address % 256),
        "podIPs": [{"ip": format!("10.250.0.{}", address % 256)}], "conditions": conditions,
        "containerStatuses": [{"name": "main", "image": image, "imageID": "", "ready": ready,
            "started": ready, "restartCount": 0, "state": state, "lastState": {}}]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_planted_object_is_among_those_that_are_made() {
        for [fault, kind, _, name] in faults::PLANTED {
            let made = format!("kind: {kind}\nmetadata: {{name: {name}");
            let node = format!("kind: {kind}\nmetadata:\n  name: {name}\n");
            let there = OBJECTS.contains(&made) || OBJECTS.contains(&node);
            assert!(there || *kind == "Component", "{fault}: no {kind} {name}");
        }
    }

    #[test]
    fn kubelets_say_what_became_of_each_pod() {
        let pod = |app: &str, image: &str| {
            json!({"metadata": {"creationTimestamp": "2026-03-01T00:00:00Z",
                "labels": {"app": app}}, "spec": {"containers": [{"image": image}]}})
        };
        let word = |pod: &Value| {
            let status = status(pod, 3);
            let reason = text(&status, "/containerStatuses/0/state/waiting/reason");
            (text(&status, "/phase").unwrap().to_owned(), reason.unwrap_or_default().to_owned())
        };
        assert_eq!(word(&pod("wheel", "a:1")).0, "Running");
        assert_eq!(word(&pod("scale", "a:1")).1, "CreateContainerConfigError");
        assert_eq!(word(&pod("oven", "r/lab/oven:2")).1, "ImagePullBackOff");
        assert_eq!(word(&pod("oven", "r/lab/oven:1")).0, "Running");
    }
}

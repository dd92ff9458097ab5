//! The twin through a real kubectl, over TLS on a loopback port.

// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::path::PathBuf;
use std::process::{Command, Output};

use twin::{Options, Server, Speed, Twin, scenario};

/// A served twin and the kubeconfig file for it.
struct Served {
    _server: Server,
    file: PathBuf,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.file));
    }
}

/// Whether there is a kubectl to test with. Without one the tests say so and pass, except where
/// `CI=true` promises one.
fn has_kubectl() -> bool {
    let found = Command::new("kubectl").args(["version", "--client"]).output().is_ok();
    if !found {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "kubectl is missing");
        eprintln!("SKIPPED: there is no kubectl on this machine");
    }
    found
}

async fn serve(twin: &Twin, name: &str) -> Served {
    let options = Options {
        address: "127.0.0.1:0".parse().unwrap(),
        token: "secret-token".into(),
        speed: Speed::Pause,
        plain: false,
        authorization: twin::Authorization::AlwaysAllow,
    };
    let server = twin::serve(twin, options).await.unwrap();
    let file = std::env::temp_dir().join(format!("twin-{}-{name}.yaml", std::process::id()));
    std::fs::write(&file, server.kubeconfig()).unwrap();
    Served { _server: server, file }
}

impl Served {
    async fn kubectl(&self, args: &[&str]) -> Output {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.file).args(args);
        // A cache of its own: another server's discovery must not answer for this one.
        command.arg("--cache-dir").arg(self.file.with_extension("cache"));
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        drop(std::fs::remove_dir_all(self.file.with_extension("cache")));
        output.unwrap().unwrap()
    }

    async fn told(&self, args: &[&str]) -> String {
        let output = self.kubectl(args).await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "kubectl {args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Lost nodes: the story half an hour in.
fn story() -> Twin {
    let twin = Twin::new(scenario::cascade(2));
    twin.advance_seconds(30 * 60);
    twin
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_gets_and_describes() {
    if !has_kubectl() {
        return;
    }
    let twin = story();
    let served = serve(&twin, "get").await;
    let wide = served.told(&["get", "nodes,pods", "-A", "-o", "wide"]).await;
    for expected in [
        "NAMESPACE",
        "INTERNAL-IP",
        "NOMINATED NODE",
        "node/control-plane-1",
        "NotReady",
        "control-plane",
        "pod/prometheus-",
        "Running",
    ] {
        assert!(wide.contains(expected), "{expected} is not in\n{wide}");
    }
    let lost = wide.lines().find(|line| line.contains("NotReady")).unwrap();
    let lost = lost.split_whitespace().next().unwrap().trim_start_matches("node/").to_owned();

    let yaml = served.told(&["get", "nodes,pods", "-A", "-o", "yaml"]).await;
    for expected in ["kind: List", "kind: Node", "kind: Pod", "NodeStatusUnknown"] {
        assert!(yaml.contains(expected), "{expected} is not in the YAML");
    }

    let node = served.told(&["describe", "node", &lost]).await;
    for expected in [
        "Kubelet stopped posting node status.",
        "node.kubernetes.io/unreachable:NoExecute",
        "Non-terminated Pods:",
        "elastalert-",
        "Allocated resources:",
        "SystemOOM",
        "System OOM encountered, victim process: python",
        "NodeNotReady",
        "HolderIdentity:",
        "RenewTime:",
    ] {
        assert!(node.contains(expected), "{expected} is not in\n{node}");
    }
    let pods = served.told(&["-n", "logging", "describe", "pod", "-l", "app=elastalert"]).await;
    for expected in [
        "Successfully assigned logging/elastalert-",
        "Successfully pulled image",
        "QoS Class:                   BestEffort",
        "node.kubernetes.io/unreachable:NoExecute op=Exists for 300s",
        "Controlled By:  ReplicaSet/elastalert-",
    ] {
        assert!(pods.contains(expected), "{expected} is not in\n{pods}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_reads_every_kind_and_writes() {
    if !has_kubectl() {
        return;
    }
    let twin = story();
    let served = serve(&twin, "kinds").await;
    let kinds = served.told(&["api-resources", "--verbs=list", "-o", "name"]).await;
    assert!(kinds.lines().count() >= 40, "{kinds}");
    let all = kinds.lines().collect::<Vec<_>>().join(",");
    let told = served.told(&["get", &all, "-A"]).await;
    for expected in ["deployment.apps/elastalert", "service/grafana", "endpointslice", "lease."] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
    let none = served.kubectl(&["get", "pod", "nope"]).await;
    let error = String::from_utf8(none.stderr).unwrap();
    assert_eq!(error.trim(), "Error from server (NotFound): pods \"nope\" not found");

    served.told(&["-n", "shop", "label", "deployment", "cart", "team=one"]).await;
    let labelled = served.told(&["get", "deployments", "-A", "-l", "team=one"]).await;
    assert!(labelled.contains("cart"), "{labelled}");
    let wait = ["-n", "shop", "delete", "pod", "-l", "app=cart", "--wait=false"];
    served.told(&wait).await;
    let ending = served.told(&["-n", "shop", "get", "pods", "-l", "app=cart"]).await;
    assert!(ending.contains("Terminating"), "{ending}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_watches_until_the_timeout() {
    if !has_kubectl() {
        return;
    }
    let twin = Twin::new(scenario::cascade(2));
    twin.advance_seconds(20 * 60 - 1);
    let served = serve(&twin, "watch").await;
    let watch = ["-n", "logging", "get", "pods", "-w", "--request-timeout=4s"];
    let mover = tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        twin.advance_seconds(60);
    });
    let began = std::time::Instant::now();
    let output = served.kubectl(&watch).await;
    mover.await.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    for expected in ["NAME", "Running", "Pending", "ContainerCreating", "Terminating"] {
        assert!(told.contains(expected), "{expected} is not in\n{told}");
    }
    assert!(began.elapsed().as_secs() < 20, "the watch did not end by itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_refused() {
    if !has_kubectl() {
        return;
    }
    let twin = story();
    let served = serve(&twin, "token").await;
    let config = std::fs::read_to_string(&served.file).unwrap();
    std::fs::write(&served.file, config.replace("secret-token", "guess")).unwrap();
    let output = served.kubectl(&["get", "nodes"]).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("You must be logged in"), "{error}");
}

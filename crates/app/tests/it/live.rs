//! A cluster behind a port: the served twin, and nobody at all.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::{command, json, run};

/// A file of this test run, removed at its end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Scratch(std::env::temp_dir().join(format!("seaworthy-{}-{name}", std::process::id())))
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A served twin, ended with the test.
struct Served(Child);

impl Served {
    /// Serves a paused twin and waits until its kubeconfig is written.
    fn start(kubeconfig: &str) -> Self {
        Self::with(kubeconfig, &["--speed", "pause", "--advance", "3480"])
    }

    /// Serves a twin with these options and waits until its kubeconfig is written.
    fn with(kubeconfig: &str, options: &[&str]) -> Self {
        let mut command = command(&["twin", "--story", "--listen", "127.0.0.1:0"]);
        command.args(options);
        command.args(["--write-kubeconfig", kubeconfig]).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let served = Served(child);
        let first = lines.next().expect("a line").expect("UTF-8");
        assert!(first.starts_with("Twin on https://127.0.0.1:"), "{first}");
        let second = lines.next().expect("a line").expect("UTF-8");
        assert!(second.contains(kubeconfig), "{second}");
        served
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_cluster_is_read_over_tls_as_kubeconfig_says() {
    let kubeconfig = Scratch::new("kubeconfig");
    let _served = Served::start(kubeconfig.path());
    let live = run(&["diagnose", "--kubeconfig", kubeconfig.path(), "-o", "json"]);
    assert_eq!(live.code, 1, "{}", live.err);
    let value = json(&live);
    assert_eq!(value["input"][0]["name"], "live");
    assert!(value["input"][0]["objects"].as_u64().unwrap() > 50, "{}", value["input"]);
    assert_eq!(value["incidents"][0]["cause"]["failure"], "node-lost-cascade");

    let text = std::fs::read_to_string(kubeconfig.path()).unwrap();
    let token = text.lines().find_map(|l| l.trim().strip_prefix("token: ")).expect("a token");
    let stranger = Scratch::new("stranger");
    std::fs::write(stranger.path(), text.replace(token, "wrong")).unwrap();
    let refused = run(&["diagnose", "--kubeconfig", stranger.path()]);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{}", refused.err);
}

#[test]
fn nobody_at_the_address_is_code_3_and_says_so() {
    let kubeconfig = Scratch::new("nobody");
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
                clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\n\
                users: [{name: a, user: {}}]\n\
                contexts: [{name: a, context: {cluster: a, user: a}}]\n";
    std::fs::write(kubeconfig.path(), text).unwrap();
    let run = run(&["diagnose", "--kubeconfig", kubeconfig.path()]);
    assert_eq!((run.code, run.out.as_str()), (3, ""), "{run:?}");
    assert!(run.err.contains("the cluster did not answer"), "{}", run.err);
    assert!(run.err.contains("Does `kubectl get nodes` work here?"), "{}", run.err);
}

/// A served twin on its way, in virtual seconds a second.
fn serve_at(kubeconfig: &str, speed: &str) -> Served {
    Served::with(kubeconfig, &["--speed", speed, "--advance", "1500"])
}

/// Ends a program as Ctrl-C does.
fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.expect("kill runs").success());
}

#[test]
fn a_cluster_is_kept_in_sight_until_ctrl_c() {
    let kubeconfig = Scratch::new("watched");
    // At 25 minutes nothing is wrong yet; the first node is lost some minutes later.
    let _served = serve_at(kubeconfig.path(), "100");
    let mut command = command(&["diagnose", "--watch", "--kubeconfig", kubeconfig.path()]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut watching = command.spawn().expect("the program runs");
    let lines = BufReader::new(watching.stdout.take().expect("a pipe")).lines();
    let mut verdicts: Vec<String> = Vec::new();
    for line in lines.map(|l| l.expect("UTF-8")) {
        let word = line.split_whitespace().next().unwrap_or_default();
        if ["HEALTHY", "BROKEN", "DEGRADED", "AT-RISK", "RECOVERING"].contains(&word) {
            verdicts.push(line);
        }
        if verdicts.last().is_some_and(|v| v.starts_with("BROKEN") && v.contains("nodes were lost"))
        {
            break;
        }
    }
    assert!(verdicts.len() > 1, "it is said anew when it changes: {verdicts:?}");
    assert!(verdicts.windows(2).any(|w| w[0] != w[1]), "{verdicts:?}");
    interrupt(&watching);
    let output = watching.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "seaworthy: interrupted\n");
}

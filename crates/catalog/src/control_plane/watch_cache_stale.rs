//! `watch-cache-stale`: an API server's cache is behind what was already seen.

use model::{
    Act, Certainty, Evidence, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Risk,
    Scenario, Snapshot, Step,
};

use super::standing::everybody;
use crate::evidence;
use crate::wording::{self, says};

failure! {
    /// # The API server's cache is behind
    ///
    /// ## Signs
    /// Clients and controllers are told "Too large resource version: 5021, current: 4711": they
    /// have seen a state that this API server has not. Two API servers show different objects.
    /// A change that was made is not seen by watchers.
    ///
    /// ## Why it happens
    /// Each API server answers reads and watches from a cache that follows etcd. The cache stands
    /// still when its watch of etcd broke without notice, when the server is short of cpu, or
    /// when etcd was restored from a backup: then its revisions are older than those that all
    /// caches hold, and nothing newer comes for a long time.
    ///
    /// Old texts advise to raise an object's resourceVersion in etcd by hand. That is no cure
    /// any more: the version is etcd's own revision.
    ///
    /// ## What we do
    /// 1. Stop automatic changes: whoever acts on an old state does harm.
    /// 2. Compare the servers: ask each for the newest version it knows.
    /// 3. Restart the API server that is behind, alone. After a restore of etcd restart all API
    ///    servers, then the controller manager, the scheduler and the kubelets.
    ///
    /// ## How to avoid it
    /// Restore etcd with `--bump-revision` and `--mark-compacted`, so that every cache sees
    /// that it must read anew.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Kubernetes API Concepts" (resource versions); etcd
    /// documentation, "Disaster recovery".
    id: "watch-cache-stale",
    mechanisms: {
        "cache-behind": "an API server answers from a cache that is older than what clients \
            have seen",
    },
    reads: [Node],
    leads_to: ["deployment-rollout-failing"],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Only the end of a log is about now.
const LAST_LINES: usize = 60;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let object = ObjectRef::component("kube-apiserver");
    let behind = |t: &str| says(t, wording::CACHE_BEHIND);
    let quote = |t: &str| t.chars().take(300).collect::<String>();
    let errors = now.client_errors.iter().filter(|e| !e.answered_later && behind(&e.text));
    let errors =
        errors.map(|e| evidence::field(e.document, &object, "answer to a client", quote(&e.text)));
    let logs = now.logs.iter().filter(|l| !l.previous).filter_map(|log| {
        let mut last = log.lines.iter().rev().take(LAST_LINES);
        let line = last.find(|l| behind(l))?;
        let field = format!("log of {}", log.name);
        Some(evidence::field(log.document, &object, field, quote(line)))
    });
    let facts: Vec<Evidence> = errors.chain(logs).take(4).collect();
    if facts.is_empty() {
        return;
    }
    let headline = "an API server's cache is behind: clients have seen newer versions than it has";
    let look = "kubectl get --raw '/api/v1/namespaces?limit=1' on each API server: compare \
                metadata.resourceVersion";
    findings.push(
        Finding::new(KIND.id, "cache-behind", object.clone(), headline)
            .field("cache", "behind", "as new as etcd")
            .unsure(Certainty::Likely, &["etcd-slow"], look)
            .evidence(facts)
            .affects(everybody(), "changes are not seen"),
    );
}

/// Nothing in the API protects from it.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(_: &Finding, now: &Snapshot) -> Remedy {
    let node = now.nodes.iter().find(|n| n.is_control_plane()).map(|n| n.meta.object(Kind::Node));
    let node = node.map_or_else(|| "CONTROL-PLANE-NODE".into(), |n| n.name.to_string());
    Remedy {
        next: vec![
            Step::look(
                "Ask each API server for the newest version that it knows",
                format!(
                    "ssh {node} \"kubectl --server=https://127.0.0.1:6443 get --raw \
                     '/api/v1/namespaces?limit=1'\""
                ),
            ),
            Step::advice("Stop what changes the cluster by itself until the servers agree"),
            Step {
                what: "Restart the one that is behind, alone".into(),
                command: Some(format!(
                    "ssh {node} 'sudo crictl stop $(sudo crictl ps -q --name kube-apiserver)'"
                )),
                risk: Risk::Disruptive,
                undo: None,
            },
        ],
        do_not: vec![
            "Do not write resourceVersion by hand: it is etcd's revision, not the object's".into(),
        ],
    }
}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "etcd is restored from a backup and the API server keeps its cache.",
        acts: vec![(
            30,
            Act::Unmodelled("the API server's cache stays behind a store that was restored"),
        )],
        found_within_seconds: 60,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{lines, snapshot};

    const TOLD: &str = "Error from server (Timeout): Timeout: Too large resource version: 5021, \
        current: 4711";

    #[test]
    fn clients_and_logs_tell_that_a_cache_is_behind() {
        let want = ["cache-behind component/kube-apiserver Likely Active"];
        let mut now = snapshot("");
        let error =
            |later| model::ClientError { text: TOLD.into(), answered_later: later, document: 0 };
        now.client_errors.push(error(false));
        assert_eq!(lines(&KIND, &now), want);
        now.client_errors = vec![error(true)];
        assert!(lines(&KIND, &now).is_empty());
        now.logs.push(model::LogLines {
            name: "operator-1".into(),
            namespace: "ops".into(),
            container: "".into(),
            unit: "".into(),
            previous: false,
            lines: vec![format!("reflector.go:147] failed to list: {TOLD}")],
            document: 0,
        });
        assert_eq!(lines(&KIND, &now), want);
        now.logs[0].lines.push("relist done".into());
        now.logs[0].lines = vec!["too old resource version: relisting".into()];
        assert!(lines(&KIND, &now).is_empty(), "an old version is only read anew");
    }
}

//! `ingress-untuned`: an ingress controller with the settings it came with.

use model::record::Named;
use model::{Finding, Gap, Kind, Patch, Remedy, Scenario, Snapshot, Step};

failure! {
    /// # An ingress controller runs with the settings it came with
    ///
    /// ## Signs
    /// Under load the controller of ingress-nginx uses much CPU, opens a connection for nearly
    /// every request, runs out of connections or ports, and answers late or with 502 and 504,
    /// while the pods behind it have room. Its ConfigMap is empty or names none of the settings
    /// below.
    ///
    /// ## Why it happens
    /// The defaults fit a small site. Connections of clients are closed after few requests;
    /// connections to the pods are kept too few or too short, so that each request pays for a
    /// new one; workers may hold only so many connections. At a high rate all of these are
    /// reached at once.
    ///
    /// ## What we do
    /// 1. Look at the rate of requests and at the number of connections per second.
    /// 2. Keep connections longer, on both sides; allow more of them for each worker.
    /// 3. Where one controller is not enough, run more replicas, or a second controller with a
    ///    class of its own for the busiest site.
    ///
    /// Do not raise limits without a look at the pods behind: what the controller lets through,
    /// they must bear.
    ///
    /// ## How to avoid it
    /// Set the values with the installation and load the site before its busiest day.
    ///
    /// ## Sources
    /// ingress-nginx documentation, "ConfigMap".
    id: "ingress-untuned",
    mechanisms: { "settings-missing": "it has the settings it came with", },
    reads: [ConfigMap, Deployment, DaemonSet, Ingress],
    leads_to: [],
    detect: Exposure,
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Settings that a busy site wants, with a value to begin with and what it is for.
const SETTINGS: [(&str, &str, &str); 6] = [
    ("keep-alive", "75", "seconds that a client's connection is kept"),
    ("keep-alive-requests", "10000", "requests on one connection of a client"),
    ("upstream-keepalive-connections", "320", "connections to pods that each worker keeps"),
    ("upstream-keepalive-requests", "10000", "requests on one connection to a pod"),
    ("upstream-keepalive-timeout", "60", "seconds that a connection to a pod is kept"),
    ("max-worker-connections", "65536", "connections that each worker may have"),
];

/// Names under which the controller is installed.
fn is_settings(map: &Named) -> bool {
    let name = map.meta.name.as_str();
    map.kind == Kind::ConfigMap
        && (name == "nginx-configuration"
            || (name.ends_with("-controller") && name.contains("ingress-nginx"))
            || (name.ends_with("-controller") && name.contains("nginx-ingress")))
}

/// Whether its keys were shown; names alone are read of a live cluster.
fn is_shown(map: &Named) -> bool {
    !map.keys.is_empty()
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for map in now.named.iter().filter(|m| is_settings(m) && is_shown(m)) {
        for (key, _, what) in SETTINGS {
            if !map.keys.iter().any(|k| k == key) {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: map.meta.object(Kind::ConfigMap),
                    field: format!("data.{key}"),
                    why: format!("not set: {what}"),
                });
            }
        }
    }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let key = gap.field.strip_prefix("data.")?;
    let (_, value, _) = SETTINGS.iter().find(|(k, _, _)| *k == key)?;
    let body = format!("data:\n  {key}: \"{value}\"\n");
    Some(Patch { object: gap.object.clone(), body })
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let edit = format!("kubectl edit {}", finding.object.for_kubectl());
    Remedy {
        next: vec![Step::change(
            "Set the values; the controller reloads by itself",
            edit.clone(),
            edit,
        )],
        do_not: vec!["Do not raise limits without a look at the pods behind".into()],
    }
}

/// A missing protection does not happen.
fn rehearse() -> Option<Scenario> {
    None
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check_gaps, snapshot};

    #[test]
    fn settings_that_are_missing_are_told_one_by_one() {
        let map = "kind: ConfigMap\nmetadata: {namespace: edge, name: ingress-nginx-controller}\n\
                   data: {keep-alive: '75', max-worker-connections: '65536'}\n";
        let all = [
            "cm/ingress-nginx-controller data.keep-alive-requests",
            "cm/ingress-nginx-controller data.upstream-keepalive-connections",
            "cm/ingress-nginx-controller data.upstream-keepalive-requests",
            "cm/ingress-nginx-controller data.upstream-keepalive-timeout",
        ];
        check_gaps(&KIND, map, &all);
        check_gaps(&KIND, &map.replace("edge", "door"), &all);
        check_gaps(&KIND, &map.replace("ingress-nginx-controller", "site"), &[]);
        // Keys that were not read are not known to be missing.
        let names = map.replace("data: {keep-alive: '75', max-worker-connections: '65536'}\n", "");
        check_gaps(&KIND, &names, &[]);
        let now = snapshot(map);
        let mut gaps = Vec::new();
        (KIND.exposed)(&now, &mut gaps);
        let patch = gaps.first().and_then(|g| (KIND.prevent)(g, &now)).expect("a patch");
        assert_eq!(patch.body, "data:\n  keep-alive-requests: \"10000\"\n");
    }
}

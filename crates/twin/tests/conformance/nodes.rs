//! The health of nodes: what a silent kubelet's node looks like before and after the grace
//! period, whatever it said last.

use serde_json::{Value, json};

use super::stage::Stage;

fn ready(node: &Value) -> (String, String) {
    let conditions = node["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let found = conditions.iter().find(|c| c["type"] == "Ready").cloned().unwrap_or_default();
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"))
}

#[track_caller]
fn check(last: &str, after_seconds: i64, status: &str, reason: &str) {
    let stage = Stage::of("node");
    let node = json!({"metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": "a"}}});
    if last.is_empty() {
        // Its kubelet never came.
        stage.lose("n");
    }
    stage.make("/api/v1/nodes", &node);
    stage.wait(12);
    if !last.is_empty() && last != "True" {
        let condition = json!([{"type": "Ready", "status": last, "reason": "Told"}]);
        stage.patch("/api/v1/nodes/n/status", &json!({"status": {"conditions": condition}}));
    }
    stage.lose("n");
    stage.wait(after_seconds);
    let node = stage.get("/api/v1/nodes/n").expect("the node");
    assert_eq!(ready(&node), (status.to_owned(), reason.to_owned()), "{last} {after_seconds}");
}

#[test]
fn a_silent_node_is_unknown_after_the_grace_period() {
    for (last, reason) in [("True", "KubeletReady"), ("False", "Told")] {
        check(last, 36, last, reason);
        check(last, 57, "Unknown", "NodeStatusUnknown");
    }
    check("Unknown", 57, "Unknown", "Told");
    check("", 30, "", "");
    check("", 70, "Unknown", "NodeStatusNeverUpdated");
}

/// The NoExecute taints after ten minutes, by node.
fn given_up(zones: &[(&str, usize, usize, bool)]) -> Vec<usize> {
    let stage = Stage::of("node");
    for (zone, ready, lost, excluded) in zones {
        for number in 0..ready + lost {
            let mut labels = json!({"topology.kubernetes.io/zone": zone});
            if *excluded {
                labels["node.kubernetes.io/exclude-disruption"] = "yes".into();
            }
            let node = json!({"metadata": {"name": format!("{zone}{number}"), "labels": labels}});
            stage.make("/api/v1/nodes", &node);
        }
    }
    stage.wait(30);
    for (zone, _, lost, _) in zones {
        (0..*lost).for_each(|number| stage.lose(&format!("{zone}{number}")));
    }
    stage.wait(600);
    let count = |zone: &str| {
        let nodes = stage.get("/api/v1/nodes").unwrap_or_default();
        let nodes = nodes["items"].as_array().cloned().unwrap_or_default();
        let tainted = nodes.iter().filter(|node| {
            let taints = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
            let name = node["metadata"]["name"].as_str().unwrap_or_default();
            name.starts_with(zone) && taints.iter().any(|t| t["effect"] == "NoExecute")
        });
        tainted.count()
    };
    zones.iter().map(|(zone, ..)| count(zone)).collect()
}

#[test]
fn zones_are_given_up_at_their_rates() {
    assert_eq!(given_up(&[("a", 3, 2, false)]), [2], "normal: 0.1 a second");
    assert_eq!(given_up(&[("a", 0, 3, false), ("b", 1, 0, false)]), [3, 0], "a lost zone");
    // One gets through before the pass over all nodes is done and the rate is changed.
    assert_eq!(given_up(&[("a", 4, 6, false), ("b", 1, 0, false)]), [1, 0], "partly lost, small");
    let large = given_up(&[("a", 20, 31, false)]);
    assert!((5..=8).contains(&large[0]), "0.01 a second: {large:?}");
    let master = given_up(&[("a", 0, 3, false), ("m", 1, 0, true)]);
    assert!(master[0] <= 1, "a node that does not count saves nobody: {master:?}");
}

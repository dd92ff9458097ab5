//! The built-in story, by its objects.

// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use twin::{Twin, scenario};

struct End(Vec<Value>);

impl End {
    fn of(seed: u64) -> Self {
        let twin = Twin::new(scenario::cascade(seed));
        twin.run();
        Self(twin.dump().lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    fn kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |object| object["kind"] == kind)
    }

    /// Names of the nodes that are not ready, by the time they became so.
    fn lost(&self) -> Vec<String> {
        let mut lost = BTreeMap::new();
        for node in self.kind("Node") {
            let ready = condition(node, "Ready");
            if ready["status"] != "True" {
                let told = (&ready["status"], &ready["reason"], &ready["message"]);
                let expected =
                    ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.");
                assert_eq!(told, (&expected.0.into(), &expected.1.into(), &expected.2.into()));
                lost.insert(text(&ready["lastTransitionTime"]), text(&node["metadata"]["name"]));
            }
        }
        lost.into_values().collect()
    }

    fn events<'a>(&'a self, reason: &'a str) -> impl Iterator<Item = &'a Value> {
        self.kind("Event").filter(move |event| event["reason"] == reason)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let all = object["status"]["conditions"].as_array().unwrap();
    all.iter().find(|c| c["type"] == kind).unwrap()
}

fn alerters(end: &End) -> Vec<&Value> {
    end.kind("Pod").filter(|pod| pod["metadata"]["labels"]["app"] == "elastalert").collect()
}

/// Whatever the dice say, the story is the same.
#[test]
fn three_nodes_fall_one_after_another() {
    for seed in 0..8 {
        let end = End::of(seed);
        let lost = end.lost();
        assert_eq!(lost.len(), 3, "seed {seed}: {lost:?}");
        let on: BTreeMap<String, &Value> =
            alerters(&end).iter().map(|pod| (text(&pod["spec"]["nodeName"]), *pod)).collect();
        assert_eq!(on.len(), 4, "seed {seed}: the fourth pod is on its way to the fourth node");
        for node in &lost {
            let pod = on.get(node).unwrap_or_else(|| panic!("seed {seed}: {node} ran no alerter"));
            assert!(pod["metadata"]["deletionTimestamp"].is_string());
            let target = condition(pod, "DisruptionTarget");
            assert_eq!(target["reason"], "DeletionByTaintManager");
        }
    }
}

#[test]
fn it_leaves_the_traces_that_the_real_components_leave() {
    let end = End::of(1);
    let lost: BTreeSet<_> = end.lost().into_iter().collect();
    for node in end.kind("Node").filter(|n| lost.contains(&text(&n["metadata"]["name"]))) {
        let taints = node["spec"]["taints"].as_array().unwrap();
        // Which of them comes first is a race.
        let told: BTreeSet<_> =
            taints.iter().map(|t| format!("{}:{}", text(&t["key"]), text(&t["effect"]))).collect();
        let key = "node.kubernetes.io/unreachable";
        let both = ["NoExecute", "NoSchedule"].map(|effect| format!("{key}:{effect}"));
        assert_eq!(told, BTreeSet::from(both));
    }
    let killed: Vec<_> = end.events("SystemOOM").collect();
    // Events live for an hour; all three are younger.
    assert_eq!(killed.len(), 3);
    for event in killed {
        assert!(lost.contains(&text(&event["involvedObject"]["name"])));
        let message = text(&event["message"]);
        assert!(message.starts_with("System OOM encountered, victim process: python, pid: "));
        assert_eq!(event["source"]["component"], "kubelet");
    }
    let silent: BTreeSet<_> =
        end.events("NodeNotReady").map(|e| text(&e["involvedObject"]["kind"])).collect();
    assert_eq!(silent, ["Node".to_owned(), "Pod".to_owned()].into());
    assert!(end.events("TaintManagerEviction").count() >= 3);
    let scaled = end.events("ScalingReplicaSet").map(|e| text(&e["message"]));
    let scaled: Vec<_> = scaled.filter(|m| m.contains("elastalert")).collect();
    assert_eq!(scaled.len(), 2, "the rollout of the new rule: {scaled:?}");
}

#[test]
fn services_lose_endpoints_and_get_them_back() {
    let twin = Twin::new(scenario::cascade(3));
    let ready = |twin: &Twin| -> BTreeMap<String, (usize, usize)> {
        let dump = twin.dump();
        let objects = dump.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let slices = objects.filter(|o| o["kind"] == "EndpointSlice");
        let count = |slice: &Value| {
            let all = slice["endpoints"].as_array().cloned().unwrap_or_default();
            let ready = all.iter().filter(|e| e["conditions"]["ready"] == true).count();
            (ready, all.len())
        };
        slices.map(|s| (text(&s["metadata"]["generateName"]), count(&s))).collect()
    };
    let before = ready(&twin);
    assert_eq!(before["frontend-"], (6, 6));
    // The first node is lost some six and a half minutes after the rule.
    twin.advance_seconds(28 * 60);
    let during = ready(&twin);
    let hurt: Vec<_> = during.iter().filter(|(name, n)| n.0 < before[*name].0).collect();
    assert!(!hurt.is_empty(), "{during:?}");
    twin.advance_seconds(8 * 60);
    for (name, n) in ready(&twin) {
        assert_eq!(n.0, before[&name].0, "{name} has its ready endpoints again");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let dump = |seed| {
        let twin = Twin::new(scenario::cascade(seed));
        twin.run();
        twin.dump()
    };
    let (first, second, other) = (dump(5), dump(5), dump(6));
    assert!(first == second && first.len() > 100_000);
    assert_ne!(first, other);
    // The size of the steps does not matter.
    let twin = Twin::new(scenario::cascade(5));
    for _ in 0..58 {
        twin.advance_seconds(60);
    }
    assert!(first == twin.dump());
}

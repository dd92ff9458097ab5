//! `resource-alerts-missing`: no rule tells anybody that nodes run out of something.

use model::{
    Act, Factor, Finding, Gap, Kind, ObjectRef, Patch, Remedy, Role, Scenario, Snapshot, Step,
};

use super::rules;
use crate::wording::{self, says};

failure! {
    /// # No alert on memory, processors, disks or processes of nodes
    ///
    /// ## Signs
    /// Prometheus, or what does its work, runs in the cluster, and none of the rules it reads
    /// asks for the memory, the processors, the disks or the process numbers of nodes. Those
    /// who are on call hear of it from customers.
    ///
    /// ## Why it happens
    /// Installing what measures is one command; deciding when to wake somebody is work. Rules
    /// that come along mostly ask whether something is down, not whether it is about to be.
    /// Process numbers are forgotten most: a node without free numbers starts no process, no
    /// probe and no shell, and its memory looks well.
    ///
    /// ## What we do
    /// 1. Add a rule for each resource that is not asked for: less than a tenth left for ten
    ///    minutes is a start.
    /// 2. Send it to people, and say in the rule what to do.
    /// 3. Try it: let a pod fill a disk on a test node, and wait for the call.
    ///
    /// Do not alert on every pod that uses much: what wakes people without need is switched
    /// off within a month.
    ///
    /// ## How to avoid it
    /// Keep rules in the same repository as what they watch. What is read here: the rules in
    /// PrometheusRule objects and in config maps. Rules on a machine outside of the cluster,
    /// or of a service that is paid for, are not seen: nothing is said where no Prometheus
    /// runs inside, or where not all its rules were shown.
    ///
    /// ## Sources
    /// "Maximize learnings from a Kubernetes cluster failure" (NU.nl, 2018); Prometheus
    /// documentation, "Alerting rules"; node exporter documentation.
    id: "resource-alerts-missing",
    mechanisms: {
        "resource-alerts-missing": "no rule tells anybody that nodes run out of it",
    },
    reads: [ConfigMap, Deployment, Pod, PrometheusRule, StatefulSet],
    leads_to: [
        "node-disk-pressure",
        "node-lost-cascade",
        "node-overloaded",
        "node-pid-exhaustion",
        "node-system-oom",
    ],
    detect: Exposure,
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// What a node can run out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Memory,
    Processors,
    Disks,
    Processes,
}

impl Resource {
    const ALL: [Resource; 4] =
        [Resource::Memory, Resource::Processors, Resource::Disks, Resource::Processes];

    fn word(self) -> &'static str {
        match self {
            Resource::Memory => "memory",
            Resource::Processors => "processors",
            Resource::Disks => "disks",
            Resource::Processes => "process numbers",
        }
    }

    fn asked_by(self) -> &'static [&'static str] {
        match self {
            Resource::Memory => wording::ALERT_ON_MEMORY,
            Resource::Processors => wording::ALERT_ON_CPU,
            Resource::Disks => wording::ALERT_ON_DISK,
            Resource::Processes => wording::ALERT_ON_PROCESSES,
        }
    }

    /// The name of an alert on it, when it fires, and what it says.
    fn rule(self) -> (&'static str, &'static str) {
        match self {
            Resource::Memory => (
                "NodeMemoryLow",
                "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1",
            ),
            Resource::Processors => (
                "NodeLoadHigh",
                "node_load15 / count without (cpu, mode) \
                 (node_cpu_seconds_total{mode=\\\"idle\\\"}) > 2",
            ),
            Resource::Disks => (
                "NodeDiskLow",
                "node_filesystem_avail_bytes{fstype!~\\\"tmpfs|overlay\\\"} / \
                 node_filesystem_size_bytes < 0.1",
            ),
            Resource::Processes => (
                "NodeProcessNumbersLow",
                "node_processes_pids / node_processes_max_processes > 0.7",
            ),
        }
    }

    /// Whether an alert asks for it. One rule may ask for all pressures of a node.
    fn is_watched(self, now: &Snapshot) -> bool {
        rules::alerts(now).any(|rule| {
            says(&rule.expression, self.asked_by())
                || (self != Resource::Processors && says(&rule.name, wording::NODE_PRESSURE_RULES))
        })
    }
}

fn field(resource: Resource) -> String {
    format!("alerts on {} of nodes", resource.word())
}

fn why(resource: Resource) -> String {
    format!("none of its rules tells that a node runs out of {}", resource.word())
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let Some(judge) = rules::judge(now) else { return };
    for resource in Resource::ALL.into_iter().filter(|r| !r.is_watched(now)) {
        let object = judge.object.clone();
        gaps.push(Gap { failure: KIND.id, object, field: field(resource), why: why(resource) });
    }
}

/// What made an incident worse in which nodes ran out of something: that nobody was told.
pub(crate) fn factor(resource: Resource, now: &Snapshot) -> Option<Factor> {
    let judge = rules::judge(now).filter(|_| !resource.is_watched(now))?;
    let object = judge.object.clone();
    Some(Factor { failure: KIND.id, object, role: Role::Gap, why: why(resource) })
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    Remedy {
        next: vec![
            Step::look(
                "See which rules there are",
                "kubectl get prometheusrules -A; kubectl get configmaps -A | grep -i rules",
            ),
            Step::look(
                "See what it watches",
                format!("kubectl get {} -o yaml", finding.object.for_kubectl()),
            ),
            Step::advice("Add a rule for each resource of nodes, and send it to people"),
        ],
        do_not: vec!["Do not alert on every busy pod: people stop listening".into()],
    }
}

/// A rule object of its own, where the cluster has such objects.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let resource = Resource::ALL.into_iter().find(|r| field(*r) == gap.field)?;
    // The operator reads only what carries the labels it looks for, as the others do.
    now.named.iter().find(|n| n.kind == Kind::PrometheusRule)?;
    let (name, expression) = resource.rule();
    let id = format!("node-{}", resource.word().replace(' ', "-"));
    let object = ObjectRef::new(Kind::PrometheusRule, &gap.object.namespace, &id);
    let body = format!(
        "spec:\n  groups:\n  - name: {id}\n    rules:\n    - alert: {name}\n      expr: \
         \"{expression}\"\n      for: 10m\n      labels:\n        severity: warning\n"
    );
    Some(Patch { object, body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A node runs out of memory, and the rules of the cluster say nothing of it.",
        acts: vec![(
            0,
            Act::Unmodelled("Prometheus in the cluster measures nodes and judges rules."),
        )],
        found_within_seconds: 600,
    })
}

#[cfg(test)]
mod tests {
    use super::{KIND, Resource, factor};
    use crate::testing::{check_gaps, snapshot};

    const WATCHER: &str = "kind: Deployment\nmetadata: {namespace: tools, name: eye, \
         creationTimestamp: 2026-01-01T00:00:00Z}\nspec: {replicas: 1, template: {spec: \
         {containers: [{name: main, image: 'prom/prometheus:v3'}]}}}\n---\n";

    fn object(name: &str, expression: &str) -> String {
        format!(
            "kind: PrometheusRule\nmetadata: {{namespace: tools, name: own, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{groups: [{{name: own, rules: [{{alert: {name}, expr: \
             '{expression}'}}]}}]}}\n---\n"
        )
    }

    fn file(expression: &str) -> String {
        format!(
            "kind: ConfigMap\nmetadata: {{namespace: tools, name: eye, creationTimestamp: \
             2026-01-01T00:00:00Z}}\ndata:\n  rules.yml: |\n    groups:\n    - name: own\n      \
             rules:\n      - alert: A\n        expr: {expression}\n---\n"
        )
    }

    const ALL: [&str; 4] = [
        "deploy/eye alerts on memory of nodes",
        "deploy/eye alerts on processors of nodes",
        "deploy/eye alerts on disks of nodes",
        "deploy/eye alerts on process numbers of nodes",
    ];

    #[test]
    fn what_no_rule_asks_for_is_a_gap() {
        check_gaps(&KIND, &(WATCHER.to_owned() + &object("Down", "up == 0")), &ALL);
        let memory = WATCHER.to_owned() + &file("node_memory_MemAvailable_bytes < 1e9");
        check_gaps(&KIND, &memory, &ALL[1..]);
        assert!(factor(Resource::Memory, &snapshot(&memory)).is_none());
        assert!(factor(Resource::Disks, &snapshot(&memory)).is_some());
    }

    #[test]
    fn one_rule_may_ask_for_all_pressures() {
        let pressure = "kube_node_status_condition{condition=~\"(Memory|Disk|PID)Pressure\"} == 1";
        let yaml =
            WATCHER.to_owned() + &object("KubeNodePressure", pressure) + &file("node_load5 > 9");
        check_gaps(&KIND, &yaml, &[]);
    }

    #[test]
    fn without_a_watcher_or_with_rules_unseen_nothing_is_said() {
        check_gaps(&KIND, &object("Down", "up == 0"), &[]);
        let mut now = snapshot(WATCHER);
        now.coverage = Default::default();
        let mut gaps = Vec::new();
        (KIND.exposed)(&now, &mut gaps);
        assert!(gaps.is_empty());
    }

    #[test]
    fn the_patch_is_a_rule_object_where_there_are_such_objects() {
        let yaml = WATCHER.to_owned() + &object("Down", "up == 0");
        let now = snapshot(&yaml);
        let mut gaps = Vec::new();
        (KIND.exposed)(&now, &mut gaps);
        let patches = gaps.iter().filter_map(|g| (KIND.prevent)(g, &now));
        for patch in patches {
            let value: serde_json::Value = serde_saphyr::from_str(&patch.body).expect("YAML");
            assert!(value.pointer("/spec/groups/0/rules/0/expr").is_some(), "{}", patch.body);
        }
        assert_eq!((KIND.prevent)(&gaps[0], &snapshot(WATCHER)), None);
    }
}

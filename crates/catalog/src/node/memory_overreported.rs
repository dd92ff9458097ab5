//! `node-memory-overreported`: a tool says that a node is out of memory while its caches are.

use model::record::Node;
use model::{
    Act, Alert, Certainty, Evidence, Finding, Findings, Gap, HostFigure, Kind, Patch, Quantity,
    Remedy, Sample, Scenario, Snapshot, State, Step, Truth,
};

use crate::evidence;
use crate::wording::says;

failure! {
    /// # A node is said to be out of memory and is not
    ///
    /// ## Signs
    /// An alert or a dashboard shows a node's memory at 90 % or more. `kubectl top node` shows
    /// much less, `free` shows plenty "available", the node has no MemoryPressure and nothing
    /// is evicted.
    ///
    /// ## Why it happens
    /// The kernel keeps files in memory that nobody else needs and gives it back at once when a
    /// process asks. A figure of "usage" (`memory.usage_in_bytes`, total less free) counts these
    /// caches. The kubelet decides about evictions by the working set: usage less the part of
    /// the cache that was not used lately. `kubectl top` shows the working set, `free` shows in
    /// "available" what can be had.
    ///
    /// ## What we do
    /// 1. Compare the figure with `kubectl top node` and with "available" of `free`.
    /// 2. Let the alert look at the working set, or at available memory.
    ///
    /// Do not drop caches and do not move pods: nothing is short, and a cold cache is slow.
    ///
    /// ## How to avoid it
    /// Alerts on `container_memory_working_set_bytes` and `node_memory_MemAvailable_bytes`,
    /// never on usage or on free memory.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Node-pressure eviction" (the `memory.available` signal);
    /// Linux manual, "free(1)".
    id: "node-memory-overreported",
    mechanisms: {
        "cache-counted": "a figure counts caches that the kernel gives back when asked",
    },
    reads: [Node],
    leads_to: [],
    detect: Nodes(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A figure above this share of a node's memory, in percent, alarms.
const ALARMING_PERCENT: f64 = 80.0;

/// A node has memory to spare when no more than this share of it, in percent, is needed.
const NEEDED_PERCENT: f64 = 70.0;

fn detect(node: &Node, now: &Snapshot, findings: &mut Findings) {
    let pressed = node.condition("MemoryPressure").is_some_and(|c| c.status == Truth::True);
    let events = now.events_about(&node.meta.object(Kind::Node)).iter();
    let killed = events.into_iter().any(|e| e.reason == "SystemOOM" || e.reason == "OOMKilling");
    let Some((needed, fact)) = needed(node, now).filter(|_| !pressed && !killed) else { return };
    if needed > NEEDED_PERCENT {
        return;
    }
    let object = node.meta.object(Kind::Node);
    let Some(said) = alarming(node, now) else {
        if let Some(caches) = caches(node, now) {
            let why = format!("{caches} of its memory are caches; it needs {needed:.0} %");
            findings.rule_out("node-system-oom", object, why);
        }
        return;
    };
    let headline = format!(
        "node {object} has memory to spare: {needed:.0} % of it is needed; the figure that \
         alarms counts caches"
    );
    let shown = caches(node, now).is_some();
    let mut finding = Finding::new(KIND.id, "cache-counted", object, headline)
        .state(State::Suspected)
        .evidence([said, fact]);
    if !shown {
        let look = super::on_host(&node.meta.name, "free -m");
        finding = finding.unsure(Certainty::Likely, &["memory-exhausted"], look);
    }
    findings.push(finding);
}

/// The share of the node's memory that is needed, in percent, by the figure that counts for
/// evictions.
fn needed(node: &Node, now: &Snapshot) -> Option<(f64, Evidence)> {
    let object = node.meta.object(Kind::Node);
    for host in now.host_figures(&node.meta.name) {
        if let HostFigure::Memory { total_bytes, available_bytes, .. } = &host.figure
            && *total_bytes > 0
        {
            let (total, free) = (*total_bytes, (*available_bytes).min(*total_bytes));
            let said = format!("{} of {} available", size(free), size(total));
            let share = (total - free) as f64 / total as f64 * 100.0;
            return Some((share, evidence::field(host.document, &object, "memory", said)));
        }
    }
    let mut own = now.samples.iter().filter(|s| s.subject == node.meta.name);
    let top = own.rfind(|s| s.at.is_none() && s.metric == "memory_usage_percent")?;
    let said = format!("{:.0} % (working set)", top.value);
    Some((top.value, evidence::field(top.document, &object, "kubectl top node", said)))
}

/// How much of the memory caches hold, where a tool on the machine showed it and it is much.
fn caches(node: &Node, now: &Snapshot) -> Option<String> {
    now.host_figures(&node.meta.name).find_map(|h| match &h.figure {
        HostFigure::Memory { total_bytes, used_bytes, cache_bytes, .. } => {
            let taken = used_bytes.saturating_add(*cache_bytes) as f64;
            (taken >= *total_bytes as f64 * ALARMING_PERCENT / 100.0).then(|| size(*cache_bytes))
        }
        _ => None,
    })
}

/// Who says that the node's memory is nearly full: an alert, or a figure of usage.
fn alarming(node: &Node, now: &Snapshot) -> Option<Evidence> {
    let object = node.meta.object(Kind::Node);
    let name = node.meta.name.as_str();
    if let Some(alert) = now.alerts.iter().find(|a| names(a, name) && is_about_memory(a)) {
        let text: String = alert.text.chars().take(200).collect();
        let value = format!("{}: {text}", alert.name);
        return Some(evidence::field(alert.document, &object, "alert", value));
    }
    let total = node.capacity.amount("memory").units() as f64;
    let share = |s: &Sample| match s.metric.contains("percent") || s.metric.contains("utili") {
        true => s.value,
        false => s.value / total.max(1.0) * 100.0,
    };
    let usage = |s: &&Sample| {
        let metric = s.metric.to_ascii_lowercase();
        // What has no time is of `kubectl top`: the working set.
        s.at.is_some() && metric.contains("memory") && !metric.contains("working")
    };
    let own = now.samples.iter().filter(|s| s.subject == name).filter(usage);
    let last = own.max_by_key(|s| s.at).filter(|s| share(s) >= ALARMING_PERCENT)?;
    let value = format!("{} = {:.0}", last.metric, last.value);
    Some(evidence::field(last.document, &object, "measured", value))
}

/// Whether an alert names this node, be it as `worker-1:9100`.
fn names(alert: &Alert, node: &str) -> bool {
    alert.subjects.iter().any(|s| s.split(':').next() == Some(node))
}

fn is_about_memory(alert: &Alert) -> bool {
    says(&alert.name, &["memory", "mem"]) || says(&alert.text, &["memory usage", "memory used"])
}

fn size(bytes: u64) -> String {
    let whole = i64::try_from(bytes >> 20).unwrap_or(i64::MAX >> 20).saturating_mul(1 << 20);
    Quantity::from_units(whole).text("memory")
}

/// No object shows what a dashboard counts.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let name = finding.object.name.as_str();
    Remedy {
        next: vec![
            Step::look("See the working set", format!("kubectl top node {name}")),
            Step::look("See what can be had", super::on_host(name, "free -m")),
            Step::advice("Let the alert look at the working set, or at available memory"),
        ],
        do_not: vec!["Do not drop caches or move pods: nothing is short".into()],
    }
}

/// The rule of an alert is outside of the cluster's API.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    let act = "An alert says that worker-2 uses 93 % of its memory; 60 % of it are caches.";
    Some(Scenario {
        story: "A node that reads large files is reported as out of memory.",
        acts: vec![(30, Act::Unmodelled(act))],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{event, node};
    use super::KIND;
    use crate::testing::{lines, snapshot};
    use model::{Alert, HostFact, HostFigure, Sample, Snapshot};

    fn alarmed(yaml: &str) -> Snapshot {
        let mut now = snapshot(yaml);
        now.alerts.push(Alert {
            name: "NodeMemoryHigh".into(),
            subjects: vec!["a:9100".into()],
            text: "memory usage is at 93 %".into(),
            labels: Default::default(),
            since: None,
            document: 0,
        });
        now
    }

    fn memory(available_gib: u64) -> HostFact {
        HostFact {
            node: "a".into(),
            figure: HostFigure::Memory {
                total_bytes: 16 << 30,
                used_bytes: 4 << 30,
                available_bytes: available_gib << 30,
                cache_bytes: 11 << 30,
            },
            document: 0,
        }
    }

    fn top(percent: f64) -> Sample {
        Sample {
            subject: "a".into(),
            metric: "memory_usage_percent".into(),
            value: percent,
            at: None,
            document: 0,
        }
    }

    #[test]
    fn an_alert_that_counts_caches() {
        let mut now = alarmed(&node("a", "True", ""));
        now.hosts.push(memory(11));
        assert_eq!(lines(&KIND, &now), ["cache-counted node/a Proven Suspected"]);
    }

    #[test]
    fn the_working_set_against_an_alert_or_a_measurement() {
        let mut now = alarmed(&node("a", "True", ""));
        now.samples.push(top(41.0));
        assert_eq!(lines(&KIND, &now), ["cache-counted node/a Likely Suspected"]);
        now.alerts.clear();
        assert_eq!(lines(&KIND, &now), Vec::<String>::new());
        let at = Some("2026-01-02T10:00:00Z".parse().expect("a time"));
        now.samples.push(Sample { at, ..top(92.0) });
        assert_eq!(lines(&KIND, &now), ["cache-counted node/a Likely Suspected"]);
    }

    #[test]
    fn real_pressure_stays_quiet_here() {
        let mut now = alarmed(&node("a", "True", ""));
        now.hosts.push(memory(1));
        assert_eq!(lines(&KIND, &now), Vec::<String>::new());
        let killed = node("a", "True", "") + &event("a", "SystemOOM", "System OOM encountered", 1);
        let mut now = alarmed(&killed);
        now.hosts.push(memory(11));
        assert_eq!(lines(&KIND, &now), Vec::<String>::new());
        let pressed = node("a", "True", "")
            .replace("conditions:\n", "conditions:\n  - {type: MemoryPressure, status: 'True'}\n");
        let mut now = alarmed(&pressed);
        now.samples.push(top(41.0));
        assert_eq!(lines(&KIND, &now), Vec::<String>::new());
    }

    #[test]
    fn figures_alone_alarm_nobody() {
        let mut now = snapshot(&node("a", "True", ""));
        now.hosts.push(memory(11));
        assert_eq!(lines(&KIND, &now), Vec::<String>::new());
    }
}

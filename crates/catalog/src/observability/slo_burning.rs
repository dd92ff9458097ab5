//! `slo-burning`: users get errors faster than the objective of a service allows.

use std::collections::BTreeMap;

use model::{
    Act, Alert, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch,
    Remedy, Role, Sample, Scenario, Snapshot, Step, Text, Timestamp,
};

use super::rules;
use crate::evidence;
use crate::wording::{self, says};

failure! {
    /// # A service spends its error budget too fast
    ///
    /// ## Signs
    /// An alert on a burn rate fires: `ErrorBudgetBurn`, `KubeAPIErrorBudgetBurn`, one that was
    /// made by Sloth or Pyrra. Or a measured burn rate stays above 14.4 for an hour, 6 for six
    /// hours, 3 for a day, 1 for three days, and is so in the last minutes too.
    ///
    /// ## Why it happens
    /// An objective of 99.9 % leaves a budget of 0.1 % of the requests of 30 days. The burn
    /// rate says how many times faster than even it is spent: at 14.4 an hour takes a fiftieth
    /// of the month's budget, and the month's budget lasts two days. It says that users
    /// suffer and how much; never why. The reason is what broke just before: look there.
    ///
    /// ## What we do
    /// 1. Treat a rate above 6 as an outage: somebody has to look now.
    /// 2. Look for what broke or changed shortly before it began; it is in the same incident
    ///    here when it was found.
    /// 3. A rate of 1 to 3 is work for the day: nothing is burning, but the month will not do.
    ///
    /// Do not lower the objective to make the alert stop.
    ///
    /// ## How to avoid it
    /// Alert on two windows at a time: the long one says that it matters, the short one that it
    /// still goes on. With few requests ask for a least number of errors as well. What is read
    /// here: alerts that fire, with their labels (`long`, `short`, `severity`, those of Sloth),
    /// and measurements whose name has `burn_rate` in it.
    ///
    /// ## Sources
    /// Google, "Site Reliability Workbook", chapter "Alerting on SLOs"; Sloth and Pyrra
    /// documentation.
    id: "slo-burning",
    mechanisms: {
        "budget-burning-fast": "its error budget for a month is spent within days",
        "budget-burning-slowly": "its error budget will not last the month",
    },
    reads: [ConfigMap, Deployment, Pod, PrometheusRule, Service, StatefulSet],
    leads_to: [],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Two windows in seconds, and the rate that is too high in both.
struct Window {
    name: &'static str,
    long: i64,
    short: i64,
    rate: f64,
    fast: bool,
}

const WINDOWS: [Window; 4] = [
    Window { name: "1h", long: 3600, short: 300, rate: 14.4, fast: true },
    Window { name: "6h", long: 21_600, short: 1800, rate: 6.0, fast: true },
    Window { name: "1d", long: 86_400, short: 7200, rate: 3.0, fast: false },
    Window { name: "3d", long: 259_200, short: 21_600, rate: 1.0, fast: false },
];

/// A budget that burns: how fast at least, since when, and what says so.
struct Burn {
    rate: f64,
    window: &'static str,
    fast: bool,
    since: Option<Timestamp>,
    fact: Evidence,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut burns: BTreeMap<ObjectRef, Burn> = BTreeMap::new();
    let mut keep = |object: ObjectRef, burn: Burn| {
        let faster = burns.get(&object).is_none_or(|known| known.rate < burn.rate);
        if faster {
            burns.insert(object, burn);
        }
    };
    for alert in now.alerts.iter().filter(|a| is_burn(a)) {
        let object = who(alert, now);
        let burn = of_alert(alert, &object);
        keep(object, burn);
    }
    for (subject, series) in series(now) {
        let object = named(&[subject], now).unwrap_or_else(|| ObjectRef::component(subject));
        if let Some(burn) = of_series(&series, &object, now) {
            keep(object, burn);
        }
    }
    for (object, burn) in burns {
        findings.push(finding(object, burn));
    }
}

fn is_burn(alert: &Alert) -> bool {
    let sloth = alert.labels.get("sloth_slo").is_some();
    let windows = alert.labels.get("long").is_some() && alert.labels.get("short").is_some();
    sloth || windows || says(&alert.name, wording::BUDGET_BURN)
}

/// Whom an alert is about: a Service or workload that it names, else the part it speaks of.
fn who(alert: &Alert, now: &Snapshot) -> ObjectRef {
    let labels = ["sloth_service", "slo", "sloth_slo"].map(|l| alert.labels.get(l).map(Text::from));
    let names = || labels.iter().flatten().chain(&alert.subjects);
    let all: Vec<&str> = names().map(Text::as_str).collect();
    let api = says(&alert.name, wording::API_BUDGET_BURN);
    let part = if api { "kube-apiserver" } else { all.first().copied().unwrap_or(&alert.name) };
    named(&all, now).filter(|_| !api).unwrap_or_else(|| ObjectRef::component(part))
}

/// The Service, else the workload, that goes by one of these names: `web`, `shop/web`.
fn named(names: &[&str], now: &Snapshot) -> Option<ObjectRef> {
    let one = |name: &&str| {
        let (namespace, short) = name.rsplit_once('/').unwrap_or(("", name));
        let here = |object: &ObjectRef| {
            let place = namespace.is_empty()
                || object.namespace == namespace
                || names.contains(&object.namespace.as_str());
            object.name == short && place
        };
        let mut services = now.services.iter().map(|s| s.meta.object(Kind::Service));
        let mut apps = now.apps.iter().map(|a| &a.object).filter(|o| o.kind != Kind::Pod);
        services.find(|o| here(o)).or_else(|| apps.find(|o| here(o)).cloned())
    };
    names.iter().find_map(one)
}

fn of_alert(alert: &Alert, object: &ObjectRef) -> Burn {
    let label = |key: &str| alert.labels.get(key).unwrap_or_default();
    let long = label("long");
    let loud =
        matches!(label("severity"), "critical" | "page") || label("sloth_severity") == "page";
    let known = WINDOWS.iter().find(|w| w.name == long);
    let [slowest, _, second, _] = [&WINDOWS[3], &WINDOWS[2], &WINDOWS[1], &WINDOWS[0]];
    let window = known.unwrap_or(if loud { second } else { slowest });
    let text = if alert.text.is_empty() { alert.name.to_string() } else { alert.text.clone() };
    Burn {
        rate: window.rate,
        window: known.map_or("", |w| w.name),
        fast: window.fast,
        since: alert.since,
        fact: Evidence {
            at: alert.since,
            ..evidence::field(alert.document, object, format!("alert {}", alert.name), text)
        },
    }
}

/// Measured burn rates, by what they are about.
fn series(now: &Snapshot) -> BTreeMap<&str, Vec<&Sample>> {
    let mut all: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    for sample in now.samples.iter().filter(|s| says(&s.metric, wording::BURN_RATE_METRICS)) {
        all.entry(&sample.subject).or_default().push(sample);
    }
    all
}

fn of_series(series: &[&Sample], object: &ObjectRef, now: &Snapshot) -> Option<Burn> {
    let newest = series.iter().filter_map(|s| s.at).max();
    let oldest = series.iter().filter_map(|s| s.at).min();
    let mean = |seconds: i64| {
        let inside = |s: &&&Sample| match (s.at, newest) {
            (Some(at), Some(newest)) => newest.since(at) <= seconds,
            _ => true,
        };
        let values: Vec<f64> = series.iter().filter(inside).map(|s| s.value).collect();
        values.iter().sum::<f64>() / values.len().max(1) as f64
    };
    let span = newest.zip(oldest).map_or(0, |(new, old)| new.since(old));
    let over = newest.is_some_and(|at| now.now.since(at) > 3600);
    let burns = |w: &&Window| {
        // A single figure is as good as its own window.
        let long_enough = series.len() == 1 || span * 2 >= w.long;
        long_enough && mean(w.long) >= w.rate && mean(w.short) >= w.rate
    };
    let window = WINDOWS.iter().find(burns).filter(|_| !over)?;
    let rate = mean(window.long);
    let first = series.iter().filter(|s| s.value >= window.rate).filter_map(|s| s.at).min();
    let sample = series.iter().max_by_key(|s| s.at)?;
    let said = format!("{rate:.1} on average over {}", window.name);
    Some(Burn {
        rate,
        window: window.name,
        fast: window.fast,
        since: first,
        fact: Evidence {
            at: newest,
            ..evidence::field(sample.document, object, sample.metric.as_str(), said)
        },
    })
}

fn finding(object: ObjectRef, burn: Burn) -> Finding {
    let mechanism = if burn.fast { "budget-burning-fast" } else { "budget-burning-slowly" };
    let days = 30.0 / burn.rate.max(1.0);
    let lasts =
        if days >= 2.0 { format!("{days:.0} days") } else { format!("{:.0} hours", days * 24.0) };
    let over =
        if burn.window.is_empty() { String::new() } else { format!(" over {}", burn.window) };
    let headline = format!(
        "{object} spends its error budget at least {:.1} times too fast{over}: a month's budget \
         lasts {lasts}",
        burn.rate
    );
    let serves = u32::from(burn.fast && object.kind == Kind::Service);
    Finding::new(KIND.id, mechanism, object.clone(), headline)
        .since(burn.since)
        .role(Role::Symptom)
        .evidence([burn.fact])
        .affects(object, "its users get errors")
        .impact(Impact { services: serves, ..Impact::default() })
        .unsure(Certainty::Likely, &[], "kubectl get events -A --sort-by=.lastTimestamp | tail")
}

/// Where rules are judged and none of them asks how fast a budget is spent.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let Some(judge) = rules::judge(now) else { return };
    let asks = rules::alerts(now)
        .any(|r| says(&r.name, wording::BUDGET_BURN) || says(&r.expression, wording::BUDGET_BURN));
    if !asks {
        gaps.push(Gap {
            failure: KIND.id,
            object: judge.object.clone(),
            field: "alerts on burn rates".into(),
            why: "none of its rules asks how fast users' errors spend the budget".into(),
        });
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let target = finding.object.for_kubectl();
    let mut next = vec![Step::look(
        "See what happened shortly before it began",
        "kubectl get events -A --sort-by=.lastTimestamp | tail -n 40",
    )];
    if finding.object.kind.is_api_object() {
        next.push(Step::look("See who answers for it", format!("kubectl describe {target}")));
    }
    next.push(Step::advice("Take back what was changed last, if it changed just before"));
    Remedy { next, do_not: vec!["Do not lower the objective to make the alert stop".into()] }
}

/// What the objective is, no object says.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload crashes, and the errors of its callers spend the budget of a month.",
        acts: vec![
            (0, Act::Unmodelled("Requests go to shop/checkout and their errors are counted.")),
            (60, Act::Crash { workload: "shop/checkout", exit_code: 1 }),
        ],
        found_within_seconds: 900,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check_gaps, lines, snapshot};
    use model::{Alert, Sample, Snapshot, Timestamp};

    const SERVICE: &str = "kind: Service\nmetadata: {namespace: dock, name: buoy, \
         creationTimestamp: 2026-01-01T00:00:00Z}\nspec: {clusterIP: 10.9.0.4, selector: {app: \
         buoy}, ports: [{port: 80}]}\n";

    fn with_alert(name: &str, labels: &[(&str, &str)], subjects: &[&str]) -> Vec<String> {
        let mut now = snapshot(SERVICE);
        now.alerts.push(Alert {
            name: name.into(),
            labels: labels.iter().copied().collect(),
            subjects: subjects.iter().map(|s| (*s).into()).collect(),
            ..Alert::default()
        });
        lines(&KIND, &now)
    }

    fn with_samples(metric: &str, values: &[(i64, f64)]) -> Snapshot {
        let mut now = snapshot(SERVICE);
        now.samples = values
            .iter()
            .map(|(ago, value)| Sample {
                subject: "dock/buoy".into(),
                metric: metric.into(),
                value: *value,
                at: Some(Timestamp::from_seconds(now.now.seconds() - ago)),
                document: 0,
            })
            .collect();
        now
    }

    #[test]
    fn an_alert_on_a_burn_rate_is_about_the_service_it_names() {
        let fast = ["budget-burning-fast svc/buoy Likely Active"];
        let long = [("long", "1h"), ("short", "5m"), ("severity", "critical")];
        assert_eq!(with_alert("ErrorBudgetBurn", &long, &["buoy", "dock"]), fast);
        let sloth =
            [("sloth_service", "buoy"), ("sloth_slo", "requests"), ("sloth_severity", "page")];
        assert_eq!(with_alert("BuoyErrors", &sloth, &[]), fast);
        let slow = [("long", "3d"), ("short", "6h")];
        let want = ["budget-burning-slowly svc/buoy Likely Active"];
        assert_eq!(with_alert("ErrorBudgetBurn", &slow, &["buoy"]), want);
        let api = ["budget-burning-fast component/kube-apiserver Likely Active"];
        assert_eq!(with_alert("KubeAPIErrorBudgetBurn", &long, &["buoy"]), api);
    }

    #[test]
    fn a_measured_rate_counts_in_a_long_and_a_short_window() {
        let steady: Vec<(i64, f64)> = (0..60).map(|m| (m * 60, 20.0)).collect();
        let want = ["budget-burning-fast svc/buoy Likely Active"];
        assert_eq!(lines(&KIND, &with_samples("slo:current_burn_rate:ratio", &steady)), want);
        let over: Vec<(i64, f64)> =
            steady.iter().map(|(ago, v)| (*ago, if *ago < 600 { 0.0 } else { *v })).collect();
        assert!(lines(&KIND, &with_samples("slo:current_burn_rate:ratio", &over)).is_empty());
    }

    #[test]
    fn other_alerts_short_peaks_and_even_spending_are_none() {
        assert!(with_alert("HighErrorRate", &[("severity", "critical")], &["buoy"]).is_empty());
        assert!(with_alert("CPUBurner", &[], &["buoy"]).is_empty());
        let even: Vec<(i64, f64)> = (0..60).map(|m| (m * 60, 0.8)).collect();
        assert!(lines(&KIND, &with_samples("slo:current_burn_rate:ratio", &even)).is_empty());
        let peak = [(3600, 0.1), (1800, 0.1), (0, 30.0)];
        assert!(lines(&KIND, &with_samples("slo:current_burn_rate:ratio", &peak)).is_empty());
        assert!(lines(&KIND, &with_samples("calorie_burn", &[(0, 900.0)])).is_empty());
    }

    #[test]
    fn rules_that_ask_only_what_is_down_are_a_gap() {
        let yaml = |rule: &str| {
            format!(
                "kind: Deployment\nmetadata: {{namespace: tools, name: eye, creationTimestamp: \
                 2026-01-01T00:00:00Z}}\nspec: {{replicas: 1, template: {{spec: {{containers: \
                 [{{name: main, image: 'prometheus:v3'}}]}}}}}}\n---\nkind: \
                 PrometheusRule\nmetadata: {{namespace: tools, name: own, creationTimestamp: \
                 2026-01-01T00:00:00Z}}\nspec: {{groups: [{{name: own, rules: [{rule}]}}]}}\n"
            )
        };
        let gap = ["deploy/eye alerts on burn rates"];
        check_gaps(&KIND, &yaml("{alert: Down, expr: up == 0}"), &gap);
        check_gaps(&KIND, &yaml("{alert: ErrorBudgetBurn, expr: a > b}"), &[]);
    }
}

//! Autoscalers, budgets, quotas, limit ranges, namespaces and priority classes.

use super::outline::{Entry, Section, is_rule};
use crate::text::shape::{label_selector, object, push, put, put_some, some, truth};
use crate::text::table::{Columns, metric, split_wide};
use serde_json::{Map, Value, json};

fn number(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// Fills an autoscaler.
pub fn autoscaler(body: Section<'_>, value: &mut Value) {
    for entry in body.entries() {
        match entry.key {
            "Reference" => {
                if let Some((kind, name)) = entry.value.split_once('/') {
                    put(value, "spec.scaleTargetRef", json!({"kind": kind, "name": name}));
                }
            }
            "Metrics" => metrics(entry, value),
            "Min replicas" => put_some(value, "spec.minReplicas", number(entry.value)),
            "Max replicas" => put_some(value, "spec.maxReplicas", number(entry.value)),
            "Conditions" => put(value, "status.conditions", super::pod::conditions(entry)),
            "Behavior" => {
                for (key, path) in [("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")] {
                    let rules = entry.body.find(&[key]).map(rules);
                    put_some(value, &format!("spec.behavior.{path}"), rules);
                }
            }
            // `Deployment pods:  1 current / 0 desired`
            key if key.ends_with(" pods") => {
                for part in entry.value.split('/') {
                    match part.trim().split_once(' ') {
                        Some((n, "current")) => {
                            put_some(value, "status.currentReplicas", number(n))
                        }
                        Some((n, "desired")) => {
                            put_some(value, "status.desiredReplicas", number(n))
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// `Stabilization Window: 0 seconds`, `Select Policy: Max`, and one line for each policy:
/// `- Type: Pods  Value: 4  Period: 15 seconds`.
fn rules(entry: Entry<'_>) -> Value {
    let mut rules = json!({});
    let seconds = |text: &str| number(text.trim_end_matches("seconds"));
    for part in entry.body.entries() {
        match part.key {
            "Stabilization Window" => {
                put_some(&mut rules, "stabilizationWindowSeconds", seconds(part.value));
            }
            "Select Policy" => put_some(&mut rules, "selectPolicy", some(part.value)),
            "Policies" => {
                for line in part.body.lines {
                    let after = |mark: &str| line.trimmed().split_once(mark).map(|(_, r)| r.trim());
                    let word = |text: &str| text.split_whitespace().next().map(str::to_owned);
                    let mut policy = json!({});
                    put_some(&mut policy, "type", after("Type:").and_then(word));
                    let amount = after("Value:").and_then(word).and_then(|n| number(&n));
                    put_some(&mut policy, "value", amount);
                    put_some(&mut policy, "periodSeconds", after("Period:").and_then(seconds));
                    if policy.get("type").is_some() {
                        push(&mut rules, "policies", policy);
                    }
                }
            }
            _ => {}
        }
    }
    rules
}

/// `resource cpu on pods  (as a percentage of request):  10% (20m) / 50%` lines.
fn metrics(entry: Entry<'_>, value: &mut Value) {
    let (mut spec, mut status) = (Vec::new(), Vec::new());
    for line in entry.body.lines {
        let text = line.trimmed();
        let Some((what, figures)) = text.rsplit_once(": ") else { continue };
        let Some((now, goal)) = figures.trim().rsplit_once(" / ") else { continue };
        let mut words = what.split_whitespace();
        let name = match (words.next(), words.next()) {
            (Some("resource"), Some(name)) => name,
            // `"requests" on pods`, `"queue" (target average value)`
            (Some(name), _) => name.trim_matches('"'),
            _ => continue,
        };
        spec.extend(metric(name, "target", goal));
        let (first, second) = now.split_once(" (").unwrap_or((now, ""));
        if let Some(mut current) = metric(name, "current", first) {
            let average = some(second.trim_end_matches(')'));
            put_some(&mut current, "resource.current.averageValue", average);
            status.push(current);
        }
    }
    put(value, "spec.metrics", spec);
    put(value, "status.currentMetrics", status);
}

/// Fills a disruption budget.
pub fn budget(body: Section<'_>, value: &mut Value) {
    let count = |t: &str| number(t).map_or_else(|| Value::from(t), Value::from);
    for entry in body.entries() {
        match entry.key {
            "Min available" => put_some(value, "spec.minAvailable", some(entry.value).map(count)),
            "Max unavailable" => {
                put_some(value, "spec.maxUnavailable", some(entry.value).map(count));
            }
            "Selector" => put(value, "spec.selector", label_selector(entry.value)),
            "Status" => {
                for part in entry.body.entries() {
                    let field = match part.key {
                        "Allowed disruptions" => "disruptionsAllowed",
                        "Current" => "currentHealthy",
                        "Desired" => "desiredHealthy",
                        "Total" => "expectedPods",
                        _ => continue,
                    };
                    put_some(value, &format!("status.{field}"), number(part.value));
                }
            }
            _ => {}
        }
    }
}

/// Fills a quota from the table below its name.
pub fn quota(body: Section<'_>, value: &mut Value) {
    let scopes = body.find(&["Scopes"]);
    if let Some(scopes) = scopes {
        put(value, "spec.scopes", scopes.value.split(',').filter_map(some).collect::<Vec<_>>());
    }
    let (mut used, mut hard) = (Map::new(), Map::new());
    let header = body.lines.iter().position(|l| is_quota_header(l.trimmed()));
    let rows = header.and_then(|at| body.lines.get(at + 1..)).unwrap_or(&[]);
    for line in rows.iter().take_while(|l| !l.is_blank()) {
        let words: Vec<&str> = line.trimmed().split_whitespace().collect();
        if let [name, now, most] = words.as_slice()
            && !is_rule(name)
        {
            used.insert((*name).to_owned(), Value::from(*now));
            hard.insert((*name).to_owned(), Value::from(*most));
        }
    }
    put(value, "spec.hard", hard.clone());
    put(value, "status.hard", hard);
    put(value, "status.used", used);
}

fn is_quota_header(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next() == Some("Resource") && words.next() == Some("Used") && words.next() == Some("Hard")
}

fn is_limit_header(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next() == Some("Type") && words.next() == Some("Resource") && words.next() == Some("Min")
}

/// Fills a limit range from its table.
pub fn limit_range(body: Section<'_>, value: &mut Value) {
    let Some(at) = body.lines.iter().position(|l| is_limit_header(l.trimmed())) else { return };
    let Some(header) = body.lines.get(at) else { return };
    let columns = Columns::titled(&header.text);
    let mut limits: Vec<Value> = Vec::new();
    for line in body.lines.iter().skip(at + 1).take_while(|l| !l.is_blank()) {
        if is_rule(line.trimmed()) {
            continue;
        }
        let Some(cells) = columns.cells(&line.text) else { continue };
        let cell = |name: &str| columns.index(name).and_then(|i| cells.get(i)).map(String::as_str);
        let (Some(kind), Some(resource)) = (cell("Type"), cell("Resource")) else { continue };
        let known = limits.iter().position(|l| l.get("type").is_some_and(|t| t == kind));
        let at = known.unwrap_or_else(|| {
            limits.push(json!({"type": kind}));
            limits.len() - 1
        });
        let Some(limit) = limits.get_mut(at) else { continue };
        for (column, field) in [
            ("Min", "min"),
            ("Max", "max"),
            ("Default Request", "defaultRequest"),
            ("Default Limit", "default"),
            ("Max Limit/Request Ratio", "maxLimitRequestRatio"),
        ] {
            if let Some(amount) = cell(column).filter(|c| !matches!(*c, "-" | "")) {
                // A resource may contain dots: no path here.
                put_resource(limit, field, resource, amount);
            }
        }
    }
    put(value, "spec.limits", limits);
}

fn put_resource(limit: &mut Value, field: &str, resource: &str, amount: &str) {
    if limit.get(field).is_none() {
        put(limit, field, json!({}));
    }
    if let Some(Value::Object(map)) = limit.get_mut(field) {
        map.insert(resource.to_owned(), Value::from(amount));
    }
}

/// What `describe namespace` prints besides the namespace.
#[derive(Default)]
pub struct InNamespace {
    /// Quotas and limit ranges.
    pub objects: Vec<(u32, Value)>,
    /// All quotas were printed, be it none.
    pub quotas_shown: bool,
    /// All limit ranges were printed, be it none.
    pub limits_shown: bool,
}

/// Fills a namespace; returns its quotas and limit ranges.
pub fn namespace(body: Section<'_>, name: &str, value: &mut Value) -> InNamespace {
    put_some(value, "status.phase", body.some("Status"));
    if let Some(entry) = body.find(&["Conditions"]) {
        put(value, "status.conditions", super::pod::conditions(entry));
    }
    let mut found = InNamespace::default();
    let lines = body.lines;
    for (at, line) in lines.iter().enumerate() {
        let text = line.trimmed();
        let rest = Section { lines: lines.get(at..).unwrap_or(&[]) };
        if text == "No resource quota." {
            found.quotas_shown = true;
        } else if text == "No LimitRange resource." || text == "No resource limits." {
            found.limits_shown = true;
        } else if is_limit_header(text) {
            let mut limits = object("LimitRange", "(unnamed)", Some(name));
            limit_range(rest, &mut limits);
            found.objects.push((line.number, limits));
            found.limits_shown = true;
        } else if is_quota_header(text) {
            // `Name:  q` stands above, perhaps with scopes in between.
            let above = lines.get(..at).unwrap_or(&[]).iter().rev().take(8);
            let own = above.map(|l| l.trimmed()).find_map(|t| t.strip_prefix("Name:"));
            let Some(own) = own else { continue };
            let mut one = object("ResourceQuota", own.trim(), Some(name));
            quota(rest, &mut one);
            found.objects.push((line.number, one));
            found.quotas_shown = true;
        }
    }
    found
}

/// Fills a priority class.
pub fn priority_class(body: Section<'_>, value: &mut Value) {
    put_some(value, "value", body.some("Value").and_then(number));
    put_some(value, "globalDefault", body.some("GlobalDefault").and_then(truth));
    put_some(value, "preemptionPolicy", body.some("PreemptionPolicy"));
}

/// Fills a role: its rules.
pub fn role(body: Section<'_>, value: &mut Value) {
    let Some(entry) = body.find(&["PolicyRule"]) else { return };
    for line in entry.body.lines {
        let fields = split_wide(&line.text);
        let (what, urls, names, verbs) = match fields.as_slice() {
            ["Resources", ..] => continue,
            [what, ..] if is_rule(what) => continue,
            [what, urls, names, verbs] => (*what, *urls, *names, *verbs),
            // A rule about paths names no resource.
            [urls, names, verbs] if urls.starts_with('[') => ("", *urls, *names, *verbs),
            _ => continue,
        };
        let list = |text: &str| -> Vec<String> {
            let inner = text.trim_start_matches('[').trim_end_matches(']');
            inner.split_whitespace().map(str::to_owned).collect()
        };
        // `deployments.apps/scale` is the part `deployments/scale` of the group `apps`.
        let (plain, part) = what.split_once('/').map_or((what, None), |(p, s)| (p, Some(s)));
        let (resource, group) = plain.split_once('.').unwrap_or((plain, ""));
        let resource = part.map_or(resource.to_owned(), |part| format!("{resource}/{part}"));
        push(
            value,
            "rules",
            json!({"resources": [resource], "apiGroups": [group],
            "nonResourceURLs": list(urls), "resourceNames": list(names), "verbs": list(verbs)}),
        );
    }
}

/// Fills a role binding.
pub fn role_binding(body: Section<'_>, value: &mut Value) {
    if let Some(role) = body.find(&["Role"]) {
        put_some(value, "roleRef.kind", role.body.some("Kind"));
        put_some(value, "roleRef.name", role.body.some("Name"));
    }
    let Some((columns, rows)) = body.find(&["Subjects"]).and_then(|e| e.body.table()) else {
        return;
    };
    let subject = |(_, cells): (u32, Vec<String>)| {
        let cell =
            |name: &str| columns.index(name).and_then(|i| cells.get(i)).and_then(|c| some(c));
        let mut one = json!({"kind": cell("Kind")?, "name": cell("Name")?});
        put_some(&mut one, "namespace", cell("Namespace"));
        Some(one)
    };
    put(value, "subjects", rows.into_iter().filter_map(subject).collect::<Vec<_>>());
}

//! Rules by which somebody is told that something is wrong: Prometheus' alerting rules (in a
//! PrometheusRule, or as a rule file in a ConfigMap) and those that look for lines of logs. Of a
//! rule file only what the catalogue asks is kept; nothing of a Secret is ever read.

use serde::Deserialize;

use crate::{List, Text};

/// Longest expression that is kept, in bytes: who it is about stands at its begin.
const EXPRESSION_BYTES: usize = 400;
/// Most rules that are kept of one object.
const RULES: usize = 2_000;

/// Rules of one object.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rules {
    /// Rules of Prometheus that fire alerts.
    pub alerts: Vec<AlertRule>,
    /// Rules that look for lines of logs.
    pub logs: Vec<LogRule>,
    /// Whether measurements are also sent to somewhere else.
    pub sends_elsewhere: bool,
}

/// A rule that fires an alert.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AlertRule {
    /// Name of the alert.
    pub name: Text,
    /// When it fires; cut when it is long.
    pub expression: Box<str>,
    /// Its label `severity`.
    pub severity: Text,
    /// Whether it names a page that says what to do.
    pub has_runbook: bool,
}

/// A rule that looks for lines of logs, as ElastAlert has them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct LogRule {
    /// Name of the rule.
    pub name: Text,
    /// `frequency`, `flatline` and so on.
    pub kind: Text,
    /// Whether it only asks how many lines there are, instead of reading them.
    pub counts: bool,
    /// Most lines it reads at a time, where it says so.
    pub page_lines: Option<u64>,
}

/// Rules of log alerters that read every line which they could count.
const LOG_RULES: [&str; 12] = [
    "any",
    "blacklist",
    "cardinality",
    "change",
    "flatline",
    "frequency",
    "metric_aggregation",
    "new_term",
    "percentage_match",
    "spike",
    "spike_aggregation",
    "whitelist",
];

impl Rules {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty() && self.logs.is_empty() && !self.sends_elsewhere
    }

    /// Takes over those of a file, as far as there is room.
    pub(super) fn extend(&mut self, other: Rules) {
        self.alerts.extend(other.alerts.into_iter().take(RULES.saturating_sub(self.alerts.len())));
        self.logs.extend(other.logs.into_iter().take(RULES.saturating_sub(self.logs.len())));
        self.sends_elsewhere |= other.sends_elsewhere;
    }

    /// Those of a rule file or of a configuration in YAML, read line by line: also a file that is
    /// a template, or cut, shows its rules.
    pub(super) fn of_file(text: &str) -> Rules {
        let mut rules = Rules::default();
        if text.contains("alert:") && text.contains("expr:") {
            rules.alerts = alerts(text);
        }
        rules.sends_elsewhere =
            text.lines().any(|l| l.starts_with("remote_write:") && !l.contains("[]"));
        if text.contains("type:") && text.contains("index:") {
            rules.logs.extend(log_rule(text));
        }
        rules
    }
}

/// `key: value` of a line, the mark of a list item left out, quotes taken off.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.trim_start().trim_start_matches("- ").trim_start().split_once(':')?;
    let value = value.split(" #").next().unwrap_or_default().trim();
    Some((key.trim(), value.trim_matches(['"', '\''])))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '-']).len()
}

fn alerts(text: &str) -> Vec<AlertRule> {
    let mut found: Vec<AlertRule> = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((key, value)) = pair(line) else { continue };
        let begins = matches!(key, "alert" | "annotations" | "expr" | "for" | "labels" | "record");
        if begins && line.trim_start().starts_with("- ") && found.len() < RULES {
            found.push(AlertRule::default());
        }
        let Some(rule) = found.last_mut() else { continue };
        match key {
            "alert" => rule.name = value.into(),
            "severity" => rule.severity = value.into(),
            "runbook_url" | "runbook" => rule.has_runbook = !value.is_empty(),
            "expr" => {
                let mut whole = value.trim_start_matches(['|', '>', '-', '+']).to_owned();
                let depth = indent(line);
                while let Some(more) =
                    lines.next_if(|l| l.trim().is_empty() || l.len() - l.trim_start().len() > depth)
                {
                    if whole.len() < EXPRESSION_BYTES {
                        whole.push(' ');
                        whole.push_str(more.trim());
                    }
                }
                rule.expression = shortened(whole.trim());
            }
            _ => {}
        }
    }
    // A recording rule fires nothing.
    found.retain(|r| !r.name.is_empty());
    found
}

fn shortened(text: &str) -> Box<str> {
    text.chars().take(EXPRESSION_BYTES).collect::<String>().into()
}

fn log_rule(text: &str) -> Option<LogRule> {
    let mut rule = LogRule::default();
    let mut has_index = false;
    for (key, value) in text.lines().filter(|l| !l.starts_with([' ', '#', '-'])).filter_map(pair) {
        match key {
            "name" => rule.name = value.into(),
            "type" => rule.kind = value.into(),
            "index" => has_index = true,
            "use_count_query" | "use_terms_query" => {
                rule.counts |= value.eq_ignore_ascii_case("true");
            }
            "max_query_size" => rule.page_lines = value.parse().ok(),
            _ => {}
        }
    }
    (has_index && LOG_RULES.contains(&rule.kind.as_str())).then_some(rule)
}

/// One group of a PrometheusRule.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct GroupWire {
    rules: List<RuleWire>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RuleWire {
    alert: Text,
    expr: Expression,
    labels: crate::Labels,
    annotations: Runbook,
}

/// An expression may be written as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expression {
    Text(String),
    Number(f64),
    Other(serde::de::IgnoredAny),
}

impl Default for Expression {
    fn default() -> Self {
        Expression::Text(String::new())
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Runbook {
    runbook_url: Text,
    runbook: Text,
}

impl GroupWire {
    /// Its rules that fire alerts.
    pub(super) fn alerts(self) -> impl Iterator<Item = AlertRule> {
        let rules = self.rules.into_iter().filter(|r| !r.alert.is_empty());
        rules.map(|r| AlertRule {
            name: r.alert,
            expression: match r.expr {
                Expression::Text(text) => shortened(text.trim()),
                Expression::Number(number) => shortened(&number.to_string()),
                Expression::Other(_) => Box::default(),
            },
            severity: r.labels.get("severity").unwrap_or_default().into(),
            has_runbook: !(r.annotations.runbook_url.is_empty()
                && r.annotations.runbook.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_file_shows_its_alerts() {
        let text = "groups:\n- name: own\n  rules:\n  - record: a:b\n    expr: sum(a)\n  - alert: \
                    Full\n    expr: |\n      node_filesystem_avail_bytes\n        / 2 < 0.1\n    \
                    for: 5m\n    labels: \n      severity: page\n    annotations:\n      \
                    runbook_url: https://run.example/full\n  - expr: vector(1)\n    alert: Alive\n";
        let rules = Rules::of_file(text);
        let shown: Vec<_> = rules.alerts.iter().map(|r| (&*r.name, &*r.expression)).collect();
        assert_eq!(shown[0], ("Full", "node_filesystem_avail_bytes / 2 < 0.1"));
        assert_eq!((&*rules.alerts[0].severity, rules.alerts[0].has_runbook), ("page", true));
        assert_eq!(rules.alerts[1].name, "Alive");
        assert!(Rules::of_file("remote_write:\n- url: http://far.example\n").sends_elsewhere);
        assert!(Rules::of_file("# alert: x, expr: y\nserver: {}\n").is_empty());
    }

    #[test]
    fn a_rule_of_a_log_alerter_is_told_by_its_type_and_index() {
        let text =
            "name: quiet edge\ntype: flatline\nindex: edge-*\nthreshold: 1\nalert:\n- slack\n";
        let rules = Rules::of_file(text);
        let rule = &rules.logs[0];
        assert_eq!((&*rule.kind, rule.counts, rule.page_lines), ("flatline", false, None));
        let counted = format!("{text}use_count_query: true\nmax_query_size: 500\n");
        let rule = &Rules::of_file(&counted).logs[0];
        assert_eq!((rule.counts, rule.page_lines), (true, Some(500)));
        assert!(Rules::of_file("type: Opaque\nindex: none\n").is_empty());
    }
}

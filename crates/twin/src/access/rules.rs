//! Rules of roles: what one allows, whether some cover others.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Attributes;
use crate::field;

const ALL: &str = "*";

/// One rule of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    pub verbs: Vec<String>,
    pub groups: Vec<String>,
    pub resources: Vec<String>,
    pub names: Vec<String>,
    /// Paths that are no resources.
    pub paths: Vec<String>,
}

impl Rule {
    /// The rules of a role.
    pub fn of_role(role: &Value) -> Vec<Self> {
        field::list(role, "/rules").iter().map(Self::of).collect()
    }

    fn of(value: &Value) -> Self {
        let texts = |key: &str| -> Vec<String> {
            let all = field::list(value, &format!("/{key}")).iter();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            verbs: texts("verbs"),
            groups: texts("apiGroups"),
            resources: texts("resources"),
            names: texts("resourceNames"),
            paths: texts("nonResourceURLs"),
        }
    }

    /// Every verb on everything.
    pub fn everything() -> Vec<Self> {
        let all = || vec![ALL.to_owned()];
        let none = Self::default;
        let resources = Self { verbs: all(), groups: all(), resources: all(), ..none() };
        vec![resources, Self { verbs: all(), paths: all(), ..none() }]
    }

    /// Whether the rule alone allows what is asked.
    pub fn allows(&self, asked: &Attributes) -> bool {
        if !holds(&self.verbs, &asked.verb) {
            return false;
        }
        if let Some(path) = &asked.path {
            return self.paths.iter().any(|own| path_covers(own, path));
        }
        let resource = asked.full_resource();
        let by_subresource = !asked.subresource.is_empty()
            && self.resources.contains(&format!("*/{}", asked.subresource));
        holds(&self.groups, &asked.group)
            && (holds(&self.resources, &resource) || by_subresource)
            && (self.names.is_empty() || self.names.contains(&asked.name))
    }

    /// Rules of one verb on one thing that together say the same.
    fn broken_down(&self) -> Vec<Self> {
        let one = |text: &String| vec![text.clone()];
        let mut parts = Vec::new();
        for group in &self.groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    let part = Self {
                        groups: one(group),
                        resources: one(resource),
                        verbs: one(verb),
                        ..Self::default()
                    };
                    match self.names.as_slice() {
                        [] => parts.push(part),
                        names => parts.extend(
                            names.iter().map(|name| Self { names: one(name), ..part.clone() }),
                        ),
                    }
                }
            }
        }
        for path in &self.paths {
            let verbs = self.verbs.iter();
            parts.extend(verbs.map(|verb| Self {
                paths: one(path),
                verbs: one(verb),
                ..Self::default()
            }));
        }
        parts
    }

    /// Whether this rule allows all that a broken-down part does.
    fn covers(&self, part: &Self) -> bool {
        let resource = |asked: &String| {
            let by_subresource = asked
                .split_once('/')
                .is_some_and(|(_, sub)| self.resources.contains(&format!("*/{sub}")));
            holds(&self.resources, asked) || by_subresource
        };
        let named = match (self.names.is_empty(), part.names.is_empty()) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => part.names.iter().all(|name| self.names.contains(name)),
        };
        part.verbs.iter().all(|verb| holds(&self.verbs, verb))
            && part.groups.iter().all(|group| holds(&self.groups, group))
            && part.resources.iter().all(resource)
            && part.paths.iter().all(|path| self.paths.iter().any(|own| path_covers(own, path)))
            && named
    }
}

impl std::fmt::Display for Rule {
    /// As refusals of escalations tell it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            ("APIGroups", &self.groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.paths),
            ("ResourceNames", &self.names),
            ("Verbs", &self.verbs),
        ];
        let told: Vec<String> = parts
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(key, list)| format!("{key}:{}", quoted(list)))
            .collect();
        write!(f, "{{{}}}", told.join(", "))
    }
}

/// `["a" "b"]`, as Go prints lists of texts.
pub(super) fn quoted(list: &[String]) -> String {
    let told: Vec<String> = list.iter().map(|text| format!("{text:?}")).collect();
    format!("[{}]", told.join(" "))
}

/// What of `wanted` the rules in `held` do not cover, told in order.
pub(super) fn missing(held: &[Rule], wanted: &[Rule]) -> BTreeSet<String> {
    let parts = wanted.iter().flat_map(Rule::broken_down);
    let parts = parts.filter(|part| !held.iter().any(|rule| rule.covers(part)));
    let mut told = BTreeSet::new();
    // Parts that differ only by their verbs are told as one.
    let mut alike: BTreeMap<[Vec<String>; 3], Rule> = BTreeMap::new();
    for part in parts {
        if !part.paths.is_empty() {
            told.insert(part.to_string());
            continue;
        }
        let key = [&part.groups, &part.resources, &part.names].map(Vec::clone);
        match alike.get_mut(&key) {
            Some(rule) => rule.verbs.extend(part.verbs),
            None => drop(alike.insert(key, part)),
        }
    }
    told.extend(alike.values().map(Rule::to_string));
    told
}

fn holds(list: &[String], item: &str) -> bool {
    list.iter().any(|own| own == ALL || own == item)
}

/// Whether a path of a rule, possibly ending in `*`, means this path.
fn path_covers(own: &str, path: &str) -> bool {
    own == path || own.ends_with('*') && path.starts_with(own.trim_end_matches('*'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules(value: Value) -> Vec<Rule> {
        Rule::of_role(&json!({"rules": value}))
    }

    #[test]
    fn a_rule_allows_what_it_names() {
        let all = rules(json!([
            {"apiGroups": [""], "resources": ["pods", "*/log"], "verbs": ["get"]},
            {"apiGroups": ["apps"], "resources": ["*"], "resourceNames": ["web"], "verbs": ["*"]},
            {"nonResourceURLs": ["/api/*"], "verbs": ["get"]},
        ]));
        let check = |verb: &str, group: &str, resource: &str, sub: &str, name: &str| {
            let subresource = sub.to_owned();
            let asked = Attributes::on(verb, (group, resource), "n", name);
            let asked = Attributes { subresource, ..asked };
            all.iter().any(|rule| rule.allows(&asked))
        };
        assert!(check("get", "", "pods", "", "a") && !check("list", "", "pods", "", ""));
        assert!(check("get", "", "pods", "log", "a") && check("get", "", "others", "log", "a"));
        assert!(!check("get", "", "pods", "exec", "a"));
        assert!(check("delete", "apps", "deployments", "scale", "web"));
        assert!(!check("delete", "apps", "deployments", "", "other"));
        assert!(!check("list", "apps", "deployments", "", ""));
        let path = |path: &str| {
            let path = Some(path.to_owned());
            let asked = Attributes { verb: "get".into(), path, ..Attributes::default() };
            all.iter().any(|rule| rule.allows(&asked))
        };
        assert!(path("/api/v1") && !path("/metrics") && !path("/api"));
    }

    #[test]
    fn what_is_missing_is_told_in_one_rule_for_each_thing() {
        let held = rules(json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]));
        let wanted = rules(json!([
            {"apiGroups": [""], "resources": ["pods", "secrets"], "verbs": ["get", "list"]},
            {"nonResourceURLs": ["/x"], "verbs": ["get"]},
        ]));
        let told: Vec<_> = missing(&held, &wanted).into_iter().collect();
        let expected = [
            r#"{APIGroups:[""], Resources:["pods"], Verbs:["list"]}"#,
            r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}"#,
            r#"{NonResourceURLs:["/x"], Verbs:["get"]}"#,
        ];
        assert_eq!(told, expected);
        assert!(missing(&Rule::everything(), &wanted).is_empty());
    }
}

//! Label selectors and node-selector requirements.

use std::fmt;

use serde::Deserialize;

use crate::{Labels, List, Text};

/// Selects objects by their labels. An empty one selects everything, as in the API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Selector {
    /// Labels that must be present with this value.
    pub match_labels: Labels,
    /// Further requirements.
    pub match_expressions: List<Requirement>,
}

/// One requirement on a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default)]
pub struct Requirement {
    /// Label (or field) name.
    pub key: Text,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
    pub operator: Text,
    /// Values the operator compares with.
    pub values: List<Text>,
}

impl Requirement {
    /// Whether a label set, looked up by `get`, meets it. An unknown operator is never met.
    pub fn met_by(&self, value: Option<&str>) -> bool {
        let listed = |v: &str| self.values.iter().any(|x| x == v);
        let number = |v: &str| v.parse::<i64>().ok();
        let bound = self.values.first().and_then(|v| number(v));
        match (self.operator.as_str(), value) {
            ("In", Some(v)) => listed(v),
            ("NotIn", Some(v)) => !listed(v),
            ("NotIn" | "DoesNotExist", None) | ("Exists", Some(_)) => true,
            ("Gt", Some(v)) => number(v).zip(bound).is_some_and(|(v, b)| v > b),
            ("Lt", Some(v)) => number(v).zip(bound).is_some_and(|(v, b)| v < b),
            _ => false,
        }
    }
}

impl Selector {
    /// A selector of exact labels.
    pub fn labels(labels: Labels) -> Self {
        Self { match_labels: labels, match_expressions: List::default() }
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// Whether it selects an object with these labels.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.match_labels.all_in(labels)
            && self.match_expressions.iter().all(|r| r.met_by(labels.get(&r.key)))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values.iter().map(Text::as_str).collect::<Vec<_>>().join(",");
        match self.operator.as_str() {
            "In" => write!(f, "{} in ({values})", self.key),
            "NotIn" => write!(f, "{} notin ({values})", self.key),
            "Exists" => write!(f, "{}", self.key),
            "DoesNotExist" => write!(f, "!{}", self.key),
            "Gt" => write!(f, "{} > {values}", self.key),
            "Lt" => write!(f, "{} < {values}", self.key),
            other => write!(f, "{} {other} {values}", self.key),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.match_labels)?;
        for (i, r) in self.match_expressions.iter().enumerate() {
            let comma = if i == 0 && self.match_labels.is_empty() { "" } else { "," };
            write!(f, "{comma}{r}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_match_as_the_api_matches() {
        let labels: Labels = [("app", "web"), ("tier", "3")].into_iter().collect();
        for (selector, want) in [
            ("{}", true),
            (r#"{"matchLabels":{"app":"web"}}"#, true),
            (r#"{"matchLabels":{"app":"webb"}}"#, false),
            (r#"{"matchExpressions":[{"key":"app","operator":"In","values":["a","web"]}]}"#, true),
            (r#"{"matchExpressions":[{"key":"x","operator":"NotIn","values":["a"]}]}"#, true),
            (r#"{"matchExpressions":[{"key":"x","operator":"Exists"}]}"#, false),
            (r#"{"matchExpressions":[{"key":"tier","operator":"Gt","values":["2"]}]}"#, true),
            (r#"{"matchExpressions":[{"key":"tier","operator":"~","values":["2"]}]}"#, false),
        ] {
            let parsed: Selector = serde_json::from_str(selector).unwrap();
            assert_eq!(parsed.matches(&labels), want, "{selector}");
        }
    }
}

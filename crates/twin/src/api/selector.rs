//! Label and field selectors of list and watch requests.

use serde_json::Value;

use super::labels;
use super::query::Query;
use crate::field;
use crate::kinds::Kind;
use crate::registry::Failure;

/// What a list or watch is restricted to.
#[derive(Debug, Default)]
pub(super) struct Filter {
    labels: Vec<Rule>,
    fields: Vec<(String, bool, String)>,
}

#[derive(Debug)]
pub(super) enum Rule {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    /// Greater (true) or less than a number.
    Bound(String, bool, i64),
}

impl Filter {
    pub fn parse(kind: &Kind, query: &Query) -> Result<Self, Failure> {
        let labels = query.get("labelSelector").map_or(Ok(Vec::new()), labels::parse)?;
        let fields =
            query.get("fieldSelector").map_or(Ok(Vec::new()), |text| parse_fields(kind, text))?;
        Ok(Self { labels, fields })
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub fn admits(&self, object: &Value) -> bool {
        let labels = field::map(object, "/metadata/labels");
        let label = |key: &str| labels.and_then(|l| l.get(key)).and_then(Value::as_str);
        let listed = |values: &[String], value: &str| values.iter().any(|v| v == value);
        let met = |rule: &Rule| match rule {
            Rule::In(key, values) => label(key).is_some_and(|v| listed(values, v)),
            Rule::NotIn(key, values) => label(key).is_none_or(|v| !listed(values, v)),
            Rule::Exists(key) => label(key).is_some(),
            Rule::Absent(key) => label(key).is_none(),
            Rule::Bound(key, greater, bound) => {
                let number = label(key).and_then(|v| v.parse::<i64>().ok());
                number.is_some_and(|n| if *greater { n > *bound } else { n < *bound })
            }
        };
        let same = |(path, equal, wanted): &(String, bool, String)| {
            (read_field(object, path) == *wanted) == *equal
        };
        self.labels.iter().all(met) && self.fields.iter().all(same)
    }
}

/// The field's text as selectors see it.
fn read_field(object: &Value, path: &str) -> String {
    let pointer = match path {
        "source" if field::text(object, "/source/component").is_empty() => {
            "/reportingComponent".to_owned()
        }
        "source" => "/source/component".to_owned(),
        // Events are kept in the words of the core group.
        "reportingController" => "/reportingComponent".to_owned(),
        path if path.starts_with("regarding.") => path.replace("regarding.", "/involvedObject/"),
        path => format!("/{}", path.replace('.', "/")),
    };
    match object.pointer(&pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        _ if matches!(path, "spec.unschedulable" | "spec.hostNetwork") => "false".into(),
        _ if matches!(path, "status.replicas" | "status.successful") => "0".into(),
        _ => String::new(),
    }
}

fn parse_fields(kind: &Kind, text: &str) -> Result<Vec<(String, bool, String)>, Failure> {
    let parse = |term: &str| {
        let split = term.split_once("!=").map(|(k, v)| (k, false, v));
        let split = split.or_else(|| term.split_once("==").map(|(k, v)| (k, true, v)));
        let split = split.or_else(|| term.split_once('=').map(|(k, v)| (k, true, v)));
        let Some((key, equal, value)) = split else {
            let why = format!("invalid selector: '{text}'; can't understand '{term}'");
            return Err(Failure::bad_request(why));
        };
        let everywhere = matches!(key, "metadata.name" | "metadata.namespace");
        if everywhere || kind.fields.contains(&key) {
            return Ok((key.to_owned(), equal, value.to_owned()));
        }
        Err(Failure::bad_request(if kind.fields.is_empty() && kind.custom.is_none() {
            format!(
                "\"{key}\" is not a known field selector: only \"metadata.name\", \
                 \"metadata.namespace\""
            )
        } else {
            format!("field label not supported: {key}")
        }))
    };
    text.split(',').map(str::trim).filter(|term| !term.is_empty()).map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(labels: &str, fields: &str, admitted: bool) {
        let pod = json!({
            "metadata": {"name": "a", "labels": {"app": "web", "tier": "", "n": "5"}},
            "spec": {"nodeName": "n1"},
        });
        let query = Query::parse(&format!("labelSelector={labels}&fieldSelector={fields}"));
        let filter = Filter::parse(&crate::kinds::POD, &query).unwrap();
        assert_eq!(filter.admits(&pod), admitted, "{labels} {fields}");
    }

    #[test]
    fn selectors_admit_as_the_api_does() {
        for labels in
            ["app%3Dweb", "app==web", "app!=x", "x!=y", "app in (a, web)", "x notin (y)", "tier="]
        {
            check(&labels.replace(' ', "+"), "", true);
        }
        for labels in ["app=db", "app notin (web)", "!app", "x", "tier!=", "n>5", "app=web,n<5"] {
            check(&labels.replace(' ', "+"), "", false);
        }
        check("tier,!x,n>4", "spec.nodeName=n1,status.phase!=Failed", true);
        check("", "spec.nodeName=", false);
        check("", "spec.hostNetwork=false,metadata.name=a", true);
    }

    #[track_caller]
    fn refused(text: &str, kind: &Kind, message: &str) {
        let failure = Filter::parse(kind, &Query::parse(text)).unwrap_err();
        assert_eq!((failure.code, failure.message.as_str()), (400, message));
    }

    #[test]
    fn bad_selectors_are_refused_in_the_servers_words() {
        refused(
            "labelSelector=app%3D%3D%3Da",
            &crate::kinds::POD,
            "unable to parse requirement: found '=', expected: identifier",
        );
        refused(
            "labelSelector=app%20in%20%28a",
            &crate::kinds::POD,
            "unable to parse requirement: found '', expected: ',' or ')'",
        );
        refused(
            "fieldSelector=metadata.labels%3Dx",
            &crate::kinds::POD,
            "field label not supported: metadata.labels",
        );
        refused(
            "fieldSelector=data.k%3Dv",
            &crate::kinds::CONFIG_MAP,
            "\"data.k\" is not a known field selector: only \"metadata.name\", \
             \"metadata.namespace\"",
        );
        refused(
            "fieldSelector=status.phase",
            &crate::kinds::POD,
            "invalid selector: 'status.phase'; can't understand 'status.phase'",
        );
    }
}

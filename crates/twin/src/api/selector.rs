//! Label and field selectors of list and watch requests.

use serde_json::Value;

use super::query::Query;
use crate::field;
use crate::kinds::{Kind, validate};
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
        let labels = query.get("labelSelector").map_or(Ok(Vec::new()), parse_labels)?;
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

/// The terms of a label selector.
pub(super) fn parse_labels(text: &str) -> Result<Vec<Rule>, Failure> {
    let terms = split_terms(text)?;
    let rules: Result<Vec<_>, _> =
        terms.iter().map(|term| parse_label(term.trim()).and_then(checked)).collect();
    rules
}

/// A rule whose key and values labels can have.
fn checked(rule: Rule) -> Result<Rule, Failure> {
    let (key, values): (&str, &[String]) = match &rule {
        Rule::In(key, values) | Rule::NotIn(key, values) => (key, values),
        Rule::Exists(key) | Rule::Absent(key) | Rule::Bound(key, ..) => (key, &[]),
    };
    let bad = |place: String, text: &str, why: &str| {
        let told = Value::from(text);
        let why = format!("unable to parse requirement: {place}: Invalid value: {told}: {why}");
        Err(Failure::bad_request(why))
    };
    if let [first, ..] = validate::qualified(key).as_slice() {
        return bad("<nil>".to_owned(), key, first);
    }
    for (index, value) in values.iter().enumerate() {
        if let [first, ..] = validate::label_value(value).as_slice() {
            return bad(format!("values[{index}][{key}]"), value, first);
        }
    }
    Ok(rule)
}

/// Splits at commas outside parentheses.
fn split_terms(text: &str) -> Result<Vec<String>, Failure> {
    let (mut terms, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match (c, terms.last_mut()) {
            (',', _) if depth == 0 => terms.push(String::new()),
            (c, Some(term)) => term.push(c),
            (_, None) => {}
        }
    }
    if depth != 0 {
        let why = "unable to parse requirement: found '', expected: ',' or ')'";
        return Err(Failure::bad_request(why));
    }
    terms.retain(|term| !term.trim().is_empty());
    Ok(terms)
}

fn parse_label(term: &str) -> Result<Rule, Failure> {
    let bad = |why: String| Failure::bad_request(format!("unable to parse requirement: {why}"));
    let word = |text: &str| {
        let text = text.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        match text.chars().find(|c| !plain(*c)) {
            // What comes after a whole word is no part of it.
            Some(c) if "=!<>()".contains(c) && !text.starts_with(c) => {
                let why = format!("found '{c}', expected: ',' or 'end of string'");
                Err(Failure::bad_request(why))
            }
            Some(c) => Err(bad(format!("found '{c}', expected: identifier"))),
            None => Ok(text.to_owned()),
        }
    };
    if let Some((key, values)) = term.split_once('(') {
        let values = values.trim_end_matches(')').split(',').map(word);
        let values = values.collect::<Result<Vec<_>, _>>()?;
        return match key.trim().rsplit_once(char::is_whitespace) {
            Some((key, "in")) => Ok(Rule::In(word(key)?, values)),
            Some((key, "notin")) => Ok(Rule::NotIn(word(key)?, values)),
            _ => Err(bad(format!("found '{term}', expected: 'in' or 'notin'"))),
        };
    }
    for (sign, greater) in [('>', true), ('<', false)] {
        if let Some((key, bound)) = term.split_once(sign) {
            let number = bound.trim().parse();
            let number = number.map_err(|_| bad(format!("'{bound}' is not a whole number")))?;
            return Ok(Rule::Bound(word(key)?, greater, number));
        }
    }
    if let Some((key, value)) = term.split_once("!=") {
        return Ok(Rule::NotIn(word(key)?, vec![word(value)?]));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return Ok(Rule::In(word(key)?, vec![word(value)?]));
    }
    match term.strip_prefix('!') {
        Some(key) => Ok(Rule::Absent(word(key)?)),
        None => Ok(Rule::Exists(word(term)?)),
    }
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

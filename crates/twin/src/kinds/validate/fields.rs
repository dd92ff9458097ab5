//! Rules about single fields: a table says where, here is what each kind of rule means.
//!
//! A path names fields from the object's root; `[*]` stands for every element of a list. A rule
//! asks about the field only where what it stands in is there.

use std::net::IpAddr;

use serde_json::Value;

use super::fields_table::{OF_HOOKS, OF_PODS, TABLE};
use super::{NOT_NEGATIVE, PORT_RANGE, at, is_cidr, metadata};
use crate::registry::Cause;

const IP: &str = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
const CIDR: &str = super::CIDR;
const POSITIVE: &str = "must be greater than zero";
const VARIABLE: &str = "a valid environment variable name must consist only of printable ASCII \
     characters other than '='";
const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// What a field must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// There and not empty.
    Required,
    /// The same, and why.
    RequiredBecause(&'static str),
    /// There, be it empty, and why.
    Present(&'static str),
    /// One of these texts if it is there.
    OneOf(&'static [&'static str]),
    /// The same, told of the list that it stands in.
    EachOneOf(&'static [&'static str]),
    /// A DNS subdomain if it is there and not empty.
    Subdomain,
    /// The same, also where it is empty.
    StrictSubdomain,
    /// A DNS label if it is there and not empty.
    Label,
    /// A qualified name, such as `example.com/a`, if it is there.
    Qualified,
    /// The same, in small letters.
    QualifiedSmall,
    /// A label value if it is there.
    LabelValue,
    /// A map whose keys and values are labels.
    Labels,
    Ip,
    Cidr,
    Port,
    /// The name of a port, if it is a text.
    PortName,
    NotNegative,
    Positive,
    AtMost(i64),
    /// A number from here to there.
    Between(i64, i64),
    /// How much a preference counts.
    Weight,
    /// The name of a variable, if it is there and not empty.
    Variable,
    /// A path that does not lead upwards.
    Downwards,
    /// A path from the root.
    Absolute,
    /// Bits of a file's permissions.
    Mode,
}

/// What an object breaks.
pub(super) fn causes(storage: &str, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let own = TABLE.iter().filter(|(of, ..)| *of == storage).map(|(_, path, rule)| (path, rule));
    let hooks = storage.contains("webhookconfigurations.");
    let shared = OF_HOOKS.iter().filter(|_| hooks).map(|(path, rule)| (path, rule));
    for (path, rule) in own.chain(shared) {
        visit(object, path, &mut |value, path| judge(*rule, value, path, &mut causes));
    }
    if hooks {
        causes.extend(callers(object));
    }
    let one_is_there = |other: &str| !is_nothing(at(object, other));
    causes.retain(|cause| match cause.field.as_str() {
        "spec.validations" => !one_is_there("/spec/auditAnnotations"),
        "spec.auditAnnotations" => !one_is_there("/spec/validations"),
        _ => true,
    });
    causes
}

/// What the pods of an object break; `spec` stands at `path`.
pub(super) fn pod_causes(spec: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (below, rule) in OF_PODS {
        visit(spec, below, &mut |value, below| {
            judge(*rule, value, &format!("{path}.{below}"), &mut causes);
        });
    }
    causes
}

/// Calls `told` for every place that the pattern names; null where the field is not there.
fn visit(object: &Value, pattern: &str, told: &mut dyn FnMut(&Value, &str)) {
    let mut open: Vec<(&Value, String)> = vec![(object, String::new())];
    let parts: Vec<&str> = pattern.split('.').collect();
    for (index, part) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        let (key, each) = part.strip_suffix("[*]").map_or((*part, false), |key| (key, true));
        let mut next = Vec::new();
        for (value, path) in open {
            let below = value.get(key).unwrap_or(&Value::Null);
            let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
            if each {
                let items = below.as_array().into_iter().flatten().enumerate();
                next.extend(items.map(|(at, item)| (item, format!("{path}[{at}]"))));
            } else if is_last || !below.is_null() {
                next.push((below, path));
            }
        }
        open = next;
    }
    for (value, path) in open {
        told(value, &path);
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn judge(rule: Rule, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    if value.is_null()
        && !matches!(rule, Rule::Required | Rule::RequiredBecause(_) | Rule::Present(_))
    {
        return;
    }
    let text = value.as_str().unwrap_or_default();
    let mut invalid = |wrong: Vec<String>| {
        causes.extend(wrong.iter().map(|why| Cause::invalid(path, value, why)));
    };
    let when = |is: bool, why: &str| if is { vec![why.to_owned()] } else { Vec::new() };
    match rule {
        Rule::Required if is_nothing(value) => causes.push(Cause::required(path)),
        Rule::RequiredBecause(why) if is_nothing(value) => {
            causes.push(Cause::required_because(path, why));
        }
        Rule::Present(why) if value.is_null() => {
            causes.push(Cause::required_because(path, why));
        }
        Rule::OneOf(known) if !known.contains(&text) => {
            causes.push(Cause::unsupported(path, value, known));
        }
        Rule::EachOneOf(known) if !known.contains(&text) => {
            let list = path.rsplit_once('[').map_or(path, |(list, _)| list);
            causes.push(Cause::unsupported(list, value, known));
        }
        Rule::Subdomain if text.is_empty() => {}
        Rule::Subdomain | Rule::StrictSubdomain => invalid(metadata::subdomain(text)),
        Rule::Label if !text.is_empty() && !metadata::is_label(text) => {
            invalid(vec![metadata::LABEL.to_owned()]);
        }
        Rule::Qualified => invalid(metadata::qualified(text)),
        Rule::QualifiedSmall if !text.is_empty() => {
            let small = Value::from(text.to_lowercase());
            let wrong = metadata::qualified(&text.to_lowercase());
            causes.extend(wrong.iter().map(|why| Cause::invalid(path, &small, why)));
        }
        Rule::LabelValue => invalid(metadata::label_value(text)),
        Rule::Labels => causes.extend(metadata::labels(value, path)),
        Rule::Ip => invalid(when(text.parse::<IpAddr>().is_err(), IP)),
        Rule::Cidr => invalid(when(!is_cidr(text), CIDR)),
        Rule::PortName if value.is_string() => invalid(port_name(text)),
        Rule::Variable => {
            let odd = |c: char| c == '=' || !c.is_ascii_graphic() && c != ' ';
            invalid(when(text.contains(odd), VARIABLE));
        }
        Rule::Downwards => {
            invalid(when(text.split('/').any(|part| part == ".."), "must not contain '..'"));
        }
        Rule::Absolute => invalid(when(!text.starts_with('/'), "must be an absolute path")),
        _ => invalid(value.as_i64().and_then(|number| outside(rule, number)).into_iter().collect()),
    }
}

/// Why a number is none of those that it may be.
fn outside(rule: Rule, number: i64) -> Option<String> {
    let (low, high, why) = match rule {
        Rule::Port => (1, 65_535, PORT_RANGE.to_owned()),
        Rule::NotNegative => (0, i64::MAX, NOT_NEGATIVE.to_owned()),
        Rule::Positive => (1, i64::MAX, POSITIVE.to_owned()),
        Rule::Between(low, high) => {
            (low, high, format!("must be between {low} and {high}, inclusive"))
        }
        Rule::Weight => (1, 100, "must be in the range 1-100".to_owned()),
        Rule::Mode => (0, 0o777, MODE.to_owned()),
        Rule::AtMost(most) => (i64::MIN, most, format!("must be less than or equal to {most}")),
        _ => return None,
    };
    (!(low..=high).contains(&number)).then_some(why)
}

/// What is wrong with the name of a port.
pub(super) fn port_name(name: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if name.len() > 15 {
        wrong.push("must be no more than 15 characters");
    }
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !name.bytes().all(fine) {
        wrong.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
    } else if !name.bytes().any(|b| b.is_ascii_lowercase()) {
        wrong.push("must contain at least one letter (a-z)");
    }
    if name.contains("--") {
        wrong.push("must not contain consecutive hyphens");
    }
    if name.starts_with('-') || name.ends_with('-') {
        wrong.push("must not begin or end with a hyphen");
    }
    wrong.into_iter().map(str::to_owned).collect()
}

/// A webhook is called by address or as a Service.
fn callers(hooks: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, hook) in crate::field::list(hooks, "/webhooks").iter().enumerate() {
        let config = at(hook, "/clientConfig");
        if config.get("url").is_some() == config.get("service").is_some() {
            let why = "exactly one of url or service is required";
            let path = format!("webhooks[{index}].clientConfig");
            causes.push(Cause::required_because(&path, why));
        }
    }
    causes
}

/// The taints of a node, which the server tells of its metadata.
pub(super) fn taints(node: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, taint) in crate::field::list(node, "/spec/taints").iter().enumerate() {
        let path = |key: &str| format!("metadata.taints[{index}].{key}");
        let key = Value::from(crate::field::text(taint, "/key"));
        judge(Rule::Qualified, &key, &path("key"), &mut causes);
        judge(Rule::LabelValue, at(taint, "/value"), &path("value"), &mut causes);
        let effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        match crate::field::text(taint, "/effect") {
            "" => causes.push(Cause::required(&path("effect"))),
            effect if !effects.contains(&effect) => {
                causes.push(Cause::unsupported(&path("effect"), &effect.into(), &effects));
            }
            _ => {}
        }
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(storage: &str, object: Value, fields: &[&str]) {
        let told: Vec<_> = causes(storage, &object).into_iter().map(|c| c.field).collect();
        assert_eq!(told, fields, "{object}");
    }

    #[test]
    fn a_rule_asks_where_its_field_may_stand() {
        check("ingressclasses.networking.k8s.io", json!({"spec": {}}), &["spec.controller"]);
        check("ingressclasses.networking.k8s.io", json!({}), &[]);
        let slice = json!({"endpoints": [{"addresses": ["10.0.0.1"]}, {}], "ports": [{}]});
        check("endpointslices.discovery.k8s.io", slice, &["endpoints[1].addresses"]);
    }

    #[test]
    fn port_names_are_short_small_words() {
        for (name, count) in [("http", 0), ("Bad_X!", 1), ("a--b", 1), ("123", 1), ("-a", 1)] {
            assert_eq!(port_name(name).len(), count, "{name}");
        }
    }
}

//! Rules for the metadata of every kind.

use serde_json::Value;

use crate::field;
use crate::kinds::Kind;
use crate::registry::Cause;

/// All annotations of an object together.
const MOST_ANNOTATION_BYTES: usize = 262_144;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
     characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
     'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]\
     ([-a-z0-9]*[a-z0-9])?)*')";
pub(crate) const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric \
     characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  \
     or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and \
     must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or \
     '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric \
     characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
     'MyValue',  or 'my_value',  or '12345', regex used for validation is \
     '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const DNS_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or \
     '-', start with an alphabetic character, and end with an alphanumeric character (e.g. \
     'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// What keeps a text from being a DNS subdomain.
pub(crate) fn subdomain(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > 253 {
        wrong.push("must be no more than 253 characters".to_owned());
    }
    if !text.split('.').all(is_label) {
        wrong.push(SUBDOMAIN.to_owned());
    }
    wrong
}

/// What keeps a text from being a DNS label that starts with a letter.
pub(crate) fn dns_1035(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > 63 {
        wrong.push("must be no more than 63 characters".to_owned());
    }
    if !is_label(text) || !text.starts_with(|c: char| c.is_ascii_lowercase()) {
        wrong.push(DNS_1035.to_owned());
    }
    wrong
}

/// What the metadata breaks.
pub(crate) fn metadata(kind: &Kind, value: &Value) -> Vec<Cause> {
    let mut causes = name(kind, value);
    causes.extend(labels(&value["metadata"]["labels"], "metadata.labels"));
    causes.extend(annotations(value));
    causes.extend(finalizers(kind, value));
    causes.extend(owners(value));
    causes
}

/// What the metadata of a changed object breaks besides: most of it is checked again and again.
pub(crate) fn of_change(kind: &Kind, value: &Value) -> Vec<Cause> {
    let mut texts = labels(&value["metadata"]["labels"], "metadata.labels");
    texts.extend(annotations(value));
    texts.extend(owners(value));
    let mut causes = [texts.clone(), texts.clone(), texts].concat();
    causes.extend(finalizers(kind, value));
    causes
}

fn name(kind: &Kind, value: &Value) -> Vec<Cause> {
    const FIELD: &str = "metadata.name";
    let name = field::name(value);
    let invalid = |why: &str| vec![Cause::invalid(FIELD, &name.into(), why)];
    if name.is_empty() {
        return vec![Cause::required_because(FIELD, "name or generateName is required")];
    }
    if !kind.names_are_dns {
        return match name {
            "." | ".." => invalid(&format!("may not be '{name}'")),
            _ if name.contains('/') => invalid("may not contain '/'"),
            _ if name.contains('%') => invalid("may not contain '%'"),
            _ => Vec::new(),
        };
    }
    let short = matches!(kind.storage, "services" | "namespaces" | "statefulsets.apps");
    let mut causes = Vec::new();
    match (short, name.len()) {
        (true, 64..) => causes.extend(invalid("must be no more than 63 characters")),
        (false, 254..) => causes.extend(invalid("must be no more than 253 characters")),
        _ => {}
    }
    if short && name.contains('.') {
        causes.extend(invalid("must not contain dots"));
    } else if short && !is_label(name) {
        causes.extend(invalid(LABEL));
    } else if !short && !name.split('.').all(is_label) {
        causes.extend(invalid(SUBDOMAIN));
    }
    causes
}

/// Lower-case letters, digits and '-', starting and ending with a letter or digit.
pub(crate) fn is_label(label: &str) -> bool {
    let solid = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = label.as_bytes();
    bytes.first().is_some_and(|c| solid(*c))
        && bytes.last().is_some_and(|c| solid(*c))
        && bytes.iter().all(|c| solid(*c) || *c == b'-')
}

/// Letters, digits, '-', '_', '.', starting and ending with a letter or digit.
fn is_word(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(c))
}

/// What is wrong with a qualified name such as `example.com/a`.
pub(crate) fn qualified(name: &str) -> Vec<String> {
    let (prefix, word) = match name.split_once('/') {
        Some((_, word)) if word.contains('/') => {
            return vec![format!(
                "{} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
                QUALIFIED.replacen("name part must", "a valid label key must", 1)
            )];
        }
        Some((prefix, word)) => (Some(prefix), word),
        None => (None, name),
    };
    let mut wrong = Vec::new();
    if prefix == Some("") {
        wrong.push("prefix part must be non-empty".to_owned());
    } else if let Some(prefix) = prefix
        && !prefix.split('.').all(is_label)
    {
        wrong.push(format!("prefix part {SUBDOMAIN}"));
    }
    if word.is_empty() {
        wrong.push("name part must be non-empty".to_owned());
    }
    if word.len() > 63 {
        wrong.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_word(word) {
        wrong.push(QUALIFIED.to_owned());
    }
    wrong
}

/// What is wrong with the value of a label.
pub(crate) fn label_value(text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.len() > 63 {
        wrong.push("must be no more than 63 bytes".to_owned());
    }
    if !text.is_empty() && !is_word(text) {
        wrong.push(LABEL_VALUE.to_owned());
    }
    wrong
}

/// What labels at `path` break.
pub(super) fn labels(labels: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (key, value) in labels.as_object().into_iter().flatten() {
        for why in qualified(key) {
            causes.push(Cause::invalid(path, &key.as_str().into(), &why));
        }
        let wrong = label_value(value.as_str().unwrap_or_default());
        causes.extend(wrong.iter().map(|why| Cause::invalid(path, value, why)));
    }
    causes
}

fn annotations(value: &Value) -> Vec<Cause> {
    const FIELD: &str = "metadata.annotations";
    let all = field::map(value, "/metadata/annotations");
    let mut causes = Vec::new();
    let mut bytes = 0;
    for (key, value) in all.into_iter().flatten() {
        for why in qualified(&key.to_lowercase()) {
            causes.push(Cause::invalid(FIELD, &key.as_str().into(), &why));
        }
        bytes += key.len() + value.as_str().unwrap_or_default().len();
    }
    if bytes > MOST_ANNOTATION_BYTES {
        causes.push(Cause::too_long(FIELD, MOST_ANNOTATION_BYTES));
    }
    causes
}

fn finalizers(kind: &Kind, value: &Value) -> Vec<Cause> {
    const STANDARD: [&str; 3] = ["orphan", "foregroundDeletion", "kubernetes"];
    // Those of the core server must say whose they are; extensions need not.
    let ours = kind.custom.is_none() && kind.group != "apiextensions.k8s.io";
    let mut causes = Vec::new();
    for (index, finalizer) in field::list(value, "/metadata/finalizers").iter().enumerate() {
        let text = finalizer.as_str().unwrap_or_default();
        let at = format!("metadata.finalizers[{index}]");
        for why in qualified(text) {
            causes.push(Cause::invalid("metadata.finalizers", finalizer, &why));
        }
        if ours && !text.contains('/') && !STANDARD.contains(&text) {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::invalid(&at, finalizer, why));
        }
    }
    let all = field::list(value, "/metadata/finalizers");
    let has = |name: &str| all.iter().any(|finalizer| finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        let why = "finalizer orphan and foregroundDeletion cannot be both set";
        causes.push(Cause::invalid("metadata.finalizers", &all.into(), why));
    }
    causes
}

/// A reference as it is quoted: in the order of its fields.
fn reference(owner: &Value) -> String {
    let keys = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
    let told = keys.into_iter().filter_map(|key| Some(format!("\"{key}\":{}", owner.get(key)?)));
    format!("{{{}}}", told.collect::<Vec<_>>().join(","))
}

fn owners(value: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for owner in field::list(value, "/metadata/ownerReferences") {
        let at = |key: &str| format!("metadata.ownerReferences.{key}");
        let empty = |key: &str| field::text(owner, &format!("/{key}")).is_empty();
        let none = Value::from("");
        for (key, why) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ] {
            if empty(key) {
                causes.push(Cause::invalid(&at(key), &none, why));
            }
        }
        if owner["kind"] == "Event" && owner["apiVersion"] == "v1" {
            let why = "/v1, Kind=Event is disallowed from being an owner";
            causes.push(Cause::quoted("metadata.ownerReferences", &reference(owner), why));
        }
    }
    let all = field::list(value, "/metadata/ownerReferences");
    let leads = |owner: &&Value| owner["controller"] == true;
    let mut leaders = all.iter().filter(leads).map(|owner| field::text(owner, "/name"));
    if let (Some(first), Some(second)) = (leaders.next(), leaders.next()) {
        let why = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for \
             {first} and {second}"
        );
        let told: Vec<_> = all.iter().map(reference).collect();
        let told = format!("[{}]", told.join(","));
        causes.push(Cause::quoted("metadata.ownerReferences", &told, &why));
    }
    causes
}

//! ConfigMaps and Secrets.

use serde_json::Value;

use super::at;
use crate::field;
use crate::registry::Cause;

/// All data of a Secret or ConfigMap together.
const MOST_BYTES: usize = 1 << 20;
const KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' \
     (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is \
     '[-._a-zA-Z0-9]+')";

fn keys(object: &Value, part: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (key, _) in field::map(object, &format!("/{part}")).into_iter().flatten() {
        let fine = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        if key.is_empty() || !key.bytes().all(fine) {
            causes.push(Cause::invalid(&format!("{part}[{key}]"), &key.as_str().into(), KEY));
        }
    }
    causes
}

pub(super) fn config_map(map: &Value) -> Vec<Cause> {
    let mut causes = keys(map, "data");
    for (key, _) in field::map(map, "/data").into_iter().flatten() {
        if map["binaryData"].get(key).is_some() {
            let why = "duplicate of key present in binaryData";
            causes.push(Cause::invalid(&format!("data[{key}]"), &key.as_str().into(), why));
        }
    }
    causes.extend(keys(map, "binaryData"));
    let size: usize = field::map(map, "/data")
        .into_iter()
        .flatten()
        .map(|(_, value)| value.as_str().map_or(0, str::len))
        .sum();
    if size > MOST_BYTES {
        causes.push(Cause::too_long("[]", MOST_BYTES));
    }
    causes
}

pub(super) fn secret(secret: &Value) -> Vec<Cause> {
    let mut causes = keys(secret, "data");
    let data = field::map(secret, "/data");
    let bytes: usize =
        data.into_iter().flatten().map(|(_, v)| v.as_str().map_or(0, |t| t.len() / 4 * 3)).sum();
    if bytes > MOST_BYTES {
        causes.push(Cause::too_long("data", MOST_BYTES));
    }
    let has = |key: &str| secret["data"].get(key).is_some();
    let required: &[&str] = match field::text(secret, "/type") {
        "kubernetes.io/dockerconfigjson" => {
            causes.extend(document(secret, ".dockerconfigjson"));
            &[".dockerconfigjson"]
        }
        "kubernetes.io/dockercfg" => {
            causes.extend(document(secret, ".dockercfg"));
            &[".dockercfg"]
        }
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/service-account-token" => {
            const NAME: &str = "kubernetes.io/service-account.name";
            let annotations = field::map(secret, "/metadata/annotations");
            if annotations.and_then(|a| a.get(NAME)).is_none_or(|name| name == "") {
                causes.push(Cause::required(&format!("metadata.annotations[{NAME}]")));
            }
            &[]
        }
        _ => &[],
    };
    let missing = required.iter().filter(|key| !has(key));
    causes.extend(missing.map(|key| Cause::required(&format!("data[{key}]"))));
    causes
}

/// A key of a Secret that must hold JSON.
fn document(secret: &Value, key: &str) -> Option<Cause> {
    const HIDDEN: &str = "<secret contents redacted>";
    let bytes = field::from_base64(secret["data"].get(key)?.as_str()?)?;
    let error = serde_json::from_slice::<Value>(&bytes).err()?;
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    let why = match first {
        Some(c) if !b"{[\"-0123456789tfn".contains(c) => {
            format!("invalid character '{}' looking for beginning of value", char::from(*c))
        }
        _ if error.is_eof() => "unexpected end of JSON input".to_owned(),
        _ => error.to_string(),
    };
    Some(Cause::invalid(&format!("data[{key}]"), &HIDDEN.into(), &why))
}

/// An immutable map keeps its data.
pub(super) fn config_map_update(old: &Value, new: &Value) -> Vec<Cause> {
    frozen(old, new, &["data", "binaryData"])
}

pub(super) fn secret_update(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if at(old, "/type") != at(new, "/type") {
        causes.push(Cause::invalid("type", at(new, "/type"), "field is immutable"));
    }
    causes.extend(frozen(old, new, &["data"]));
    causes
}

fn frozen(old: &Value, new: &Value, parts: &[&str]) -> Vec<Cause> {
    let why = "field is immutable when `immutable` is set";
    let is = |value: &Value| field::flag(value, "/immutable");
    if !is(old) {
        return Vec::new();
    }
    let thawed = (!is(new)).then(|| Cause::forbidden("immutable", why));
    let changed = parts.iter().filter(|part| old.get(**part) != new.get(**part));
    thawed.into_iter().chain(changed.map(|part| Cause::forbidden(part, why))).collect()
}

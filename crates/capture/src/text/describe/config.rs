//! Config maps, secrets and service accounts. Values of secrets and config maps are not kept.

use super::outline::{Entry, Section};
use crate::text::lines::Line;
use crate::text::shape::{put, put_some, some};
use serde_json::{Value, json};

/// Fills a config map: the names of its keys.
pub fn config_map(body: Section<'_>, value: &mut Value) {
    let lines = body.lines;
    let Some(start) = lines.iter().position(|l| l.text.starts_with("====")) else { return };
    let mut keys: Vec<&str> = Vec::new();
    let rest = lines.get(start + 1..).unwrap_or(&[]);
    for pair in rest.windows(2) {
        let [name, rule] = pair else { continue };
        // `key:` above `----`; a rule in a value has no name above it.
        if rule.text.trim_end() == "----"
            && let Some(key) = name.text.trim_end().strip_suffix(':')
            && is_key(key)
        {
            keys.push(key);
        }
    }
    put(value, "dataCount", keys.len());
    put(value, "dataKeys", keys);
    put_some(value, "data.Corefile", text_of("Corefile:", rest));
    let kubelet = text_of("kubelet:", rest).filter(|t| t.contains("KubeletConfiguration"));
    put_some(value, "data.kubelet", kubelet);
}

/// Settings of the cluster's name server or of its kubelets: the only values that are read of
/// any config map. `key` stands above its value.
fn text_of(key: &str, lines: &[Line<'_>]) -> Option<String> {
    let at = lines.iter().position(|l| l.text.trim_end() == key)?;
    let body = lines.get(at + 2..)?;
    let ends = |pair: &[Line<'_>]| match pair {
        [name, rule] => {
            rule.text.trim_end() == "----" && name.text.trim_end().ends_with(':')
                || name.text.starts_with("BinaryData")
                || name.text.starts_with("Events:")
        }
        _ => false,
    };
    let end = body.windows(2).position(ends).unwrap_or(body.len());
    let text: Vec<&str> = body.get(..end)?.iter().map(|l| l.text.as_ref()).collect();
    Some(text.join("\n"))
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}

/// Fills a secret: its type and the names of its keys.
pub fn secret(body: Section<'_>, value: &mut Value) {
    put_some(value, "type", body.some("Type"));
    let Some(start) = body.lines.iter().position(|l| l.text.starts_with("====")) else { return };
    let rest = Section { lines: body.lines.get(start + 1..).unwrap_or(&[]) };
    let keys = rest.entries().take_while(|e| e.key != "Events").map(|e| e.key);
    let keys: Vec<&str> = keys.filter(|k| is_key(k)).collect();
    put(value, "dataCount", keys.len());
    put(value, "dataKeys", keys);
}

/// Fills a service account.
pub fn service_account(body: Section<'_>, value: &mut Value) {
    for entry in body.entries() {
        match entry.key {
            "Image pull secrets" => put(value, "imagePullSecrets", names(entry)),
            "Mountable secrets" => put(value, "secrets", names(entry)),
            _ => {}
        }
    }
}

fn names(entry: Entry<'_>) -> Value {
    // `regcred (not found)`
    let name = |line: &str| json!({"name": line.split(' ').next().unwrap_or(line)});
    Value::from(entry.values().map(name).collect::<Vec<_>>())
}

/// Names a service account's text marks as `(not found)`: secrets that do not exist.
pub fn absent_secrets(lines: &[Line<'_>]) -> Vec<(u32, String)> {
    let marked = lines.iter().filter(|l| l.text.trim_end().ends_with("(not found)"));
    let name = |l: &Line<'_>| {
        let text = l.trimmed().trim_end_matches("(not found)").trim_end();
        some(text.rsplit([' ', '\t']).next()?).map(|n| (l.number, n.to_owned()))
    };
    marked.filter_map(name).collect()
}

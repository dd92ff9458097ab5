//! Rows of `kubectl get events` and `kubectl events`, in every layout there was.

use super::Row;
use crate::text::kinds;
use crate::text::shape::{object, put, put_some, some};
use crate::text::time::age_seconds;
use serde_json::Value;

/// An event. It has a name only where the table prints it.
pub fn event(row: &Row<'_>, namespace: Option<&str>) -> Option<Value> {
    let reason = row.some("REASON")?;
    let mut value = object("Event", "", namespace);
    put(&mut value, "reason", reason);
    put_some(&mut value, "type", row.some("TYPE"));
    put_some(&mut value, "message", row.get("MESSAGE"));
    let (kind, name) = involved(row)?;
    put(&mut value, "involvedObject.kind", kind);
    put(&mut value, "involvedObject.name", name);
    let namespaced = kinds::by_kind(kind).is_none_or(|k| k.namespaced);
    put_some(&mut value, "involvedObject.namespace", namespace.filter(|_| namespaced));
    put_some(&mut value, "involvedObject.fieldPath", row.some("SUBOBJECT"));
    match row.some("NAME") {
        Some(own) => put(&mut value, "metadata.name", own),
        None => {
            if let Some(Value::Object(metadata)) = value.get_mut("metadata") {
                metadata.remove("name");
            }
        }
    }
    if let Some(source) = row.get("SOURCE").and_then(some) {
        set_source(&mut value, source);
    }
    let last = row.any(&["LAST SEEN", "LASTSEEN"]).unwrap_or("");
    set_ages(&mut value, last);
    let first = row.any(&["FIRST SEEN", "FIRSTSEEN"]).and_then(age_seconds);
    put_some(&mut value, "firstAgeSeconds", first);
    put_some(&mut value, "count", row.number("COUNT"));
    Some(value)
}

/// `pod/x`, or the columns KIND and NAME, where NAME ends in a number of its own.
fn involved<'a>(row: &Row<'a>) -> Option<(&'a str, &'a str)> {
    if let Some(cell) = row.some("OBJECT") {
        let (kind, name) = cell.split_once('/')?;
        return Some((kinds::by_name(kind).map_or(kind, |k| k.kind), name));
    }
    let name = row.some("NAME")?;
    let (object, suffix) = name.rsplit_once('.').unwrap_or((name, ""));
    let hex = suffix.len() > 8 && suffix.bytes().all(|b| b.is_ascii_hexdigit());
    Some((row.some("KIND")?, if hex { object } else { name }))
}

/// `kubelet, node-1` or `kubelet`.
pub fn set_source(value: &mut Value, source: &str) {
    let (component, host) = source.split_once(',').unwrap_or((source, ""));
    put(value, "source.component", component.trim());
    put_some(value, "source.host", some(host));
}

/// `5m`, `5m (x26 over 7m37s)`.
pub fn set_ages(value: &mut Value, cell: &str) {
    let (last, more) = cell.trim().split_once(' ').unwrap_or((cell.trim(), ""));
    put_some(value, "ageSeconds", age_seconds(last));
    let more = more.trim().trim_start_matches('(').trim_end_matches(')');
    if let Some((count, first)) = more.split_once(" over ") {
        put_some(value, "count", count.trim_start_matches('x').parse::<u64>().ok());
        put_some(value, "firstAgeSeconds", age_seconds(first));
    }
}

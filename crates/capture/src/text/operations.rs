//! Lists of a provider's operations on a cluster (`gcloud container operations list`).
//!
//! Each operation becomes an event about what it was done to. It must not judge whether an
//! operation was needed.

use super::Out;
use super::lines::Line;
use super::shape::{put, put_some};
use super::time::rfc3339;
use serde_json::json;

/// Reads operations that begin at the first of `lines`; returns how many lines it took.
pub fn read(lines: &[Line<'_>], out: &mut Out<'_>) -> Option<usize> {
    let first = lines.first()?.text.as_ref();
    let words: Vec<&str> = first.split_whitespace().collect();
    let head = words.contains(&"TARGET") && words.contains(&"START_TIME");
    let rows = lines.iter().skip(usize::from(head));
    let mut used = usize::from(head);
    for line in rows {
        if !operation(line, out) {
            break;
        }
        used += 1;
    }
    (used > 0).then_some(used)
}

/// `operation-15-a AUTO_REPAIR_NODES europe-west1-b default-pool DONE <start> <end>`.
fn operation(line: &Line<'_>, out: &mut Out<'_>) -> bool {
    let words: Vec<&str> = line.text.split_whitespace().collect();
    let [id, kind, _place, target, ..] = words.as_slice() else { return false };
    let upper = |c: char| c.is_ascii_uppercase() || c == '_';
    if !id.starts_with("operation-") || !kind.chars().all(upper) {
        return false;
    }
    let mut times = words.iter().skip(4).filter(|w| w.contains('T')).filter_map(|w| rfc3339(w));
    let mut value = json!({"apiVersion": "v1", "kind": "Event", "metadata": {}});
    put(&mut value, "involvedObject.kind", "Cluster");
    put(&mut value, "involvedObject.name", *target);
    put(&mut value, "type", "Normal");
    put(&mut value, "reason", *kind);
    put(&mut value, "message", words.join(" "));
    let start = times.next();
    put_some(&mut value, "firstTimestamp", start.clone());
    put_some(&mut value, "lastTimestamp", start);
    out.object(value, line.number);
    true
}

#[cfg(test)]
mod tests {
    use crate::piece::Piece;
    use crate::text::{Hints, read_text};

    #[test]
    fn operations_are_events() {
        let text = "NAME TYPE LOCATION TARGET STATUS_MESSAGE STATUS START_TIME END_TIME\n\
                    operation-1-a AUTO_REPAIR_NODES west1-b pool-1 DONE 2026-01-02T03:04:05.1Z \
                    2026-01-02T03:09:00Z\n\
                    operation-2-b UPGRADE_NODES west1-b pool-1 RUNNING 2026-01-02T07:00:00Z\n";
        let mut found = Vec::new();
        let mut sink = |piece| {
            if let Piece::Object { value, .. } = piece {
                found.push(value);
            }
        };
        read_text("d", text, &Hints::default(), &mut sink);
        let field = |at: usize, name: &str| found[at].pointer(name).and_then(|v| v.as_str());
        assert_eq!(found.len(), 2);
        assert_eq!(field(0, "/reason"), Some("AUTO_REPAIR_NODES"));
        assert_eq!(field(0, "/involvedObject/name"), Some("pool-1"));
        assert!(field(1, "/lastTimestamp").is_some_and(|t| t.starts_with("2026-01-02T07:00:00")));
    }
}

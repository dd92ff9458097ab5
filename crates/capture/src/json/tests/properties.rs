//! What holds for any input, however it is cut.

use super::{LIMIT, read_in_chunks};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() }
}

/// A list in the forms it is printed in.
fn a_list(items: &[(u8, String)], indent: bool) -> String {
    let items: Vec<Value> = items
        .iter()
        .map(|(shape, text)| {
            let meta = json!({"name": format!("n{shape}"), "x": text});
            match shape % 3 {
                0 => json!({"kind": "Pod", "metadata": meta}),
                1 => json!({"a": {"kind": "No", "b": [text]}, "kind": "Event", "metadata": meta}),
                _ => json!({"kind": "Node", "spec": [[text, {"}": "]"}]], "metadata": meta}),
            }
        })
        .collect();
    let list = json!({"apiVersion": "v1", "items": items, "kind": "List"});
    if indent { serde_json::to_string_pretty(&list) } else { serde_json::to_string(&list) }
        .expect("a value is printable")
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_same_however_it_is_cut(
        items in vec((any::<u8>(), ".{0,40}"), 0..12),
        indent: bool,
        chunk in 1..300_usize,
    ) {
        let text = a_list(&items, indent);
        let (whole, outcome) = read_in_chunks(text.as_bytes(), LIMIT);
        prop_assert_eq!(outcome.objects, items.len() as u64);
        prop_assert!(outcome.complete);
        prop_assert_eq!(whole, read_in_chunks(text.as_bytes(), chunk).0);
    }

    #[test]
    fn what_stands_before_a_cut_is_read(
        items in vec((any::<u8>(), ".{0,40}"), 1..12),
        indent: bool,
        cut in 0.0..1.0_f64,
        chunk in 1..300_usize,
    ) {
        let text = a_list(&items, indent);
        let (whole, _) = read_in_chunks(text.as_bytes(), LIMIT);
        let end = (text.len() as f64 * cut) as usize;
        let (part, outcome) = read_in_chunks(&text.as_bytes()[..end], chunk);
        let objects = outcome.objects as usize;
        prop_assert_eq!(&part[..objects], &whole[..objects]);
        if end > 0 {
            prop_assert!(!outcome.complete);
            prop_assert_eq!(part.len(), objects + 1, "the cut is reported once: {:?}", part);
        }
    }

    #[test]
    fn any_bytes_end(bytes in vec(any::<u8>(), 0..2000), chunk in 1..300_usize) {
        read_in_chunks(&bytes, chunk);
    }

    #[test]
    fn any_brackets_end(text in r#"[\[\]{}",:\\ \nak1]{0,400}"#, chunk in 1..300_usize) {
        let whole = read_in_chunks(text.as_bytes(), LIMIT);
        prop_assert_eq!(whole, read_in_chunks(text.as_bytes(), chunk));
    }

    #[test]
    fn a_changed_byte_costs_little(
        items in vec((any::<u8>(), "[a-z]{0,40}"), 1..8),
        at in any::<prop::sample::Index>(),
        to: u8,
    ) {
        let mut bytes = a_list(&items, true).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let (got, outcome) = read_in_chunks(&bytes, 100);
        // Everything is handed on, or something is reported.
        let skipped = got.iter().any(|g| g.contains("skipped"));
        let all = outcome.objects == items.len() as u64 || got.len() >= items.len();
        prop_assert!(skipped || all, "{:?}", got);
    }
}

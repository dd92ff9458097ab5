use super::*;

fn pieces(text: &str) -> (Vec<String>, Outcome) {
    let mut got = Vec::new();
    let hints = Hints { document: "x.yaml".to_owned(), kind: None };
    let outcome = read(text.as_bytes(), &hints, &mut |piece| {
        got.push(match piece {
            Piece::Object { value, place, .. } => {
                let text = |p: &str| value.pointer(p).and_then(Value::as_str).unwrap_or("?");
                format!("{}: {} {}", place.line, text("/kind"), text("/metadata/name"))
            }
            Piece::Skipped { why, place } => format!("{}: skipped: {why}", place.line),
            other => format!("{other:?}"),
        });
    });
    (got, outcome)
}

fn check(text: &str, want: &[&str]) {
    assert_eq!(pieces(text).0, want, "{text}");
}

#[test]
fn documents_and_lists() {
    check(
        "kind: Pod\nmetadata: {name: a}\n---\n# nothing\n---\nkind: Node\nmetadata:\n  name: b\n",
        &["1: Pod a", "6: Node b"],
    );
    check(
        "---\napiVersion: v1\nitems:\n- kind: Pod\n  metadata:\n    name: a\n    \
         annotations:\n      x: |\n        - text\n\n        items:\n\
         - kind: Pod\n  metadata:\n    name: b\nkind: PodList\n\
         metadata:\n  resourceVersion: \"1\"\n",
        &["4: Pod a", "12: Pod b"],
    );
    check(
        "items:\n  - metadata:\n      name: a\n  -\n    metadata:\n      name: b\nkind: PodList\n",
        &["2: Pod a", "4: Pod b"],
    );
    check(
        "- kind: Pod\n  metadata: {name: a}\n- kind: Pod\n  metadata: {name: b}\n",
        &["1: Pod a", "3: Pod b"],
    );
    check("kind: List\nitems: [{kind: Pod, metadata: {name: a}}]\n", &["1: Pod a"]);
    check("--- {kind: Pod, metadata: {name: a}}\n...\n", &["1: Pod a"]);
    check("kind: Pod\r\nmetadata:\r\n  name: a\r\n", &["1: Pod a"]);
    let (got, outcome) = pieces("---\napiVersion: v1\nitems: []\nkind: PodList\n");
    assert!(got.is_empty(), "{got:?}");
    assert_eq!(outcome, Outcome { objects: 0, lists: 1, complete: true });
}

#[test]
fn one_broken_object_does_not_take_the_rest() {
    let (got, outcome) = pieces(
        "kind: Pod\nmetadata: {name: a}\n---\nkind: [\n---\nkind: Pod\nmetadata: {name: b}\n",
    );
    assert_eq!(got[0], "1: Pod a");
    assert!(got[1].contains("skipped: the object at line 4 is not YAML: "), "{got:?}");
    assert_eq!(got[2], "6: Pod b");
    assert!(!outcome.complete);
    let (got, _) = pieces("items:\n- kind: Pod\n  a: b: c\n- kind: Pod\n  metadata: {name: b}\n");
    assert!(got[0].contains("the object at line 2 is not YAML"), "{got:?}");
    assert_eq!(got[1], "4: Pod b");
}

#[test]
fn bombs_are_refused_in_bounded_time() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for i in 1..30 {
        let alias = format!("*a{},", i - 1).repeat(10);
        bomb.push_str(&format!("a{i}: &a{i} [{alias}]\n"));
    }
    let (got, outcome) = pieces(&format!("{bomb}\n---\nkind: Pod\nmetadata: {{name: a}}\n"));
    assert!(got[0].contains("skipped"), "{got:?}");
    assert!(got[1].ends_with("Pod a"), "{got:?}");
    assert!(!outcome.complete);
    let deep = format!("a: {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    assert!(pieces(&deep).0[0].contains("skipped"));
    let block: String = (0..2_000).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    assert!(pieces(&block).0[0].contains("skipped"));
}

use super::buffer::Buffer;
use super::*;
use proptest::prelude::*;

const LIMIT: usize = 4096;

/// Everything a reading handed on, in words.
fn read_in_chunks(text: &[u8], chunk: usize) -> (Vec<String>, Outcome) {
    let hints = Hints { document: "x.json".to_owned(), ..Hints::default() };
    let mut got = Vec::new();
    let mut sink = |piece| got.push(words(piece));
    let mut out = ToPieces::new("x.json", &mut sink);
    let buffer = Buffer::new(text, LIMIT).with_chunk(chunk);
    let outcome = read_buffer(buffer, &hints, &mut out);
    (got, outcome)
}

fn words(piece: Piece) -> String {
    let line = piece.place().line;
    let object = |value: &Value| {
        let text = |p: &str| value.pointer(p).and_then(Value::as_str).unwrap_or("?").to_owned();
        format!("{} {} {}", text("/apiVersion"), text("/kind"), text("/metadata/name"))
    };
    match piece {
        Piece::Object { value, form: Form::Api, .. } => format!("{line}: {}", object(&value)),
        Piece::Object { value, form: Form::Text, .. } => format!("{line}: row {}", object(&value)),
        Piece::Gone { value, .. } => format!("{line}: gone {}", object(&value)),
        Piece::Log { of, lines, .. } => format!("{line}: log {} {lines:?}", of.name),
        Piece::Alert { value, .. } => {
            format!("{line}: alert {}", value.pointer("/labels").unwrap_or(&Value::Null))
        }
        Piece::Missing { kind, name, .. } => format!("{line}: missing {kind} {name}"),
        Piece::Sample { subject, metric, value, .. } => {
            format!("{line}: sample {subject} {metric} {value}")
        }
        Piece::Skipped { why, .. } => format!("{line}: skipped: {why}"),
        other => format!("{line}: {other:?}"),
    }
}

fn check(text: &str, want: &[&str]) {
    for chunk in [1, 2, 3, 7, 64, LIMIT] {
        assert_eq!(read_in_chunks(text.as_bytes(), chunk).0, want, "chunk {chunk}: {text}");
    }
}

#[test]
fn lists_and_streams() {
    let list = "{\n    \"apiVersion\": \"v1\",\n    \"items\": [\n        {\n            \
        \"apiVersion\": \"v1\",\n            \"kind\": \"Pod\",\n            \"metadata\": {\n   \
        \"name\": \"a\" }\n        },\n        {\"involvedObject\": {\"kind\": \"Pod\"}, \
        \"apiVersion\": \"v1\", \"kind\": \"Event\", \"metadata\": {\"name\": \"e\"}}\n    ],\n    \
        \"kind\": \"List\",\n    \"metadata\": {\"resourceVersion\": \"\"}\n}\n";
    check(list, &["4: v1 Pod a", "10: v1 Event e"]);
    check(
        r#"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}"#,
        &["1: v1 Pod a"],
    );
    check(
        r#"{"items":[{"metadata":{"name":"a"}}],"kind":"PodList","apiVersion":"v1"}"#,
        &["1: v1 Pod a"],
    );
    check(
        r#"{"items":[{"metadata":{"name":"a"}}],"metadata":{}}"#,
        &["1: skipped: 1 objects name no kind, nor does their list"],
    );
    check(r#"{"kind":"PodList","apiVersion":"v1","items":null}"#, &[]);
    check(
        r#"{"kind":"PodList","metadata":{"continue":"x"},"items":[]}"#,
        &["1: skipped: the list is one page of several: more objects exist"],
    );
    check(
        "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}\n{\"kind\":\"Node\",\"metadata\":{\"name\":\"b\"}}",
        &["1: ? Pod a", "2: ? Node b"],
    );
    check(
        "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}}\n\
           {\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}},\"type\":\"DELETED\"}",
        &["1: ? Pod a", "2: gone ? Pod a"],
    );
    check(
        r#"[{"kind":"Pod","metadata":{"name":"a"}},{"kind":"PodList","items":[{"metadata":{"name":"b"}}]}]"#,
        &["1: ? Pod a", "1: ? Pod b"],
    );
}

#[test]
fn containers_alerts_logs() {
    check(
        r#"{"pods":{"kind":"PodList","items":[{"metadata":{"name":"a"}}]},"node":{"kind":"Node","metadata":{"name":"n"}}}"#,
        &["1: ? Pod a", "1: ? Node n"],
    );
    // A reference to an object is not the object.
    check(
        r#"{"spec":{"targetRef":{"kind":"Pod","name":"a"}}}"#,
        &["0: skipped: this JSON holds no Kubernetes objects, alerts or logs"],
    );
    check(
        r#"[{"labels":{"alertname":"A"},"startsAt":"2026-03-01T10:00:00Z"}]"#,
        &[r#"1: alert {"alertname":"A"}"#],
    );
    check(
        r#"{"status":"success","data":{"alerts":[{"labels":{"alertname":"A"},"state":"firing"}]}}"#,
        &[r#"1: alert {"alertname":"A"}"#],
    );
    check(
        r#"{"alerts":[{"name":"web","evidence":["slow"]}],"count":1}"#,
        &[r#"1: alert {"name":"web"}"#],
    );
    check(
        "{\"cart\":[\"one\",\"t\\nwo\"],\n\"shop/web\":[\"{\\\"level\\\":1}\"],\"empty\":[]}",
        &[r#"1: log cart ["one", "t\nwo"]"#, r#"2: log web ["{\"level\":1}"]"#],
    );
    check(
        r#"{"cart":[{"level":"error","msg":"no"}]}"#,
        &[r#"1: log cart ["{\"level\":\"error\",\"msg\":\"no\"}"]"#],
    );
    check(
        r#"{"data":{"result":[{"metric":{"__name__":"up","pod":"a"},"value":[1772359200,"1"]}]}}"#,
        &["1: sample a up 1"],
    );
    check(
        r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","details":{"name":"a","kind":"pods"}}"#,
        &["1: missing Pod a"],
    );
    check(
        r#"{"kind":"Status","status":"Failure","message":"no","reason":"Forbidden"}"#,
        &["1: skipped: the API server answered: no"],
    );
    check("{}\n[ ]", &[]);
    check("{\"a\": 1}", &["0: skipped: this JSON holds no Kubernetes objects, alerts or logs"]);
}

#[test]
fn tables() {
    let table = |row: &str| {
        format!(
            r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","columnDefinitions":[{{"name":"Name"}},{{"name":"Ready"}},{{"name":"Status"}},{{"name":"Restarts"}}],"rows":[{row}]}}"#
        )
    };
    let partial = r#"{"cells":["a","1/1","Running",3],"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a","namespace":"shop"}}}"#;
    let (got, _) = read_in_chunks(table(partial).as_bytes(), 64);
    assert_eq!(got.len(), 1, "{got:?}");
    assert!(got[0].starts_with("1: row ") && got[0].ends_with("Pod a"), "{got:?}");
    let whole =
        r#"{"cells":["a"],"object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}}"#;
    check(&table(whole), &["1: v1 Pod a"]);
}

#[test]
fn broken_input_costs_only_what_is_broken() {
    // A field of the wrong kind of value cannot happen with `Value`, a bad number can.
    check(
        "{\"items\":[{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"x\":01},\n\
           {\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\"}}]}",
        &["1: skipped: Pod a cannot be read: invalid number", "2: ? Pod b"],
    );
    check(
        "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}\n{\"kind\" \"Pod\"}\n{\"kind\":\"Pod\",\"metadata\":{\"name\":\"b\"}}",
        &[
            "1: ? Pod a",
            "2: skipped: this is not a JSON object; the line is not read",
            "3: ? Pod b",
        ],
    );
    check(
        "{\"items\":[{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}},\n{\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"shop\",\"name\":\"b\"},\"sp",
        &["1: ? Pod a", "2: skipped: Pod shop/b is cut off at the end of the document"],
    );
    let deep = format!(
        "{{\"items\":[{{\"kind\":\"Pod\",\"metadata\":{{\"name\":\"a\"}},\"x\":{}{}}},{{\"kind\":\"Pod\",\"metadata\":{{\"name\":\"b\"}}}}]}}",
        "[".repeat(1000),
        "]".repeat(1000)
    );
    check(&deep, &["1: skipped: Pod a cannot be read: recursion limit exceeded", "1: ? Pod b"]);
    let huge = format!(
        "{{\"items\":[{{\"kind\":\"Pod\",\"metadata\":{{\"name\":\"a\"}},\"x\":\"{}\"}},{{\"kind\":\"Pod\",\"metadata\":{{\"name\":\"b\"}}}}]}}",
        "y".repeat(3 * LIMIT)
    );
    check(&huge, &["1: skipped: Pod a is longer than 16 MiB", "1: ? Pod b"]);
    let (got, _) =
        read_in_chunks(b"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"x\":\"\xff\"}", 5);
    assert_eq!(got, ["1: ? Pod a", "1: skipped: bytes of Pod a are not UTF-8 and were replaced"]);
}

/// A list in the forms it is printed in.
fn a_list(items: &[(u8, String)], indent: bool) -> String {
    let items: Vec<Value> = items
        .iter()
        .map(|(shape, text)| {
            let name = format!("n{shape}");
            match shape % 3 {
                0 => serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "x": text}}),
                1 => serde_json::json!({"a": {"kind": "No", "b": [text]}, "kind": "Event", "metadata": {"name": name}}),
                _ => serde_json::json!({"kind": "Node", "spec": [[text, {"}": "]"}]], "metadata": {"name": name}}),
            }
        })
        .collect();
    let list = serde_json::json!({"apiVersion": "v1", "items": items, "kind": "List"});
    if indent { serde_json::to_string_pretty(&list) } else { serde_json::to_string(&list) }
        .expect("a value is printable")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_same_however_it_is_cut(
        items in proptest::collection::vec((any::<u8>(), ".{0,40}"), 0..12),
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
        items in proptest::collection::vec((any::<u8>(), ".{0,40}"), 1..12),
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
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..2000), chunk in 1..300_usize) {
        read_in_chunks(&bytes, chunk);
    }

    #[test]
    fn any_brackets_end(text in r#"[\[\]{}",:\\ \nak1]{0,400}"#, chunk in 1..300_usize) {
        let whole = read_in_chunks(text.as_bytes(), LIMIT);
        prop_assert_eq!(whole, read_in_chunks(text.as_bytes(), chunk));
    }

    #[test]
    fn a_changed_byte_costs_little(
        items in proptest::collection::vec((any::<u8>(), "[a-z]{0,40}"), 1..8),
        at in any::<prop::sample::Index>(),
        to: u8,
    ) {
        let mut bytes = a_list(&items, true).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let (got, outcome) = read_in_chunks(&bytes, 100);
        // Everything is handed on, or something is reported.
        let skipped = got.iter().any(|g| g.contains("skipped"));
        prop_assert!(skipped || outcome.objects == items.len() as u64 || got.len() >= items.len(), "{:?}", got);
    }
}

use super::buffer::Buffer;
use super::*;

mod properties;
mod threads;

const LIMIT: usize = 4096;
const A: &str = r#"{"kind":"Pod","metadata":{"name":"a"}}"#;
const B: &str = r#"{"kind":"Pod","metadata":{"name":"b"}}"#;

/// Everything a reading handed on, in words.
fn read_in_chunks(text: &[u8], chunk: usize) -> (Vec<String>, Outcome) {
    let hints = Hints { document: "x.json".to_owned(), ..Hints::default() };
    let mut got = Vec::new();
    let mut sink = |piece| got.push(words(piece));
    let mut out = ToPieces::new("x.json", &mut sink);
    let buffer = Buffer::new(text, LIMIT).with_chunk(chunk);
    let outcome = read_buffer(buffer, fan::Fan::default(), &hints, &mut out);
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
    check(&format!("{A}\n{}", B.replace("Pod", "Node")), &["1: ? Pod a", "2: ? Node b"]);
    check(
        "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}}\n\
           {\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}},\"type\":\"DELETED\"}",
        &["1: ? Pod a", "2: gone ? Pod a"],
    );
    check(
        &format!(r#"[{A},{{"kind":"PodList","items":[{{"metadata":{{"name":"b"}}}}]}}]"#),
        &["1: ? Pod a", "1: ? Pod b"],
    );
}

#[test]
fn containers_alerts_logs() {
    check(
        &format!(r#"{{"pods":{{"kind":"PodList","items":[{A}]}},"other":{B}}}"#),
        &["1: ? Pod a", "1: ? Pod b"],
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
        r#"{"kind":"Status","reason":"NotFound","details":{"name":"a","kind":"pods"}}"#,
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
        let columns = ["Name", "Ready", "Status", "Restarts"];
        let columns = columns.map(|name| serde_json::json!({"name": name, "type": "string"}));
        let columns = Value::from(columns.to_vec());
        format!(r#"{{"kind":"Table","columnDefinitions":{columns},"rows":[{row}]}}"#)
    };
    let partial = r#"{"cells":["a","1/1","Running",3],"object":{
        "kind":"PartialObjectMetadata","metadata":{"name":"a","namespace":"shop"}}}"#;
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
        &format!("{A}\n{{\"kind\" \"Pod\"}}\n{B}"),
        &[
            "1: ? Pod a",
            "2: skipped: this is not a JSON object; the line is not read",
            "3: ? Pod b",
        ],
    );
    check(
        &format!(
            "{{\"items\":[{A},\n{}",
            r#"{"kind":"Pod","metadata":{"namespace":"shop","name":"b"},"sp"#
        ),
        &["1: ? Pod a", "2: skipped: Pod shop/b is cut off at the end of the document"],
    );
    let deep = format!(
        r#"{{"items":[{},"x":{}{}}},{B}]}}"#,
        A.trim_end_matches("}}").to_owned() + "}",
        "[".repeat(1000),
        "]".repeat(1000),
    );
    check(&deep, &["1: skipped: Pod a cannot be read: recursion limit exceeded", "1: ? Pod b"]);
    let huge = format!(
        r#"{{"items":[{},"x":"{}"}},{B}]}}"#,
        A.trim_end_matches("}}").to_owned() + "}",
        "y".repeat(3 * LIMIT),
    );
    check(&huge, &["1: skipped: Pod a is longer than 16 MiB", "1: ? Pod b"]);
    let (got, _) =
        read_in_chunks(b"{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"},\"x\":\"\xff\"}", 5);
    assert_eq!(got, ["1: ? Pod a", "1: skipped: bytes of Pod a are not UTF-8 and were replaced"]);
}

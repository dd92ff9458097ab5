//! What several threads read is what one reads.

use super::super::fan::Fan;
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const ALONE: Fan = Fan { threads: None, after_bytes: u64::MAX, segment_bytes: 1 };

/// Everything handed on, in order, with the whole text of objects.
fn read_with(
    input: impl Read,
    kind: Option<&str>,
    chunk: usize,
    fan: Fan,
) -> (Vec<Piece>, Outcome) {
    let kind = kind.map(str::to_owned);
    let hints = Hints { document: "x".to_owned(), kind, ..Hints::default() };
    let mut got = Vec::new();
    let mut sink = |piece| got.push(piece);
    let mut out = ToPieces::new("x", &mut sink);
    let buffer = Buffer::new(input, LIMIT).with_chunk(chunk);
    let outcome = read_buffer(buffer, fan, &hints, &mut out);
    (got, outcome)
}

/// Reads a text alone and in every way of cutting it, and gives what was handed on.
fn the_same(text: &[u8], kind: Option<&str>) -> Vec<Piece> {
    let alone = read_with(text, kind, LIMIT, ALONE);
    for threads in [2, 3] {
        for segment_bytes in [1, 50, 333, 1000] {
            for after_bytes in [1, 300] {
                let fan = Fan { threads: Some(threads), after_bytes, segment_bytes };
                let got = read_with(text, kind, 64, fan);
                assert_eq!(got, alone, "{fan:?}: {}", String::from_utf8_lossy(text));
            }
        }
    }
    alone.0
}

/// Items of all sorts: most are objects, some are not, or hold what looks like the end of one.
fn item(sort: u8, text: &str) -> String {
    let text = Value::from(text).to_string();
    let (kind, meta) = (sort % 3, format!(r#""metadata":{{"name":"n{sort}","x":{text}}}"#));
    let kind = ["Pod", "Node", "Event"][usize::from(kind)];
    match sort % 32 {
        0 => format!("{{{meta}}}"),
        1 => r#"{"kind":"Status","status":"Failure","message":"no"}"#.to_owned(),
        2 => format!(r#"{{"kind":"{kind}",{meta},"bad":01}}"#),
        3 => "7".to_owned(),
        4 => format!(r#"{{"kind":"PodList","items":[{{{meta}}},{{"kind":"Pod",{meta}}}]}}"#),
        5 => format!(r#"{{"type":"DELETED","object":{{"kind":"Pod",{meta}}}}}"#),
        6 => format!(r#"{{"kind":"{kind}","x":"{}",{meta}}}"#, "y".repeat(LIMIT)),
        7 => format!("{{{text}:1}}"),
        8..12 => {
            let owners = r#"{"kind":"A","name":"a"},{"kind":"B","name":"b"},{"kind":"C","x":[]}"#;
            format!(r#"{{"kind":"{kind}","owners":[{owners}],{meta}}}"#)
        }
        12..15 => {
            let nested = format!(r#"{{"kind":"Pod",{meta}}},{{"kind":"Pod",{meta}}}"#);
            format!(r#"{{"kind":"{kind}","spec":[{nested}],{meta}}}"#)
        }
        _ => format!(
            "{{\n  \"kind\":\"{kind}\",\n\n  {meta},\n  \"y\":[{text},{{\"}}\":\"]\"}}]\n}}"
        ),
    }
}

fn list(items: &[(u8, String)], kind: &str, between: &str) -> String {
    let items: Vec<String> = items.iter().map(|(sort, text)| item(*sort, text)).collect();
    let items = items.join(between);
    format!("{{\n  \"kind\":\"{kind}\",\"apiVersion\":\"v1\",\n  \"items\":[{items}]}}\n{A}")
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_list(
        items in vec((any::<u8>(), r#".{0,20}|[\}\{,"\\ \n:]{0,20}"#), 0..40),
        kind in "List|PodList",
        between in ",|,\n    |\n ,|,,| ",
    ) {
        the_same(list(&items, &kind, &between).as_bytes(), None);
        the_same(list(&items, &kind, &between).as_bytes(), Some("Pod"));
    }

    #[test]
    fn any_cut_off_or_changed_list(
        items in vec((any::<u8>(), "[a-z]{0,20}"), 0..40),
        at in any::<prop::sample::Index>(),
        to: Option<u8>,
    ) {
        let mut bytes = list(&items, "List", ",\n").into_bytes();
        let at = at.index(bytes.len());
        match to {
            Some(to) => bytes[at] = to,
            None => bytes.truncate(at),
        }
        the_same(&bytes, None);
    }

    #[test]
    fn any_brackets(text in r#"(\},\{"k":|[\[\]{}",:\\ \nak1]){0,100}"#) {
        the_same(format!(r#"{{"items":[{{"k":1}},{text}"#).as_bytes(), None);
    }
}

/// Input that fails after some bytes.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.read(into)?;
        if count == 0 { Err(std::io::Error::other("no more")) } else { Ok(count) }
    }
}

fn plain_list() -> String {
    let items: Vec<_> = (0..100_u32).map(|i| (31, format!("item {i}"))).collect();
    list(&items, "List", ",\n")
}

#[test]
fn input_that_fails_is_read_up_to_there() {
    let (text, fan) = (plain_list(), Fan { threads: Some(2), after_bytes: 1, segment_bytes: 500 });
    let text = &text.as_bytes()[..5000];
    let alone = read_with(Failing(text), None, LIMIT, ALONE);
    let last = alone.0.last().cloned().map(words);
    assert!(last.is_some_and(|w| w.ends_with("reading stopped: no more")), "{:?}", alone.0);
    assert_eq!(read_with(Failing(text), None, 64, fan), alone);
}

/// Counts what the threads of a fan decode, and panics there when it is to.
#[derive(Clone, Default)]
struct OnThreads {
    panics: bool,
    decoded: Arc<AtomicUsize>,
}

impl Decode for OnThreads {
    type Object = Value;

    fn decode(&self, head: Head<'_>, json: &mut Json<'_>) -> serde_json::Result<Value> {
        if std::thread::current().name() == Some("json") {
            self.decoded.fetch_add(1, Ordering::Relaxed);
            assert!(!self.panics, "a decoder that panics, as this test wants");
        } else {
            // The thread that reads decodes too: it leaves the others something to do.
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        ToValues.decode(head, json)
    }
}

struct Counts(Vec<(Value, u32)>, OnThreads);

impl Objects for Counts {
    type Decoder = OnThreads;

    fn decoder(&self) -> OnThreads {
        self.1.clone()
    }

    fn object(&mut self, object: Value, line: u32, _gone: bool) {
        self.0.push((object, line));
    }

    fn piece(&mut self, piece: Piece) {
        unreachable!("{piece:?}");
    }
}

/// What is read of the plain list, and how many of its objects were decoded on the threads.
fn count(fan: Fan, panics: bool) -> (Outcome, Vec<(Value, u32)>, usize) {
    let (text, hints) = (plain_list(), Hints::default());
    let mut counts = Counts(Vec::new(), OnThreads { panics, ..OnThreads::default() });
    let buffer = Buffer::new(text.as_bytes(), LIMIT).with_chunk(64);
    let outcome = read_buffer(buffer, fan, &hints, &mut counts);
    (outcome, counts.0, counts.1.decoded.load(Ordering::Relaxed))
}

#[test]
fn threads_decode_and_one_that_panics_costs_nothing() {
    let fan = Fan { threads: Some(2), after_bytes: 1, segment_bytes: 500 };
    let alone = count(ALONE, false);
    assert_eq!((alone.0.objects, alone.0.complete, alone.2), (101, true, 0));
    let threads = count(fan, false);
    assert!((1..100).contains(&threads.2), "{} of 100 on the threads", threads.2);
    assert_eq!((threads.0, threads.1), (alone.0, alone.1.clone()));
    let panics = count(fan, true);
    assert!(panics.2 > 0);
    assert_eq!((panics.0, panics.1), (alone.0, alone.1));
}

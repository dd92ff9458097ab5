//! Texts that people quoted in public issues, with the diagnosis that was reached there: each is
//! given to the program in the form it was found in, and what it says is compared with what the
//! catalogue calls that diagnosis. `cargo test real_events -- --nocapture` prints the table.
//!
//! `data/real-events/expected.txt` says what each text means. ATTRIBUTION.md says where the
//! texts are from.

mod form;

use std::collections::BTreeMap;

use super::{data, json, run_with_input};

/// How many texts of a hundred must get the right kind first.
const RIGHT_PERCENT: usize = 95;

/// One line of `expected.txt`.
struct Expected {
    /// Right answers: `failure` or `failure/mechanism`.
    answers: Vec<String>,
    /// The object the text is about, where it names one.
    of: Option<String>,
    /// Why it is not said yet.
    open: Option<String>,
}

impl Expected {
    fn admits(&self, failure: &str, mechanism: &str) -> bool {
        self.answers.iter().any(|a| match a.split_once('/') {
            Some((f, m)) => f == failure && m == mechanism,
            None => a == failure,
        })
    }
}

fn expected() -> BTreeMap<String, Expected> {
    let text = std::fs::read_to_string(data("real-events/expected.txt")).unwrap();
    let rows = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    rows.map(|line| {
        let (line, open) = match line.split_once("open:") {
            Some((line, why)) => (line, Some(why.trim().to_owned())),
            None => (line, None),
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        let of = words.iter().find_map(|w| w.strip_prefix("of=")).map(str::to_owned);
        let answers = words[1].split('|').map(str::to_owned).collect();
        (words[0].to_owned(), Expected { answers, of, open })
    })
    .collect()
}

fn texts() -> Vec<serde_json::Value> {
    let lines = std::fs::read_to_string(data("real-events/texts.jsonl")).unwrap();
    lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// What the program says first: failure, mechanism, certainty.
fn said(evidence: &[u8]) -> [String; 3] {
    let value = json(&run_with_input(&["diagnose", "-", "-o", "json"], evidence));
    let cause = &value["incidents"][0]["cause"];
    ["failure", "mechanism", "certainty"]
        .map(|key| cause[key].as_str().unwrap_or_default().to_owned())
}

#[test]
fn texts_of_public_issues_get_the_diagnosis_that_was_reached_there() {
    let (mut expected, texts) = (expected(), texts());
    let (mut right, mut wrong) = (0, Vec::new());
    for text in &texts {
        let field = |key: &str| text[key].as_str().unwrap_or_default();
        let id = field("id");
        let want = expected.remove(id).unwrap_or_else(|| panic!("{id} is not in expected.txt"));
        let evidence = form::evidence(text, want.of.as_deref());
        let [failure, mechanism, certainty] = said(evidence.as_bytes());
        let is_right = want.admits(&failure, &mechanism);
        right += usize::from(is_right);
        let mark = if is_right { "right" } else { "-" };
        println!(
            "{id} {mark:5} {failure}/{mechanism} ({certainty}) for {}",
            field("expected_diagnosis")
        );
        let row = format!("{id}: {failure}/{mechanism} ({certainty}), not {:?}", want.answers);
        match (&want.open, is_right) {
            (None, false) => wrong.push(row.clone()),
            (Some(why), true) => wrong.push(format!("{id} is right now; it was open: {why}")),
            _ => {}
        }
        if field("confidence") == "low" && certainty == "proven" {
            wrong.push(format!("{row}: the cause is open, nobody may be sure of it"));
        }
    }
    println!("right: {right} of {}", texts.len());
    assert!(expected.is_empty(), "texts.jsonl has no {:?}", expected.keys());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(right * 100 >= texts.len() * RIGHT_PERCENT, "{right} of {}", texts.len());
}

//! Every form of one diagnosis, compared with files beside this module; and whatever stands in
//! the evidence, the text stays within its columns and steers no terminal.
//!
//! `UPDATE_GOLDEN=1 cargo test -p seaworthy` writes the files anew.

mod hostile;
mod situation;

use std::path::Path;

use super::clean::width;
use super::{diagnosis, failure, failure_list};
use crate::settings::Format;
use crate::views::{Failure, FailureList};

#[track_caller]
fn check(name: &str, actual: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/render/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(actual, expected, "{name} differs; UPDATE_GOLDEN=1 writes it anew");
}

/// No line passes the edge, nothing but line ends controls anything.
#[track_caller]
fn check_page(text: &str) {
    for line in text.lines() {
        assert!(width(line) <= 80, "{} columns: {line}", width(line));
        assert!(!line.ends_with(' '), "blank at the end: {line:?}");
    }
    let steering = text.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(steering, None, "{text:?}");
    assert!(!text.contains('\u{202e}'), "{text:?}");
}

#[test]
fn one_diagnosis_in_every_form() {
    let view = situation::view();
    for (format, name) in [
        (Format::Text, "broken.txt"),
        (Format::Wide, "broken-wide.txt"),
        (Format::Md, "broken.md"),
        (Format::Json, "broken.json"),
        (Format::Yaml, "broken.yaml"),
    ] {
        let text = diagnosis(&view, format, false).unwrap();
        check(name, &text);
        if matches!(format, Format::Text | Format::Wide) {
            check_page(&text);
        }
    }
}

#[test]
fn a_verdict_without_incidents_says_what_was_looked_at_and_what_would_tell() {
    for verdict in [model::Verdict::Healthy, model::Verdict::Inconclusive] {
        let view = situation::without_incidents(verdict);
        let text = diagnosis(&view, Format::Text, false).unwrap();
        check(&format!("{}.txt", view.verdict), &text);
        check_page(&text);
    }
}

#[test]
fn colour_adds_codes_and_nothing_else() {
    let view = situation::view();
    let plain = diagnosis(&view, Format::Text, false).unwrap();
    let mut colored = diagnosis(&view, Format::Text, true).unwrap();
    assert!(colored.starts_with("\u{1b}[1;31mBROKEN"), "{colored}");
    for code in ["0", "1", "2", "36", "1;31", "1;32", "1;33"] {
        colored = colored.replace(&format!("\u{1b}[{code}m"), "");
    }
    let trimmed: String = colored.lines().map(|l| format!("{}\n", l.trim_end())).collect();
    assert_eq!(trimmed, plain);
}

#[test]
fn json_and_yaml_have_the_same_fields() {
    let view = situation::view();
    let json = diagnosis(&view, Format::Json, false).unwrap();
    let yaml = diagnosis(&view, Format::Yaml, false).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let yaml: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(json, yaml);
}

#[test]
fn the_page_of_a_kind_in_every_form() {
    let view = Failure::of(&situation::NODE_DOWN, &[&situation::NODE_DOWN, &situation::NO_PODS]);
    for (format, name) in [(Format::Text, "explain.txt"), (Format::Md, "explain.md")] {
        check(name, &failure(&view, format, false).unwrap());
    }
    check_page(&failure(&view, Format::Text, false).unwrap());
}

#[test]
fn every_page_of_the_catalogue_fits_the_terminal() {
    for kind in catalog::ALL {
        let view = Failure::of(kind, catalog::ALL);
        check_page(&failure(&view, Format::Text, false).unwrap());
    }
    check_page(&failure_list(&FailureList::of(catalog::ALL), Format::Text, false).unwrap());
}

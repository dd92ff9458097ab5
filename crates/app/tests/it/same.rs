//! The same input gives the same bytes, and in whatever order its files are named the same
//! incidents.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{command, data, json, run};

/// Every sample of the repository, by its crate.
fn samples() -> Vec<PathBuf> {
    let crates = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for name in std::fs::read_dir(crates).unwrap() {
        let folder = name.unwrap().path().join("tests/data");
        if folder.is_dir() {
            files(&folder, &mut found);
        }
    }
    found.sort();
    assert!(found.len() > 50, "{found:?}");
    found
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for sample in samples() {
        let sample = sample.to_str().unwrap();
        for form in ["json", "text", "md"] {
            let once = || command(&["diagnose", sample, "-o", form]).output().unwrap();
            let (first, second) = (once(), once());
            assert!(!first.stdout.is_empty(), "{sample} as {form}");
            assert_eq!(first, second, "{sample} as {form}");
        }
    }
}

#[test]
fn the_order_of_the_files_changes_no_incident() {
    let situations: Vec<PathBuf> = std::fs::read_dir(data("forms"))
        .unwrap()
        .map(|s| s.unwrap().path().join("objects.yaml"))
        .filter(|p| !p.starts_with(data("forms/base")))
        .collect();
    let base = data("forms/base/objects.yaml");
    assert!(!situations.is_empty());
    for situation in &situations {
        let own = situation.to_str().unwrap();
        assert_eq!(incidents(&[base.as_str(), own]), incidents(&[own, base.as_str()]), "{own}");
    }
    // Several at once, forwards and backwards, objects and pasted text.
    let mut all = vec![base];
    for name in ["crash-command", "memory-limit", "node-unknown", "quota", "service-selector"] {
        all.push(data(&format!("forms/{name}/objects.yaml")));
    }
    for name in ["02_crashloop_backoff", "04_image_pull_backoff", "12_KubePodNotReady"] {
        all.push(data(&format!("pasted/{name}/transcript.txt")));
    }
    let forwards: Vec<&str> = all.iter().map(String::as_str).collect();
    let backwards: Vec<&str> = forwards.iter().rev().copied().collect();
    let found = incidents(&forwards);
    assert!(found.as_array().is_some_and(|i| i.len() >= 6), "{found:#}");
    assert_eq!(found, incidents(&backwards));
}

/// The incidents of these files, without what names the place of a fact in the input.
fn incidents(files: &[&str]) -> Value {
    let mut arguments = vec!["diagnose", "-o", "json"];
    arguments.extend(files);
    let mut found = json(&run(&arguments))["incidents"].take();
    for incident in found.as_array_mut().into_iter().flatten() {
        let facts = incident["evidence"].as_array_mut().into_iter().flatten();
        // Facts are told apart by what they say, not by the number they got.
        let mut sorted: BTreeMap<String, Value> = BTreeMap::new();
        for fact in facts {
            fact["id"].take();
            sorted.insert(fact.to_string(), fact.clone());
        }
        incident["evidence"] = sorted.into_values().collect();
    }
    found
}

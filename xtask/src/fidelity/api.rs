//! The table: equal answers per class, and what differs first in the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::compare::{Difference, Rules};
use super::report::{self, Difference as Told};
use super::run::Run;

/// What the recordings may ask of a server and ours is: without controllers, without
/// `--allow-privileged`, with a short history.
const GIVEN: [&str; 2] = ["no-controllers", "privileged-disallowed"];

/// What is replayed.
#[derive(Default)]
pub struct Options {
    pub folders: Vec<PathBuf>,
    /// Only exchanges whose id contains this.
    pub only: String,
    pub class: Option<String>,
    /// All differences instead of the first.
    pub verbose: bool,
    /// Renews the page.
    pub write: bool,
}

/// Exchanges in flight: most wait for something.
const WORKERS: usize = 6;

pub fn run(address: &str, options: &Options) -> Result<()> {
    let mut tally: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut differences = Vec::new();
    for folder in &options.folders {
        let fixtures: Value = serde_json::from_str(&read(&folder.join("fixtures.json"))?)?;
        let mut chosen = Vec::new();
        for line in read(&folder.join("exchanges.jsonl"))?.lines().filter(|l| !l.is_empty()) {
            let exchange: Value = serde_json::from_str(line)?;
            let text = |key: &str| exchange[key].as_str().unwrap_or_default().to_owned();
            let (id, class) = (text("id"), text("class"));
            if !id.contains(&options.only) || options.class.as_ref().is_some_and(|c| *c != class) {
                continue;
            }
            let needs = exchange["needs"].as_array().into_iter().flatten();
            if needs.filter_map(Value::as_str).any(|need| !GIVEN.contains(&need)) {
                tally.entry(class).or_default()[2] += 1;
                continue;
            }
            chosen.push(exchange);
        }
        for (exchange, found) in chosen.iter().zip(replay(address, &chosen, &fixtures)) {
            let text = |key: &str| exchange[key].as_str().unwrap_or_default().to_owned();
            let row = tally.entry(text("class")).or_default();
            row[0] += 1;
            row[1] += usize::from(found.is_empty());
            show(exchange, &found, options.verbose);
            if let Some((pointer, want, got)) = found.first() {
                let of = format!("{} ({})", text("id"), text("class"));
                let told = format!("{pointer}: {} instead of {}", short(got), short(want));
                differences.push(Told { of, told });
            }
        }
    }
    print(&tally);
    if options.write {
        report::exchanges(tally, differences)?;
    }
    Ok(())
}

/// What differs in each exchange. They are independent of each other by their namespaces, but
/// those that compare versions must be alone.
fn replay(address: &str, exchanges: &[Value], fixtures: &Value) -> Vec<Vec<Difference>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let alone = |exchange: &Value| exchange.get("relations").is_some();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((at, exchange)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    exchanges.get(at).map(|exchange| (at, exchange))
                } {
                    if alone(exchange) {
                        continue;
                    }
                    let found = differs(address, exchange, fixtures);
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, found);
                }
            });
        }
    });
    for (at, exchange) in exchanges.iter().enumerate().filter(|(_, e)| alone(e)) {
        let found = differs(address, exchange, fixtures);
        done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, found);
    }
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

fn show(exchange: &Value, found: &[Difference], verbose: bool) {
    let shown = if verbose { found.len() } else { 1 };
    for (index, (pointer, want, got)) in found.iter().take(shown).enumerate() {
        if index == 0 {
            let text = |key: &str| exchange[key].as_str().unwrap_or_default();
            println!("DIFFERS {} ({}): {}", text("id"), text("class"), text("why"));
        }
        println!("  {pointer}\n    want {}\n    got  {}", short(want), short(got));
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn differs(address: &str, exchange: &Value, fixtures: &Value) -> Vec<Difference> {
    let mut run = Run::new(address, exchange, fixtures);
    let got = run.perform();
    let said = |what: &str, text: String| (what.to_owned(), String::new(), text);
    let mut found: Vec<_> = run.trouble.iter().map(|told| said("before", told.clone())).collect();
    let got = match got {
        Ok(got) => got,
        Err(error) => {
            found.push(said("run", format!("{error:#}")));
            return found;
        }
    };
    let want = &exchange["response"];
    for key in ["status", "content_type"] {
        if want[key] != got[key] {
            found.push((key.to_owned(), want[key].to_string(), got[key].to_string()));
        }
    }
    let none = Value::Object(serde_json::Map::new());
    let headers = want.get("headers").unwrap_or(&none);
    if *headers != got["headers"] {
        found.push(("headers".into(), headers.to_string(), got["headers"].to_string()));
    }
    if let Some(body) = want.get("body") {
        Rules::of(exchange).differences(body, &got["body"], "", &mut found);
    }
    for relation in exchange["relations"].as_array().into_iter().flatten() {
        let pointer = relation["pointer"].as_str().unwrap_or_default();
        let known = relation["as"].as_str().and_then(|name| run.variables.get(name));
        let value = got["body"].pointer(pointer);
        if (value == known) != (relation["is"] == "same") {
            found.push((pointer.to_owned(), relation.to_string(), format!("{value:?}")));
        }
    }
    found
}

fn short(text: &str) -> String {
    match text.char_indices().nth(700) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn print(tally: &BTreeMap<String, [usize; 3]>) {
    println!("{:<18} {:>6} {:>6} {:>8} {:>8}", "class", "total", "equal", "percent", "skipped");
    let mut sum = [0; 3];
    let row = |class: &str, [total, equal, skipped]: [usize; 3]| {
        let percent = 100.0 * equal as f64 / total.max(1) as f64;
        println!("{class:<18} {total:>6} {equal:>6} {percent:>8.1} {skipped:>8}");
    };
    for (class, counts) in tally {
        row(class, *counts);
        for (all, one) in sum.iter_mut().zip(counts) {
            *all += one;
        }
    }
    row("all", sum);
}

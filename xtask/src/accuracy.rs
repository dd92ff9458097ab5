//! `cargo xtask accuracy SCORES.json`: writes how often the first cause was right, per kind of
//! fault, to `docs/accuracy.md`.
//!
//! The scores come from outside: recorded incidents of real clusters are not part of this
//! repository. It must never write what an incident held, only how its diagnosis was judged.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::root;

/// Where the table goes.
const DOCUMENT: &str = "docs/accuracy.md";
const VERDICTS: [&str; 5] = ["right", "wrong", "sure-wrong", "silent", "failed"];

/// Reads scores, one object an incident: `cause` (the kind of fault), `verdict`.
pub fn run(scores: &str) -> Result<()> {
    let text = std::fs::read_to_string(scores).with_context(|| format!("cannot read {scores}"))?;
    let scores: Value =
        serde_json::from_str(&text).with_context(|| format!("{scores}: no JSON"))?;
    let path = root().join(DOCUMENT);
    std::fs::write(&path, table(&scores)?).with_context(|| format!("cannot write {DOCUMENT}"))
}

/// How many of each verdict.
type Counts = BTreeMap<&'static str, usize>;

fn table(scores: &Value) -> Result<String> {
    let mut causes: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut all = Counts::new();
    for (at, score) in scores.as_array().context("the scores are no list")?.iter().enumerate() {
        let text = |key: &str| {
            let value = score.get(key).and_then(Value::as_str);
            value.with_context(|| format!("score {at} has no {key}"))
        };
        let verdict = text("verdict")?;
        let Some(verdict) = VERDICTS.into_iter().find(|v| *v == verdict) else {
            bail!("score {at}: {verdict} is no verdict");
        };
        *causes.entry(text("cause")?).or_default().entry(verdict).or_default() += 1;
        *all.entry(verdict).or_default() += 1;
    }
    let total: usize = all.values().sum();
    let mut page = format!(
        "# Accuracy\n\n<!-- Made by `cargo xtask accuracy`; do not edit. -->\n\n\
         {total} recorded incidents of a real cluster, each with one planted fault. Right means \
         that the\nfirst incident names the broken object and the mechanism; sure-wrong, that \
         something else was\ncalled proven; silent, that nothing was named. The kinds were \
         written with these recordings\nat hand: read the figures as a fit, not as a forecast.\n\n\
         | fault | {} |\n|---|{}\n",
        VERDICTS.join(" | "),
        "---|".repeat(VERDICTS.len()),
    );
    let mut row = |name: &str, counts: &Counts| {
        let cells = VERDICTS.map(|v| counts.get(v).copied().unwrap_or(0).to_string());
        let _ = writeln!(page, "| {name} | {} |", cells.join(" | "));
    };
    for (cause, counts) in &causes {
        row(&cause.replace('_', " "), counts);
    }
    row("**all**", &all);
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn verdicts_are_counted_per_fault() {
        let score = |cause: &str, verdict: &str| json!({"cause": cause, "verdict": verdict});
        let scores = json!([score("a_b", "right"), score("a_b", "silent"), score("c", "right")]);
        let page = table(&scores).unwrap();
        assert!(page.contains("| a b | 1 | 0 | 0 | 1 | 0 |"), "{page}");
        assert!(page.ends_with("| **all** | 2 | 0 | 0 | 1 | 0 |\n"), "{page}");
        assert!(table(&json!([score("c", "maybe")])).is_err());
        assert!(table(&json!({})).is_err());
    }
}

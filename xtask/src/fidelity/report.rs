//! `docs/fidelity.md`: what was measured last, and what differs and why. Each measurement that
//! is run with `--write` renews its own part; the figures are kept in `docs/fidelity.json`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

const FIGURES: &str = "docs/fidelity.json";
const PAGE: &str = "docs/fidelity.md";

/// Everything that was measured.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Figures {
    /// Part of the API: exchanges, equal answers, exchanges that need another server.
    exchanges: BTreeMap<String, [usize; 3]>,
    exchange_differences: Vec<Difference>,
    /// Client: commands, equal exit codes, equal outputs.
    kubectl: BTreeMap<String, [usize; 3]>,
    kubectl_differences: Vec<Difference>,
    /// Group of upstream specs: how many, how many passed.
    specs: BTreeMap<String, [usize; 3]>,
    spec_differences: Vec<Difference>,
    /// Who else was tried, and what was seen.
    seen: Vec<(String, String)>,
}

/// What was asked, and where the answer differs first.
#[derive(Clone, Serialize, Deserialize)]
pub struct Difference {
    pub of: String,
    pub told: String,
}

/// Why answers differ that will go on differing: a word of the difference, and the reason.
const REASONS: [(&str, &str); 4] = [
    ("/exec/", "programs in containers are not simulated yet: the stream is refused"),
    ("Upgrade request required", "programs in containers are not simulated yet"),
    ("(will retry", "kubectl names pods in the order of a hash map"),
    ("deleting Pods that declare no controller", "kubectl joins warnings in random order"),
];

/// Renews the part of the recorded exchanges.
pub fn exchanges(tally: BTreeMap<String, [usize; 3]>, differences: Vec<Difference>) -> Result<()> {
    change(|figures| {
        figures.exchanges = tally;
        figures.exchange_differences = differences;
    })
}

/// Renews the part of the recorded sessions.
pub fn sessions(tally: BTreeMap<String, [usize; 3]>, differences: Vec<Difference>) -> Result<()> {
    change(|figures| {
        figures.kubectl = tally;
        figures.kubectl_differences = differences;
    })
}

/// Renews the part of the upstream specs, as far as these groups go.
pub fn specs(tally: BTreeMap<String, [usize; 3]>, differences: Vec<Difference>) -> Result<()> {
    change(|figures| {
        let renewed = |of: &str| tally.keys().any(|group| of.starts_with(&format!("[{group}]")));
        figures.spec_differences.retain(|old| !renewed(&old.of));
        figures.spec_differences.extend(differences);
        figures.spec_differences.sort_by(|one, two| one.of.cmp(&two.of));
        figures.specs.extend(tally);
    })
}

/// Writes the page anew from the figures.
pub fn renew() -> Result<()> {
    change(|_| {})
}

fn change(renew: impl FnOnce(&mut Figures)) -> Result<()> {
    let mut figures: Figures = match fs::read_to_string(FIGURES) {
        Ok(text) => serde_json::from_str(&text).context(FIGURES)?,
        Err(_) => Figures::default(),
    };
    renew(&mut figures);
    fs::write(FIGURES, format!("{}\n", serde_json::to_string_pretty(&figures)?))?;
    fs::write(PAGE, page(&figures)?).with_context(|| format!("cannot write {PAGE}"))
}

fn page(figures: &Figures) -> Result<String> {
    let mut out = String::from(
        "# Fidelity of the twin\n\n\
         Made by `cargo xtask fidelity ... --write`: do not edit. The twin is compared with \
         recordings of\nKubernetes 1.36.1; what varies from run to run (uids, times, generated \
         names) is masked.\n",
    );
    out.push_str("\n## Requests and answers\n\n`cargo xtask fidelity api FOLDER`\n\n");
    table(&mut out, ["class", "exchanges", "equal", "%"], &figures.exchanges)?;
    differences(&mut out, &figures.exchange_differences)?;
    out.push_str(
        "\n## kubectl\n\n`cargo xtask fidelity kubectl FOLDER --kubectl PATH...`: exit codes and \
         whole outputs\nof one scripted session, with the twin's own controllers and roles that \
         decide.\n\n| client | commands | equal exit codes | % | equal outputs | % |\n\
         |---|---:|---:|---:|---:|---:|\n",
    );
    for (client, [total, exits, outputs]) in &figures.kubectl {
        let (one, two) = (percent(*exits, *total), percent(*outputs, *total));
        writeln!(out, "| {client} | {total} | {exits} | {one} | {outputs} | {two} |")?;
    }
    differences(&mut out, &figures.kubectl_differences)?;
    if !figures.specs.is_empty() {
        out.push_str(
            "\n## Upstream end-to-end specs\n\n`cargo xtask fidelity specs SUITE.json --e2e PATH \
             --kubectl PATH`: those of the upstream\nsuite that pass against a real control plane \
             whose kubelets are played.\n\n",
        );
        table(&mut out, ["group", "specs", "passed", "%"], &figures.specs)?;
        differences(&mut out, &figures.spec_differences)?;
    }
    if !figures.seen.is_empty() {
        out.push_str("\n## Other clients\n\n| client | seen |\n|---|---|\n");
        for (client, seen) in &figures.seen {
            writeln!(out, "| {client} | {seen} |")?;
        }
    }
    Ok(out)
}

fn table(out: &mut String, head: [&str; 4], rows: &BTreeMap<String, [usize; 3]>) -> Result<()> {
    writeln!(out, "| {} |\n|---|---:|---:|---:|", head.join(" | "))?;
    let mut sum = [0, 0];
    for (name, [total, equal, skipped]) in rows {
        let left_out = if *skipped > 0 { format!(" ({skipped} left out)") } else { String::new() };
        let share = percent(*equal, *total);
        writeln!(out, "| {name}{left_out} | {total} | {equal} | {share} |")?;
        sum = [sum[0] + total, sum[1] + equal];
    }
    writeln!(out, "| all | {} | {} | {} |", sum[0], sum[1], percent(sum[1], sum[0]))?;
    Ok(())
}

fn percent(part: usize, whole: usize) -> String {
    format!("{:.1}", 100.0 * part as f64 / whole.max(1) as f64)
}

/// One entry each, with the reason where it is known.
fn differences(out: &mut String, all: &[Difference]) -> Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    out.push_str("\nWhat differs, each with its first difference:\n\n");
    for Difference { of, told } in all {
        let told: String = told.split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = told.chars().take(160).collect();
        let short = short.replace('`', "'");
        write!(out, "- {of}: `{short}`")?;
        let known = REASONS.iter().find(|(word, _)| told.contains(word));
        match known {
            Some((_, why)) => writeln!(out, " ({why})")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

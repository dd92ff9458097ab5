//! `cargo xtask compare`: the diagnosis side by side with that of other tools, on one cluster in
//! which it is known what is broken.
//!
//! `plant` breaks more in a running cluster; `FOLDER` holds the recorded outputs of the tools and
//! the lists of what was planted, and its tables go to `docs/comparison.md`. Nothing here is part
//! of the product.

mod faults;
mod lines;
mod page;
mod plant;
mod score;

use anyhow::{Context, Result, bail};
use std::path::Path;

use crate::workspace::root;

const USAGE: &str = "\
usage: cargo xtask compare FOLDER...
       cargo xtask compare plant --kubeconfig FILE --truth FILE [--kubectl PROGRAM]";
const DOCUMENT: &str = "docs/comparison.md";
/// How many errors beside the faults are printed of each tool.
const SHOWN: usize = 12;

/// Runs `compare` with the words after it.
pub fn run(words: &[&str]) -> Result<()> {
    match words {
        [] => bail!("{USAGE}"),
        ["plant", rest @ ..] => plant(rest),
        folders => folders.iter().try_for_each(|f| compare(Path::new(f))),
    }
}

fn plant(words: &[&str]) -> Result<()> {
    let (mut kubectl, mut kubeconfig, mut truth) = ("kubectl", None, None);
    for pair in words.chunks(2) {
        match pair {
            ["--kubectl", program] => kubectl = program,
            ["--kubeconfig", file] => kubeconfig = Some(*file),
            ["--truth", file] => truth = Some(Path::new(file)),
            _ => bail!("{USAGE}"),
        }
    }
    // Never the cluster somebody happens to be logged in to.
    let kubeconfig = kubeconfig.context(USAGE)?;
    plant::run(&plant::Cluster { kubectl, kubeconfig }, truth.context(USAGE)?)
}

/// Prints what each tool missed, and writes the tables of one cluster.
fn compare(folder: &Path) -> Result<()> {
    let name = folder.file_name().and_then(|n| n.to_str()).context("the folder has no name")?;
    let planted = score::planted(folder)?;
    let mut tools = Vec::new();
    for tool in lines::TOOLS {
        if !lines::is_recorded(tool, folder) {
            println!("{name}: no output of {} is recorded", tool.name());
            continue;
        }
        let score = score::score(tool, &lines::read(tool, folder)?, &planted);
        println!("{name}: {}", tool.name());
        for (fault, said) in planted.iter().zip(&score.of) {
            if !said.cause || (tool == lines::Tool::Seaworthy && !said.is_once()) {
                let (id, lines) = (fault.fault.id, said.lines);
                let object = format!("{} {}/{}", fault.kind, fault.namespace, fault.name);
                println!("  {id} of {object}: {lines} lines, cause named: {}", said.cause);
            }
        }
        for line in score.beside.iter().take(SHOWN) {
            println!("  beside: {} {}/{}: {}", line.kind, line.namespace, line.name, line.text);
        }
        tools.push((tool, score, page::cost(tool, folder)?));
    }
    let runs: Vec<String> =
        tools.iter().map(|(t, _, c)| format!("{} {}", t.name(), c.runs)).collect();
    println!("{name}: medians of runs: {}", runs.join(", "));
    let path = root().join(DOCUMENT);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {DOCUMENT}"))?;
    let tables = page::tables(&planted, &tools);
    print!("{tables}");
    let text = page::replace(&text, name, &tables);
    let text = text.with_context(|| format!("{DOCUMENT} has no `<!-- measured: {name} -->`"))?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {DOCUMENT}"))
}

//! Starts a failure kind: its file with all five questions, its `mod` line, its place in `ALL`.
//!
//! It never overwrites a file, and leaves marks that `cargo xtask tidy` refuses until each of
//! them is replaced by an answer.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::catalogue::{FOLDER, LIST, kinds};
use crate::docs::{PLANNED, planned};
use crate::workspace::{root, text_files};

const TEMPLATE: &str = include_str!("new_failure/template.txt");
/// How the template marks what is still to be written.
pub const TO_WRITE: &str = "(write:";

/// Folder, detection scope, its type, its argument; other folders look at workloads.
const SCOPES: [(&str, &str, &str, &str); 6] = [
    ("node", "Nodes", "model::record::Node", "node"),
    ("service", "Services", "model::record::Service", "service"),
    ("storage", "Claims", "model::record::Claim", "claim"),
    ("control_plane", "Cluster", "", ""),
    ("cloud", "Cluster", "", ""),
    ("observability", "Cluster", "", ""),
];

/// Starts a kind in this checkout.
pub fn run(id: &str, folder: &str) -> Result<()> {
    for path in write(&root(), id, folder)? {
        println!("{path}");
    }
    println!("Answer what is marked with `{TO_WRITE} ...)`, add a test, then: cargo xtask docs");
    Ok(())
}

/// Writes into the checkout at `root`; returns the files it wrote.
fn write(root: &Path, id: &str, folder: &str) -> Result<Vec<String>> {
    let fits = |text: &str, gap: char| {
        text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == gap)
    };
    ensure!(fits(id, '-') && id.contains('-'), "`{id}` is no id: node-clock-skewed is one");
    ensure!(fits(folder, '_'), "`{folder}` is no folder: node, control_plane are");
    let prefix = format!("{}-", folder.replace('_', "-"));
    let stem = id.strip_prefix(&prefix).unwrap_or(id).replace('-', "_");
    let path = format!("{FOLDER}{folder}/{stem}.rs");
    let files = text_files(root)?;
    if let Some(kind) = kinds(&files).iter().find(|k| k.id == id) {
        bail!("{id} is in the catalogue already: {}", kind.path);
    }
    ensure!(!root.join(&path).exists(), "{path} exists already");

    let mut list = read(root, LIST)?;
    let module = format!("{FOLDER}{folder}/mod.rs");
    let mut modules = match root.join(&module).exists() {
        true => read(root, &module)?,
        false => {
            list = with_mod(&list, "mod ", folder);
            format!("//! Failures of {}s.\n", folder.replace('_', " "))
        }
    };
    modules = with_mod(&modules, "pub(crate) mod ", &stem);
    let ids: Vec<(String, String)> = kinds(&files).into_iter().map(|k| (k.module, k.id)).collect();
    let list = with_kind(&list, &format!("{folder}::{stem}"), id, &ids)?;

    std::fs::create_dir_all(root.join(FOLDER).join(folder))
        .with_context(|| format!("cannot make {FOLDER}{folder}"))?;
    let mut written = vec![path.clone(), module.clone(), LIST.to_owned()];
    save(root, &path, &filled(id, folder))?;
    save(root, &module, &modules)?;
    save(root, LIST, &list)?;
    let plan = read(root, PLANNED)?;
    if planned(&plan).iter().any(|(_, line)| *line == id) {
        let rest = plan.lines().filter(|l| l.trim() != id).map(|l| format!("{l}\n"));
        save(root, PLANNED, &rest.collect::<String>())?;
        written.push(PLANNED.to_owned());
    }
    Ok(written)
}

fn read(root: &Path, path: &str) -> Result<String> {
    std::fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
}

fn save(root: &Path, path: &str, text: &str) -> Result<()> {
    std::fs::write(root.join(path), text).with_context(|| format!("cannot write {path}"))
}

/// The template with this kind's names.
fn filled(id: &str, folder: &str) -> String {
    let scope = SCOPES.iter().find(|(name, ..)| *name == folder);
    let (_, scope, record, argument) =
        scope.copied().unwrap_or((folder, "Apps", "model::App", "app"));
    let (path, name) = record.rsplit_once("::").unwrap_or_default();
    let (import, first) = match path {
        "" => (String::new(), String::new()),
        "model" => (String::new(), format!("_{argument}: &{name}, ")),
        path => (format!("use {path}::{name};\n"), format!("_{argument}: &{name}, ")),
    };
    let extra = if path == "model" { format!("{name}, ") } else { String::new() };
    TEMPLATE
        .replace("{id}", id)
        .replace("{scope}", scope)
        .replace("{import}", &import)
        .replace("{extra}", &extra)
        .replace("{first}", &first)
}

/// Adds a `mod` line in the order of names; after the head when it is the first one.
fn with_mod(text: &str, before: &str, name: &str) -> String {
    let module = |line: &str| {
        let line =
            line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
        Some(line.strip_prefix("mod ")?.strip_suffix(';')?.to_owned())
    };
    let line = format!("{before}{name};");
    let mut lines: Vec<&str> = text.lines().collect();
    // A module with an attribute stands apart, and nothing may come between the two.
    let bare = |at: usize| {
        at.checked_sub(1).is_none_or(|b| !lines.get(b).is_some_and(|l| l.starts_with("#[")))
    };
    let mods = lines.iter().enumerate().filter(|(at, _)| bare(*at));
    let mods: Vec<(usize, String)> = mods.filter_map(|(at, l)| Some((at, module(l)?))).collect();
    let next = mods.iter().find(|(_, m)| m.as_str() > name).map(|(at, _)| *at);
    let last = mods.iter().rfind(|(_, m)| m.as_str() < name).map(|(at, _)| at + 1);
    match next.or(last) {
        Some(at) => lines.insert(at, &line),
        None => {
            let head = lines.iter().take_while(|l| l.starts_with("//!")).count();
            lines.insert(head, &line);
            lines.insert(head, "");
        }
    }
    lines.join("\n") + "\n"
}

/// Adds a kind to `ALL` in the order of ids.
fn with_kind(list: &str, module: &str, id: &str, ids: &[(String, String)]) -> Result<String> {
    let line = format!("    &{module}::KIND,");
    let mut lines: Vec<&str> = list.lines().collect();
    let start = lines.iter().position(|l| l.contains("ALL:")).context("no `ALL` in the list")?;
    let after = |l: &str| {
        let entry = l.trim().strip_prefix('&').and_then(|l| l.strip_suffix("::KIND,"));
        let known = ids.iter().find(|(module, _)| Some(module.as_str()) == entry);
        l.trim() == "];" || known.is_some_and(|(_, other)| other.as_str() > id)
    };
    let at = lines.iter().skip(start + 1).position(|l| after(l)).context("`ALL` has no end")?;
    lines.insert(start + 1 + at, &line);
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests;

//! Holds the twin against recorded timelines of a real control plane:
//! `cargo run -p twin --example timelines -- FOLDER [--only TEXT] [--seed N] [-v] [--show]`.
//!
//! Each file is replayed in this process on virtual time, with the same nodes, manifests and
//! actions, and what the twin did is written in the form of the recording; then both are
//! compared. It must never know what a single recording is about: names mean nothing here.

mod actions;
mod alias;
mod client;
mod compare;
mod drain;
mod kubectl;
mod milestones;
mod order;
mod replay;
mod spread;
mod texts;
mod view;

use std::error::Error;
use std::path::PathBuf;

use serde_json::Value;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// What is asked of the command.
struct Options {
    folder: PathBuf,
    only: String,
    seed: u64,
    /// All differences instead of the first.
    verbose: bool,
    /// The twin's own timeline.
    show: bool,
}

fn options() -> Fallible<Options> {
    let mut words = std::env::args().skip(1);
    let mut folder = None;
    let (mut only, mut seed, mut verbose, mut show) = (String::new(), 1, false, false);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--only" => only = words.next().ok_or("--only needs a text")?,
            "--seed" => seed = words.next().ok_or("--seed needs a number")?.parse()?,
            "-v" => verbose = true,
            "--show" => show = true,
            path => folder = Some(PathBuf::from(path)),
        }
    }
    let folder = folder.ok_or("name the folder of the recordings")?;
    Ok(Options { folder, only, seed, verbose, show })
}

fn main() -> Fallible<()> {
    let options = options()?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(&options.folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .filter(|path| path.to_string_lossy().contains(&options.only))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(format!("no recording in {}", options.folder.display()).into());
    }
    let mut sum = compare::Score::default();
    println!("{}", compare::HEAD);
    for file in &files {
        let trace: Value = serde_json::from_slice(&std::fs::read(file)?)?;
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let played = replay::play(&trace, options.seed)?;
        if options.show {
            for entry in &played.timeline {
                println!("  {entry}");
            }
        }
        let score = compare::compare(&trace, &played);
        println!("{}", score.row(name.as_deref().unwrap_or_default()));
        let most = if options.verbose { usize::MAX } else { 6 };
        for line in score.differences.iter().take(most) {
            println!("    {line}");
        }
        if score.differences.len() > most {
            println!("    and {} more", score.differences.len() - most);
        }
        sum.add(&score);
    }
    println!("{}", sum.row(&format!("all {}", files.len())));
    Ok(())
}

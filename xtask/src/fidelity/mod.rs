//! `cargo xtask fidelity api [FOLDER...]`: how much of what a real API server answered the twin
//! answers alike. Each folder holds `exchanges.jsonl` and `fixtures.json`.
//!
//! An empty twin is served on a plain port; every recorded exchange is repeated against it and
//! the answers are compared after masking what varies. It must never know what a request means.

mod api;
mod compare;
mod http;
mod kubectl;
mod report;
mod run;
mod session;
mod specs;
mod twin;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

pub fn run(words: &[&str]) -> Result<()> {
    match words.split_first() {
        Some((&"api", rest)) => replay(rest),
        Some((&"kubectl", rest)) => sessions(rest),
        Some((&"specs", rest)) => upstream(rest),
        Some((&"page", [])) => report::renew(),
        Some((&"world", rest)) => timelines(rest),
        _ => bail!(
            "say what to compare: cargo xtask fidelity api [--only TEXT] [-v] FOLDER... or \
             kubectl FOLDER --kubectl PATH... [--control-plane FOLDER] [-v] or specs SUITE.json \
             --e2e PATH --kubectl PATH [--group SIG]... [--only TEXT] [--control-plane FOLDER] \
             [--keep FOLDER]; --write renews docs/fidelity.md; or world FOLDER [--only TEXT] \
             [--seed N] [-v] [--show]; or page, which writes it anew from the figures"
        ),
    }
}

/// Replays recorded timelines in a process that has the twin, with the same words.
fn timelines(words: &[&str]) -> Result<()> {
    let status = Command::new("cargo")
        .args(["run", "--quiet", "--package", "twin", "--example", "timelines", "--"])
        .args(words)
        .status()
        .context("cannot start cargo to replay timelines")?;
    if status.success() { Ok(()) } else { bail!("the timelines were not replayed") }
}

fn sessions(words: &[&str]) -> Result<()> {
    let mut options = kubectl::Options::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let mut path = || rest.next().map(PathBuf::from).context("a path must follow");
        match *word {
            "-v" => options.verbose = true,
            "--kubectl" => options.clients.push(path()?),
            "--write" => options.write = true,
            "--control-plane" => options.controls = Some(path()?),
            folder => options.folder = folder.into(),
        }
    }
    kubectl::run(&options)
}

fn upstream(words: &[&str]) -> Result<()> {
    let mut options = specs::Options::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let mut value = || rest.next().copied().with_context(|| format!("{word} needs a value"));
        match *word {
            "--e2e" => options.e2e = Path::new(value()?).canonicalize()?,
            "--kubectl" => options.kubectl = Path::new(value()?).canonicalize()?,
            "--control-plane" => options.controls = Some(value()?.into()),
            "--group" => options.groups.push(value()?.to_owned()),
            "--only" => options.only = value()?.to_owned(),
            "--keep" => options.keep = Some(std::path::absolute(value()?)?),
            "--write" => options.write = true,
            file => options.suite = file.into(),
        }
    }
    specs::run(&options)
}

fn replay(words: &[&str]) -> Result<()> {
    let mut options = api::Options::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "-v" => options.verbose = true,
            "--write" => options.write = true,
            "--only" => options.only = rest.next().map(|s| (*s).to_owned()).unwrap_or_default(),
            "--class" => options.class = rest.next().map(|s| (*s).to_owned()),
            folder => options.folders.push(folder.into()),
        }
    }
    if options.folders.is_empty() {
        bail!("name at least one folder with exchanges.jsonl and fixtures.json")
    }
    let twin = Served::start()?;
    api::run(&twin.address, &options)
}

/// A twin in a process of its own, ended with this value.
struct Served {
    process: Child,
    address: String,
}

impl Served {
    fn start() -> Result<Self> {
        let mut process = Command::new("cargo")
            .args(["run", "--quiet", "--package", "twin", "--example", "empty"])
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start cargo to serve the twin")?;
        let out = process.stdout.take().context("the twin's output is not readable")?;
        let mut address = String::new();
        BufReader::new(out).read_line(&mut address)?;
        let address = address.trim().to_owned();
        if address.is_empty() {
            bail!("the twin did not start")
        }
        Ok(Self { process, address })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ends when its standard input or its parent does; what fails here is over already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

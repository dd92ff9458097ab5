//! `cargo xtask fidelity kubectl FOLDER --kubectl PATH...`: a recorded session of kubectl is
//! played against a twin, and exit codes and output are compared.
//!
//! The folder holds `session.json`, `masks.json` and one `kubectl-VERSION.jsonl` for each client.
//! Each client gets a twin of its own, because a session changes the cluster as it goes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use fancy_regex::Regex;
use serde_json::Value;

use super::report::{self, Difference};
use super::session::{Client, Played};
use super::twin::{Controls, Twin};

/// What is played.
#[derive(Default)]
pub struct Options {
    pub folder: PathBuf,
    pub clients: Vec<PathBuf>,
    /// Where the binaries of a real control plane are, if its controllers shall act.
    pub controls: Option<PathBuf>,
    /// Whole outputs instead of the first line that differs.
    pub verbose: bool,
    /// Renews the page.
    pub write: bool,
}

/// How a client did.
pub struct Score {
    pub version: String,
    pub total: usize,
    pub exits: usize,
    pub outputs: usize,
    /// Command and what differs.
    pub differences: Vec<(String, String)>,
}

pub fn run(options: &Options) -> Result<()> {
    let masks = Masks::read(&options.folder.join("masks.json"))?;
    let session: Value = serde_json::from_str(&read(&options.folder.join("session.json"))?)?;
    let mut clients = Vec::new();
    for path in &options.clients {
        let client = Client::new(path)?;
        let recorded = transcript(&options.folder, &client.version)?;
        clients.push((client, recorded));
    }
    // The fixture needs a young client: subresources came with 1.24.
    let youngest = clients.iter().map(|(client, _)| client).max_by_key(|c| c.numbers());
    let maker = youngest.context("name at least one client with --kubectl")?.clone();
    let scores: Vec<Result<Score>> = std::thread::scope(|scope| {
        let plays: Vec<_> = clients
            .iter()
            .map(|(client, recorded)| {
                let (masks, session, maker) = (&masks, &session, &maker);
                scope.spawn(move || play(client, maker, recorded, masks, session, options))
            })
            .collect();
        let joined = plays.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|done| done.unwrap_or_else(|_| bail!("a session broke off"))).collect()
    });
    let scores: Vec<Score> = scores.into_iter().collect::<Result<_>>()?;
    print(&scores);
    if options.write {
        let row =
            |score: &Score| (score.version.clone(), [score.total, score.exits, score.outputs]);
        let told = scores.iter().flat_map(|score| {
            let of = |command: &str| format!("{} `{command}`", score.version);
            let all = score.differences.iter();
            all.map(move |(command, told)| Difference { of: of(command), told: told.clone() })
        });
        report::sessions(scores.iter().map(row).collect(), told.collect())?;
    }
    Ok(())
}

fn play(
    client: &Client,
    maker: &Client,
    recorded: &[Value],
    masks: &Masks,
    session: &Value,
    options: &Options,
) -> Result<Score> {
    let controls = match &options.controls {
        Some(folder) => Controls::Real(folder),
        None => Controls::Own,
    };
    let twin = Twin::start(controls)?;
    let folder = twin.folder.path().join("home");
    fs::create_dir(&folder)?;
    super::session::prepare(maker, &twin, &folder, session)?;
    let mut score = Score {
        version: client.version.clone(),
        total: 0,
        exits: 0,
        outputs: 0,
        differences: Vec::new(),
    };
    let mut want = recorded.iter();
    super::session::play(client, &twin, &folder, session, |got| {
        let Some(want) = want.next() else { return };
        if want["repeats"] == false {
            return;
        }
        score.total += 1;
        let (exit, trouble) = differs(want, got, masks, options.verbose);
        score.exits += usize::from(exit);
        score.outputs += usize::from(trouble.is_none());
        score.differences.extend(trouble.map(|told| (got.command.clone(), told)));
    })?;
    Ok(score)
}

/// Whether the exit code agrees, and what else does not.
fn differs(want: &Value, got: &Played, masks: &Masks, verbose: bool) -> (bool, Option<String>) {
    let exit = want["exit"] == got.exit;
    if !exit {
        let text = if got.stderr.is_empty() { &got.stdout } else { &got.stderr };
        let code = &got.exit;
        return (false, Some(format!("exit {code} instead of {}: {}", want["exit"], start(text))));
    }
    let free = want["order"] == "free";
    for (stream, text) in [("stdout", &got.stdout), ("stderr", &got.stderr)] {
        let Some(wanted) = want[stream].as_str() else {
            let keys = Value::from(keys(text));
            if want[stream]["keys"] != keys {
                let told = format!("{stream}\n  want {}\n  got  {keys}", want[stream]["keys"]);
                return (true, Some(told));
            }
            continue;
        };
        let (one, two) = (lines(&masks.apply(wanted), free), lines(&masks.apply(text), free));
        if one != two && verbose {
            let told =
                format!("{stream}\n--- want\n{}\n--- got\n{}", one.join("\n"), two.join("\n"));
            return (true, Some(told));
        }
        if one != two {
            let end = "(end)".to_owned();
            let longest = one.len().max(two.len());
            let of = |list: &'_ Vec<String>, at| list.get(at).unwrap_or(&end).clone();
            let at = (0..longest).find(|at| one.get(*at) != two.get(*at)).unwrap_or(0);
            let told = format!("{stream}\n  want {}\n  got  {}", of(&one, at), of(&two, at));
            return (true, Some(told));
        }
    }
    (true, None)
}

/// Lines with runs of blanks as one, because widths follow what is masked.
fn lines(text: &str, sorted: bool) -> Vec<String> {
    let squeezed = text.lines().map(|line| {
        let mut out = String::with_capacity(line.len());
        for letter in line.chars().map(|c| if c == '\t' { ' ' } else { c }) {
            if letter != ' ' || !out.ends_with(' ') {
                out.push(letter);
            }
        }
        out.trim_end().to_owned()
    });
    let mut lines: Vec<_> = squeezed.collect();
    if sorted {
        lines.sort();
    }
    lines
}

/// The keys near the left edge of a long output.
fn keys(text: &str) -> Vec<String> {
    let named = text.lines().filter_map(|line| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let (name, _) = line.trim_start_matches(' ').split_once(':')?;
        let name = name.trim_matches('"');
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        (indent <= 8 && plain).then(|| name.to_owned())
    });
    named.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

fn start(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// What varies from run to run.
struct Masks(Vec<(Regex, String)>);

impl Masks {
    fn read(path: &Path) -> Result<Self> {
        let pairs: Vec<(String, String)> = serde_json::from_str(&read(path)?)?;
        let compiled = pairs.into_iter().map(|(pattern, by)| {
            let pattern = Regex::new(&format!("(?m){pattern}"))?;
            Ok((pattern, by.replace("\\1", "${1}").replace("\\2", "${2}")))
        });
        Ok(Self(compiled.collect::<Result<_>>()?))
    }

    fn apply(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (pattern, by)| {
            pattern.replace_all(&text, by.as_str()).into_owned()
        })
    }
}

/// The recording of a client: of its own version, else of one with the same minor version.
fn transcript(folder: &Path, version: &str) -> Result<Vec<Value>> {
    let mut by_minor = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let found = name.strip_prefix("kubectl-").and_then(|rest| rest.strip_suffix(".jsonl"));
        if let Some(found) = found {
            by_minor.insert(minor(found), path);
        }
    }
    let path = by_minor.get(&minor(version));
    let path = path.with_context(|| format!("no recording of kubectl {version}"))?;
    read(path)?.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn minor(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn print(scores: &[Score]) {
    for score in scores {
        for (command, told) in &score.differences {
            println!("DIFFERS {} {command}\n  {told}", score.version);
        }
    }
    println!(
        "{:<10} {:>6} {:>6} {:>8} {:>8} {:>8}",
        "kubectl", "total", "exit", "%", "output", "%"
    );
    for score in scores {
        let share = |part: usize| 100.0 * part as f64 / score.total.max(1) as f64;
        println!(
            "{:<10} {:>6} {:>6} {:>8.1} {:>8} {:>8.1}",
            score.version,
            score.total,
            score.exits,
            share(score.exits),
            score.outputs,
            share(score.outputs)
        );
    }
}

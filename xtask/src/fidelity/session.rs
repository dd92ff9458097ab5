//! Playing a session: the fixture, then one command after the other.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use fancy_regex::Regex;
use serde_json::Value;

use super::twin::Twin;

/// A command that takes longer is ended.
const PATIENCE: Duration = Duration::from_secs(60);
/// A command with `until` is repeated for so long.
const REPEATS: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);

/// A kubectl.
#[derive(Clone)]
pub struct Client {
    pub path: PathBuf,
    /// Without the `v`.
    pub version: String,
}

/// What a command did.
pub struct Played {
    pub command: String,
    /// A number, or "timeout".
    pub exit: Value,
    pub stdout: String,
    pub stderr: String,
}

impl Client {
    pub fn new(path: &Path) -> Result<Self> {
        let told = Command::new(path).args(["version", "--client", "-o", "json"]).output();
        let told = told.with_context(|| format!("cannot run {}", path.display()))?;
        let told: Value = serde_json::from_slice(&told.stdout)?;
        let version = told["clientVersion"]["gitVersion"].as_str().unwrap_or_default();
        // Distributions add their own ends to it.
        let version = version.trim_start_matches('v').split(['-', '+']).next().unwrap_or_default();
        let path = path.canonicalize()?;
        Ok(Self { path, version: version.to_owned() })
    }

    pub fn numbers(&self) -> Vec<u32> {
        self.version.split('.').filter_map(|part| part.parse().ok()).collect()
    }

    fn run(&self, twin: &Twin, home: &Path, row: &Row<'_>) -> Result<Played> {
        let words = shlex::split(row.command).context("a command that is not well quoted")?;
        let mut command = Command::new(&self.path);
        command.args(words).current_dir(home).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", home).env("KUBECONFIG", &twin.kubeconfig).env("TZ", "UTC");
        if let Some(editor) = row.editor {
            command.env("KUBE_EDITOR", editor);
        }
        let input = if row.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child =
            command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let (Some(mut to), Some(text)) = (child.stdin.take(), row.stdin) {
            // A client that does not want to read it all says so itself.
            drop(to.write_all(text.as_bytes()));
        }
        let out = child.stdout.take().map(collect);
        let err = child.stderr.take().map(collect);
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if began.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                break None;
            }
            sleep(Duration::from_millis(10));
        };
        let text = |from: Option<std::thread::JoinHandle<String>>| {
            from.and_then(|reader| reader.join().ok()).unwrap_or_default()
        };
        Ok(Played {
            command: format!("kubectl {}", row.command),
            exit: status.and_then(|s| s.code()).map_or_else(|| "timeout".into(), Value::from),
            stdout: text(out),
            stderr: text(err),
        })
    }
}

fn collect(mut from: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<String> {
    spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is what there is.
        drop(from.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A command of a session.
struct Row<'a> {
    command: &'a str,
    stdin: Option<&'a str>,
    editor: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn plain(command: &'a str, stdin: Option<&'a str>) -> Self {
        Self { command, stdin, editor: None }
    }

    fn of(value: &'a Value) -> Self {
        let text = |key: &str| value[key].as_str();
        let command = value.as_str().or(text("run")).unwrap_or_default();
        Self { command, stdin: text("stdin"), editor: text("editor") }
    }
}

fn items<'a>(session: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    session[key].as_array().into_iter().flatten()
}

/// Makes the fixture: objects, settled by the controllers; then states that nobody would reach;
/// then late objects.
pub fn prepare(client: &Client, twin: &Twin, home: &Path, session: &Value) -> Result<()> {
    let create =
        |item: &Value| client.run(twin, home, &Row::plain("create -f -", Some(&item.to_string())));
    for item in items(session, "objects") {
        // What a new namespace needs comes a moment later.
        let mut tries = 0;
        loop {
            let made = create(item)?;
            if made.exit == 0 || made.stderr.contains("already exists") {
                break;
            }
            tries += 1;
            if tries == 10 {
                bail!("fixture: {}", made.stderr)
            }
            sleep(PAUSE);
        }
    }
    for wish in items(session, "settle") {
        let (run, until) = (&wish["run"], &wish["until"]);
        let until = Regex::new(until.as_str().unwrap_or_default())?;
        let reached = |tries: i32| -> Result<bool> {
            for _ in 0..tries {
                let told = client.run(twin, home, &Row::of(run))?;
                if told.exit == 0 && until.is_match(&told.stdout)? {
                    return Ok(true);
                }
                sleep(PAUSE);
            }
            Ok(false)
        };
        if !reached(60)? {
            eprintln!("fixture: {run} was not reached");
        }
    }
    for state in items(session, "states") {
        let (path, body) = (state[0].as_str().unwrap_or_default(), &state[1]);
        let file = home.join("state.json");
        fs::write(&file, body.to_string())?;
        let file = file.display();
        let command =
            format!("patch {path} --subresource=status --type=merge --patch-file '{file}'");
        let done = client.run(twin, home, &Row::plain(&command, None))?;
        if done.exit != 0 {
            eprintln!("fixture: {command}: {}", done.stderr);
        }
    }
    for item in items(session, "late") {
        let made = create(item)?;
        if made.exit != 0 {
            bail!("fixture: {}", made.stderr)
        }
    }
    Ok(())
}

/// Runs all commands that the client knows and hands out what each did.
pub fn play(
    client: &Client,
    twin: &Twin,
    home: &Path,
    session: &Value,
    mut take: impl FnMut(&Played),
) -> Result<()> {
    for (name, text) in session["files"].as_object().into_iter().flatten() {
        fs::write(home.join(name), text.as_str().unwrap_or_default())?;
    }
    for command in items(session, "commands") {
        let since = command["since"].as_array().into_iter().flatten();
        let since: Vec<u32> =
            since.filter_map(|n| n.as_u64()).filter_map(|n| n.try_into().ok()).collect();
        if client.numbers() < since {
            continue;
        }
        let row = Row::of(command);
        let began = Instant::now();
        let mut told = client.run(twin, home, &row)?;
        if let Some(until) = command["until"].as_str() {
            let until = Regex::new(until)?;
            while !until.is_match(&told.stdout)? && began.elapsed() < REPEATS {
                sleep(PAUSE);
                told = client.run(twin, home, &row)?;
            }
        }
        take(&told);
        sleep(Duration::from_secs_f64(command["pause"].as_f64().unwrap_or(0.0)));
    }
    Ok(())
}

//! `seaworthy diagnose --watch`: says anew what is wrong when that changes, until Ctrl-C.

use std::io::{self, Write};

use engine::Standing;

use crate::evidence::{self, Evidence, Request, Sighted};
use crate::exit::{Code, Failure, Outcome};
use crate::progress::Spinner;
use crate::render;
use crate::scope::Scope;
use crate::settings::{Diagnose, Format};
use crate::views::Diagnosis;

use super::diagnose;

/// Clears a screen and goes to its beginning.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

pub(super) fn run(
    options: &Diagnose,
    color: bool,
    progress: bool,
    redraws: bool,
) -> Result<Outcome, Failure> {
    let scope = Scope::new(options)?;
    let spinner = Spinner::start(progress);
    let request = Request {
        paths: &options.paths,
        input: &options.input,
        namespace: options.namespace.as_deref(),
        also: &[],
        since: options.since,
        at: options.at,
    };
    let format = options.output.format;
    let redraws = redraws && matches!(format, Format::Text | Format::Wide);
    let (mut said, mut last) = (None::<Said>, Code::Clean);
    let mut standing = None::<Standing<'_>>;
    let mut show = |seen: Sighted| {
        let source = match (seen, &mut standing) {
            (Sighted::Whole(raw), _) => {
                let Evidence { now, source } = raw.finish();
                standing = Some(Standing::new(now, catalog::ALL));
                source
            }
            (Sighted::Changed(changes, now, source), standing) => {
                if let Some(standing) = standing {
                    standing.apply(changes, now);
                }
                source
            }
        };
        let Some(standing) = &standing else { return Ok(true) };
        let seen = (standing.now(), standing.situation().clone());
        let (view, code) = diagnose::judge(options, &scope, seen, source, None)?;
        last = code;
        let says = Said::of(&view);
        let changed = said.as_ref() != Some(&says);
        if !changed && !redraws {
            return Ok(true);
        }
        let mut text = render::diagnosis(&view, format, color)?;
        if redraws {
            text.insert_str(0, CLEAR);
        } else if said.is_some() {
            let between = if format == Format::Yaml { "---\n" } else { "\n" };
            text.insert_str(0, between);
        }
        said = Some(says);
        print(&text)
    };
    evidence::watch(&request, spinner, &mut show)?;
    // Only a reader that has gone away ends it without Ctrl-C.
    Ok(Outcome { output: String::new(), code: last })
}

/// Whether there is still somebody who reads.
fn print(text: &str) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(e) => Err(anyhow::Error::new(e).context("cannot write to standard output").into()),
    }
}

/// What makes one verdict another: not how old things are, nor how much was looked at.
#[derive(PartialEq, Eq)]
struct Said {
    verdict: &'static str,
    incidents: Vec<(String, &'static str, &'static str, &'static str, usize)>,
    blind: usize,
}

impl Said {
    fn of(view: &Diagnosis) -> Self {
        let incidents = view
            .incidents
            .iter()
            .map(|i| (i.id.clone(), i.state, i.severity, i.cause.certainty, i.affected.len()));
        let incidents = incidents.collect();
        Said { verdict: view.verdict, incidents, blind: view.blind.len() }
    }
}

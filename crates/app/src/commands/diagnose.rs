//! `seaworthy diagnose`: one verdict from a live cluster or any captured input.

use model::{Incident, Severity, Situation, Snapshot, State, Verdict};

use crate::evidence::{self, Evidence, Request};
use crate::exit::{Code, Failure, Outcome};
use crate::progress::Spinner;
use crate::render;
use crate::scope::{Scope, since};
use crate::settings::Diagnose;
use crate::verdict;
use crate::views::{self, Diagnosis, Source};

pub(super) fn run(options: &Diagnose, color: bool, progress: bool) -> Result<Outcome, Failure> {
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
    let (before, raw) = evidence::gather_two(&request, &options.before, &spinner)?;
    let Evidence { now, source } = match options.at {
        Some(_) if before.is_some() => {
            return Err(Failure::usage("--at looks at one capture, and these are two"));
        }
        Some(moment) => raw.finish_at(moment)?,
        None => raw.finish(),
    };
    let before = before.map(evidence::Raw::finish);
    let situation = verdict::situation(&now, catalog::ALL);
    let (view, code) = judge(options, &scope, (&now, situation), source, before)?;
    drop(spinner);
    let output = render::diagnosis(&view, options.output.format, color)?;
    // The process ends after this: to take a snapshot of a large cluster apart first would only
    // make people wait.
    std::mem::forget(now);
    Ok(Outcome { output, code })
}

/// The view of a situation, and of what changed since earlier evidence.
///
/// # Errors
/// When it is asked for what the evidence cannot tell.
pub(super) fn judge(
    options: &Diagnose,
    scope: &Scope,
    (now, situation): (&Snapshot, Situation),
    source: Source,
    before: Option<Evidence>,
) -> Result<(Diagnosis, Code), Failure> {
    let mut situation = scope.narrow(situation, now);
    let changes = before.map(|before| changes(before, (now, &situation), scope));
    let since = options.since.map(|moment| moment.resolve(*now.now));
    if since.is_some() && !now.has_time {
        let failure = Failure::usage("--since needs evidence with times, and this has only ages");
        return Err(failure.next("Capture it with -o json or -o yaml."));
    }
    let older = since.map(|since| since::narrow(&mut situation, now, since));
    let code = code(&situation, options.fail_on.into());
    let mut view = views::diagnosis(&situation, now, source, catalog::ALL);
    (view.since, view.older) = (since.map(|t| t.to_string()), older);
    view.changes = changes;
    Ok((view, code))
}

/// What changed since an earlier capture, as far as it is asked for.
fn changes(
    before: Evidence,
    (now, situation): (&Snapshot, &Situation),
    scope: &Scope,
) -> views::Changes {
    let then = scope.narrow(verdict::situation(&before.now, catalog::ALL), &before.now);
    let mut changes = engine::changes((&before.now, &then), (now, situation));
    changes.objects.retain(|c| {
        let included = |at: &Snapshot| scope.includes(&c.object, at);
        !c.led_to.is_empty() || included(now) || included(&before.now)
    });
    views::Changes::of(&changes, before.source.documents)
}

/// Something that is not over and loud enough makes it 1, too little to tell makes it 5.
pub(crate) fn code(situation: &Situation, fail_on: Severity) -> Code {
    let counts = |i: &Incident| i.state != State::Recovered && i.severity >= fail_on;
    if situation.incidents.iter().any(counts) {
        Code::Findings
    } else if situation.verdict == Verdict::Inconclusive {
        Code::Inconclusive
    } else {
        Code::Clean
    }
}

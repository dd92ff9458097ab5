//! Gets the evidence that a diagnosis rests on, wherever it comes from.

mod captured;
mod live;
mod sources;
mod twin;

use std::path::{Path, PathBuf};

use model::{Builder, Kind, Snapshot, Timestamp};

use crate::exit::{Code, Failure};
use crate::moment::Moment;
use crate::progress::Spinner;
use crate::settings::Input;
use crate::views::Source;

pub(crate) use captured::read as of_files;
pub(crate) use live::{Sighted, through, watch};
pub(crate) use twin::of as of_twin;

/// What shall be read.
pub(crate) struct Request<'a> {
    /// Captured input.
    pub(crate) paths: &'a [PathBuf],
    /// The rest of what the user said about the input.
    pub(crate) input: &'a Input,
    /// The namespace to fall back on where a cluster refuses a list of all.
    pub(crate) namespace: Option<&'a str>,
    /// Kinds that are read beside those that every diagnosis needs.
    pub(crate) also: &'a [Kind],
    /// What was over before this is of no interest.
    pub(crate) since: Option<Moment>,
    /// The moment that is asked about, where it is not the present.
    pub(crate) at: Option<Moment>,
}

impl Request<'_> {
    fn files(&self) -> Vec<&Path> {
        self.paths.iter().chain(&self.input.filenames).map(PathBuf::as_path).collect()
    }
}

/// What was read.
pub(crate) struct Raw {
    /// What was read.
    pub(crate) evidence: Builder,
    /// The present, where a cluster said it; captured input has its own.
    pub(crate) now: Option<Timestamp>,
    /// Where it was read.
    pub(crate) source: Source,
}

/// What is known, and where it was read.
pub(crate) struct Evidence {
    /// What is known.
    pub(crate) now: Snapshot,
    /// Where it was read.
    pub(crate) source: Source,
}

impl Raw {
    /// What is known at the end of what was read.
    pub(crate) fn finish(self) -> Evidence {
        Evidence { now: self.evidence.finish(self.now), source: self.source }
    }

    /// What was known at an earlier moment, as far as what was read tells.
    ///
    /// # Errors
    /// When the evidence holds no time, or ends before the moment.
    pub(crate) fn finish_at(mut self, moment: Moment) -> Result<Evidence, Failure> {
        let Some(now) = self.now.or(self.evidence.newest()) else {
            let failure = Failure::usage("--at needs evidence with times, and this has only ages");
            return Err(failure.next("Capture it with -o json or -o yaml."));
        };
        let at = moment.resolve(now);
        if at > now {
            let error = format!("the evidence ends at {now}: it cannot tell of {at}");
            return Err(Failure::usage(error));
        }
        self.source.blind.extend(self.evidence.rewind(now, at));
        self.source.taken_back_from = Some(now);
        Ok(Evidence { now: self.evidence.finish(Some(at)), source: self.source })
    }
}

/// Gets what the options point at: captured input, the twin, or the live cluster.
///
/// # Errors
/// When there is nothing to read, or nobody answers.
pub(crate) fn gather(request: &Request<'_>, spinner: &Spinner) -> Result<Raw, Failure> {
    let files = request.files();
    let mut raw = if request.input.twin {
        if !files.is_empty() {
            return Err(Failure::usage("--twin cannot be used with a PATH"));
        }
        twin::read(request.input.seed, spinner)?
    } else if !files.is_empty() {
        captured::read(&files, spinner)?
    } else if request.input.monitoring.is_given() {
        return beside_live(request, spinner);
    } else {
        live::read(request, spinner)?
    };
    sources::add(&mut raw, request, spinner)?;
    Ok(raw)
}

/// The live cluster with what others measured of it; where it does not answer, what they
/// measured alone: that is when it is needed most.
fn beside_live(request: &Request<'_>, spinner: &Spinner) -> Result<Raw, Failure> {
    let failure = match live::read(request, spinner) {
        Ok(mut raw) => {
            sources::add(&mut raw, request, spinner)?;
            return Ok(raw);
        }
        Err(failure) if failure.code == Code::Interrupted => return Err(failure),
        Err(failure) => failure,
    };
    let names_cluster = request.input.kubeconfig.is_some() || request.input.context.is_some();
    let is_configured = failure.code != Code::Usage;
    if names_cluster && !is_configured {
        return Err(failure);
    }
    let mut raw = sources::alone(is_configured.then_some(&failure));
    sources::add(&mut raw, request, spinner)?;
    let told = raw.source.documents.iter().any(|d| d.objects + d.lines > 0);
    if told || !is_configured { Ok(raw) } else { Err(failure) }
}

/// As [`gather`], with an earlier capture to compare with: the one that was named, or the
/// earlier one of two paths that show one cluster at two times.
///
/// # Errors
/// Those of [`gather`].
pub(crate) fn gather_two(
    request: &Request<'_>,
    before: &[PathBuf],
    spinner: &Spinner,
) -> Result<(Option<Raw>, Raw), Failure> {
    if !before.is_empty() {
        let files: Vec<&Path> = before.iter().map(PathBuf::as_path).collect();
        return Ok((Some(captured::read(&files, spinner)?), gather(request, spinner)?));
    }
    if let ([first, second], false) = (request.files().as_slice(), request.input.twin)
        && let Some((before, mut after)) = two_moments(first, second, spinner)?
    {
        sources::add(&mut after, request, spinner)?;
        return Ok((Some(before), after));
    }
    Ok((None, gather(request, spinner)?))
}

/// The earlier and the later capture, if the two show one cluster at different times.
fn two_moments(
    first: &Path,
    second: &Path,
    spinner: &Spinner,
) -> Result<Option<(Raw, Raw)>, Failure> {
    // Standard input can be read only once.
    if [first, second].contains(&Path::new("-")) {
        return Ok(None);
    }
    let first = captured::read(&[first], spinner)?;
    if !first.evidence.is_comparable() {
        return Ok(None);
    }
    let second = captured::read(&[second], spinner)?;
    if !first.evidence.is_other_moment_of(&second.evidence) {
        return Ok(None);
    }
    let in_order = first.evidence.newest() <= second.evidence.newest();
    Ok(Some(if in_order { (first, second) } else { (second, first) }))
}

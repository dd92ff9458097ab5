//! Evidence that somebody captured: files, folders, archives, standard input.

use std::path::Path;

use super::Raw;
use crate::exit::Failure;
use crate::progress::Spinner;
use crate::views::{InputDocument, Skipped, Source};
use capture::{Capture, Input, Limits};

/// Reads captured input.
///
/// # Errors
/// When a path does not exist: then the user meant something else.
pub(crate) fn read(paths: &[&Path], spinner: &Spinner) -> Result<Raw, Failure> {
    let inputs: Vec<Input> = paths.iter().map(|p| input(p)).collect::<Result<_, _>>()?;
    spinner.say("reading captured input".to_owned());
    let Capture { evidence, documents, skipped } = capture::read(&inputs, &Limits::default());
    let source = Source {
        documents: documents.into_iter().map(InputDocument::from).collect(),
        skipped: skipped.into_iter().map(Skipped::from).collect(),
        ..Source::default()
    };
    Ok(Raw { evidence, now: None, source })
}

fn input(path: &Path) -> Result<Input, Failure> {
    if path == Path::new("-") {
        return Ok(Input::Stdin);
    }
    match std::fs::metadata(path) {
        Ok(_) => Ok(Input::Path(path.to_owned())),
        Err(e) => Err(Failure::usage(format!("cannot read {}: {e}", path.display()))),
    }
}

impl From<capture::Document> for InputDocument {
    fn from(d: capture::Document) -> Self {
        let capture::Document { name, format, objects, events, lines, skipped } = d;
        InputDocument { name, format, objects, events, lines, skipped }
    }
}

impl From<capture::Skipped> for Skipped {
    fn from(s: capture::Skipped) -> Self {
        Skipped { document: s.document, line: s.line, why: s.why }
    }
}

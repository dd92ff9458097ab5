//! Renderers: a view becomes text, Markdown, JSON or YAML. They decide nothing; what a
//! renderer leaves out for want of room is in the other forms.

mod clean;
mod json;
mod markdown;
mod paper;
mod text;
mod yaml;

#[cfg(test)]
mod tests;

use anyhow::Result;
use serde::Serialize;

use crate::settings::Format;
use crate::views::{
    Diagnosis, Explanation, Failure, FailureList, Rehearsal, RehearsalList, Version,
};

pub(crate) use clean::clean;
use paper::Paint;
use text::Detail;

/// A diagnosis in this form.
pub(crate) fn diagnosis(view: &Diagnosis, format: Format, color: bool) -> Result<String> {
    Ok(match format {
        Format::Text => text::diagnosis(view, Detail::First, Paint(color)),
        Format::Wide => text::diagnosis(view, Detail::Every, Paint(color)),
        Format::Md => markdown::diagnosis(view),
        Format::Json | Format::Yaml => data(view, format)?,
    })
}

/// Why one object is as it is, in this form.
pub(crate) fn explanation(view: &Explanation, format: Format, color: bool) -> Result<String> {
    Ok(match format {
        Format::Text => text::explanation(view, false, Paint(color)),
        Format::Wide => text::explanation(view, true, Paint(color)),
        Format::Md => markdown::explanation(view),
        Format::Json | Format::Yaml => data(view, format)?,
    })
}

/// The page of a failure kind in this form.
pub(crate) fn failure(view: &Failure, format: Format, color: bool) -> Result<String> {
    Ok(match format {
        Format::Text | Format::Wide => text::failure(view, Paint(color)),
        Format::Md => markdown::failure(view),
        Format::Json | Format::Yaml => data(view, format)?,
    })
}

/// The list of failure kinds in this form.
pub(crate) fn failure_list(view: &FailureList, format: Format, color: bool) -> Result<String> {
    Ok(match format {
        Format::Text | Format::Wide => text::failure_list(view, Paint(color)),
        Format::Md => markdown::failure_list(view),
        Format::Json | Format::Yaml => data(view, format)?,
    })
}

/// What came of a rehearsal, in this form.
pub(crate) fn rehearsal(view: &Rehearsal, format: Format, color: bool) -> Result<String> {
    Ok(match format {
        Format::Text | Format::Wide => text::rehearsal(view, Paint(color)),
        Format::Md => markdown::rehearsal(view),
        Format::Json | Format::Yaml => data(view, format)?,
    })
}

/// What can be rehearsed, in this form.
pub(crate) fn rehearsal_list(view: &RehearsalList, format: Format, color: bool) -> Result<String> {
    Ok(match format {
        Format::Text | Format::Wide => text::rehearsal_list(view, Paint(color)),
        Format::Md => markdown::rehearsal_list(view),
        Format::Json | Format::Yaml => data(view, format)?,
    })
}

/// The version in this form.
pub(crate) fn version(view: &Version, format: Format) -> Result<String> {
    Ok(match format {
        Format::Text | Format::Wide | Format::Md => {
            format!("seaworthy {} ({} failure kinds)\n", view.version, view.failure_kinds)
        }
        Format::Json | Format::Yaml => data(view, format)?,
    })
}

fn data(view: &impl Serialize, format: Format) -> Result<String> {
    if format == Format::Yaml { yaml::write(view) } else { json::write(view) }
}

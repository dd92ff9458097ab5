//! JSON, two spaces deep.

use anyhow::{Context, Result};
use serde::Serialize;

/// A view as JSON.
pub(super) fn write(view: &impl Serialize) -> Result<String> {
    let mut text = serde_json::to_string_pretty(view).context("cannot write JSON")?;
    text.push('\n');
    Ok(text)
}

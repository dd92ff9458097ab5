//! YAML, with the same fields as JSON.

use anyhow::{Context, Result};
use serde::Serialize;

/// A view as YAML.
pub(super) fn write(view: &impl Serialize) -> Result<String> {
    serde_saphyr::to_string(view).context("cannot write YAML")
}

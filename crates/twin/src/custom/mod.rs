//! Custom resources: kinds that a CustomResourceDefinition describes at run time.
//!
//! A served version of a definition becomes a row like those of the built-in kinds and goes
//! through the same pipeline; what differs (pruning, defaults, validation by a schema, columns
//! by paths) hangs on the row. Must never know HTTP.

mod check;
mod columns;
mod definition;
mod names;
mod path;
mod read;
mod row;
mod rules;

pub(crate) use columns::Printer;
pub(crate) use definition::{create_causes, update_causes};
pub(crate) use names::{cleared, ending, establish};
pub(crate) use path::Path;
pub(crate) use row::rows;

use serde_json::Value;

use crate::schema::{Schema, View};

/// What one version of a definition says about its objects.
#[derive(Debug)]
pub(crate) struct Custom {
    /// The types, for ownership.
    types: Schema,
    /// The schema, null where there is none.
    pub structural: Value,
    pub printers: Vec<Printer>,
    pub scale: Option<Scale>,
    pub singular: String,
    pub list_kind: String,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    rules: rules::Rules,
}

/// Where an object keeps what its scale tells.
#[derive(Debug)]
pub(crate) struct Scale {
    pub replicas: Path,
    pub status_replicas: Path,
    pub selector: Option<Path>,
}

impl Custom {
    /// The type of the objects.
    pub fn view(&self) -> Option<View<'_>> {
        self.types.root()
    }
}

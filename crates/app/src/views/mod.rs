//! What every surface shows, as plain data in the operator's words.
//!
//! Text, Markdown, JSON and YAML all come from these values, so they cannot disagree. The field
//! names are a contract (`seaworthy.dev/v1`): fields are added, never removed or renamed. Views
//! must hold no rule of diagnosis.

mod build;
mod changes;
mod diagnosis;
mod explanation;
mod failure;
mod graph;
mod object;
mod rehearsal;
mod version;
mod words;

pub use build::{Source, diagnosis};
pub use changes::{Changes, FieldChange, Gone, LedTo, ObjectChange};
pub use diagnosis::{
    Affected, Cause, Diagnosis, Evidence, Forecast, Graph, Incident, InputDocument, Link, LookedAt,
    Node, NotSeen, RuledOut, Skipped, Stale, Step,
};
pub use explanation::{Explanation, Fact, PartOf, Question, explanation};
pub use failure::{Failure, FailureList, FailureRow, MechanismRow};
pub use object::Object;
pub use rehearsal::{Entry, ReadyLine, Rehearsal, RehearsalList, RehearsalRow, Sort, Wished};
pub use version::Version;

/// Group and version of all views.
pub const API_VERSION: &str = "seaworthy.dev/v1";

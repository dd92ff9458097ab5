//! What changed between two captures of one cluster, and what may have followed from it.

use crate::{Certainty, Incident, ObjectRef, Timestamp};

/// What changed between two captures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// When the earlier one was made.
    pub from: Option<Timestamp>,
    /// When the later one was made.
    pub to: Option<Timestamp>,
    /// Objects that were made, deleted or edited; those that led to an incident first.
    pub objects: Vec<ObjectChange>,
    /// Ids of incidents that are new.
    pub new: Vec<String>,
    /// Ids of incidents that were there before and still are.
    pub still: Vec<String>,
    /// Incidents of the earlier capture that are gone.
    pub gone: Vec<Incident>,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It was made.
    Added,
    /// It was deleted.
    Removed,
    /// It was edited.
    Edited,
}

/// An object that was made, deleted or edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// The object.
    pub object: ObjectRef,
    /// What became of it.
    pub kind: ChangeKind,
    /// Its fields that differ.
    pub fields: Vec<FieldChange>,
    /// Incidents that may have followed, the surest first.
    pub led_to: Vec<LedTo>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldChange {
    /// The field.
    pub field: String,
    /// What it was; `None` when it was not set.
    pub before: Option<String>,
    /// What it is; `None` when it is not set.
    pub after: Option<String>,
}

/// An incident that may have followed from a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedTo {
    /// Its id.
    pub incident: String,
    /// How sure that is.
    pub certainty: Certainty,
    /// What speaks for it.
    pub why: String,
}

//! What changed between two captures, as views show it.

use serde::Serialize;

use super::words::Word;
use super::{InputDocument, Object};

/// What changed between two captures of one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// When the earlier one was made, RFC 3339.
    pub from: Option<String>,
    /// When the later one was made, RFC 3339.
    pub to: Option<String>,
    /// Documents of the earlier one.
    pub input: Vec<InputDocument>,
    /// Objects that were made, deleted or edited; those that led to an incident first.
    pub objects: Vec<ObjectChange>,
    /// Ids of incidents that are new.
    pub new: Vec<String>,
    /// Ids of incidents that were there before and still are.
    pub still: Vec<String>,
    /// Incidents that are gone.
    pub gone: Vec<Gone>,
}

/// An object that was made, deleted or edited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectChange {
    /// The object.
    pub object: Object,
    /// `added`, `removed` or `edited`.
    pub change: &'static str,
    /// Its fields that differ.
    pub fields: Vec<FieldChange>,
    /// Incidents that may have followed, the surest first.
    pub led_to: Vec<LedTo>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// The field.
    pub field: String,
    /// What it was; absent when it was not set.
    pub before: Option<String>,
    /// What it is; absent when it is not set.
    pub after: Option<String>,
}

/// An incident that may have followed from a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LedTo {
    /// Its id.
    pub incident: String,
    /// `proven`, `likely` or `possible`.
    pub certainty: &'static str,
    /// What speaks for it.
    pub why: String,
}

/// An incident that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gone {
    /// Its id.
    pub id: String,
    /// One sentence.
    pub headline: String,
    /// Failure id of its cause.
    pub failure: &'static str,
    /// Mechanism of its cause.
    pub mechanism: &'static str,
    /// What had to be repaired.
    pub object: Object,
}

impl Changes {
    /// The view of changes; `input` is what the earlier capture was read from.
    pub fn of(changes: &model::Changes, input: Vec<InputDocument>) -> Self {
        Changes {
            from: changes.from.map(|t| t.to_string()),
            to: changes.to.map(|t| t.to_string()),
            input,
            objects: changes.objects.iter().map(ObjectChange::from).collect(),
            new: changes.new.clone(),
            still: changes.still.clone(),
            gone: changes.gone.iter().map(Gone::from).collect(),
        }
    }
}

impl From<&model::ObjectChange> for ObjectChange {
    fn from(c: &model::ObjectChange) -> Self {
        let field = |f: &model::FieldChange| FieldChange {
            field: f.field.clone(),
            before: f.before.clone(),
            after: f.after.clone(),
        };
        let led_to = |l: &model::LedTo| LedTo {
            incident: l.incident.clone(),
            certainty: l.certainty.word(),
            why: l.why.clone(),
        };
        ObjectChange {
            object: (&c.object).into(),
            change: match c.kind {
                model::ChangeKind::Added => "added",
                model::ChangeKind::Removed => "removed",
                model::ChangeKind::Edited => "edited",
            },
            fields: c.fields.iter().map(field).collect(),
            led_to: c.led_to.iter().map(led_to).collect(),
        }
    }
}

impl From<&model::Incident> for Gone {
    fn from(i: &model::Incident) -> Self {
        let cause = i.cause();
        Gone {
            id: i.id.clone(),
            headline: cause.headline.clone(),
            failure: cause.failure,
            mechanism: cause.mechanism,
            object: (&cause.object).into(),
        }
    }
}

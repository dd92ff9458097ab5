//! A failure kind as views show it.

use model::FailureKind;
use serde::Serialize;

use super::API_VERSION;

/// A failure kind with its page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// `seaworthy.dev/v1`.
    pub api_version: &'static str,
    /// `Failure`.
    pub kind: &'static str,
    /// Its id.
    pub id: &'static str,
    /// Other ids that mean the same failure.
    pub also: Vec<&'static str>,
    /// Title of its page.
    pub title: &'static str,
    /// Its page in Markdown.
    pub page: String,
    /// Which agreements can be broken.
    pub mechanisms: Vec<MechanismRow>,
    /// Kinds of object that detection reads.
    pub reads: Vec<&'static str>,
    /// Failures it can cause.
    pub leads_to: Vec<&'static str>,
    /// Failures that can cause it.
    pub caused_by: Vec<&'static str>,
}

/// One agreement that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MechanismRow {
    /// The word.
    pub id: &'static str,
    /// What it means, as a clause that can follow "because".
    pub meaning: &'static str,
}

/// All failure kinds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureList {
    /// `seaworthy.dev/v1`.
    pub api_version: &'static str,
    /// `FailureList`.
    pub kind: &'static str,
    /// The kinds, by id.
    pub items: Vec<FailureRow>,
}

/// One line of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureRow {
    /// Its id.
    pub id: &'static str,
    /// Title of its page.
    pub title: &'static str,
}

impl Failure {
    /// The view of a kind; what can cause it is asked of all kinds.
    pub fn of(kind: &FailureKind, all: &[&'static FailureKind]) -> Self {
        let mut caused_by: Vec<&'static str> =
            all.iter().filter(|k| leads_to(k, kind)).map(|k| k.id).collect();
        caused_by.sort_unstable();
        let mechanisms = kind.mechanisms.iter();
        Failure {
            api_version: API_VERSION,
            kind: "Failure",
            id: kind.id,
            also: kind.also.to_vec(),
            title: kind.title(),
            page: page(kind.page),
            mechanisms: mechanisms.map(|m| MechanismRow { id: m.id, meaning: m.meaning }).collect(),
            reads: kind.reads.iter().map(|k| k.name()).collect(),
            leads_to: kind.leads_to.to_vec(),
            caused_by,
        }
    }
}

/// Whether a kind says that it can lead to the other, under any of its names.
fn leads_to(kind: &FailureKind, other: &FailureKind) -> bool {
    let ids = kind.leads_to.iter().map(|entry| entry.split('/').next().unwrap_or_default());
    ids.into_iter().any(|id| other.is_called(id))
}

/// A doc comment's lines begin with the space that stands after the slashes.
fn page(text: &str) -> String {
    let lines = text.lines().map(|l| l.strip_prefix(' ').unwrap_or(l).trim_end());
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}

impl FailureList {
    /// All kinds, sorted by id.
    pub fn of(all: &[&'static FailureKind]) -> Self {
        let names = |k: &'static FailureKind| std::iter::once(k.id).chain(k.also.iter().copied());
        let rows = all.iter().flat_map(|k| names(k).map(|id| FailureRow { id, title: k.title() }));
        let mut items: Vec<FailureRow> = rows.collect();
        items.sort_unstable();
        FailureList { api_version: API_VERSION, kind: "FailureList", items }
    }
}

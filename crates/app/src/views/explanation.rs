//! Why one object is as it is, as views show it.

use engine::Part;
use model::{Incident, Situation, Snapshot};
use serde::Serialize;

use super::words::Word;
use super::{API_VERSION, InputDocument, NotSeen, Object, Skipped, Source};

/// Why one object is as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// `seaworthy.dev/v1`.
    pub api_version: &'static str,
    /// `Explanation`.
    pub kind: &'static str,
    /// Newest time in the evidence of captured input, now for a live cluster; RFC 3339.
    pub as_of: Option<String>,
    /// The object.
    pub object: Object,
    /// How it is, in one sentence that begins with a verb.
    pub answer: String,
    /// What was asked about it, the most telling question first.
    pub questions: Vec<Question>,
    /// Incidents that it is part of, the most urgent first.
    pub incidents: Vec<PartOf>,
    /// What the input does not show and would have told.
    pub blind: Vec<NotSeen>,
    /// Documents that were read.
    pub input: Vec<InputDocument>,
    /// Pieces of the input that could not be read.
    pub skipped: Vec<Skipped>,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The question.
    pub ask: String,
    /// The answer in one sentence; empty when the facts are the answer.
    pub answer: String,
    /// The numbers behind it.
    pub facts: Vec<Fact>,
}

/// One number or word, with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// What it is about.
    pub what: String,
    /// What it says.
    pub value: String,
    /// Since when, or when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The object it was read from, where it stands in one place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// Its field, or `event/REASON`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Document it was read from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// An incident that the object is part of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartOf {
    /// Its id in the diagnosis of the same input.
    pub id: String,
    /// Its rank there.
    pub rank: usize,
    /// `active`, `recovering`, `recovered` or `suspected`.
    pub state: &'static str,
    /// `page`, `ticket` or `note`.
    pub severity: &'static str,
    /// One sentence.
    pub headline: String,
    /// Failure id of its cause.
    pub failure: &'static str,
    /// Mechanism of its cause.
    pub mechanism: &'static str,
    /// `proven`, `likely` or `possible`.
    pub certainty: &'static str,
    /// The thing a person would edit or repair.
    pub cause: Object,
    /// The object's part: `cause`, `mechanism`, `symptom`, `contributing`, `affected` or
    /// `evidence`.
    pub role: &'static str,
}

/// The view of an explanation.
pub fn explanation(
    explained: &model::Explanation,
    situation: &Situation,
    now: &Snapshot,
    source: Source,
) -> Explanation {
    let name = |document: u16| {
        let found = source.documents.get(usize::from(document));
        found.map_or_else(|| "input".to_owned(), |d| d.name.clone())
    };
    let fact = |f: &model::Fact| Fact {
        what: f.what.clone(),
        value: f.value.clone(),
        at: f.at.filter(|_| now.has_time).map(|t| t.to_string()),
        object: f.from.as_ref().map(|e| (&e.object).into()),
        field: f.from.as_ref().map(|e| e.field.clone()),
        source: f.from.as_ref().map(|e| name(e.document)),
    };
    let question = |q: &model::Question| Question {
        ask: q.ask.clone(),
        answer: q.answer.clone(),
        facts: q.facts.iter().map(fact).collect(),
    };
    let about = engine::about(&explained.object, &situation.incidents, now);
    let rank = |i: &Incident| {
        situation.incidents.iter().position(|other| other.id == i.id).map_or(0, |at| at + 1)
    };
    let questions = explained.questions.iter().map(question).collect();
    let incidents = about.into_iter().map(|(i, part)| part_of(i, rank(i), part)).collect();
    let blind = source.blind.iter().chain(&explained.blind).map(NotSeen::from).collect();
    Explanation {
        api_version: API_VERSION,
        kind: "Explanation",
        as_of: now.has_time.then(|| now.now.to_string()),
        object: (&explained.object).into(),
        answer: explained.answer.clone(),
        questions,
        incidents,
        blind,
        input: source.documents,
        skipped: source.skipped,
    }
}

fn part_of(incident: &Incident, rank: usize, part: Part) -> PartOf {
    let cause = incident.cause();
    PartOf {
        id: incident.id.clone(),
        rank,
        state: incident.state.word(),
        severity: incident.severity.word(),
        headline: cause.headline.clone(),
        failure: cause.failure,
        mechanism: cause.mechanism,
        certainty: cause.certainty.word(),
        cause: (&cause.object).into(),
        role: match part {
            Part::Cause => "cause",
            Part::Member(role) => role.word(),
            Part::Affected => "affected",
            Part::Evidence => "evidence",
        },
    }
}

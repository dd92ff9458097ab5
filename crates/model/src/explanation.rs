//! Why one object is as it is: questions, answers and the numbers behind them.

use crate::{Blind, Evidence, ObjectRef, Timestamp};

/// Why one object is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The object.
    pub object: ObjectRef,
    /// How it is, in one sentence.
    pub answer: String,
    /// What was asked about it, the most telling question first.
    pub questions: Vec<Question>,
    /// What would have told more and was not shown.
    pub blind: Vec<Blind>,
}

/// One question about an object, and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The question, e.g. `Which nodes could take it?`.
    pub ask: String,
    /// The answer in one sentence; empty when the facts are the answer.
    pub answer: String,
    /// The numbers behind it.
    pub facts: Vec<Fact>,
}

/// One number or word, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about, in a few words.
    pub what: String,
    /// What it says.
    pub value: String,
    /// Since when, or when.
    pub at: Option<Timestamp>,
    /// Where it was read, if it stands in one place.
    pub from: Option<Evidence>,
}

impl Explanation {
    /// An explanation without questions yet.
    pub fn new(object: ObjectRef, answer: impl Into<String>) -> Self {
        Explanation { object, answer: answer.into(), questions: Vec::new(), blind: Vec::new() }
    }

    /// Adds a question, unless it has neither answer nor facts.
    pub fn ask(&mut self, question: Question) {
        if !question.answer.is_empty() || !question.facts.is_empty() {
            self.questions.push(question);
        }
    }

    /// Says what was not shown, and the command that shows it.
    pub fn not_shown(&mut self, what: impl Into<String>, ask: impl Into<String>) {
        self.blind.push(Blind {
            what: what.into(),
            why: "not in the input".into(),
            ask: ask.into(),
        });
    }
}

impl Question {
    /// A question without facts yet.
    pub fn new(ask: impl Into<String>, answer: impl Into<String>) -> Self {
        Question { ask: ask.into(), answer: answer.into(), facts: Vec::new() }
    }

    /// Adds a fact.
    pub fn fact(&mut self, what: impl Into<String>, value: impl Into<String>) {
        self.facts.push(Fact { what: what.into(), value: value.into(), at: None, from: None });
    }

    /// Adds a fact that happened, or holds since, then.
    pub fn fact_at(
        &mut self,
        what: impl Into<String>,
        value: impl Into<String>,
        at: Option<Timestamp>,
    ) {
        self.facts.push(Fact { what: what.into(), value: value.into(), at, from: None });
    }

    /// Adds what was read in one place.
    pub fn fact_from(&mut self, what: impl Into<String>, from: Evidence) {
        let (value, at) = (from.value.clone(), from.at);
        self.facts.push(Fact { what: what.into(), value, at, from: Some(from) });
    }
}

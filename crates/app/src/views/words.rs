//! The words that stand for the values of the model. They are part of the contract.

use model::{Certainty, Risk, Role, Severity, State, Verdict};

/// A value that has one word in every view.
pub(super) trait Word {
    /// The word.
    fn word(self) -> &'static str;
}

impl Word for Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Broken => "broken",
            Verdict::Degraded => "degraded",
            Verdict::Recovering => "recovering",
            Verdict::AtRisk => "at-risk",
            Verdict::Healthy => "healthy",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

impl Word for State {
    fn word(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Recovering => "recovering",
            State::Recovered => "recovered",
            State::Suspected => "suspected",
        }
    }
}

impl Word for Severity {
    fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Ticket => "ticket",
            Severity::Page => "page",
        }
    }
}

impl Word for Certainty {
    fn word(self) -> &'static str {
        match self {
            Certainty::Possible => "possible",
            Certainty::Likely => "likely",
            Certainty::Proven => "proven",
        }
    }
}

impl Word for Role {
    fn word(self) -> &'static str {
        match self {
            Role::Trigger => "trigger",
            Role::Contributing => "contributing",
            Role::Mechanism => "mechanism",
            Role::Symptom => "symptom",
            Role::Gap => "gap",
        }
    }
}

impl Word for Risk {
    fn word(self) -> &'static str {
        match self {
            Risk::ReadOnly => "read-only",
            Risk::Reversible => "reversible",
            Risk::Disruptive => "disruptive",
            Risk::Destructive => "destructive",
        }
    }
}

//! What a failure kind says about one object.

use crate::{ObjectRef, Timestamp};

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// Several explanations are left.
    Possible,
    /// One other explanation is left; it is named.
    Likely,
    /// The evidence states the mechanism, or two objects contradict each other.
    Proven,
}

/// What part a finding plays in an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It began here.
    Trigger,
    /// It made things worse or possible.
    Contributing,
    /// A step between the trigger and what is noticed.
    Mechanism,
    /// What is noticed.
    Symptom,
    /// A protection that was missing.
    Gap,
}

/// Whether it is still going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Now.
    Active,
    /// Getting better.
    Recovering,
    /// Over.
    Recovered,
    /// Nobody suffers yet, or the input is too thin to say.
    Suspected,
}

/// A fact that a finding rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Which document of the input; an index into the list of inputs.
    pub document: u16,
    /// The object.
    pub object: ObjectRef,
    /// The field, or `event/REASON`, or `log`.
    pub field: String,
    /// What it says.
    pub value: String,
    /// When.
    pub at: Option<Timestamp>,
}

/// Someone who suffers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Affected {
    /// The object.
    pub object: ObjectRef,
    /// How, e.g. `3 of 3 replicas unavailable`.
    pub how: String,
}

/// Something that made the failure possible or worse.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor {
    /// A failure id, e.g. `limits-missing`.
    pub failure: &'static str,
    /// The object.
    pub object: ObjectRef,
    /// Contributing or gap.
    pub role: Role,
    /// Why it matters here.
    pub why: String,
}

/// Something that will happen if nothing is done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Forecast {
    /// What.
    pub what: String,
    /// When.
    pub at: Timestamp,
}

/// How much is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Impact {
    /// Services without a ready endpoint.
    pub services: u32,
    /// Nodes lost.
    pub nodes: u32,
    /// Replicas lost.
    pub replicas: u32,
}

impl Impact {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Impact) -> Impact {
        Impact {
            services: self.services.saturating_add(other.services),
            nodes: self.nodes.saturating_add(other.nodes),
            replicas: self.replicas.saturating_add(other.replicas),
        }
    }

    /// Whether nobody suffers.
    pub fn is_none(self) -> bool {
        self == Impact::default()
    }
}

/// One failure of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Id of the failure kind.
    pub failure: &'static str,
    /// Which agreement is broken.
    pub mechanism: &'static str,
    /// The thing a person would edit or repair.
    pub object: ObjectRef,
    /// One sentence: what is wrong with what.
    pub headline: String,
    /// Field that is wrong.
    pub field: Option<String>,
    /// Its value.
    pub value: Option<String>,
    /// What it should have been.
    pub expected: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// How sure.
    pub certainty: Certainty,
    /// Natural part in an incident; links may make it another.
    pub role: Role,
    /// Whether it is going on.
    pub state: State,
    /// Who suffers directly.
    pub affected: Vec<Affected>,
    /// How much is broken by this finding itself.
    pub impact: Impact,
    /// Facts, the most telling first.
    pub evidence: Vec<Evidence>,
    /// Other mechanisms that remain, when not proven.
    pub alternatives: Vec<&'static str>,
    /// The one command that decides between them.
    pub decide: Option<String>,
    /// What made it possible or worse.
    pub factors: Vec<Factor>,
    /// What will happen.
    pub forecast: Vec<Forecast>,
}

impl Finding {
    /// A finding with the least it needs: active, proven, a trigger.
    pub fn new(
        failure: &'static str,
        mechanism: &'static str,
        object: ObjectRef,
        headline: impl Into<String>,
    ) -> Self {
        Finding {
            failure,
            mechanism,
            object,
            headline: headline.into(),
            field: None,
            value: None,
            expected: None,
            since: None,
            certainty: Certainty::Proven,
            role: Role::Trigger,
            state: State::Active,
            affected: Vec::new(),
            impact: Impact::default(),
            evidence: Vec::new(),
            alternatives: Vec::new(),
            decide: None,
            factors: Vec::new(),
            forecast: Vec::new(),
        }
    }

    /// Names the field that is wrong, its value and what it should have been.
    #[must_use]
    pub fn field(
        mut self,
        field: impl Into<String>,
        value: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        self.field = Some(field.into());
        self.value = Some(value.into());
        self.expected = Some(expected.into());
        self
    }

    /// Says since when.
    #[must_use]
    pub fn since(mut self, since: Option<Timestamp>) -> Self {
        self.since = since;
        self
    }

    /// Lowers the certainty and names what else it could be, and the command that decides.
    #[must_use]
    pub fn unsure(
        mut self,
        certainty: Certainty,
        alternatives: &[&'static str],
        decide: impl Into<String>,
    ) -> Self {
        self.certainty = certainty;
        self.alternatives = alternatives.to_vec();
        self.decide = Some(decide.into());
        self
    }

    /// Adds facts.
    #[must_use]
    pub fn evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// Adds someone who suffers.
    #[must_use]
    pub fn affects(mut self, object: ObjectRef, how: impl Into<String>) -> Self {
        self.affected.push(Affected { object, how: how.into() });
        self
    }

    /// States the state.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// States the role.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// States the impact.
    #[must_use]
    pub fn impact(mut self, impact: Impact) -> Self {
        self.impact = impact;
        self
    }
}

/// What detection collects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Failures found.
    pub found: Vec<Finding>,
    /// Failures that were looked at and are none.
    pub ruled_out: Vec<crate::RuledOut>,
    /// Old signs of what is over.
    pub stale: Vec<crate::Stale>,
}

impl Findings {
    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        self.found.push(finding);
    }

    /// Says that a failure was looked at and is none.
    pub fn rule_out(&mut self, failure: &'static str, object: ObjectRef, why: impl Into<String>) {
        self.ruled_out.push(crate::RuledOut { failure, object, why: why.into() });
    }

    /// Says that old signs mean nothing any more.
    pub fn stale(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.stale.push(crate::Stale { what: what.into(), why: why.into() });
    }
}

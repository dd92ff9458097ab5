//! From a situation to its view. Nothing is decided here: it only says in plain data what the
//! engine found.

use std::collections::BTreeSet;

use model::{Blind, FailureKind, Finding, Kind, Remedy, Situation, Snapshot, Timestamp};

use super::graph::{Facts, graph};
use super::words::Word;
use super::{
    API_VERSION, Affected, Cause, Diagnosis, Forecast, Incident, InputDocument, LookedAt, NotSeen,
    RuledOut, Skipped, Stale, Step,
};

/// Reports of unreadable pieces that a view lists; `input` counts all of them.
const SKIPPED_LISTED: usize = 100;

/// Where the evidence came from.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// Documents, in the order that evidence counts them.
    pub documents: Vec<InputDocument>,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
    /// What could not be looked at.
    pub blind: Vec<Blind>,
    /// When it was made, where it was taken back to an earlier moment.
    pub taken_back_from: Option<Timestamp>,
}

/// The view of a situation. `kinds` are those that were looked for.
pub fn diagnosis(
    situation: &Situation,
    now: &Snapshot,
    source: Source,
    kinds: &[&FailureKind],
) -> Diagnosis {
    let builder = Build { now, documents: &source.documents, kinds };
    let incidents = situation.incidents.iter().enumerate();
    let incidents = incidents.map(|(at, i)| builder.incident(at + 1, i)).collect();
    let mut blind: Vec<NotSeen> =
        source.blind.iter().chain(&situation.blind).map(NotSeen::from).collect();
    // The reader of a cluster says of a list why it failed; that goes first.
    let mut named = std::collections::BTreeSet::new();
    blind.retain(|b| named.insert(b.what.clone()));
    if blind.is_empty() && situation.verdict == model::Verdict::Inconclusive {
        blind.push(STATE_NOT_SEEN.into());
    }
    let mut skipped = source.skipped;
    skipped.truncate(SKIPPED_LISTED);
    Diagnosis {
        api_version: API_VERSION,
        kind: "Diagnosis",
        verdict: situation.verdict.word(),
        as_of: now.has_time.then(|| now.now.to_string()),
        taken_back_from: source.taken_back_from.map(|t| t.to_string()),
        since: None,
        older: None,
        changes: None,
        looked_at: looked_at(now, kinds.len()),
        blind,
        incidents,
        ruled_out: situation.ruled_out.iter().map(RuledOut::from).collect(),
        stale: situation.stale.iter().map(Stale::from).collect(),
        skipped,
        input: source.documents,
    }
}

/// Said when there is too little to tell and nothing in particular is missing.
const STATE_NOT_SEEN: (&str, &str, &str) =
    ("the state of pods and nodes", "not in the input", "kubectl get pods,nodes -A -o json");

impl From<(&str, &str, &str)> for NotSeen {
    fn from((what, why, ask): (&str, &str, &str)) -> Self {
        NotSeen { what: what.into(), why: why.into(), ask: ask.into() }
    }
}

impl From<&Blind> for NotSeen {
    fn from(b: &Blind) -> Self {
        NotSeen { what: b.what.clone(), why: b.why.clone(), ask: b.ask.clone() }
    }
}

impl From<&model::RuledOut> for RuledOut {
    fn from(r: &model::RuledOut) -> Self {
        RuledOut { failure: r.failure, object: (&r.object).into(), why: r.why.clone() }
    }
}

impl From<&model::Stale> for Stale {
    fn from(s: &model::Stale) -> Self {
        Stale { what: s.what.clone(), why: s.why.clone() }
    }
}

impl From<model::Step> for Step {
    fn from(s: model::Step) -> Self {
        Step { what: s.what, command: s.command, risk: s.risk.word(), undo: s.undo }
    }
}

impl From<&model::Affected> for Affected {
    fn from(a: &model::Affected) -> Self {
        Affected { object: (&a.object).into(), how: a.how.clone() }
    }
}

fn looked_at(now: &Snapshot, failure_kinds: usize) -> LookedAt {
    let is_workload = |kind: Kind| kind != Kind::Pod;
    LookedAt {
        nodes: now.nodes.len(),
        workloads: now.apps.iter().filter(|a| is_workload(a.object.kind)).count(),
        pods: now.apps.iter().map(|a| a.pods.len()).sum(),
        services: now.services.len(),
        events: now.events.len(),
        failure_kinds,
    }
}

/// Keeps the first of equal values, in order.
struct Build<'a> {
    now: &'a Snapshot,
    documents: &'a [InputDocument],
    kinds: &'a [&'a FailureKind],
}

impl Build<'_> {
    fn incident(&self, rank: usize, incident: &model::Incident) -> Incident {
        let source = |document: u16| {
            let found = self.documents.get(usize::from(document));
            found.map_or_else(|| "input".to_owned(), |d| d.name.clone())
        };
        let facts = Facts::of(incident, &source);
        let cause = incident.cause();
        let remedy = self.kind(cause).map(|k| (k.remedy)(cause, self.now));
        let Remedy { next, do_not } = remedy.unwrap_or_default();
        Incident {
            id: incident.id.clone(),
            rank,
            state: incident.state.word(),
            severity: incident.severity.word(),
            headline: cause.headline.clone(),
            cause: self.cause(cause),
            graph: graph(incident, &facts),
            affected: affected(incident),
            evidence: facts.list,
            next: next.into_iter().map(Step::from).collect(),
            do_not,
            forecast: self.forecast(incident),
        }
    }

    fn kind(&self, finding: &Finding) -> Option<&FailureKind> {
        self.kinds.iter().copied().find(|k| k.id == finding.failure)
    }

    fn cause(&self, cause: &Finding) -> Cause {
        let meaning = self.kind(cause).map_or(cause.mechanism, |k| k.meaning(cause.mechanism));
        Cause {
            failure: cause.failure,
            mechanism: cause.mechanism,
            meaning: meaning.to_owned(),
            object: (&cause.object).into(),
            field: cause.field.clone(),
            value: cause.value.clone(),
            expected: cause.expected.clone(),
            since: cause.since.map(|t| t.to_string()),
            certainty: cause.certainty.word(),
            alternatives: cause.alternatives.clone(),
            decide: cause.decide.clone(),
        }
    }

    fn forecast(&self, incident: &model::Incident) -> Vec<Forecast> {
        let all = incident.members.iter().flat_map(|m| &m.finding.forecast);
        let ordered: BTreeSet<_> = all.map(|f| (f.at, f.what.as_str())).collect();
        ordered
            .into_iter()
            .map(|(at, what)| Forecast {
                what: what.to_owned(),
                at: at.to_string(),
                in_seconds: at.since(self.now.now),
            })
            .collect()
    }
}

/// Who suffers: first those the cause hits itself, each once.
fn affected(incident: &model::Incident) -> Vec<Affected> {
    let mut seen = BTreeSet::new();
    let all = incident.members.iter().flat_map(|m| &m.finding.affected);
    all.filter(|a| seen.insert(*a)).map(Affected::from).collect()
}

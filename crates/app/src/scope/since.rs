//! Leaves out what is older than the user asked for.

use model::{Finding, Incident, Severity, Situation, Snapshot, State, Timestamp};

/// Keeps incidents that began, went on or were seen since then, and counts the others.
pub(crate) fn narrow(situation: &mut Situation, now: &Snapshot, since: Timestamp) -> usize {
    let before = situation.incidents.len();
    situation.incidents.retain(|i| is_of_since(i, since));
    situation.verdict = engine::verdict(&situation.incidents, now);
    before - situation.incidents.len()
}

/// What is broken now was broken since then too; of what is over, or was only suspected, a sign
/// must be that young.
fn is_of_since(incident: &Incident, since: Timestamp) -> bool {
    let goes_on = matches!(incident.state, State::Active | State::Recovering)
        && incident.severity > Severity::Note;
    let signs =
        |f: &Finding| f.since.into_iter().chain(f.evidence.iter().filter_map(|e| e.at)).max();
    let newest = incident.members.iter().filter_map(|m| signs(&m.finding)).max();
    goes_on || newest.is_some_and(|t| t >= since)
}

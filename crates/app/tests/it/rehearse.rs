//! Every failure kind is rehearsed on the twin: nothing is found before it, it is found after
//! it, in time, and the same way each time.

use model::{Detect, FailureKind, Scenario, Severity, Situation};
use seaworthy::rehearse::Rehearsal;

/// Kinds that only ever follow from another: they are looked for below the first cause.
const EFFECTS: &[&str] =
    &["deployment-rollout-failing", "node-not-ready", "pods-marked-but-running"];

/// How often the diagnosis looks on the way to the time by which it must have found the kind.
const LOOKS: u32 = 12;

#[test]
fn the_standard_cluster_is_healthy() {
    for seed in 0..3 {
        let rest = Rehearsal::at_rest(seed);
        for seconds in [0, 60, 3600] {
            rest.run_to(seconds).unwrap();
            let situation = rest.judge().unwrap();
            let loud = loud(&situation);
            assert!(loud.is_empty(), "seed {seed}, after {seconds} s: {loud:#?}");
        }
    }
}

/// What can be practised at all has a scenario, if only one that waits for the twin to learn more.
#[test]
fn every_kind_that_happens_has_a_scenario() {
    for kind in catalog::ALL {
        let happens = kind.detect.happens();
        let scenario = (kind.rehearse)();
        assert!(!happens || scenario.is_some(), "{} has no scenario", kind.id);
    }
}

#[test]
fn every_rehearsal_is_found_in_time() {
    let mut missed = Vec::new();
    for kind in catalog::ALL {
        let Some(scenario) = playable(kind) else { continue };
        missed.extend((0..3).filter_map(|seed| rehearse(kind, &scenario, seed).err()));
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_rehearsal_runs_the_same_way_each_time() {
    for kind in catalog::ALL {
        let Some(scenario) = playable(kind) else { continue };
        let run = || {
            let rehearsal = Rehearsal::new(&scenario, 7).unwrap();
            rehearsal.run_to(scenario.found_within_seconds).unwrap();
            (rehearsal.dump(), format!("{:?}", rehearsal.judge().unwrap()))
        };
        assert!(run() == run(), "{} runs differently the second time", kind.id);
    }
}

/// The scenario of a kind, if the twin has the physics for all of it.
fn playable(kind: &FailureKind) -> Option<Scenario> {
    (kind.rehearse)().filter(|scenario| scenario.waits_for().is_empty())
}

/// Incidents that ask for somebody's attention.
fn loud(situation: &Situation) -> Vec<&model::Incident> {
    situation.incidents.iter().filter(|i| i.severity > Severity::Note).collect()
}

/// Runs a scenario until the kind is found in the first incident: as its cause, among what
/// follows from it, or among what made it worse.
fn rehearse(kind: &FailureKind, scenario: &Scenario, seed: u64) -> Result<(), String> {
    let told = |e: anyhow::Error| format!("{}: {e:#}", kind.id);
    let rehearsal = Rehearsal::new(scenario, seed).map_err(told)?;
    let mut seen = Vec::new();
    for look in 1..=LOOKS {
        rehearsal.run_to(scenario.found_within_seconds * look / LOOKS).map_err(told)?;
        let situation = rehearsal.judge().map_err(told)?;
        let loud = loud(&situation);
        let is_found = loud.first().is_some_and(|first| match kind.detect {
            // What does not happen by itself is named where it made something else worse.
            Detect::Exposure | Detect::ExposedApps(_) => {
                first.cause().factors.iter().any(|f| f.failure == kind.id)
            }
            _ if EFFECTS.contains(&kind.id) => {
                first.members.iter().any(|m| m.finding.failure == kind.id)
            }
            _ => first.cause().failure == kind.id,
        });
        if is_found {
            return Ok(());
        }
        seen = loud.iter().map(|i| sentence(i)).collect();
    }
    let within = scenario.found_within_seconds;
    Err(format!("{} is not found within {within} s, but {seen:#?}", kind.id))
}

fn sentence(incident: &model::Incident) -> String {
    let members = incident.members.iter();
    let told = members.map(|m| {
        let finding = &m.finding;
        format!("{} ({}): {}", finding.failure, finding.mechanism, finding.headline)
    });
    told.collect::<Vec<_>>().join(" -> ")
}

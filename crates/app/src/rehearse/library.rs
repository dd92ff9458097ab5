//! What can be rehearsed by name: the scenario of every failure kind, the rehearsals that come
//! along as files, and the story of `diagnose --twin`.

use std::path::Path;

use anyhow::Context as _;
use model::{FailureKind, Scenario};
use twin::scenario::cascade;

use super::play::Play;
use super::wish::{Sight, Wish};
use super::{acts, file};
use crate::views::RehearsalRow;

/// The rehearsals that come along, by name.
const FILES: &[(&str, &str)] = &[
    ("autoscaler-blind", include_str!("../../rehearsals/autoscaler-blind.yaml")),
    ("bad-rollout-probed", include_str!("../../rehearsals/bad-rollout-probed.yaml")),
    ("bad-rollout-unprobed", include_str!("../../rehearsals/bad-rollout-unprobed.yaml")),
    ("cron-storm", include_str!("../../rehearsals/cron-storm.yaml")),
    ("leak-with-limit", include_str!("../../rehearsals/leak-with-limit.yaml")),
    ("one-node-lost", include_str!("../../rehearsals/one-node-lost.yaml")),
    ("pinned-to-a-lost-node", include_str!("../../rehearsals/pinned-to-a-lost-node.yaml")),
    ("priority-cascade", include_str!("../../rehearsals/priority-cascade.yaml")),
    ("registry-lost", include_str!("../../rehearsals/registry-lost.yaml")),
    ("replicas-dropped", include_str!("../../rehearsals/replicas-dropped.yaml")),
    ("selector-typo", include_str!("../../rehearsals/selector-typo.yaml")),
    ("singleton", include_str!("../../rehearsals/singleton.yaml")),
    ("spread-unsatisfiable", include_str!("../../rehearsals/spread-unsatisfiable.yaml")),
    ("stateful-node-lost", include_str!("../../rehearsals/stateful-node-lost.yaml")),
    ("zone-lost", include_str!("../../rehearsals/zone-lost.yaml")),
];

/// The story that `diagnose --twin` tells.
const CASCADE: &str = "cascade";
const CASCADE_STORY: &str = "A log alerter without a memory limit takes node after node with it.";

/// How long it is watched after a kind must have been found, in seconds.
const AFTERWARDS_SECONDS: i64 = 60;

/// All that have a name, in order.
///
/// # Errors
/// When one of the files that come along cannot be read.
pub(crate) fn list() -> anyhow::Result<Vec<RehearsalRow>> {
    let listed = |name: &str, story: &str| RehearsalRow {
        name: name.to_owned(),
        story: story.to_owned(),
        waits_for: Vec::new(),
    };
    let mut all = vec![listed(CASCADE, CASCADE_STORY)];
    for (name, text) in FILES {
        all.push(listed(name, &file::parse(text, 0).context(*name)?.story));
    }
    for (kind, scenario) in scenarios() {
        let waits_for = scenario.waits_for().into_iter().map(str::to_owned).collect();
        all.push(RehearsalRow { waits_for, ..listed(kind.id, scenario.story) });
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn scenarios() -> impl Iterator<Item = (&'static FailureKind, Scenario)> {
    catalog::ALL.iter().filter_map(|kind| Some((*kind, (kind.rehearse)()?)))
}

/// The rehearsal of this name, or in this file; `None` when there is neither.
///
/// # Errors
/// When it is there and cannot be read or played.
pub(crate) fn find(name: &str, seed: u64) -> anyhow::Result<Option<Play>> {
    if name == CASCADE {
        return Ok(Some(story(seed)));
    }
    if let Some((_, text)) = FILES.iter().find(|(known, _)| *known == name) {
        return file::parse(text, seed).with_context(|| format!("rehearsal {name}")).map(Some);
    }
    if let Some((kind, scenario)) = scenarios().find(|(kind, _)| kind.is_called(name)) {
        return of_kind(kind, &scenario, seed).map(Some);
    }
    let path = Path::new(name);
    if !path.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    file::parse(&text, seed).with_context(|| name.to_owned()).map(Some)
}

fn story(seed: u64) -> Play {
    let stage = cascade(seed);
    let sight = Sight::Finds { failure: "node-lost-cascade".to_owned(), object: None };
    Play {
        name: CASCADE.to_owned(),
        story: CASCADE_STORY.to_owned(),
        lasts_seconds: stage.duration_seconds,
        expect: vec![Wish { sight, after_seconds: 0, within_seconds: None }],
        forbid: Vec::new(),
        assumes: Vec::new(),
        stage,
    }
}

fn of_kind(kind: &FailureKind, scenario: &Scenario, seed: u64) -> anyhow::Result<Play> {
    let stage = acts::stage(scenario, seed)?;
    let last = stage.timeline.iter().map(|(at, _)| *at).max().unwrap_or(0);
    let within = last + i64::from(scenario.found_within_seconds);
    let sight = Sight::Finds { failure: kind.id.to_owned(), object: None };
    Ok(Play {
        name: kind.id.to_owned(),
        story: scenario.story.to_owned(),
        lasts_seconds: within + AFTERWARDS_SECONDS,
        expect: vec![Wish { sight, after_seconds: 0, within_seconds: Some(within) }],
        forbid: Vec::new(),
        assumes: Vec::new(),
        stage,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Spinner;

    #[test]
    fn every_file_is_named_after_its_rehearsal() {
        for (name, text) in FILES {
            assert_eq!(file::parse(text, 1).unwrap().name, *name);
        }
    }

    #[test]
    fn every_file_plays_as_it_says_the_same_way_each_time() {
        let run = |text: &str, seed: u64| {
            super::super::run(file::parse(text, seed).unwrap(), seed, &Spinner::start(false))
                .unwrap()
        };
        for (name, text) in FILES {
            for seed in 1..3 {
                let seen = run(text, seed);
                assert!(seen.as_expected, "{name}, seed {seed}: {seen:#?}");
            }
        }
        let (name, text) = FILES[0];
        assert_eq!(run(text, 3), run(text, 3), "{name} runs differently");
    }

    #[test]
    fn names_are_unique_and_all_can_be_found() {
        let all = list().unwrap();
        for pair in all.windows(2) {
            assert_ne!(pair[0].name, pair[1].name);
        }
        for one in all.iter().filter(|one| one.waits_for.is_empty()) {
            assert_eq!(find(&one.name, 1).unwrap().map(|p| p.name).as_ref(), Some(&one.name));
        }
        assert!(find("no-such-thing", 1).unwrap().is_none());
    }
}

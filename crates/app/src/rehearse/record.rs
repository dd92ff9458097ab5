//! Runs a rehearsal and writes down what a person would want to follow: what was done, which
//! events were told, how many endpoints were ready, and what the diagnosis said when.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use model::record::EventTime;
use model::{ObjectRef, Situation, Snapshot, Timestamp};
use twin::Twin;
use xxhash_rust::xxh3::xxh3_64;

use super::play::Play;
use super::wish::{self, Wish};
use crate::evidence;
use crate::progress::Spinner;
use crate::views::{Entry, ReadyLine, Rehearsal, Sort, Wished};

/// Lengths of time between two looks, in seconds: a round one of these is taken.
const STEPS_SECONDS: [i64; 10] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
/// Looks, at most, so that a chart of them fits on a line.
const MOST_LOOKS: i64 = 60;
/// Longest rehearsal.
const MOST_SECONDS: i64 = STEPS_SECONDS[STEPS_SECONDS.len() - 1] * MOST_LOOKS;
/// Names told of one sort of event before the others are only counted.
const NAMED: usize = 2;
/// Longest message of a warning that is told, in characters.
const WORDS_CHARS: usize = 160;
/// On the way to a started container, of which only the arrival is told.
const ON_THE_WAY: [&str; 4] = ["Scheduled", "Pulling", "Pulled", "Created"];

/// What the simulated cluster is a model of, in plain sentences.
const MODEL: [&str; 5] = [
    "Kubelets report every 10 seconds; a node is given up 50 seconds after its last report, as \
     since Kubernetes 1.32, and its pods are taken away 5 minutes after that.",
    "Images arrive with 60 MiB a second; memory grows as the rehearsal says, and the kernel kills \
     by the usual scores.",
    "Services know their pods without delay of proxies; requests are not simulated.",
    "Nobody repairs anything: no autoscaler of nodes, no person, no healer.",
    "All times are virtual, and what is random follows the seed.",
];

/// Runs it from its start to its end.
///
/// # Errors
/// When it is too long, the cluster refuses what is applied, or it cannot be read.
pub(crate) fn run(play: Play, seed: u64, spinner: &Spinner) -> anyhow::Result<Rehearsal> {
    if play.lasts_seconds > MOST_SECONDS {
        bail!("{} lasts longer than {} hours", play.name, MOST_SECONDS / 3600);
    }
    let fits = |step: &&i64| play.lasts_seconds <= **step * MOST_LOOKS;
    let step_seconds = *STEPS_SECONDS.iter().find(fits).unwrap_or(&STEPS_SECONDS[0]);
    let (start, twin) = (play.stage.start, Twin::new(play.stage.clone()));
    let mut record = Record::new(&play);
    let mut at_seconds = 0;
    loop {
        spinner.say(format!("rehearsing {}: {at_seconds} s", play.name));
        twin.run_until(start.plus_seconds(at_seconds));
        if let Some(refusal) = twin.refusals().first() {
            bail!("the cluster refused {refusal}");
        }
        let read = evidence::of_twin(&twin, &Spinner::start(false));
        let now = read.map_err(|failure| failure.error)?.finish().now;
        record.look(at_seconds, start, &now, &engine::step(&now, catalog::ALL));
        if at_seconds >= play.lasts_seconds {
            break;
        }
        at_seconds = (at_seconds + step_seconds).min(play.lasts_seconds);
    }
    Ok(record.finish(play, seed, step_seconds, &twin.dump()))
}

/// Events of one sort told at one look: when and about whom, and the message of one of them.
type Group<'a> = (Vec<(i64, String)>, Option<&'a str>);

/// What was seen so far.
struct Record {
    timeline: Vec<Entry>,
    /// Ready endpoints of each Service at each look.
    ready: BTreeMap<(String, String), Vec<u32>>,
    looks: usize,
    loud: BTreeSet<(String, String)>,
    /// When each wish was first seen: what was hoped for, then what was feared.
    expect: Vec<(Wish, Option<i64>)>,
    forbid: Vec<(Wish, Option<i64>)>,
    /// Events that were told before: about whom, why, and since when.
    told: BTreeSet<(Option<ObjectRef>, String, i64)>,
}

impl Record {
    fn new(play: &Play) -> Self {
        let acts = play.stage.timeline.iter();
        let acts = acts.map(|(at, fault)| Entry::new(*at, Sort::Act, fault.to_string()));
        let unseen = |wishes: &[Wish]| wishes.iter().map(|w| (w.clone(), None)).collect();
        Record {
            timeline: acts.collect(),
            ready: BTreeMap::new(),
            looks: 0,
            loud: BTreeSet::new(),
            expect: unseen(&play.expect),
            forbid: unseen(&play.forbid),
            told: BTreeSet::new(),
        }
    }

    fn look(&mut self, at: i64, start: Timestamp, now: &Snapshot, situation: &Situation) {
        let told = self.events(at, start, now);
        self.count(at, now);
        self.judge(at, situation);
        for (wish, seen) in self.expect.iter_mut().chain(&mut self.forbid) {
            if seen.is_none() && wish.covers(at) && wish.sight.is_seen(now, situation, &told) {
                *seen = Some(at);
            }
        }
    }

    /// Writes down the events that were first told since the last look; gives their reasons and
    /// whom they are about.
    fn events(&mut self, at: i64, start: Timestamp, now: &Snapshot) -> Vec<(String, String)> {
        let mut told = Vec::new();
        let mut groups: BTreeMap<(bool, String, &str), Group<'_>> = BTreeMap::new();
        for event in &now.events {
            let first = match event.first {
                EventTime::Unknown => event.last,
                first => first,
            };
            let first = first.resolve(*now.now).map_or(at, |time| time.since(start));
            // Events that are much alike are told together, under changing words. What was told
            // while the cluster was built is no part of the story.
            let known = (event.about.clone(), event.reason.to_string(), first);
            if !self.told.insert(known) || self.looks == 0 {
                continue;
            }
            let name = event.about.as_ref().map(|o| (o.kind.name(), o.to_string()));
            let (kind, name) = name.unwrap_or(("object", "unnamed".to_owned()));
            told.push((event.reason.to_string(), name.clone()));
            if event.warning || !ON_THE_WAY.contains(&event.reason.as_str()) {
                let group = groups.entry((!event.warning, event.reason.to_string(), kind));
                let (about, message) = group.or_default();
                about.push((first, name));
                message.get_or_insert(&event.message);
            }
        }
        for ((calm, reason, kind), (about, message)) in groups {
            let first = about.iter().map(|(first, _)| *first).min().unwrap_or(at);
            let mut text = format!("{reason}: {}", names(kind, &about));
            // What is well needs no words; a warning's are mostly those of its whole group.
            if let Some(message) = message.filter(|_| !calm) {
                let words: String = message.chars().take(WORDS_CHARS).collect();
                let cut = if words.len() < message.len() { "..." } else { "" };
                text.push_str(&format!(": {words}{cut}"));
            }
            self.timeline.push(Entry::new(first, Sort::Event { warning: !calm }, text));
        }
        told
    }

    /// Counts the ready endpoints of every Service, and writes down those that changed.
    fn count(&mut self, at: i64, now: &Snapshot) {
        for service in now.services.iter() {
            let name = (service.meta.namespace.to_string(), service.meta.name.to_string());
            let ready = now.addresses(service).map_or(0, |(ready, _)| ready);
            let line = self.ready.entry(name).or_default();
            line.resize(self.looks, 0);
            line.push(ready);
        }
        self.looks += 1;
        let mut changes = Vec::new();
        for ((namespace, name), line) in &mut self.ready {
            line.resize(self.looks, 0);
            if let [.., before, after] = line.as_slice()
                && before != after
            {
                changes.push(format!("{namespace}/{name} {before} -> {after}"));
            }
        }
        if !changes.is_empty() {
            let text = format!("ready endpoints: {}", changes.join(", "));
            self.timeline.push(Entry::new(at, Sort::Ready, text));
        }
    }

    /// Writes down which incidents became loud, and which are so no more.
    fn judge(&mut self, at: i64, situation: &Situation) {
        let loud = situation.incidents.iter().filter(|i| wish::is_loud(i));
        let mut seen = BTreeSet::new();
        for incident in loud {
            let cause = incident.cause();
            let key = (cause.failure.to_owned(), cause.object.to_string());
            if !self.loud.contains(&key) {
                let text = format!("{}: {}", cause.failure, cause.headline);
                self.timeline.push(Entry::new(at, Sort::Found, text));
            }
            seen.insert(key);
        }
        for (failure, object) in self.loud.difference(&seen) {
            let text = format!("{failure} of {object} is over, or part of something else");
            self.timeline.push(Entry::new(at, Sort::Over, text));
        }
        self.loud = seen;
    }

    fn finish(mut self, play: Play, seed: u64, step_seconds: i64, dump: &str) -> Rehearsal {
        self.timeline.sort();
        let all_seen = self.expect.iter().all(|(_, seen)| seen.is_some());
        let none_seen = self.forbid.iter().all(|(_, seen)| seen.is_none());
        let wished = |all: Vec<(Wish, Option<i64>)>| -> Vec<Wished> {
            let one = |(wish, seen): (Wish, _)| Wished { what: wish.to_string(), at_seconds: seen };
            all.into_iter().map(one).collect()
        };
        let ready = self.ready.into_iter().map(|((namespace, name), ready)| ReadyLine {
            namespace,
            name,
            ready,
        });
        let assumes = MODEL.iter().map(|s| (*s).to_owned());
        Rehearsal {
            name: play.name,
            story: play.story,
            seed,
            lasts_seconds: play.lasts_seconds,
            timeline: self.timeline,
            step_seconds,
            ready: ready.collect(),
            expect: wished(self.expect),
            forbid: wished(self.forbid),
            as_expected: all_seen && none_seen,
            assumes: play.assumes.into_iter().chain(assumes).collect(),
            fingerprint: format!("{:016x}", xxh3_64(dump.as_bytes())),
            ..Rehearsal::default()
        }
    }
}

/// `Pod shop/web-1`, or `Pod shop/web-1, shop/web-2 and 3 more`.
fn names(kind: &str, about: &[(i64, String)]) -> String {
    let mut names: Vec<&str> = about.iter().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let told = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => format!("{kind} {told}"),
        more => format!("{kind} {told} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_named_and_the_others_counted() {
        let about = |names: &[&str]| names.iter().map(|n| (0, (*n).to_owned())).collect::<Vec<_>>();
        for (all, told) in [
            (&["a"][..], "Pod a"),
            (&["b", "a", "a"], "Pod a, b"),
            (&["d", "c", "b", "a"], "Pod a, b and 2 more"),
        ] {
            assert_eq!(names("Pod", &about(all)), told);
        }
    }
}

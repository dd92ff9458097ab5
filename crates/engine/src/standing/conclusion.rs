//! What is concluded from all findings, kept up to date: only incidents with a finding that is
//! other than before, or linked otherwise, are put together anew. Incidents that nothing links
//! know nothing of each other.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Edge, FailureKind, Finding, Findings, PartKey, Rests, RuledOut, Situation, Snapshot, Stale,
    Verdict, listen,
};

use super::Said;
use super::known::Known;

use crate::factors::Gaps;
use crate::incident::Rank;
use crate::{blind, graph, verdict};

/// Findings that are linked with each other and with no other.
#[derive(Debug, Default)]
struct Group {
    members: Vec<u32>,
    /// Missing protections that it was asked about.
    gaps: BTreeSet<&'static str>,
}

/// What is concluded from all findings.
#[derive(Debug)]
pub(super) struct Conclusion {
    known: Known,
    group_of: BTreeMap<u32, u32>,
    groups: BTreeMap<u32, Group>,
    /// What the groups' incidents rest on beside their findings.
    rests: Rests,
    gaps: Gaps,
    /// Rank and group of each incident.
    ranks: Vec<(Rank, u32)>,
    ruled_out: BTreeMap<RuledOut, usize>,
    stale: BTreeMap<Stale, usize>,
    situation: Situation,
}

impl Default for Conclusion {
    fn default() -> Self {
        Conclusion {
            known: Known::default(),
            group_of: BTreeMap::new(),
            groups: BTreeMap::new(),
            rests: Rests::default(),
            gaps: Gaps::default(),
            ranks: Vec::new(),
            ruled_out: BTreeMap::new(),
            stale: BTreeMap::new(),
            situation: Situation {
                verdict: Verdict::Inconclusive,
                incidents: Vec::new(),
                ruled_out: Vec::new(),
                stale: Vec::new(),
                blind: Vec::new(),
            },
        }
    }
}

impl Conclusion {
    pub(super) fn situation(&self) -> &Situation {
        &self.situation
    }

    /// What a kind says of a subject is another than before.
    pub(super) fn say(&mut self, said: &Said, old: &Findings, new: &Findings) {
        self.known.say(said, &old.found, &new.found);
        let told = &mut self.situation.ruled_out;
        count(&mut self.ruled_out, told, &old.ruled_out, &new.ruled_out);
        count(&mut self.stale, &mut self.situation.stale, &old.stale, &new.stale);
    }

    /// Concludes anew from what was said since, and from what rests on these parts.
    pub(super) fn follow(&mut self, parts: &[PartKey], now: &Snapshot, kinds: &[&FailureKind]) {
        let mut open = self.known.relink(parts, now, kinds);
        let others = self.gaps.follow(parts, now, kinds);
        let mut stale: BTreeSet<u32> = self.rests.on(parts).into_keys().collect();
        let asked = |g: &Group| g.gaps.iter().any(|id| others.contains(id));
        stale.extend(self.groups.iter().filter(|(_, g)| asked(g)).map(|(number, _)| *number));
        let members = |number| self.groups.get(number).into_iter().flat_map(|g| &g.members);
        open.extend(stale.iter().flat_map(members));
        let open = self.spread(open);
        self.scatter(&open);
        let mut left: BTreeSet<u32> =
            open.into_iter().filter(|n| self.known.finding(*n).is_some()).collect();
        while let Some(first) = left.pop_first() {
            let members = self.linked_with(first);
            members.iter().for_each(|n| {
                left.remove(n);
            });
            self.gather(members, now, kinds);
        }
        self.situation.blind = blind::of(now, kinds, &self.situation.incidents);
        self.situation.verdict = verdict::of(&self.situation.incidents, now);
    }

    /// These and all that were or are in one group with any of them.
    fn spread(&self, open: BTreeSet<u32>) -> BTreeSet<u32> {
        let mut seen = BTreeSet::new();
        let mut groups = BTreeSet::new();
        let mut open: Vec<u32> = open.into_iter().collect();
        while let Some(number) = open.pop() {
            if !seen.insert(number) {
                continue;
            }
            open.extend(self.known.linked(number));
            if let Some(group) = self.group_of.get(&number).filter(|g| groups.insert(**g)) {
                open.extend(self.groups.get(group).into_iter().flat_map(|g| &g.members));
            }
        }
        seen
    }

    /// Drops the groups of these findings with their incidents.
    fn scatter(&mut self, findings: &BTreeSet<u32>) {
        let gone: BTreeSet<u32> =
            findings.iter().filter_map(|number| self.group_of.remove(number)).collect();
        if gone.is_empty() {
            return;
        }
        for group in &gone {
            self.groups.remove(group);
            self.rests.free(*group);
        }
        let mut places = self.ranks.iter();
        let stays = |(_, group): &(Rank, u32)| !gone.contains(group);
        self.situation.incidents.retain(|_| places.next().is_some_and(stays));
        self.ranks.retain(stays);
    }

    /// All findings that are linked with this one, itself included, in their order.
    fn linked_with(&self, first: u32) -> Vec<u32> {
        let mut seen: BTreeSet<u32> = [first].into();
        let mut open = vec![first];
        while let Some(number) = open.pop() {
            open.extend(self.known.linked(number).filter(|n| seen.insert(*n)));
        }
        let mut members: Vec<u32> = seen.into_iter().collect();
        self.known.sort(&mut members);
        members
    }

    /// Puts the incidents of a group together.
    fn gather(&mut self, members: Vec<u32>, now: &Snapshot, kinds: &[&FailureKind]) {
        let found: Vec<Finding> =
            members.iter().filter_map(|n| self.known.finding(*n).cloned()).collect();
        let places: BTreeMap<u32, usize> = members.iter().copied().zip(0..).collect();
        let mut links: Vec<Edge> = Vec::new();
        for (number, cause) in &places {
            let effects = self.known.effects(*number);
            let effects = effects.filter_map(|(n, why)| Some((*places.get(&n)?, why)));
            links.extend(effects.map(|(effect, why)| Edge { cause: *cause, effect, why }));
        }
        let links = graph::settle(links, &found);
        self.gaps.used.clear();
        let make = || crate::incidents(found, &links, &mut self.gaps, now, kinds);
        let (incidents, heard) = listen(make);
        let number = self.rests.number();
        self.rests.set_all(number, heard);
        for (rank, incident) in incidents {
            let place = self.ranks.partition_point(|(other, _)| *other < rank);
            self.ranks.insert(place, (rank, number));
            self.situation.incidents.insert(place, incident);
        }
        self.group_of.extend(members.iter().map(|n| (*n, number)));
        let gaps = std::mem::take(&mut self.gaps.used);
        self.groups.insert(number, Group { members, gaps });
    }
}

/// Keeps a list of what is said at least once in step with who says it.
fn count<T: Ord + Clone>(counts: &mut BTreeMap<T, usize>, told: &mut Vec<T>, old: &[T], new: &[T]) {
    for word in new {
        let times = counts.entry(word.clone()).or_insert(0);
        *times += 1;
        if let (1, Err(place)) = (*times, told.binary_search(word)) {
            told.insert(place, word.clone());
        }
    }
    for word in old {
        let Some(times) = counts.get_mut(word) else { continue };
        *times -= 1;
        if *times == 0 {
            counts.remove(word);
            if let Ok(place) = told.binary_search(word) {
                told.remove(place);
            }
        }
    }
}

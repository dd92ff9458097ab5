//! What is found at this moment, each failure of an object once, and who may have caused whom.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use model::{
    Certainty, FailureKind, Finding, ObjectRef, PartKey, Relation, Rests, Snapshot, listen,
};

use super::Said;

use crate::graph;

/// What makes a finding the same finding.
type Name = (ObjectRef, &'static str, &'static str);

/// Several kinds, or one asked about several subjects, may say the same: the surest counts, then
/// who was asked first.
type Voice = (Reverse<Certainty>, Said, usize);

/// A failure of an object.
#[derive(Debug, Default)]
struct Slot {
    name: Option<Name>,
    voices: BTreeMap<Voice, Finding>,
    /// The objects on which its effects may be, with the relation that carries them there.
    reach: BTreeMap<ObjectRef, &'static str>,
    effects: BTreeMap<u32, &'static str>,
    causes: BTreeSet<u32>,
}

impl Slot {
    fn finding(&self) -> Option<&Finding> {
        self.voices.first_key_value().map(|(_, finding)| finding)
    }
}

/// Who depends on an object, as far as anybody asked.
#[derive(Debug)]
struct Near {
    object: ObjectRef,
    dependants: Rc<Vec<(Relation, ObjectRef)>>,
}

/// What is found at this moment.
#[derive(Debug, Default)]
pub(super) struct Known {
    slots: Vec<Slot>,
    free: Vec<u32>,
    names: BTreeMap<Name, u32>,
    /// Findings as they were before this step, of those that were touched.
    before: BTreeMap<u32, Option<Finding>>,
    /// Who reaches an object.
    reached: BTreeMap<ObjectRef, BTreeSet<u32>>,
    numbers: BTreeMap<ObjectRef, u32>,
    near: Vec<Option<Near>>,
    rests: Rests,
}

impl Known {
    /// What was said of a subject by a kind is another than before.
    pub(super) fn say(&mut self, said: &Said, old: &[Finding], new: &[Finding]) {
        for (at, finding) in old.iter().enumerate() {
            if let Some(slot) = self.slot(finding) {
                slot.voices.remove(&(Reverse(finding.certainty), said.clone(), at));
            }
        }
        for (at, finding) in new.iter().enumerate() {
            let voice = (Reverse(finding.certainty), said.clone(), at);
            if let Some(slot) = self.slot(finding) {
                slot.voices.insert(voice, finding.clone());
            }
        }
    }

    /// The slot of a finding, which is about to change.
    fn slot(&mut self, finding: &Finding) -> Option<&mut Slot> {
        let name = (finding.object.clone(), finding.failure, finding.mechanism);
        let number = match self.names.get(&name) {
            Some(number) => *number,
            None => {
                let number = self.free.pop().unwrap_or_else(|| {
                    self.slots.push(Slot::default());
                    u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
                });
                self.names.insert(name.clone(), number);
                number
            }
        };
        let slot = self.slots.get_mut(number as usize)?;
        slot.name = Some(name);
        self.before.entry(number).or_insert_with(|| slot.finding().cloned());
        Some(slot)
    }

    /// The finding of this number.
    pub(super) fn finding(&self, number: u32) -> Option<&Finding> {
        self.slots.get(number as usize)?.finding()
    }

    /// In the order in which findings are told.
    pub(super) fn sort(&self, numbers: &mut [u32]) {
        numbers.sort_by_key(|n| self.slots.get(*n as usize).and_then(|s| s.name.as_ref()));
    }

    /// What a finding may have caused, with the relation that carries it there.
    pub(super) fn effects(&self, number: u32) -> impl Iterator<Item = (u32, &'static str)> {
        let slot = self.slots.get(number as usize);
        slot.into_iter().flat_map(|s| s.effects.iter().map(|(effect, why)| (*effect, *why)))
    }

    /// What may have caused it, and what it may have caused.
    pub(super) fn linked(&self, number: u32) -> impl Iterator<Item = u32> {
        let slot = self.slots.get(number as usize);
        slot.into_iter().flat_map(|s| s.effects.keys().chain(&s.causes).copied())
    }

    /// Links anew what has changed. Gives all findings that are other than before, or gone, or
    /// linked otherwise.
    pub(super) fn relink(
        &mut self,
        parts: &[PartKey],
        now: &Snapshot,
        kinds: &[&FailureKind],
    ) -> BTreeSet<u32> {
        let before = std::mem::take(&mut self.before);
        let is_other =
            |(number, old): &(&u32, &Option<Finding>)| self.finding(**number) != old.as_ref();
        let touched = before.iter().filter(is_other).map(|(number, _)| *number);
        let mut stirred: BTreeSet<u32> = touched.collect();
        let mut open = stirred.clone();
        open.extend(self.rewire(parts, now));
        for number in open {
            if self.look_around(number, now, kinds) {
                stirred.insert(number);
            }
        }
        let mut changed = stirred.clone();
        for number in &stirred {
            changed.extend(self.linked(*number));
            self.cut(*number);
        }
        for number in &stirred {
            self.link(*number, &stirred, kinds);
        }
        before.into_keys().for_each(|number| self.bury(number));
        changed
    }

    /// Asks anew who depends on objects where that may be other than before; gives the findings
    /// that reach them where it is.
    fn rewire(&mut self, parts: &[PartKey], now: &Snapshot) -> BTreeSet<u32> {
        let mut open = BTreeSet::new();
        for number in self.rests.on(parts).into_keys() {
            let Some(near) = self.near.get_mut(number as usize).and_then(Option::as_mut) else {
                continue;
            };
            let (dependants, heard) = listen(|| now.dependants(&near.object));
            self.rests.set_all(number, heard);
            if *near.dependants != dependants {
                near.dependants = Rc::new(dependants);
                open.extend(self.reached.get(&near.object).into_iter().flatten());
            }
        }
        open
    }

    fn dependants(&mut self, object: &ObjectRef, now: &Snapshot) -> Rc<Vec<(Relation, ObjectRef)>> {
        if let Some(number) = self.numbers.get(object)
            && let Some(Some(near)) = self.near.get(*number as usize)
        {
            return Rc::clone(&near.dependants);
        }
        let (dependants, heard) = listen(|| now.dependants(object));
        let dependants = Rc::new(dependants);
        let number = self.rests.number();
        self.rests.set_all(number, heard);
        self.numbers.insert(object.clone(), number);
        let near = Near { object: object.clone(), dependants: Rc::clone(&dependants) };
        match self.near.get_mut(number as usize) {
            Some(place) => *place = Some(near),
            // Numbers are given in order.
            None => self.near.push(Some(near)),
        }
        dependants
    }

    /// Looks anew at whom a finding reaches; whether that is other than before.
    fn look_around(&mut self, number: u32, now: &Snapshot, kinds: &[&FailureKind]) -> bool {
        let finding = self.finding(number).filter(|f| leads(f, kinds)).cloned();
        let reach = finding.map(|f| graph::reach(&f, |object| self.dependants(object, now)));
        let reach: BTreeMap<ObjectRef, &'static str> = reach.into_iter().flatten().collect();
        let Some(slot) = self.slots.get_mut(number as usize) else { return false };
        if slot.reach == reach {
            return false;
        }
        let old = std::mem::replace(&mut slot.reach, reach);
        let new = &slot.reach;
        for object in new.keys().filter(|o| !old.contains_key(*o)) {
            self.reached.entry(object.clone()).or_default().insert(number);
        }
        let left: Vec<&ObjectRef> = old.keys().filter(|o| !new.contains_key(*o)).collect();
        for object in left {
            let Some(by) = self.reached.get_mut(object) else { continue };
            by.remove(&number);
            if by.is_empty() {
                self.reached.remove(object);
                if let Some(number) = self.numbers.remove(object) {
                    self.rests.free(number);
                    self.near.get_mut(number as usize).map(Option::take);
                }
            }
        }
        true
    }

    fn cut(&mut self, number: u32) {
        let Some(slot) = self.slots.get_mut(number as usize) else { return };
        let effects = std::mem::take(&mut slot.effects);
        let causes = std::mem::take(&mut slot.causes);
        for effect in effects.into_keys() {
            self.slots.get_mut(effect as usize).map(|s| s.causes.remove(&number));
        }
        for cause in causes {
            self.slots.get_mut(cause as usize).map(|s| s.effects.remove(&number));
        }
    }

    /// Links a finding with those that it reaches, and with those that reach it; those of
    /// `others` see to themselves.
    fn link(&mut self, number: u32, others: &BTreeSet<u32>, kinds: &[&FailureKind]) {
        let Some(slot) = self.slots.get(number as usize) else { return };
        let Some(finding) = slot.finding() else { return };
        let mut links: Vec<(u32, u32, &'static str)> = Vec::new();
        if let Some(kind) = kinds.iter().find(|k| k.id == finding.failure) {
            for (object, why) in &slot.reach {
                for effect in self.on(object).filter(|e| *e != number) {
                    if self.finding(effect).is_some_and(|e| graph::can_follow(finding, e, kind)) {
                        links.push((number, effect, why));
                    }
                }
            }
        }
        let causes = self.reached.get(&finding.object).into_iter().flatten();
        for cause in causes.filter(|c| !others.contains(c)) {
            let by = self.slots.get(*cause as usize);
            let Some((slot, cause_finding)) = by.and_then(|s| Some((s, s.finding()?))) else {
                continue;
            };
            let kind = kinds.iter().find(|k| k.id == cause_finding.failure);
            let follows = kind.is_some_and(|k| graph::can_follow(cause_finding, finding, k));
            if let Some(why) = slot.reach.get(&finding.object).filter(|_| follows) {
                links.push((*cause, number, why));
            }
        }
        for (cause, effect, why) in links {
            self.slots.get_mut(cause as usize).map(|s| s.effects.insert(effect, why));
            self.slots.get_mut(effect as usize).map(|s| s.causes.insert(cause));
        }
    }

    /// Findings on an object.
    fn on(&self, object: &ObjectRef) -> impl Iterator<Item = u32> {
        let from = (object.clone(), "", "");
        let here = self.names.range(from..);
        here.take_while(move |((o, _, _), _)| o == object).map(|(_, number)| *number)
    }

    /// Forgets a finding that nobody tells any more.
    fn bury(&mut self, number: u32) {
        let Some(slot) = self.slots.get_mut(number as usize) else { return };
        if slot.voices.is_empty()
            && let Some(name) = slot.name.take()
        {
            self.names.remove(&name);
            self.free.push(number);
        }
    }
}

/// Whether the kind of a finding can cause anything.
fn leads(finding: &Finding, kinds: &[&FailureKind]) -> bool {
    let kind = kinds.iter().find(|k| k.id == finding.failure);
    kind.is_some_and(|k| !k.leads_to.is_empty())
}

//! What is asked of every workload, node or event, with the answers kept. A pattern among
//! objects is sought where its signs are and not everywhere; after a change only those objects
//! are asked again whose answer rests on it, and who read the signs only where one is other than
//! before. Who asks the same question twice, or two kinds that ask it, get the same answer.

mod questions;
mod subject;

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, Once, PoisonError, RwLock, RwLockReadGuard};

use rustc_hash::FxHashMap;

use super::apply::Touched;
use super::events::Group;
use super::reads::{Part, PartKey, is_heard, listen, note};
use super::rests::{Rests, Turns};
use super::{App, Snapshot};
use crate::Kind;
use crate::record::Node;
use subject::{Key, Member, Space, Subject, key_of_app};

/// A question that is asked of all of a sort.
trait View: Send + Sync {
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    fn takes(&self, key: &Key) -> bool;
    /// Asks about one anew; whether the answer is other than before.
    fn look(&self, key: &Key, now: &Snapshot) -> bool;
}

type Look<S, T> = dyn Fn(&S, &Snapshot) -> Option<T> + Send + Sync;

/// A question with the answers.
struct Kept<S, T> {
    look: Box<Look<S, T>>,
    asked: Once,
    signs: RwLock<BTreeMap<Key, T>>,
}

impl<S: Subject, T: PartialEq + Send + Sync + 'static> View for Kept<S, T> {
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn takes(&self, key: &Key) -> bool {
        S::is_key(key)
    }

    fn look(&self, key: &Key, now: &Snapshot) -> bool {
        let sign = S::of(key, now).and_then(|subject| {
            subject.heard();
            (self.look)(subject, now)
        });
        let mut signs = self.signs.write().unwrap_or_else(PoisonError::into_inner);
        let is_other = signs.get(key) != sign.as_ref();
        match sign {
            Some(sign) if is_other => drop(signs.insert(key.clone(), sign)),
            None if is_other => drop(signs.remove(key)),
            _ => {}
        }
        is_other
    }
}

fn read<S, T>(kept: &Kept<S, T>) -> RwLockReadGuard<'_, BTreeMap<Key, T>> {
    kept.signs.read().unwrap_or_else(PoisonError::into_inner)
}

/// Views so far, and what their answers rest on.
#[derive(Default)]
pub(super) struct Views {
    all: RwLock<Vec<(TypeId, Arc<dyn View>)>>,
    book: Mutex<Book>,
}

/// What answers rest on; of events, they rest on nothing else.
#[derive(Default)]
struct Book {
    /// Whether somebody asked to whom nobody listened.
    is_partial: bool,
    rests: Rests,
    numbers: FxHashMap<Key, u32>, // tidy: lookup only
    names: Vec<Key>,
}

impl Book {
    /// Answers of those that were `asked` rest on what was `heard`.
    fn note(&mut self, key: &Key, asked: Turns, heard: Vec<(PartKey, Turns)>) {
        let number = self.numbers.get(key).copied().unwrap_or_else(|| {
            let number = self.rests.number();
            match self.names.get_mut(number as usize) {
                Some(name) => name.clone_from(key),
                None => self.names.push(key.clone()),
            }
            self.numbers.insert(key.clone(), number);
            number
        });
        self.rests.set(number, asked, heard);
    }

    fn forget(&mut self, key: &Key) {
        if let Some(number) = self.numbers.remove(key) {
            self.rests.free(number);
        }
    }

    fn on(&self, parts: &[PartKey]) -> BTreeMap<Key, Turns> {
        let open = self.rests.on(parts).into_iter();
        open.filter_map(|(n, turns)| Some((self.names.get(n as usize)?.clone(), turns))).collect()
    }
}

impl Clone for Views {
    /// A copy of a snapshot asks again.
    fn clone(&self) -> Self {
        Views::default()
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Views").finish_non_exhaustive()
    }
}

impl Snapshot {
    fn found<S: Member>(&self, kept: &Kept<S, ()>) -> Vec<&S> {
        let found: Vec<&S> = read(kept).keys().filter_map(|key| S::find(key, self)).collect();
        found.iter().for_each(|subject| subject.heard());
        found
    }

    /// The answers to a question; asked on the first call.
    fn kept<Q, S, T>(
        &self,
        _: Q,
        look: impl Fn(&S, &Snapshot) -> Option<T> + Send + Sync + 'static,
    ) -> Arc<Kept<S, T>>
    where
        Q: 'static,
        S: Subject,
        T: PartialEq + Send + Sync + 'static,
    {
        const { assert!(size_of::<Q>() == 0, "a question captures nothing") };
        let id = TypeId::of::<Q>();
        note(Part::View(id));
        let new = || Kept {
            look: Box::new(look),
            asked: Once::new(),
            signs: RwLock::new(BTreeMap::new()),
        };
        let (turn, kept) = self.views.get_or(id, || Arc::new(new()));
        let kept: Arc<Kept<S, T>> = match kept.as_any().downcast() {
            Ok(kept) => kept,
            Err(_) => unreachable!("a question has one sort of answer"),
        };
        kept.asked.call_once(|| self.ask_all(turn, &kept));
        kept
    }

    fn ask_all<S: Subject, T>(&self, turn: usize, kept: &Kept<S, T>) {
        let mut signs = BTreeMap::new();
        let is_own = TypeId::of::<S>() == TypeId::of::<Group>();
        let listens = is_heard() && !is_own;
        S::each(self, &mut |subject, key| {
            let sign = if listens {
                let (sign, heard) = listen(|| {
                    subject.heard();
                    (kept.look)(subject, self)
                });
                let heard = heard.into_iter().map(|part| (part, Turns::one(turn))).collect();
                // Asked for the first time, it replaces nothing.
                self.views.book(|book| book.note(&key(), Turns::default(), heard));
                sign
            } else {
                (kept.look)(subject, self)
            };
            if let Some(sign) = sign {
                signs.insert(key(), sign);
            }
        });
        if !listens && !is_own {
            self.views.book(|book| book.is_partial = true);
        }
        *kept.signs.write().unwrap_or_else(PoisonError::into_inner) = signs;
    }

    /// Asks again what rests on what was touched, until nothing is other than before.
    pub(super) fn follow(&self, touched: &mut Touched) {
        if self.views.book(|book| book.is_partial) {
            // Nobody listened when these were asked.
            touched.parts.extend(self.views.list().iter().map(|(id, _)| Part::View(*id).key()));
            self.views.clear();
            return;
        }
        let mut open: BTreeMap<Key, Turns> = BTreeMap::new();
        for object in &touched.moved {
            let keys = match object.kind {
                Kind::Node => [false, true].map(|late| Key::Node(late, object.name.clone())).into(),
                Kind::Service | Kind::PersistentVolumeClaim => Vec::new(),
                _ => {
                    let space = Key::Space(Space(object.namespace.clone()));
                    vec![key_of_app(object), space]
                }
            };
            open.extend(keys.into_iter().map(|key| (key, Turns::all())));
        }
        open.extend(touched.said.iter().map(|about| (Key::Said(about.clone()), Turns::all())));
        let mut parts = touched.parts.clone();
        loop {
            for (key, turns) in self.views.book(|book| book.on(&parts)) {
                open.entry(key).or_default().add(turns);
            }
            parts.clear();
            let views = self.views.list();
            for (key, turns) in std::mem::take(&mut open) {
                self.look_again(&key, turns, &views, &mut parts);
            }
            if parts.is_empty() {
                return;
            }
            parts.sort_unstable();
            parts.dedup();
            touched.parts.extend(&parts);
        }
    }

    fn look_again(
        &self,
        key: &Key,
        turns: Turns,
        views: &[(TypeId, Arc<dyn View>)],
        parts: &mut Vec<PartKey>,
    ) {
        let is_there = match key {
            Key::App(..) => App::of(key, self).is_some(),
            Key::Node(..) => Node::of(key, self).is_some(),
            Key::Space(_) => Space::of(key, self).is_some(),
            Key::Cluster => true,
            Key::Said(_) => false,
        };
        let (mut asked, mut all) = (Turns::default(), Vec::new());
        for (turn, (id, view)) in views.iter().enumerate() {
            if !turns.has(turn) || !view.takes(key) {
                continue;
            }
            let (is_other, heard) = listen(|| view.look(key, self));
            if is_other {
                parts.push(Part::View(*id).key());
            }
            asked.add(Turns::one(turn));
            all.extend(heard.into_iter().map(|part| (part, Turns::one(turn))));
        }
        self.views.book(|book| match is_there {
            true => book.note(key, asked, all),
            false => book.forget(key),
        });
    }
}

impl Views {
    fn book<R>(&self, with: impl FnOnce(&mut Book) -> R) -> R {
        with(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn list(&self) -> Vec<(TypeId, Arc<dyn View>)> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn clear(&self) {
        self.all.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.book(|book| *book = Book::default());
    }

    /// The view of a question, with its turn.
    fn get_or(&self, id: TypeId, new: impl FnOnce() -> Arc<dyn View>) -> (usize, Arc<dyn View>) {
        let find = |all: &[(TypeId, Arc<dyn View>)]| {
            let turn = all.iter().position(|(other, _)| *other == id)?;
            Some((turn, Arc::clone(&all.get(turn)?.1)))
        };
        let known = find(&self.all.read().unwrap_or_else(PoisonError::into_inner));
        known.unwrap_or_else(|| {
            let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
            find(&all).unwrap_or_else(|| {
                let view = new();
                all.push((id, Arc::clone(&view)));
                (all.len() - 1, view)
            })
        })
    }
}

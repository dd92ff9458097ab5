//! What an answer rests on. While somebody listens, everything that is asked of a snapshot is
//! noted; an answer holds as long as nothing it rests on has changed. So nobody has to say
//! beforehand what a failure kind reads, and none can be wrong about it.
//!
//! A part is noted as a number that stands for it. Two parts may share a number: then an answer
//! is asked for once more than needed, never once less. Whether anybody listens is known to the
//! thread that asks and to nobody else, and changes no answer.

use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use rustc_hash::FxHasher;

use crate::{Kind, Timestamp};

/// The sets of objects that a snapshot keeps apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(super) enum Set {
    #[default]
    Nothing,
    Apps,
    Workloads,
    Pods,
    Nodes,
    ImpliedNodes,
    Services,
    Backends,
    Ingresses,
    Policies,
    Scalers,
    Budgets,
    Claims,
    Volumes,
    StorageClasses,
    Quotas,
    LimitRanges,
    Roles,
    Bindings,
    Certificates,
    Leases,
    Availability,
    Webhooks,
    Named,
    Events,
}

/// A part of a snapshot that can change while others do not.
#[derive(Clone, Copy, Debug, Hash)]
pub(super) enum Part<'a> {
    /// What time it is.
    Clock,
    /// Whether this second has come.
    Moment(i64),
    /// Whether any moment has come.
    AnyMoment,
    /// Whether a set has any member.
    Any(Set),
    /// All of a set.
    All(Set),
    /// Its members in a namespace.
    Space(Set, &'a str),
    /// Its members of a name.
    Row(Set, &'a str, &'a str),
    /// A workload with what belongs to it.
    App(Kind, &'a str, &'a str),
    /// Which workloads a namespace has and which labels their pods have.
    Labels(&'a str),
    /// Which Services a namespace has and what they select.
    Selectors(&'a str),
    /// What is said about an object.
    About(Kind, &'a str, &'a str),
    /// What is said about objects of a kind in a namespace.
    AboutAny(Kind, &'a str),
    /// The pods on a node.
    OnNode(&'a str),
    /// Who names a Service, which a number stands for.
    Callers(u64),
    /// The addresses behind a Service.
    Behind(&'a str, &'a str),
    /// Of whom something holds that is asked of all.
    View(TypeId),
}

/// Stands for a part of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartKey(u64);

impl Part<'_> {
    /// What stands for it.
    pub(super) fn key(self) -> PartKey {
        let mut hasher = FxHasher::default();
        self.hash(&mut hasher);
        PartKey(hasher.finish())
    }
}

/// So many notes are kept before they are sorted and kept once each; then twice as many as were
/// left, so that the sorting costs little however much is read.
const NOTES: usize = 1 << 16;

thread_local! {
    static LISTENING: Cell<bool> = const { Cell::new(false) };
    static NOTED: RefCell<Vec<PartKey>> = const { RefCell::new(Vec::new()) };
}

/// Whether anybody listens.
pub(super) fn is_heard() -> bool {
    LISTENING.get()
}

/// Notes that a part was asked for.
pub(super) fn note(part: Part<'_>) {
    if LISTENING.get() {
        keep(part.key());
    }
}

#[cold]
fn keep(key: PartKey) {
    NOTED.with_borrow_mut(|noted| {
        if noted.iter().rev().take(4).any(|k| *k == key) {
            return;
        }
        if noted.len() >= NOTES && noted.len() == noted.capacity() {
            noted.sort_unstable();
            noted.dedup();
            noted.reserve_exact(noted.len().max(NOTES));
        }
        noted.push(key);
    });
}

/// Asks something, with the parts that the answer rests on, sorted and each once.
pub fn listen<R>(ask: impl FnOnce() -> R) -> (R, Vec<PartKey>) {
    let before = LISTENING.replace(true);
    let outer = NOTED.take();
    let answer = ask();
    let mut noted = NOTED.replace(outer);
    LISTENING.set(before);
    noted.sort_unstable();
    noted.dedup();
    (answer, noted)
}

/// The moment of a snapshot. Whoever reads it gets an answer that another moment may change.
#[derive(Clone, Copy, Debug)]
pub struct Clock(Timestamp);

impl Clock {
    pub(super) fn new(now: Timestamp) -> Self {
        Clock(now)
    }

    /// Whether this moment has come. What has come stays so, and the answer then rests on no
    /// clock; before, it rests on that moment alone. So nobody needs to be asked again with
    /// every tick.
    pub fn has_come(self, moment: Timestamp) -> bool {
        let has_come = self.0 >= moment;
        if !has_come {
            note(Part::Moment(moment.seconds()));
            note(Part::AnyMoment);
        }
        has_come
    }

    /// Whether at most so many whole seconds have passed since a moment, as
    /// [`Clock::has_come`].
    pub fn is_within(self, moment: Timestamp, seconds: i64) -> bool {
        !self.has_come(moment.plus_seconds(seconds.saturating_add(1)))
    }

    /// The moment, for those who need not note that they read it.
    pub(super) fn unheard(self) -> Timestamp {
        self.0
    }
}

impl Deref for Clock {
    type Target = Timestamp;

    fn deref(&self) -> &Timestamp {
        note(Part::Clock);
        &self.0
    }
}

impl From<Clock> for Timestamp {
    fn from(clock: Clock) -> Timestamp {
        *clock
    }
}

impl PartialEq<Timestamp> for Clock {
    fn eq(&self, other: &Timestamp) -> bool {
        **self == *other
    }
}

impl PartialEq<Clock> for Timestamp {
    fn eq(&self, other: &Clock) -> bool {
        *self == **other
    }
}

impl PartialOrd<Clock> for Timestamp {
    fn partial_cmp(&self, other: &Clock) -> Option<std::cmp::Ordering> {
        self.partial_cmp(&**other)
    }
}

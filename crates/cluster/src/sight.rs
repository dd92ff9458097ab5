//! Keeps a cluster in sight: every kind is listed once and then watched; what cannot be watched
//! is listed again every so often. It only reads.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll, StreamExt as _};
use kube::Client;
use model::record::ClusterEvent;
use model::{Blind, Change, Kind, Object, ObjectRef, Text};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::Error;
use crate::follow::{self, Seen};
use crate::read::{KindList, PAGE_TIMEOUT, Progress, Reader, Reading, Scope};
use crate::refusal::EXPIRED;
use crate::server::{self, Server};

/// A kind that cannot be watched is listed again after so long.
const LIST_AGAIN: Duration = Duration::from_secs(30);
/// A watch that ended is not begun again sooner, so that a server in trouble is not pressed.
const PAUSE: Duration = Duration::from_secs(1);
/// Where nobody answered, later still.
const UNANSWERED: Duration = Duration::from_secs(5);
/// Changes come in bursts: they are gathered until none comes for this long,
const QUIET: Duration = Duration::from_millis(500);
/// but no longer than this.
const BURST: Duration = Duration::from_secs(3);

/// A cluster that is kept in sight.
pub struct Sight {
    client: Client,
    scope: Scope,
    server: Server,
    kept: BTreeMap<Kind, Kept>,
    watches: SelectAll<BoxStream<'static, (Kind, Seen)>>,
    /// What was seen since it was last told.
    news: News,
    /// Of what events were told since then.
    told: BTreeSet<Option<ObjectRef>>,
}

/// What has become of a cluster since somebody last asked.
#[derive(Debug, Default)]
pub struct News {
    /// What changed, in order.
    pub changes: Vec<Change>,
    /// Whether other lists can be seen than before: then all is to be read anew.
    pub is_other: bool,
}

/// What is known of one kind.
struct Kept {
    list: KindList,
    objects: BTreeMap<(Text, Text), Object>,
    version: String,
    /// When it is looked at again, and how.
    due: Option<(Instant, Due)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    Watch,
    List,
}

impl Sight {
    /// Lists these kinds and begins to watch them.
    ///
    /// # Errors
    /// As for reading a cluster once.
    pub async fn open(
        client: Client,
        scope: Scope,
        kinds: &[Kind],
        progress: &dyn Fn(Progress),
    ) -> Result<Sight, Error> {
        let server = server::ask(&client).await?;
        let mut sight = Sight {
            client,
            scope,
            server,
            kept: BTreeMap::new(),
            watches: SelectAll::new(),
            news: News::default(),
            told: BTreeSet::new(),
        };
        for kind in kinds.iter().copied().filter(|k| k.is_api_object()) {
            sight.list(kind, progress).await?;
        }
        if !sight.kept.is_empty() && !sight.kept.values().any(|k| k.list.is_listed) {
            let blind = sight.kept.values().find_map(|k| k.list.blind.first());
            let message = blind.map(|b| b.why.clone()).unwrap_or_default();
            return Err(Error::NothingReadable { message });
        }
        Ok(sight)
    }

    /// Who answers, with its time when it was last asked.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// How many objects and events are known.
    pub fn counts(&self) -> (usize, usize) {
        let count = |(kind, kept): (&Kind, &Kept)| match kind {
            Kind::Event => (0, kept.objects.len()),
            _ => (kept.objects.len(), 0),
        };
        let all = self.kept.iter().map(count);
        all.fold((0, 0), |sum, (objects, events)| (sum.0 + objects, sum.1 + events))
    }

    /// What cannot be seen.
    pub fn blind(&self) -> Vec<Blind> {
        self.kept.values().flat_map(|k| k.list.blind.iter().cloned()).collect()
    }

    /// All that is known now, as if it had just been read.
    pub fn reading(&mut self) -> Reading {
        self.news = News::default();
        self.told.clear();
        let mut reading = Reading { server: self.server.clone(), ..Reading::default() };
        for kept in self.kept.values() {
            let objects = kept.objects.values().cloned().collect();
            kept.list.with(objects).note(&mut reading);
        }
        reading
    }

    /// Waits until something has changed, and until the burst of changes is over; at most for
    /// `patience`. Asks the server for its time. What was seen is told once.
    ///
    /// # Errors
    /// When the cluster does not answer any more.
    pub async fn changed(&mut self, patience: Duration) -> Result<News, Error> {
        let end = Instant::now() + patience;
        let mut until = end;
        let mut changed = false;
        loop {
            let due = self.kept.values().filter_map(|k| k.due).map(|(at, _)| at).min();
            let wake = due.map_or(until, |at| at.min(until));
            let seen = timeout_at(wake, self.watches.next()).await;
            match seen {
                Ok(Some((kind, seen))) => {
                    if self.take(kind, seen) {
                        let now = Instant::now();
                        let last = if changed { until } else { (now + BURST).min(end.max(now)) };
                        changed = true;
                        until = (now + QUIET).min(last.max(now));
                    }
                }
                // Nobody is watched: only lists are due.
                Ok(None) => sleep_until(wake).await,
                Err(_) => {}
            }
            changed |= self.act(Instant::now()).await?;
            if Instant::now() >= until {
                self.server = server::ask(&self.client).await?;
                return Ok(self.tell());
            }
        }
    }

    /// What was seen and not yet told. Events are told by what they are about.
    fn tell(&mut self) -> News {
        let mut news = std::mem::take(&mut self.news);
        let told = std::mem::take(&mut self.told);
        if told.is_empty() {
            return news;
        }
        let mut events: BTreeMap<Option<ObjectRef>, Vec<ClusterEvent>> =
            told.into_iter().map(|about| (about, Vec::new())).collect();
        let kept = self.kept.get(&Kind::Event);
        for object in kept.into_iter().flat_map(|k| k.objects.values()) {
            if let Object::Event(event) = object
                && let Some(all) = events.get_mut(&event.about)
            {
                all.push(event.clone());
            }
        }
        let events = events.into_iter().map(|(about, all)| Change::Events(about, all));
        news.changes.extend(events);
        news
    }

    /// Takes down that an object is other than it was, or gone.
    fn note(&mut self, old: Option<Object>, new: Option<&Object>) {
        for object in old.iter().chain(new) {
            if let Object::Event(event) = object {
                self.told.insert(event.about.clone());
            }
        }
        match (old, new) {
            (_, Some(Object::Event(_))) | (Some(Object::Event(_)), None) | (None, None) => {}
            (_, Some(object)) => self.news.changes.push(Change::Put(object.clone())),
            (Some(old), None) => self.news.changes.extend(old.object().map(Change::Gone)),
        }
    }

    /// Takes what a watch showed; whether anything changed.
    fn take(&mut self, kind: Kind, seen: Seen) -> bool {
        let Some(kept) = self.kept.get_mut(&kind) else { return false };
        let later = |due| Some((Instant::now() + PAUSE, due));
        match seen {
            Seen::Is(name, version, object) => {
                kept.version = version;
                let old = kept.objects.insert(name, (*object).clone());
                self.note(old, Some(&object));
                true
            }
            Seen::Gone(name, version) => {
                kept.version = version;
                let old = kept.objects.remove(&name);
                let was_there = old.is_some();
                self.note(old, None);
                was_there
            }
            Seen::Mark(version) => {
                kept.version = version;
                false
            }
            Seen::End => {
                kept.due = later(Due::Watch);
                false
            }
            Seen::Lost => {
                kept.due = Some((Instant::now() + UNANSWERED, Due::Watch));
                false
            }
            Seen::Refused(code) => {
                let soon = code == EXPIRED;
                let wait = if soon { PAUSE } else { LIST_AGAIN };
                kept.due = Some((Instant::now() + wait, Due::List));
                false
            }
        }
    }

    /// Does what is due; whether anything changed.
    async fn act(&mut self, now: Instant) -> Result<bool, Error> {
        let due = |k: &Kept| k.due.filter(|(at, _)| *at <= now).map(|(_, due)| due);
        let all: Vec<(Kind, Due)> =
            self.kept.iter().filter_map(|(kind, k)| Some((*kind, due(k)?))).collect();
        let mut changed = false;
        for (kind, due) in all {
            match due {
                Due::Watch => self.watch(kind),
                Due::List => {
                    self.list(kind, &|_| {}).await?;
                    changed = true;
                }
            }
        }
        Ok(changed)
    }

    async fn list(&mut self, kind: Kind, progress: &dyn Fn(Progress)) -> Result<(), Error> {
        let page_timeout = self.scope.page_timeout.unwrap_or(PAGE_TIMEOUT);
        let reader = Reader { client: &self.client, scope: &self.scope, progress, page_timeout };
        let mut list = reader.kind(kind).await?;
        let mut objects = BTreeMap::new();
        for (at, object) in std::mem::take(&mut list.objects).into_iter().enumerate() {
            // The record of an event keeps the name of what it is about, not its own.
            let key = match object.meta() {
                Some(meta) => (meta.namespace.clone(), meta.name.clone()),
                None => (Text::default(), list.names.get(at).cloned().unwrap_or_default()),
            };
            objects.insert(key, object);
        }
        let version = std::mem::take(&mut list.version);
        let can_watch = list.is_listed && !version.is_empty();
        let due = (!can_watch).then(|| (Instant::now() + LIST_AGAIN, Due::List));
        if let Some(old) = self.kept.remove(&kind) {
            self.news.is_other |= !list.sees_as(&old.list);
            self.compare(old, &objects);
        }
        self.kept.insert(kind, Kept { list, objects, version, due });
        if can_watch {
            self.watch(kind);
        }
        Ok(())
    }

    /// Takes down what a new list shows beside an old one.
    fn compare(&mut self, mut old: Kept, new: &BTreeMap<(Text, Text), Object>) {
        for (name, object) in new {
            let known = old.objects.remove(name);
            if known.as_ref() != Some(object) {
                self.note(known, Some(object));
            }
        }
        old.objects.into_values().for_each(|gone| self.note(Some(gone), None));
    }

    fn watch(&mut self, kind: Kind) {
        let Some(kept) = self.kept.get_mut(&kind) else { return };
        kept.due = None;
        let namespace = kept.list.namespace.as_deref().map(Text::from);
        let stream = follow::kind(self.client.clone(), kind, namespace, kept.version.clone());
        self.watches.push(stream);
    }
}

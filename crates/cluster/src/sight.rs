//! Keeps a cluster in sight: every kind is listed once and then watched; what cannot be watched
//! is listed again every so often. It only reads.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll, StreamExt as _};
use kube::Client;
use model::{Kind, Object, Text};
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
        let mut sight =
            Sight { client, scope, server, kept: BTreeMap::new(), watches: SelectAll::new() };
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

    /// All that is known now, as if it had just been read.
    pub fn reading(&self) -> Reading {
        let mut reading = Reading { server: self.server.clone(), ..Reading::default() };
        for kept in self.kept.values() {
            let objects = kept.objects.values().cloned().collect();
            kept.list.with(objects).note(&mut reading);
        }
        reading
    }

    /// Waits until something has changed, and until the burst of changes is over; at most for
    /// `patience`. Asks the server for its time.
    ///
    /// # Errors
    /// When the cluster does not answer any more.
    pub async fn changed(&mut self, patience: Duration) -> Result<(), Error> {
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
                return Ok(());
            }
        }
    }

    /// Takes what a watch showed; whether anything changed.
    fn take(&mut self, kind: Kind, seen: Seen) -> bool {
        let Some(kept) = self.kept.get_mut(&kind) else { return false };
        let later = |due| Some((Instant::now() + PAUSE, due));
        match seen {
            Seen::Is(name, version, object) => {
                kept.version = version;
                kept.objects.insert(name, *object);
                true
            }
            Seen::Gone(name, version) => {
                kept.version = version;
                kept.objects.remove(&name).is_some()
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
        self.kept.insert(kind, Kept { list, objects, version, due });
        if can_watch {
            self.watch(kind);
        }
        Ok(())
    }

    fn watch(&mut self, kind: Kind) {
        let Some(kept) = self.kept.get_mut(&kind) else { return };
        kept.due = None;
        let namespace = kept.list.namespace.as_deref().map(Text::from);
        let stream = follow::kind(self.client.clone(), kind, namespace, kept.version.clone());
        self.watches.push(stream);
    }
}

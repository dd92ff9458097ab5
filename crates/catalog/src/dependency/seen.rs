//! Which peer a line of a log is about: named in it, named beside it, or the only one that
//! speaks the language of the line.

use model::record::{Known, Service};
use model::{App, Snapshot};

use super::store::{self, Store};
use crate::pod::peer::{self, Named};

/// Lines around one that belong to the same trouble (a stack trace).
const AROUND: usize = 8;

/// A peer, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'s> {
    /// Host as written, in the line or in the settings.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) service: Option<&'s Service>,
    pub(crate) store: Option<&'static Store>,
}

impl<'s> Seen<'s> {
    fn of(app: &App, named: Named<'_>, now: &'s Snapshot) -> Self {
        let namespace = &app.object.namespace;
        let setting = peer::setting(app, named, now);
        let host = setting.as_ref().map_or(named.host, |s| s.host);
        let port = setting.as_ref().and_then(|s| s.port).or(named.port);
        let service = peer::service_of(named.host, namespace, now);
        let service = service.or_else(|| peer::service_of(host, namespace, now));
        let by_port = || port.and_then(store::of_port);
        let store = service.and_then(|s| store::of_service(s, now)).or_else(by_port);
        Seen { host: host.to_owned(), port, service, store }
    }

    /// The peer in the words of the line.
    pub(crate) fn named(&self) -> Named<'_> {
        Named { host: &self.host, port: self.port }
    }

    /// `orders-db:5432`.
    pub(crate) fn text(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |p| format!("{}:{p}", self.host))
    }

    /// The one workload behind it.
    pub(crate) fn app(&self, now: &'s Snapshot) -> Option<&'s App> {
        let service = self.service.filter(|s| !s.selector.is_empty())?;
        let apps = now.apps_selected(&service.meta.namespace, &service.selector);
        match apps.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// The peer that a line is about.
pub(crate) fn of<'s>(
    app: &App,
    lines: &[String],
    at: usize,
    now: &'s Snapshot,
) -> Option<Seen<'s>> {
    let line = lines.get(at)?;
    let in_line = peer::named(app, line, now).map(|n| Seen::of(app, n, now));
    let is_known = |s: &Seen<'_>| s.service.is_some() || peer_is_set(app, s, now);
    if let Some(seen) = in_line.as_ref().filter(|s| is_known(s)) {
        return Some(seen.clone());
    }
    let from = at.saturating_sub(AROUND);
    let around = || lines.get(from..(at + AROUND).min(lines.len())).unwrap_or_default().iter();
    let beside = || {
        let named = around().filter_map(|l| peer::named(app, l, now));
        named.map(|n| Seen::of(app, n, now)).find(is_known)
    };
    let language = || store::of_text(line).or_else(|| around().find_map(|l| store::of_text(l)));
    // A name in the line that nobody knows may be the very fault.
    if let Some(seen) = in_line.filter(|s| peer::is_in_cluster(&s.host, now)) {
        return Some(seen);
    }
    beside().or_else(|| speaks(app, language()?, now))
}

/// The only data store that the settings of a workload name.
pub(crate) fn only_store<'s>(app: &App, now: &'s Snapshot) -> Option<Seen<'s>> {
    let peers = now.peers_of(app);
    let seen = peers.iter().map(|p| Seen::of(app, Named { host: p.host, port: p.port }, now));
    let mut stores = seen.filter(|s| s.store.is_some() && s.service.is_some());
    let first = stores.next()?;
    stores.all(|s| s.host == first.host).then_some(first)
}

fn peer_is_set(app: &App, seen: &Seen<'_>, now: &Snapshot) -> bool {
    now.peers_of(app).iter().any(|p| p.host == seen.host)
}

/// The peer of a workload that speaks the language of a store: of its settings, else the only
/// such Service of the namespace, else the one named like the workload.
fn speaks<'s>(app: &App, store: &'static Store, now: &'s Snapshot) -> Option<Seen<'s>> {
    let peers = now.peers_of(app);
    let set = peers.iter().map(|p| Named { host: p.host, port: p.port });
    let mut set = set.map(|n| Seen::of(app, n, now)).filter(|s| s.store == Some(store));
    if let Some(seen) = set.next() {
        return Some(seen);
    }
    let here = now.services.in_namespace(&app.object.namespace);
    let mut stores: Vec<&Service> =
        here.filter(|s| store::of_service(s, now) == Some(store)).collect();
    // A headless Service beside another one leads to the same pods.
    let selectors: Vec<_> = stores.iter().map(|s| s.selector.clone()).collect();
    if selectors.windows(2).all(|w| matches!(w, [a, b] if a == b)) {
        stores.truncate(1);
    }
    let own = name_parts(&app.object.name);
    let like = |s: &&Service| name_parts(&s.meta.name).iter().filter(|p| own.contains(p)).count();
    let best = stores.iter().map(like).max()?;
    let mut fits = stores.iter().filter(|s| stores.len() == 1 || (best > 0 && like(s) == best));
    let service = *fits.next().filter(|_| fits.next().is_none())?;
    let port = service.ports.first().map(|p| p.port);
    let host = service.meta.name.to_string();
    Some(Seen { host, port, service: Some(service), store: Some(store) })
}

fn name_parts(name: &str) -> Vec<&str> {
    name.split('-').filter(|p| p.len() > 2 && !matches!(*p, "service" | "svc" | "app")).collect()
}

/// Whether a line only passes on what another workload met: its own settings are known and do
/// not name the peer, while those of another workload do.
pub(crate) fn is_relayed(app: &App, seen: &Seen<'_>, now: &Snapshot) -> bool {
    let Some(service) = seen.service else { return false };
    let knows_settings = app.spec().is_some()
        && app.pods.iter().any(|p| p.meta.known.has(Known::SPEC)) | app.shows_spec();
    if !knows_settings || now.peers_of(app).is_empty() {
        return false;
    }
    let callers = now.callers_of(&service.meta.namespace, &service.meta.name);
    !callers.is_empty() && callers.iter().all(|(a, _)| a.object != app.object)
}

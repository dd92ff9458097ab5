//! What a client and its peer are told about names and passwords, compared.

use model::record::{Container, Env};
use model::{App, Snapshot};

use super::seen::Seen;
use crate::pod::edit::container_field;

/// Where a client's credentials differ from what they should be.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) expected: String,
    /// A clause that says how it is known.
    pub(crate) why: String,
    /// Whether it is missing, not wrong.
    pub(crate) is_missing: bool,
}

/// One variable that names a user or a secret.
struct Credential<'a> {
    container: &'a Container,
    env: &'a Env,
}

impl Credential<'_> {
    /// Where the value comes from; equal texts mean equal values.
    fn source(&self) -> String {
        source(self.env)
    }

    /// The source as it may be shown.
    fn shown(&self) -> String {
        shown(self.env)
    }
}

fn source(env: &Env) -> String {
    let from = env.value_from.as_ref();
    let reference =
        |kind: &str, r: &model::record::ConfigRef| format!("{kind} {}/{}", r.name, r.key);
    let secret = from.and_then(|f| f.secret_key_ref.as_ref()).map(|r| reference("secret", r));
    let map = from.and_then(|f| f.config_map_key_ref.as_ref()).map(|r| reference("config map", r));
    let literal = || env.value.as_deref().unwrap_or_default().to_owned();
    secret.or(map).unwrap_or_else(literal)
}

fn shown(env: &Env) -> String {
    if env.is_hidden() { "a literal value (hidden)".into() } else { source(env) }
}

/// The credentials a workload uses for a peer: those whose names begin like the setting that
/// names the peer, else all of them.
fn of<'a>(app: &'a App, seen: &Seen<'_>, now: &Snapshot) -> Vec<Credential<'a>> {
    let peers = now.peers_of(app);
    let setting = peers.iter().find(|p| p.host == seen.host).map(|p| p.setting);
    let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
    let all: Vec<Credential<'a>> = containers
        .flat_map(|c| c.env.iter().map(move |env| Credential { container: c, env }))
        .filter(|c| c.env.is_credential())
        .collect();
    let stem = setting.and_then(|s| s.rsplit_once('_')).map(|(stem, _)| stem);
    let like = |c: &&Credential<'_>| stem.is_some_and(|s| c.env.name.starts_with(s));
    if all.iter().any(|c| like(&c)) { all.into_iter().filter(|c| like(&c)).collect() } else { all }
}

/// The first credential of a client that differs from what others use or the peer knows.
pub(crate) fn difference(app: &App, seen: &Seen<'_>, now: &Snapshot) -> Option<Difference> {
    let own = of(app, seen, now);
    from_siblings(app, &own, seen, now).or_else(|| from_peer(app, &own, seen, now))
}

/// The field that holds the credentials, when nothing contradicts it.
pub(crate) fn field(app: &App, seen: &Seen<'_>, now: &Snapshot) -> Option<(String, String)> {
    let own = of(app, seen, now);
    let secret = own.iter().find(|c| c.env.is_secret()).or(own.first());
    if let Some(c) = secret {
        let field = format!("env[{}]", c.env.name);
        return Some((container_field(app, &c.container.name, &field), c.shown()));
    }
    let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
    let mut whole = containers.flat_map(|c| c.env_from.iter().map(move |f| (c, f)));
    whole.find_map(|(c, from)| {
        let name = &from.secret_ref.as_ref()?.name;
        Some((container_field(app, &c.name, "envFrom"), format!("secret {name}")))
    })
}

fn difference_at(app: &App, c: &Credential<'_>, expected: String, why: String) -> Difference {
    let field = container_field(app, &c.container.name, &format!("env[{}]", c.env.name));
    Difference { field, value: c.shown(), expected, why, is_missing: false }
}

/// What the other clients of the peer use, when they agree and this one differs.
fn from_siblings(
    app: &App,
    own: &[Credential<'_>],
    seen: &Seen<'_>,
    now: &Snapshot,
) -> Option<Difference> {
    let service = seen.service?;
    let mut callers = now.callers_of(&service.meta.namespace, &service.meta.name);
    callers.retain(|(a, _)| a.object != app.object);
    callers.dedup_by(|(a, _), (b, _)| a.object == b.object);
    let first = callers.first().map(|(a, _)| *a)?;
    for theirs in of(first, seen, now) {
        let same_name = |a: &App| {
            let found = of(a, seen, now).into_iter().find(|c| c.env.name == theirs.env.name)?;
            Some(found.source())
        };
        let agree = callers.iter().all(|(a, _)| same_name(a) == Some(theirs.source()));
        if !agree {
            continue;
        }
        let who = &first.object.name;
        match own.iter().find(|c| c.env.name == theirs.env.name) {
            Some(c) if c.source() != theirs.source() => {
                let why = format!("{who}, which uses the same peer, has another {}", c.env.name);
                return Some(difference_at(app, c, theirs.shown(), why));
            }
            None if !own.is_empty() || theirs.env.is_secret() => {
                let field = format!("env[{}]", theirs.env.name);
                return Some(Difference {
                    field: container_field(app, "", &field),
                    value: "not set".into(),
                    expected: theirs.shown(),
                    why: format!("{who}, which uses the same peer, sets {}", theirs.env.name),
                    is_missing: true,
                });
            }
            _ => {}
        }
    }
    None
}

/// What the peer's own settings say it knows, when both are written where they can be compared.
fn from_peer(
    app: &App,
    own: &[Credential<'_>],
    seen: &Seen<'_>,
    now: &Snapshot,
) -> Option<Difference> {
    let store = seen.store?;
    let peer = seen.app(now)?;
    let containers = || peer.spec().into_iter().flat_map(|s| s.containers.iter());
    let known = |names: &[&str]| -> Vec<&Env> {
        let all = containers().flat_map(|c| c.env.iter());
        all.filter(|e| names.contains(&e.name.as_str()) && !source(e).is_empty()).collect()
    };
    let (users, passwords) = (known(store.users), known(store.passwords));
    let literal = |e: &Env| e.value.is_some();
    for c in own {
        let theirs = if c.env.is_secret() { &passwords } else { &users };
        let root = !c.env.is_secret()
            && matches!(c.source().as_str(), "root" | "postgres" | "admin" | "default" | "guest");
        let same = theirs.iter().any(|e| source(e) == c.source());
        let comparable = !theirs.is_empty() && literal(c.env) && theirs.iter().all(|e| literal(e));
        if same || root || !comparable {
            continue;
        }
        let Some(first) = theirs.first() else { continue };
        let expected = if c.env.is_secret() {
            format!("the value of {} of {}", first.name, peer.object)
        } else {
            shown(first)
        };
        let why = format!("{} sets {} to something else", peer.object, first.name);
        return Some(difference_at(app, c, expected, why));
    }
    None
}

//! What a workload names and does not get: found by comparing its references with what exists,
//! and in what the kubelet says.

use std::collections::BTreeMap;

use model::record::{ConfigPlace, ConfigUse, Known, PodSpec};
use model::{App, Certainty, Evidence, Kind, ObjectRef, Snapshot, State, Timestamp};

use super::place;
use super::said::{self, Said};
use super::waiting::{self, Stage, Waiting};
use crate::evidence;

/// What is missing: an object, or a key of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct What {
    pub(crate) object: ObjectRef,
    /// The key; empty when the object itself is missing.
    pub(crate) key: String,
}

/// A reference of one workload that does not hold.
#[derive(Clone, Debug)]
pub(crate) struct Lack<'s> {
    pub(crate) app: &'s App,
    pub(crate) what: What,
    /// The field that names it.
    pub(crate) field: String,
    /// Whether only volumes name it.
    pub(crate) only_volume: bool,
    pub(crate) certainty: Certainty,
    pub(crate) state: State,
    pub(crate) evidence: Vec<Evidence>,
    /// Pods that wait for it.
    pub(crate) pods: usize,
    pub(crate) since: Option<Timestamp>,
}

/// Everything that workloads lack, by what it is.
pub(crate) fn all(now: &Snapshot) -> BTreeMap<What, Vec<Lack<'_>>> {
    let mut found: BTreeMap<What, Vec<Lack<'_>>> = BTreeMap::new();
    for app in now.apps_where(|app, now| !of(app, now).is_empty()) {
        for lack in of(app, now) {
            found.entry(lack.what.clone()).or_default().push(lack);
        }
    }
    found
}

/// What one workload lacks.
fn of<'s>(app: &'s App, now: &'s Snapshot) -> Vec<Lack<'s>> {
    let mut found: Vec<Lack<'s>> = Vec::new();
    for waiting in waiting::of(app, now) {
        for lack in of_pod(app, &waiting, now) {
            add(&mut found, lack);
        }
    }
    if found.is_empty() {
        found = latent(app, now);
    }
    found
}

fn add<'s>(found: &mut Vec<Lack<'s>>, next: Lack<'s>) {
    match found.iter_mut().find(|known| known.what == next.what) {
        Some(known) => {
            known.pods += next.pods;
            known.since = known.since.into_iter().chain(next.since).min();
            known.state = known.state.min(next.state);
            if next.certainty > known.certainty {
                known.certainty = next.certainty;
                known.evidence = next.evidence;
            }
        }
        None => found.push(next),
    }
}

fn of_pod<'s>(app: &'s App, waiting: &Waiting<'s>, now: &'s Snapshot) -> Vec<Lack<'s>> {
    let spec = waiting.spec(app);
    let mut found: Vec<Lack<'s>> = Vec::new();
    let texts = waiting.texts(now);
    for (text, fact) in texts.iter().rev() {
        for said in said::read(text) {
            let Some(mut lack) = told(app, waiting, spec, &said, now) else { continue };
            if !found.iter().any(|l| l.what == lack.what) {
                lack.evidence = fact.iter().cloned().collect();
                lack.evidence.extend(absence(&lack.what, app, now));
                found.push(lack);
            }
        }
    }
    let uses = spec.into_iter().flat_map(PodSpec::config_uses);
    let uses: Vec<ConfigUse<'s>> = uses.filter(|u| is_due(u, waiting)).collect();
    for used in &uses {
        let Some(what) = broken(used, app, now) else { continue };
        if !found.iter().any(|l| l.what == what) {
            let mut lack = new(app, waiting, what, Some(used), now);
            lack.evidence.extend(absence(&lack.what, app, now));
            lack.evidence.push(waiting.word());
            found.push(lack);
        }
    }
    if found.is_empty() && texts.iter().all(|(text, _)| text.is_empty()) {
        found = guessed(app, waiting, &uses, now);
    }
    for lack in &mut found {
        let named = |u: &&ConfigUse<'_>| {
            u.kind == lack.what.object.kind && u.named.name == lack.what.object.name
        };
        let all = || spec.into_iter().flat_map(PodSpec::config_uses).collect::<Vec<_>>();
        let named: Vec<ConfigUse<'_>> = all().iter().filter(named).copied().collect();
        if !named.is_empty() {
            lack.only_volume = named.iter().all(|u| matches!(u.place, ConfigPlace::Volume { .. }));
        }
    }
    found
}

fn new<'s>(
    app: &'s App,
    waiting: &Waiting<'s>,
    what: What,
    used: Option<&ConfigUse<'_>>,
    now: &Snapshot,
) -> Lack<'s> {
    let key = Some(what.key.as_str()).filter(|k| !k.is_empty());
    let field = match (used, what.object.kind) {
        (Some(used), _) => place::field(app, used, key),
        (None, Kind::ServiceAccount) => crate::pod::edit::spec_field(app, "serviceAccountName"),
        (None, _) if waiting.stage == Stage::Settings => {
            crate::pod::edit::container_field(app, waiting.containers.first().unwrap_or(&""), "env")
        }
        (None, _) => crate::pod::edit::spec_field(app, "volumes"),
    };
    Lack {
        app,
        what,
        field,
        only_volume: waiting.stage == Stage::Creating,
        certainty: Certainty::Proven,
        state: State::Active,
        evidence: Vec::new(),
        pods: 1,
        since: waiting.since(now),
    }
}

/// What somebody said is missing, unless it is there by now.
fn told<'s>(
    app: &'s App,
    waiting: &Waiting<'s>,
    spec: Option<&'s PodSpec>,
    said: &Said<'_>,
    now: &Snapshot,
) -> Option<Lack<'s>> {
    let names = |u: &ConfigUse<'_>| {
        let volume = matches!(u.place, ConfigPlace::Volume { volume, .. } if volume == said.volume);
        let key = said.key.is_empty()
            || u.named.key == said.key
            || u.named.keys.iter().any(|k| k == said.key);
        u.kind == said.kind
            && key
            && if said.name.is_empty() { volume } else { u.named.name == said.name }
    };
    let used = spec.and_then(|s| s.config_uses().find(names));
    let name = if said.name.is_empty() { used.map_or("", |u| &u.named.name) } else { said.name };
    let namespace = &waiting.pod.meta.namespace;
    let object = ObjectRef::new(said.kind, namespace, name);
    let what = What { object, key: said.key.to_owned() };
    let mut lack = new(app, waiting, what, used.as_ref(), now);
    if said.volume.starts_with("kube-api-access-") || said.kind == Kind::PersistentVolumeClaim {
        lack.only_volume = true;
    }
    if is_there(&lack.what, now) {
        let made = now.named(said.kind, namespace, name).and_then(|n| n.meta.created);
        // Made after the last complaint, or at a time nobody knows.
        let older = made.zip(waiting.last_said(now)).is_some_and(|(made, said)| made < said);
        if older && said.key.is_empty() {
            lack.certainty = Certainty::Likely;
        } else {
            lack.state = State::Recovering;
        }
    }
    Some(lack)
}

/// Whether the cluster itself showed the object, with the key.
fn is_there(what: &What, now: &Snapshot) -> bool {
    let ObjectRef { kind, namespace, name } = &what.object;
    match kind {
        Kind::ConfigMap | Kind::Secret | Kind::ServiceAccount => {
            let Some(found) = now.named(*kind, namespace, name) else { return false };
            let live = found.meta.live != Known::default();
            let shown = found.meta.shows(Known::SPEC);
            live && (what.key.is_empty() || (shown && found.keys.iter().any(|k| *k == what.key)))
        }
        _ => now.exists(*kind, namespace, name),
    }
}

/// Whether a use is needed in the stage the pod is in.
fn is_due(used: &ConfigUse<'_>, waiting: &Waiting<'_>) -> bool {
    match (used.place, waiting.stage) {
        (ConfigPlace::Volume { .. }, stage) => stage == Stage::Creating,
        (
            ConfigPlace::Variable { container, .. } | ConfigPlace::AllVariables { container, .. },
            Stage::Settings,
        ) => waiting.containers.is_empty() || waiting.containers.contains(&container),
        _ => false,
    }
}

/// What is missing of a use, by comparing it with what exists.
fn broken(used: &ConfigUse<'_>, app: &App, now: &Snapshot) -> Option<What> {
    let named = used.named;
    if named.optional == Some(true) || named.name.is_empty() {
        return None;
    }
    let namespace = &app.object.namespace;
    let object = ObjectRef::new(used.kind, namespace, &named.name);
    if now.is_missing(used.kind, namespace, &named.name) {
        return Some(What { object, key: String::new() });
    }
    let found = now.named(used.kind, namespace, &named.name)?;
    // An object whose data was left out, as some collectors do, shows no key at all.
    if !found.meta.known.has(Known::SPEC) || found.keys.is_empty() {
        return None;
    }
    let lacks = |key: &&model::Text| !key.is_empty() && !found.keys.contains(*key);
    let wanted = std::iter::once(&named.key).chain(&named.keys);
    let key = wanted.into_iter().find(lacks)?;
    Some(What { object, key: key.to_string() })
}

/// That the list does not hold the object, or the object not the key.
fn absence(what: &What, app: &App, now: &Snapshot) -> Option<Evidence> {
    let ObjectRef { kind, namespace, name } = &what.object;
    if what.key.is_empty() {
        let text = format!("no {} of this name in namespace {namespace}", word(*kind));
        let missing = now.is_missing(*kind, namespace, name);
        return missing
            .then(|| evidence::field(app.document(), &what.object, "metadata.name", text));
    }
    let found = now.named(*kind, namespace, name).filter(|f| !f.keys.is_empty())?;
    let keys: Vec<&str> = found.keys.iter().take(12).map(|k| k.as_str()).collect();
    Some(evidence::field(
        found.meta.source,
        &what.object,
        "data",
        format!("keys: {}", keys.join(", ")),
    ))
}

/// `config map`, `secret`: the words people say.
pub(crate) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::ConfigMap => "config map",
        Kind::Secret => "secret",
        Kind::ServiceAccount => "service account",
        Kind::PersistentVolumeClaim => "claim",
        kind => kind.name(),
    }
}

/// How long a pod may be created before it is asked what it waits for, in seconds.
const CREATING_SECONDS: i64 = 120;

/// Nobody says what is missing and no list is complete: what it names and nobody has shown.
fn guessed<'s>(
    app: &'s App,
    waiting: &Waiting<'s>,
    uses: &[ConfigUse<'s>],
    now: &Snapshot,
) -> Vec<Lack<'s>> {
    let namespace = &app.object.namespace;
    if waiting.stage == Stage::Creating {
        let age = waiting.since(now).map(|at| now.now.since(at));
        let others = |u: &ConfigUse<'_>| {
            now.named
                .in_namespace(namespace)
                .any(|n| n.kind == u.kind && n.meta.name != u.named.name)
        };
        // Many things hold such a pod back: only a name that its neighbours' lack is a hint.
        if age.is_none_or(|a| a < CREATING_SECONDS) || !uses.iter().any(others) {
            return Vec::new();
        }
    }
    let mut candidates: BTreeMap<What, &ConfigUse<'s>> = BTreeMap::new();
    for used in uses.iter().filter(|u| u.named.optional != Some(true) && !u.named.name.is_empty()) {
        if !now.exists(used.kind, namespace, &used.named.name) {
            let object = ObjectRef::new(used.kind, namespace, &used.named.name);
            candidates.entry(What { object, key: String::new() }).or_insert(used);
        }
    }
    let certainty = match (candidates.len(), waiting.stage) {
        (1, Stage::Settings) => Certainty::Likely,
        _ => Certainty::Possible,
    };
    let first = candidates.into_iter().next();
    let lack = first.map(|(what, used)| {
        let mut lack = new(app, waiting, what, Some(used), now);
        lack.certainty = certainty;
        lack.evidence.push(waiting.word());
        lack
    });
    lack.into_iter().collect()
}

/// References of a workload whose pods run: they were started before, and the next one is not.
fn latent<'s>(app: &'s App, now: &'s Snapshot) -> Vec<Lack<'s>> {
    use model::record::PodSpec as Spec;
    let live = app.workload.as_ref().is_some_and(|w| w.meta.shows(Known::SPEC));
    let ends = matches!(app.object.kind, Kind::Job | Kind::CronJob);
    let runs = app.running().any(|p| p.is_ready() == Some(true));
    if !live || ends || !runs {
        return Vec::new();
    }
    let uses = app.spec().into_iter().flat_map(Spec::config_uses);
    let mut found: Vec<Lack<'s>> = Vec::new();
    for used in uses {
        let Some(what) = broken(&used, app, now) else { continue };
        let key = Some(what.key.as_str()).filter(|k| !k.is_empty());
        let field = place::field(app, &used, key);
        let evidence = absence(&what, app, now).into_iter().collect();
        let only_volume = matches!(used.place, ConfigPlace::Volume { .. });
        let lack = Lack {
            app,
            what,
            field,
            only_volume,
            certainty: Certainty::Proven,
            state: State::Suspected,
            evidence,
            pods: 0,
            since: None,
        };
        match found.iter_mut().find(|l| l.what == lack.what) {
            Some(known) => known.only_volume &= only_volume,
            None => found.push(lack),
        }
    }
    found
}

/// The use of what is missing in an older revision of the workload that had something else in
/// the same place.
pub(crate) fn before<'s>(lack: &Lack<'s>) -> Option<ConfigUse<'s>> {
    let old = crate::pod::edit::previous_spec(lack.app)?;
    let is = |u: &ConfigUse<'_>| {
        u.kind == lack.what.object.kind && u.named.name == lack.what.object.name
    };
    let now = lack.app.spec()?.config_uses().find(is)?;
    let mut there = old.config_uses();
    there.find(|u| place::same(&u.place, &now.place) && u.named != now.named)
}

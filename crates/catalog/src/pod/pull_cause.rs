//! Why an image cannot be pulled: what the registry or the runtime said, checked against the
//! pull secrets that exist, the registries that siblings use and the revision before.

use model::record::{ClusterEvent, Known};
use model::{App, Certainty, Evidence, Kind, Snapshot};

use super::edit::{container_field, previous_spec, spec_field};
use super::image::{self, Image};
use crate::evidence;
use crate::wording::{self, between, says};

/// Why, and what a person would edit.
#[derive(Debug)]
pub(super) struct Cause {
    pub(super) mechanism: &'static str,
    pub(super) certainty: Certainty,
    pub(super) alternatives: &'static [&'static str],
    pub(super) field: String,
    pub(super) value: String,
    pub(super) expected: String,
    pub(super) evidence: Vec<Evidence>,
}

/// What is said, in the order in which it is looked for, and what it means.
const SAID: [(&[&str], &str); 9] = [
    (wording::IMAGE_NAME_INVALID, "image-name-invalid"),
    (wording::IMAGE_NEVER_PULLED, "image-not-found"),
    (wording::REGISTRY_RATE, "registry-rate-limited"),
    (wording::IMAGE_PLATFORM, "platform-missing"),
    (wording::DISK_FULL, "disk-full"),
    (wording::REGISTRY_CERTIFICATE, "registry-certificate"),
    (wording::NAME_UNKNOWN, "registry-name-unresolved"),
    (wording::NAME_RESOLUTION_DOWN, "registry-name-unresolved"),
    (wording::REGISTRY_DENIED, "denied"),
];

/// The same, continued: words so general that the ones above must have been tried.
const SAID_IN_GENERAL: [(&[&str], &str); 4] = [
    (wording::IMAGE_NOT_FOUND, "image-not-found"),
    (wording::REGISTRY_UNAUTHORIZED, "denied"),
    (wording::REGISTRY_UNREACHABLE, "registry-unreachable"),
    (wording::PULL_SLOW, "pull-slow"),
];

/// What a message says about a pull, if it says anything; `denied` has to be looked into.
pub(super) fn said(text: &str) -> Option<&'static str> {
    let all = SAID.iter().chain(&SAID_IN_GENERAL);
    all.clone().find(|(words, _)| says(text, words)).map(|(_, mechanism)| *mechanism)
}

/// Why the image of a container cannot be pulled, from what was said about it.
pub(super) fn of(app: &App, container: &str, name: &str, text: &str, now: &Snapshot) -> Cause {
    let field = container_field(app, container, "image");
    let mut cause = Cause {
        mechanism: "image-not-found",
        certainty: Certainty::Possible,
        alternatives: &["pull-secret-missing", "registry-unreachable"],
        field,
        value: name.to_owned(),
        expected: "an image that its registry has".into(),
        evidence: Vec::new(),
    };
    let said = said(text);
    if matches!(said, Some("denied") | None)
        && let Some(missing) = missing_secret(app, said.is_none(), now)
    {
        return missing;
    }
    match said {
        Some("denied") => return denied(app, name, text, cause, now),
        Some(mechanism) => {
            cause.mechanism = mechanism;
            cause.certainty = Certainty::Proven;
            cause.alternatives = &[];
        }
        None => {}
    }
    describe(app, container, text, &mut cause, now);
    cause
}

/// What should be there instead.
fn describe(app: &App, container: &str, text: &str, cause: &mut Cause, now: &Snapshot) {
    let host = Image::parse(&cause.value).host.to_owned();
    let before = image::meant(app, container, &cause.value, now);
    let before = before.map(|(name, why)| format!("{name} ({why})"));
    match cause.mechanism {
        "image-not-found" if says(text, wording::IMAGE_NEVER_PULLED) => {
            cause.field = container_field(app, container, "imagePullPolicy");
            cause.value = "Never".into();
            cause.expected = "IfNotPresent, or the image loaded on every node".into();
        }
        "image-name-invalid" => {
            let rule = "a name of the form registry/path/name:tag in small letters";
            cause.expected = before.unwrap_or_else(|| rule.into());
        }
        "registry-name-unresolved" => {
            if says(text, wording::NAME_RESOLUTION_DOWN) {
                cause.certainty = Certainty::Likely;
                cause.alternatives = &["registry-unreachable"];
            }
            let host = format!("a registry whose name resolves on the nodes, not {host}");
            cause.expected = other_registry(&cause.value, before).unwrap_or(host);
        }
        "registry-unreachable" | "registry-certificate" => {
            cause.expected = format!("{host} answers the nodes, with a certificate they trust");
        }
        "registry-rate-limited" => {
            cause.expected = format!("fewer pulls from {host}: credentials, a mirror or a cache");
        }
        "platform-missing" => {
            cause.expected = "an image that is also built for the nodes' processors".into();
        }
        "disk-full" => cause.expected = "room on the node's image disk".into(),
        "pull-slow" => cause.expected = "a smaller image, or one that is on the nodes".into(),
        _ => cause.expected = before.unwrap_or_else(|| std::mem::take(&mut cause.expected)),
    }
}

/// The suggested image, when it is on another registry.
fn other_registry(image: &str, suggested: Option<String>) -> Option<String> {
    let host = Image::parse(image).host;
    suggested.filter(|s| Image::parse(s).host != host)
}

/// Pull secrets that the workload names, by itself or through its service account.
fn named_secrets<'s>(app: &'s App, now: &'s Snapshot) -> Vec<&'s str> {
    let Some(spec) = app.spec() else { return Vec::new() };
    let account = match spec.service_account.as_str() {
        "" => "default",
        named => named,
    };
    let account = now.named(Kind::ServiceAccount, &app.object.namespace, account);
    let from_account = account.iter().flat_map(|a| a.keys.iter().map(|k| k.as_str()));
    let mut names: Vec<&str> = spec.pull_secrets.iter().map(|s| s.as_str()).collect();
    names.extend(from_account);
    names
}

/// A pull secret that is named and does not exist: the kubelet says so, or the list does.
/// When nothing is known about the pull itself, only the kubelet's word counts.
fn missing_secret(app: &App, only_told: bool, now: &Snapshot) -> Option<Cause> {
    let namespace = &app.object.namespace;
    let is_told = |e: &&ClusterEvent| e.reason == "FailedToRetrieveImagePullSecret";
    let event = app.pod_events(now).filter(is_told).last();
    let told = event.and_then(|e| between(&e.message, "(", ")"));
    let first_told = told.and_then(|t| t.split(',').next()).map(str::trim);
    let names = named_secrets(app, now);
    let missing = |n: &&str| now.is_missing(Kind::Secret, namespace, n);
    let listed = names.iter().copied().find(missing).filter(|_| !only_told);
    let name = first_told.or(listed)?;
    let own = app
        .spec()
        .is_none_or(|s| s.pull_secrets.is_empty() || s.pull_secrets.iter().any(|s| s == name));
    let field = if own {
        spec_field(app, &format!("imagePullSecrets[{name}]"))
    } else {
        format!("serviceAccount imagePullSecrets[{name}]")
    };
    let expected = match siblings_secret(app, now).filter(|s| *s != name) {
        Some(other) => format!("{other}, as its siblings name"),
        None => format!("a secret of this name in namespace {namespace} (type dockerconfigjson)"),
    };
    Some(Cause {
        mechanism: "pull-secret-missing",
        certainty: Certainty::Proven,
        alternatives: &[],
        value: name.to_owned(),
        expected,
        evidence: event.and_then(|e| evidence::event(e, now)).into_iter().collect(),
        field,
    })
}

/// A pull secret that other workloads of the namespace name and that is not known to be
/// missing.
fn siblings_secret<'s>(app: &App, now: &'s Snapshot) -> Option<&'s str> {
    let namespace = &app.object.namespace;
    let others = now.apps_in(namespace).iter().filter(|a| a.object != app.object);
    let names = others.filter_map(|a| a.spec()).flat_map(|s| s.pull_secrets.iter());
    names.map(|n| n.as_str()).find(|n| !now.is_missing(Kind::Secret, namespace, n))
}

/// The registry refused. Whose fault that is depends on what credentials it was given and on
/// who else gets images from it.
fn denied(app: &App, name: &str, text: &str, mut cause: Cause, now: &Snapshot) -> Cause {
    let image = Image::parse(name);
    let secrets = named_secrets(app, now);
    let anonymous = secrets.is_empty() || says(text, wording::REGISTRY_ANONYMOUS);
    if !anonymous {
        let secret = secrets.first().copied().unwrap_or_default();
        cause.mechanism = "registry-unauthorized";
        cause.certainty = Certainty::Likely;
        cause.alternatives = &["image-not-found"];
        cause.field = spec_field(app, &format!("imagePullSecrets[{secret}]"));
        cause.value = secret.to_owned();
        cause.expected = format!("credentials that may pull {name} from {}", image.host);
        return cause;
    }
    let from_here: Vec<&App> = image::of_siblings(app, now)
        .into_iter()
        .filter(|(_, i)| Image::parse(i).host == image.host)
        .map(|(sibling, _)| sibling)
        .collect();
    let with_secret = from_here.iter().find_map(|s| s.spec().and_then(|s| s.pull_secrets.first()));
    let shown = app.spec().is_some() && app.pods.iter().any(|p| p.meta.shows(Known::PLACEMENT))
        || app.workload.as_ref().is_some_and(|w| w.meta.shows(Known::SPEC));
    let meant = image::meant(app, "", name, now);
    // A mirror answers for another registry: its refusal says little about credentials.
    let mirrored = !text.contains(&format!("//{}", image.host)) && text.contains("https://");
    let exists_for_others = from_here.iter().any(|s| s.ready() > 0);
    let wrong_name = image.is_open()
        || (mirrored && image.host == "docker.io")
        || (with_secret.is_none() && exists_for_others)
        || (image.host == "docker.io" && with_secret.is_none());
    if wrong_name {
        cause.certainty = Certainty::Likely;
        cause.alternatives = &["pull-secret-missing"];
        if let Some((image, why)) = meant {
            cause.expected = format!("{image} ({why})");
        }
        return cause;
    }
    cause.mechanism = "pull-secret-missing";
    cause.certainty =
        if with_secret.is_some() && shown { Certainty::Proven } else { Certainty::Likely };
    cause.alternatives =
        if cause.certainty == Certainty::Proven { &[] } else { &["image-not-found"] };
    cause.field = spec_field(app, "imagePullSecrets");
    cause.value = "none".into();
    cause.expected = match (with_secret, previous_host(app, image.host)) {
        (Some(secret), _) => format!("{secret}, as its siblings of {} name", image.host),
        (None, Some(before)) => {
            format!("a secret for {}; the revision before used {before}", image.host)
        }
        (None, None) => format!("a secret with credentials for {}", image.host),
    };
    cause
}

/// The registry of the revision before, when it was another one.
fn previous_host(app: &App, host: &str) -> Option<String> {
    let images = previous_spec(app)?.containers.iter().map(|c| c.image.as_str());
    let other = images.map(|i| Image::parse(i).host).find(|h| *h != host)?;
    Some(other.to_owned())
}

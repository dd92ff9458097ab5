//! Why a claim is not bound: its class, the volume it names, or the volumes there are.

use model::record::{Claim, ClusterEvent, Known, PersistentVolume, StorageClass};
use model::{Certainty, Evidence, Kind, ObjectRef, Snapshot};

use super::matching::{self, Mismatch};
use crate::evidence;
use crate::pod::edit;
use crate::wording::{self, between, says};

/// Why, and which field to edit.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) mechanism: &'static str,
    /// A clause: `no storage class is called fast`.
    pub(crate) why: String,
    pub(crate) field: &'static str,
    pub(crate) value: String,
    pub(crate) expected: String,
    pub(crate) certainty: Certainty,
    pub(crate) alternatives: Vec<&'static str>,
    pub(crate) evidence: Vec<Evidence>,
}

impl Cause {
    fn new(mechanism: &'static str, why: String, at: (&'static str, String, String)) -> Self {
        let (field, value, expected) = at;
        Cause {
            mechanism,
            why,
            field,
            value,
            expected,
            certainty: Certainty::Proven,
            alternatives: Vec::new(),
            evidence: Vec::new(),
        }
    }

    fn unsure(mut self, certainty: Certainty, alternatives: &[&'static str]) -> Self {
        self.certainty = certainty;
        self.alternatives = alternatives.to_vec();
        self
    }

    fn with(mut self, fact: Option<Evidence>) -> Self {
        self.evidence.extend(fact);
        self
    }
}

/// What is to be said about a claim that waits.
#[derive(Debug)]
pub(crate) enum Answer {
    /// It is broken.
    Broken(Cause),
    /// It only waits for its first pod, or is simply new; with the reason.
    Fine(&'static str),
}

const CLASS: &str = "spec.storageClassName";
const SIZE: &str = "spec.resources.requests.storage";

/// How long a volume may take to be made, in seconds.
const PATIENCE_SECONDS: i64 = 60;

/// Why the claim waits.
pub(crate) fn of(claim: &Claim, now: &Snapshot) -> Answer {
    let object = claim.meta.object(Kind::PersistentVolumeClaim);
    let events = now.events_about(&object);
    let told = |reasons: &[&str]| events.iter().rfind(|e| reasons.contains(&e.reason.as_str()));
    if (claim.phase == "Lost" || !claim.volume.is_empty())
        && let Some(cause) = named_volume(claim, told(&["FailedBinding", "ClaimLost"]), now)
    {
        return Answer::Broken(cause);
    }
    let failed = told(&["ProvisioningFailed"]);
    let class = matching::class(claim, now);
    if let Some(cause) = missing_class(claim, failed, now) {
        return Answer::Broken(cause);
    }
    if let Some(why) = waits_for_pod(class, events, failed, &object, now) {
        return Answer::Fine(why);
    }
    // Whoever fails to make a volume makes volumes.
    let by_hand = match failed {
        Some(event) => says(&event.message, wording::NO_PROVISIONER),
        None => class.is_none_or(StorageClass::is_manual),
    };
    let makes = failed.is_some() || told(&["ExternalProvisioning", "Provisioning"]).is_some();
    if by_hand && (class.is_some() || !makes || matching::class_name(claim, now).is_empty()) {
        return by_volumes(claim, told(&["FailedBinding"]).or(failed), now);
    }
    provisioning(claim, failed, told(&["ExternalProvisioning", "Provisioning"]), now)
}

/// The claim names its volume.
fn named_volume(claim: &Claim, event: Option<&ClusterEvent>, now: &Snapshot) -> Option<Cause> {
    let name = claim.volume.as_str();
    let said = event.map_or("", |e| &e.message);
    let field = "spec.volumeName";
    let gone = now.is_missing(Kind::PersistentVolume, "", name)
        || says(said, wording::VOLUME_GONE) && !now.exists(Kind::PersistentVolume, "", name);
    if gone || (claim.phase == "Lost" && now.volumes.get("", name).is_none()) {
        let near = edit::nearest(name, now.volumes.iter().map(|v| v.meta.name.as_str()));
        let expected = near.map_or("a volume that exists".into(), |n| format!("{n}, which exists"));
        let why = format!("volume {name}, which it names, does not exist");
        return Some(Cause::new("volume-name-missing", why, (field, name.into(), expected)));
    }
    if let Some(volume) = now.volumes.get("", name) {
        let found = matching::mismatches(claim, volume, now);
        let taken = found.iter().find(|m| **m == Mismatch::Taken);
        return Some(differs(claim, volume, taken.or(found.first())?, now));
    }
    let known = wording::BINDING_REFUSED.iter().find(|(words, _)| says(said, &[words]));
    let (_, mechanism) = known?;
    let why = format!("volume {name}, which it names, does not do: {said}");
    let at = (field, name.into(), "a volume that fits the claim".into());
    Some(Cause::new(mechanism, why, at))
}

/// The class does not exist. Volumes of that class made by hand would still do.
fn missing_class(claim: &Claim, event: Option<&ClusterEvent>, now: &Snapshot) -> Option<Cause> {
    let missing =
        |e: &&ClusterEvent| says(&e.message, wording::CLASS) && says(&e.message, &["not found"]);
    let said = event.filter(missing);
    let name = matching::class_name(claim, now);
    let name = if name.is_empty() {
        said.and_then(|e| between(&e.message, "\"", "\"")).unwrap_or_default()
    } else {
        name
    };
    let listed = !name.is_empty() && now.is_missing(Kind::StorageClass, "", name);
    let told = said.is_some() && !now.exists(Kind::StorageClass, "", name);
    if !(listed || told) {
        return None;
    }
    if now.volumes.iter().any(|v| v.class == name) {
        return None;
    }
    // A volume that would do but for its class was made for it.
    if let Some((volume, found)) = matching::nearest(claim, now)
        && found == [Mismatch::Class]
    {
        return Some(differs(claim, volume, &Mismatch::Class, now));
    }
    let all: Vec<&str> = now.storage_classes.iter().map(|c| c.meta.name.as_str()).collect();
    let expected = match edit::nearest(name, all.iter().copied()) {
        Some(near) => format!("{near}, which exists"),
        None if all.is_empty() => "a class that exists".into(),
        None => format!("a class that exists: {}", all.join(", ")),
    };
    let why = format!("there is no storage class {name}");
    Some(Cause::new("storage-class-missing", why, (CLASS, name.into(), expected)))
}

/// Waiting for the first pod is no fault: a pod that waits tells what it waits for.
fn waits_for_pod(
    class: Option<&StorageClass>,
    events: &[ClusterEvent],
    failed: Option<&ClusterEvent>,
    object: &ObjectRef,
    now: &Snapshot,
) -> Option<&'static str> {
    let said = events.iter().any(|e| says(&e.message, wording::WAITS_FOR_POD));
    let lazy = said || class.is_some_and(|c| c.waits_for_consumer);
    if !lazy || failed.is_some() {
        return None;
    }
    // Volumes made by hand that no pod can use: then the volumes are to be looked at.
    let complains = now.dependants(object).iter().any(|(_, user)| {
        let told = now.app(user).into_iter().flat_map(|a| a.pod_events(now));
        told.into_iter().any(|e| says(&e.message, wording::NO_VOLUME_TO_BIND))
    });
    let by_hand = class.is_some_and(StorageClass::is_manual);
    let made =
        events.iter().any(|e| matches!(e.reason.as_str(), "ExternalProvisioning" | "Provisioning"));
    if (by_hand && complains) || made {
        return None;
    }
    Some("it waits for the first pod that uses it, as its class wants")
}

/// Volumes are made by hand: which of them comes nearest, and what is wrong about it?
fn by_volumes(claim: &Claim, event: Option<&ClusterEvent>, now: &Snapshot) -> Answer {
    let listed = now.coverage.lists(Kind::PersistentVolume, "");
    let class = matching::class_name(claim, now);
    // Who asks for no class does not mean a volume of some class that would not do otherwise.
    let means = |(_, found): &(&PersistentVolume, Vec<Mismatch>)| {
        !class.is_empty() || found.len() < 2 || !found.contains(&Mismatch::Class)
    };
    if let Some((volume, found)) = matching::nearest(claim, now).filter(means) {
        let Some(first) = found.first() else {
            return unseen(claim, volume, event);
        };
        let mut cause = differs(claim, volume, first, now);
        let more: Vec<&'static str> = found.iter().skip(1).map(Mismatch::mechanism).collect();
        if !more.is_empty() {
            cause.why = format!("{} (nor does it fit otherwise: {})", cause.why, more.join(", "));
            let certainty = if more.len() == 1 { Certainty::Likely } else { Certainty::Possible };
            cause = cause.unsure(certainty, &more);
        }
        return Answer::Broken(cause);
    }
    let size = claim.requested.map(|q| q.text("storage")).unwrap_or_default();
    if class.is_empty() {
        let why = "it asks for no storage class and there is no volume for it".to_owned();
        let classes = now.storage_classes.iter().map(|c| c.meta.name.as_str());
        let expected = match classes.collect::<Vec<_>>() {
            all if all.is_empty() => "a class that makes volumes".into(),
            all => format!("a class that makes volumes: {}", all.join(", ")),
        };
        let cause = Cause::new("storage-class-missing", why, (CLASS, "none".into(), expected));
        let others = ["capacity-too-small", "access-mode-mismatch", "storage-class-mismatch"];
        return Answer::Broken(if listed {
            cause
        } else {
            cause.unsure(Certainty::Possible, &others)
        });
    }
    let why = match event {
        Some(e) if !listed => format!("class {class} makes no volumes by itself: {}", e.message),
        _ => format!("class {class} makes no volumes by itself and there is none of it"),
    };
    let expected = format!("a volume of class {class} with {size} or more");
    let cause = Cause::new("no-volume", why, (CLASS, class.into(), expected));
    let others = ["capacity-too-small", "access-mode-mismatch"];
    let unsure = |c: Cause| c.unsure(Certainty::Possible, &others);
    Answer::Broken(if listed { cause } else { unsure(cause) })
}

/// A volume fits in all that is shown. If it is refused for all that, a field that is not
/// shown is the reason.
fn unseen(claim: &Claim, volume: &PersistentVolume, event: Option<&ClusterEvent>) -> Answer {
    let hidden = [
        ("capacity-too-small", claim.requested.is_none() || volume.capacity.is_none()),
        ("access-mode-mismatch", claim.access.is_empty() || volume.access.is_empty()),
        ("selector-unmatched", !claim.meta.known.has(Known::SELECTOR)),
    ];
    let mut hidden = hidden.into_iter().filter(|(_, is)| *is).map(|(mechanism, _)| mechanism);
    let (Some(first), Some(event)) = (hidden.next(), event) else {
        return Answer::Fine("a volume that fits is there and about to be bound");
    };
    let name = &volume.meta.name;
    let why = format!("{}; volume {name} fits in all that is shown", event.message);
    let expected = format!("what volume {name} has");
    let field = if first == "capacity-too-small" { SIZE } else { "spec.accessModes" };
    let others: Vec<&'static str> = hidden.collect();
    let cause = Cause::new(first, why, (field, "not shown".into(), expected));
    let certainty = if others.len() < 2 { Certainty::Likely } else { Certainty::Possible };
    Answer::Broken(cause.unsure(certainty, &others))
}

/// One field in which the claim and its nearest volume differ.
fn differs(claim: &Claim, volume: &PersistentVolume, what: &Mismatch, now: &Snapshot) -> Cause {
    let name = &volume.meta.name;
    let object = volume.meta.object(Kind::PersistentVolume);
    let text = |list: &[model::Text]| list.join(",");
    let shown = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let (field, asked, of_volume, has) = match what {
        Mismatch::Class => {
            (CLASS, shown(matching::class_name(claim, now)), CLASS, shown(&volume.class))
        }
        Mismatch::Size => {
            let size = |q: Option<model::Quantity>| q.unwrap_or_default().text("storage");
            (SIZE, size(claim.requested), "spec.capacity.storage", size(volume.capacity))
        }
        Mismatch::Access => {
            let field = "spec.accessModes";
            (field, text(&claim.access), field, text(&volume.access))
        }
        Mismatch::Selector => {
            let asked = claim.selector.as_ref().map(ToString::to_string).unwrap_or_default();
            ("spec.selector", asked, "metadata.labels", shown(&volume.meta.labels.to_string()))
        }
        Mismatch::Mode => {
            let mode = |m: &str| if m.is_empty() { "Filesystem".into() } else { m.to_owned() };
            ("spec.volumeMode", mode(&claim.mode), "spec.volumeMode", mode(&volume.mode))
        }
        Mismatch::Taken => {
            let of = volume.claim.as_ref().map(|(ns, n)| format!("{ns}/{n}"));
            let owner = of.unwrap_or_else(|| volume.phase.to_string());
            ("spec.volumeName", claim.volume.to_string(), "spec.claimRef", owner)
        }
    };
    let why = match what {
        Mismatch::Class => format!("it asks for class {asked} and volume {name} has class {has}"),
        Mismatch::Size => format!("it asks for {asked} and volume {name} has {has}"),
        Mismatch::Access => format!("it asks for {asked} and volume {name} offers {has}"),
        Mismatch::Selector => format!("its selector {asked} does not select volume {name} ({has})"),
        Mismatch::Mode => format!("it asks for a {asked} and volume {name} is a {has}"),
        Mismatch::Taken if volume.phase == "Released" => {
            format!("volume {name} is still kept for {has}, whose claim is gone")
        }
        Mismatch::Taken => format!("volume {name} belongs to claim {has}"),
    };
    let expected = match what {
        Mismatch::Size => format!("at most {has} (volume {name})"),
        Mismatch::Taken => "a volume that is free".into(),
        _ => format!("{has} (volume {name})"),
    };
    let fact = evidence::field(volume.meta.source, &object, of_volume, has);
    Cause::new(what.mechanism(), why, (field, asked, expected)).with(Some(fact))
}

/// A provisioner should make the volume and does not.
fn provisioning(
    claim: &Claim,
    failed: Option<&ClusterEvent>,
    waits: Option<&ClusterEvent>,
    now: &Snapshot,
) -> Answer {
    let class = matching::class(claim, now);
    let provisioner = class.map_or("its provisioner", |c| c.provisioner.as_str());
    let mut name = matching::class_name(claim, now).to_owned();
    if name.is_empty() {
        let named = failed.and_then(|e| between(&e.message, "StorageClass \"", "\""));
        name = named.unwrap_or_default().to_owned();
    }
    let at = |expected: &str| (CLASS, name.clone(), expected.to_owned());
    if let Some(event) = failed.filter(|e| says(&e.message, wording::ACCESS_UNSUPPORTED)) {
        let asked = claim.access.join(",");
        let asked = if asked.is_empty() { "not shown".to_owned() } else { asked };
        let why = format!("class {name} makes no volumes with access mode {asked}");
        let offered = between(&event.message, "Only AccessModes[", "]");
        let expected = match offered {
            Some(modes) => modes.to_owned(),
            None => "ReadWriteOnce, or a class whose volumes can be shared".to_owned(),
        };
        return Answer::Broken(Cause::new(
            "access-mode-mismatch",
            why,
            ("spec.accessModes", asked, expected),
        ));
    }
    if let Some(event) = failed {
        let why = format!("{provisioner} fails: {}", event.message);
        let expected = "a provisioner that makes volumes";
        return Answer::Broken(Cause::new("provisioner-failing", why, at(expected)));
    }
    let by_age = claim.meta.age_seconds.map(|age| now.now.minus_seconds(i64::from(age)));
    let since = claim.meta.created.or(by_age);
    if since.is_some_and(|s| now.now.since(s) < PATIENCE_SECONDS) {
        return Answer::Fine("it is new: its volume may still be made");
    }
    let expected = "a provisioner that runs";
    if waits.is_some() {
        let why = format!("{provisioner} does not answer");
        return Answer::Broken(Cause::new("provisioner-failing", why, at(expected)));
    }
    let why = "the input does not say why".to_owned();
    let cause = Cause::new("provisioner-failing", why, at(expected));
    let others = ["storage-class-missing", "capacity-too-small"];
    Answer::Broken(cause.unsure(Certainty::Possible, &others))
}

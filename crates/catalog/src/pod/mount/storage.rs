//! What storage and its drivers say, one function for each meaning.

use model::record::{PodSpec, VolumeSource};
use model::{App, Certainty, Kind, ObjectRef, Snapshot};

use super::cause::{Cause, new, shown, source};
use super::owner::Owner;
use crate::pod::edit::spec_field;
use crate::wording::{between, says};

/// A complaint, with all it is about.
pub(super) struct Told<'s> {
    pub(super) text: &'s str,
    pub(super) app: &'s App,
    pub(super) spec: Option<&'s PodSpec>,
    pub(super) node: &'s str,
    pub(super) owner: &'s Owner<'s>,
    pub(super) now: &'s Snapshot,
}

impl Told<'_> {
    /// The volume of the cluster, or the workload whose own volume it is.
    fn at_volume(&self) -> ObjectRef {
        let claimed = |v: &model::record::Volume| matches!(v.source, VolumeSource::Claim(_));
        let inline = self.owner.volume.is_some_and(|v| !claimed(v));
        let volume = self.owner.cluster_volume(self.now).filter(|_| !inline);
        volume.unwrap_or_else(|| self.app.object.clone())
    }

    /// A cause at the volume; `own` is the field where that is a volume of the cluster.
    fn cause(&self, mechanism: &'static str, why: String, own: &str, expected: &str) -> Cause {
        let mut cause = new(mechanism, self.at_volume(), why);
        let of_cluster = cause.object.kind == Kind::PersistentVolume;
        let field = if of_cluster { own.to_owned() } else { self.owner.field(self.app) };
        cause.edit = (field, source(self.owner), expected.to_owned());
        cause
    }

    fn place(&self) -> String {
        if self.node.is_empty() { "the node".into() } else { format!("node {}", self.node) }
    }
}

/// The server does not answer.
pub(super) fn unreachable(told: &Told<'_>) -> Cause {
    let server = server(told.text);
    let shown_server = server.clone().unwrap_or_else(|| source(told.owner));
    let why =
        format!("the storage {shown_server} behind volume {} does not answer", shown(told.owner));
    let expected = "storage that answers from the node";
    let mut cause = told.cause("network-storage-unreachable", why, "spec", expected);
    cause.edit.1 = shown_server;
    if server.is_none() && says(told.text, &["deadlineexceeded", "context deadline exceeded"]) {
        cause.certainty = Certainty::Likely;
        cause.alternatives = &["driver-missing"];
    }
    cause
}

/// A path or device of the node is not there.
pub(super) fn device(told: &Told<'_>) -> Cause {
    let path = between(told.text, "hostPath type check failed: ", " is not");
    let path = path.or_else(|| crate::pod::log_lines::path(told.text)).map(str::to_owned);
    let path = path.unwrap_or_else(|| source(told.owner));
    let kind = told.text.rsplit_once(" is not a ").map(|(_, k)| k.trim().trim_end_matches('.'));
    let expected = match kind {
        Some(kind) => format!("a path that is a {kind} on every node it may run on"),
        None => "a path that every node it may run on has".to_owned(),
    };
    let why = format!("{path} is not there on {}", told.place());
    let mut cause = told.cause("device-missing", why, "spec.local.path", &expected);
    cause.edit.1 = path;
    cause
}

/// The storage, or a file system, refuses.
pub(super) fn denied(told: &Told<'_>) -> Cause {
    let why = format!("volume {} is refused: {}", shown(told.owner), cut(told.text));
    let expected = "storage that lets this node mount it";
    let mut cause = told.cause("permission-denied", why, "spec", expected);
    if says(told.text, &["fsgroup", "chown", "set ownership"]) {
        let group = told.spec.and_then(|s| s.fs_group);
        cause.object = told.app.object.clone();
        cause.edit = (
            spec_field(told.app, "securityContext.fsGroup"),
            group.map_or("none".into(), |g| g.to_string()),
            "none, or a volume whose owner may be changed".into(),
        );
    }
    cause
}

/// The disk is gone.
pub(super) fn gone(told: &Told<'_>) -> Cause {
    let why = format!("the disk behind volume {} is gone", shown(told.owner));
    told.cause("volume-source-missing", why, "spec", "a disk that exists")
}

/// The node takes no more disks.
pub(super) fn limit(told: &Told<'_>) -> Cause {
    let why = format!("{} takes no more disks", told.place());
    let mut cause = told.cause("attach-limit-reached", why, "spec", "room for one more disk");
    if !told.node.is_empty() {
        cause.object = ObjectRef::new(Kind::Node, "", told.node);
        let at = "status.volumesAttached".to_owned();
        cause.edit = (at, "full".into(), "room for one more disk".into());
    }
    cause
}

/// What is on the disk is no file system, or a broken one.
pub(super) fn file_system(told: &Told<'_>) -> Cause {
    let name = shown(told.owner);
    let why = format!("volume {name} holds no sound file system: {}", cut(told.text));
    told.cause("file-system-wrong", why, "spec", "a volume with a sound file system")
}

/// The node has no driver of the name.
pub(super) fn driver(told: &Told<'_>) -> Cause {
    let text = told.text;
    let name = between(text, "driver name ", " not found")
        .or_else(|| text.split_once("contain driver ").map(|(_, rest)| rest))
        .or_else(|| between(text, "external-attacher of ", " CSI driver"))
        .or_else(|| between(text, "/plugins/", "/csi.sock"));
    let name = name.and_then(|n| n.split_whitespace().next()).unwrap_or_default();
    let name = name.trim_matches(['"', '\'', '.', ',']);
    let named = if name.is_empty() { "of its volume" } else { name };
    let attacher = says(text, &["external-attacher"]);
    let (why, field) = if attacher {
        let why = format!("the controller of storage driver {named} does not answer");
        (why, "external-attacher")
    } else {
        let why = format!("storage driver {named} is not registered on {}", told.place());
        (why, "registered drivers of the node")
    };
    let expected = format!("{named}, by its pod on {}", told.place());
    let mut cause = new("driver-missing", component(name, told), why);
    cause.edit = (field.into(), format!("no {named}"), expected);
    cause
}

/// The workload that is the driver, where it is known, else the driver by its name.
fn component(driver: &str, told: &Told<'_>) -> ObjectRef {
    const COMMON: [&str; 8] = ["csi", "com", "io", "org", "k8s", "driver", "net", "storage"];
    let words = driver.split(['.', '-', '/']);
    let words: Vec<&str> = words.filter(|w| w.len() > 1 && !COMMON.contains(w)).collect();
    let is = |a: &&App| {
        let name = a.object.name.as_str();
        a.object.kind == Kind::DaemonSet
            && name.split('-').any(|w| words.contains(&w))
            && ["csi", "driver", "plugin"].iter().any(|w| name.contains(w))
    };
    match told.now.apps.iter().find(is) {
        Some(app) => app.object.clone(),
        None if driver.is_empty() => told.app.object.clone(),
        None => ObjectRef::component(driver),
    }
}

/// The beginning of what the storage said, without the kubelet's own words.
fn cut(text: &str) -> String {
    let said = text.rsplit_once("Output: ").map_or(text, |(_, said)| said);
    let said = said.rsplit_once("desc = ").map_or(said, |(_, said)| said);
    said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(120).collect()
}

/// `10.0.0.9:/exports/a` in what the mount command was told.
fn server(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || "\"'`,".contains(c));
    let is = |w: &&str| {
        let share = w.split_once(":/").is_some_and(|(h, _)| !h.is_empty() && !h.contains('/'));
        (share && !w.contains("://")) || (w.starts_with("//") && w.len() > 4)
    };
    let share = words.into_iter().find(is);
    let host = || {
        let name = between(text, "resolve server ", ":").or_else(|| between(text, "portal: ", ","));
        name.map(str::trim)
    };
    share.or_else(host).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_found() {
        let text = "-t nfs 10.0.0.9:/a/b /var/lib/kubelet/x";
        assert_eq!(server(text).as_deref(), Some("10.0.0.9:/a/b"));
        assert_eq!(server("-t cifs //files/a /var/lib").as_deref(), Some("//files/a"));
        assert_eq!(server("nothing here"), None);
    }
}

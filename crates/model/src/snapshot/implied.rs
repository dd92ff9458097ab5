//! Pods that only their events tell of: a list of events is all that some people paste.
//!
//! Such a pod gets the word that `kubectl get pods` would show for it, so that everything after
//! this treats it like a row of a table. Nothing is concluded here beyond that.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Coverage;
use crate::record::{ClusterEvent, Known, Pod, Summary};
use crate::{Kind, ObjectRef, Text};

/// What the newest telling event says of a pod: reason, fragment of the message, word.
const WORDS: [(&str, &str, &str); 12] = [
    ("FailedScheduling", "", "Pending"),
    ("InspectFailed", "", "InvalidImageName"),
    ("BackOff", "pulling image", "ImagePullBackOff"),
    ("Failed", "failed to pull image", "ErrImagePull"),
    ("Failed", "imagepull", "ImagePullBackOff"),
    ("BackOff", "restarting failed container", "CrashLoopBackOff"),
    ("Failed", "not found", "CreateContainerConfigError"),
    ("FailedMount", "", "ContainerCreating"),
    ("FailedAttachVolume", "", "ContainerCreating"),
    ("FailedCreatePodSandBox", "", "ContainerCreating"),
    ("Evicted", "", "Evicted"),
    ("Unhealthy", "", "Running"),
];

/// Pods of events in namespaces of which no pod was read. Where pods were read, one that was
/// not among them may well be gone. `events` are sorted by object, then by time.
pub(super) fn pods(events: &[ClusterEvent], read: &[Arc<Pod>], lists: &Coverage) -> Vec<Arc<Pod>> {
    let namespaces: BTreeSet<&Text> = read.iter().map(|p| &p.meta.namespace).collect();
    let unknown = |object: &ObjectRef| {
        object.kind == Kind::Pod
            && !namespaces.contains(&object.namespace)
            && !lists.lists(Kind::Pod, &object.namespace)
    };
    let same = |a: &ClusterEvent, b: &ClusterEvent| a.about == b.about;
    let of_pod = |events: &[ClusterEvent]| {
        let object = events.first()?.about.as_ref().filter(|o| unknown(o))?;
        let newest = events.iter().rev().find_map(word)?;
        Some(Arc::new(pod(object, newest, events.first().map_or(0, |e| e.document))))
    };
    events.chunk_by(same).filter_map(of_pod).collect()
}

fn word(event: &ClusterEvent) -> Option<&'static str> {
    let message = event.message.to_ascii_lowercase();
    let fits =
        |(reason, part, _): &&(&str, &str, &str)| event.reason == *reason && message.contains(part);
    WORDS.iter().find(fits).map(|(_, _, word)| *word)
}

fn pod(object: &ObjectRef, word: &str, document: u16) -> Pod {
    let mut pod = Pod::default();
    pod.meta.namespace = object.namespace.clone();
    pod.meta.name = object.name.clone();
    pod.meta.source = document;
    pod.meta.known = Known::SUMMARY;
    pod.meta.live = Known::SUMMARY;
    let summary = Summary { containers: 1, status: word.into(), ..Summary::default() };
    pod.summary = Some(Box::new(summary));
    pod
}

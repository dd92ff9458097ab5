//! Images: pulled once for a node, or not to be had.

use std::sync::Arc;

use super::kubelet::{State, Step};
use super::machine::{Machine, container_spec, part};
use crate::cluster::Context;
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::registry::Note;

/// Bytes a second that a node pulls images with.
const PULL_BYTES_PER_SECOND: i64 = 60 << 20;

impl Machine {
    /// The image is there, or its pull begins.
    pub(super) fn pull(&mut self, context: &mut Context<'_>, uid: &str, name: &str) {
        let now = context.now();
        let Some(run) = self.pods.get_mut(uid) else { return };
        let (pod, bytes) = (Arc::clone(&run.pod), run.behaviour.image_bytes);
        let Some(container) = run.container(name) else { return };
        let image = container.image.clone();
        let policy = container_spec(&pod, name).map(|c| field::text(c, "/imagePullPolicy"));
        let known = self.images.contains(&image);
        let delay = context.dice.between(400_000, 1_500_000);
        let note = if known && policy != Some("Always") {
            container.next = Some((plus(now, delay), Step::Start));
            let text = format!(
                "Container image \"{image}\" already present on machine and can be accessed by \
                 the pod"
            );
            Note::normal("Pulled", text)
        } else {
            let there = context.behaviours.has_image(&image) && !known;
            let seconds =
                if there { bytes.saturating_mul(SECOND) / PULL_BYTES_PER_SECOND } else { 0 };
            container.next = Some((plus(now, seconds + delay), Step::PullEnds));
            Note::normal("Pulling", format!("Pulling image \"{image}\""))
        };
        self.tell(context, &pod, &note.about(part(name)));
    }

    /// The image arrived, or the registry said no.
    pub(super) fn end_pull(&mut self, context: &mut Context<'_>, uid: &str, name: &str) {
        let Some(run) = self.pods.get_mut(uid) else { return };
        let (pod, bytes) = (Arc::clone(&run.pod), run.behaviour.image_bytes);
        let Some(container) = run.container(name) else { return };
        let image = container.image.clone();
        if !context.behaviours.has_image(&image) {
            return self.fail_pull(context, uid, name);
        }
        let seconds = bytes as f64 / PULL_BYTES_PER_SECOND as f64;
        let seconds = if self.images.insert(image.clone()) { seconds } else { 0.4 };
        let text = format!(
            "Successfully pulled image \"{image}\" in {seconds:.3}s ({seconds:.3}s including \
             waiting). Image size: {bytes} bytes."
        );
        self.tell(context, &pod, &Note::normal("Pulled", text).about(part(name)));
        self.start(context, uid, name);
    }

    fn fail_pull(&mut self, context: &mut Context<'_>, uid: &str, name: &str) {
        let now = context.now();
        let Some(run) = self.pods.get_mut(uid) else { return };
        let pod = Arc::clone(&run.pod);
        let Some(container) = run.container(name) else { return };
        let image = &container.image;
        let why = not_found(image);
        let text = format!("Failed to pull image \"{image}\": {why}");
        container.pull_after = Some(plus(now, container.pull_pause.take_some()));
        container.next = Some((plus(now, sync_after(context)), Step::HoldPull));
        container.state = State::Waiting { reason: "ErrImagePull", message: why };
        for text in [text, "Error: ErrImagePull".to_owned()] {
            self.tell(context, &pod, &Note::warning("Failed", text).about(part(name)));
        }
    }

    /// The kubelet looks at the pod again and waits on, or tries once more.
    pub(super) fn hold_pull(&mut self, context: &mut Context<'_>, uid: &str, name: &str) {
        let now = context.now();
        let Some(run) = self.pods.get_mut(uid) else { return };
        let pod = Arc::clone(&run.pod);
        let Some(container) = run.container(name) else { return };
        if container.pull_after.is_none_or(|at| at <= now) {
            return self.pull(context, uid, name);
        }
        container.next = Some((plus(now, sync_after(context)), Step::HoldPull));
        let image = &container.image;
        let (why, hold) = (not_found(image), format!("Back-off pulling image \"{image}\""));
        let message = format!("{hold}: ErrImagePull: {why}");
        container.state = State::Waiting { reason: "ImagePullBackOff", message };
        let notes =
            [Note::normal("BackOff", hold), Note::warning("Failed", "Error: ImagePullBackOff")];
        for note in notes {
            self.tell(context, &pod, &note.about(part(name)));
        }
    }
}

/// A kubelet looks at a pod that waits about every 12 seconds.
fn sync_after(context: &mut Context<'_>) -> i64 {
    context.dice.between(10 * SECOND, 15 * SECOND)
}

/// The words of containerd about an image that its registry does not have.
fn not_found(image: &str) -> String {
    let full = match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) => image.to_owned(),
        Some(_) => format!("docker.io/{image}"),
        None => format!("docker.io/library/{image}"),
    };
    format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{full}\": failed to \
         resolve reference \"{full}\": {full}: not found"
    )
}

//! Jobs that ended long enough ago are removed with their pods.

use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::place;
use super::work::Work;
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::JOB;
use crate::registry::{DeleteOptions, Propagation};
use crate::store::Change;

/// The controller.
#[derive(Debug, Default)]
pub(super) struct TtlAfterFinished {
    work: Work,
}

impl Actor for TtlAfterFinished {
    fn name(&self) -> &str {
        "ttl-after-finished-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == JOB.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        for job in changes.iter().filter_map(|change| change.after.as_ref()) {
            if let Some(at) = due(job) {
                self.work.add(place(job), at);
            }
        }
        let now = context.now();
        for (namespace, name) in self.work.take(now) {
            let found = context.registry.get(&JOB, &namespace, &name).map(Arc::clone);
            let Ok(job) = found else { continue };
            match due(&job) {
                Some(at) if at <= now => {
                    let options = DeleteOptions {
                        propagation: Some(Propagation::Foreground),
                        uid: Some(field::uid(&job).to_owned()),
                        ..DeleteOptions::default()
                    };
                    drop(context.registry.delete(&JOB, &namespace, &name, &options));
                }
                Some(later) => self.work.add((namespace, name), later),
                None => {}
            }
        }
        if let Some(next) = self.work.next() {
            context.wake(next);
        }
    }
}

/// When a Job that ended is to go.
fn due(job: &Value) -> Option<Timestamp> {
    let seconds = job["spec"]["ttlSecondsAfterFinished"].as_i64()?;
    let mut ends = ["Complete", "Failed"].into_iter();
    let end = ends.find_map(|kind| {
        let condition = field::condition(job, kind).filter(|c| c["status"] == "True")?;
        field::time(condition, "/lastTransitionTime")
    })?;
    (!field::is_deleting(job)).then(|| end.plus_seconds(seconds))
}

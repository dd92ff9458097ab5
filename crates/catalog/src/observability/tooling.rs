//! Which workloads serve those who run the cluster: watching, logs, building. Told by their
//! images, never by the names people gave them.

use model::{App, Kind, Snapshot};

use crate::wording;

/// What a workload is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// Measurements and alerts.
    Watching,
    /// Logs.
    Logs,
    /// Building and delivering.
    Building,
}

impl Tool {
    /// In words.
    pub(super) fn word(self) -> &'static str {
        match self {
            Tool::Watching => "watches the cluster",
            Tool::Logs => "handles logs",
            Tool::Building => "builds and delivers",
        }
    }
}

/// The name of an image without registry, path, tag and digest.
pub(super) fn image_name(image: &str) -> &str {
    let bare = image.split_once('@').map_or(image, |(name, _)| name);
    let last = bare.rsplit('/').next().unwrap_or_default();
    last.split_once(':').map_or(last, |(name, _)| name)
}

/// Whether a container of it runs one of these images.
pub(super) fn runs(app: &App, names: &[&str]) -> bool {
    let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
    containers.map(|c| image_name(&c.image)).any(|name| names.contains(&name))
}

/// What it is for, when it serves those who run the cluster.
pub(super) fn of(app: &App) -> Option<Tool> {
    if runs(app, wording::WATCHERS) {
        Some(Tool::Watching)
    } else if runs(app, wording::LOG_ALERTERS) || runs(app, wording::LOG_COLLECTORS) {
        Some(Tool::Logs)
    } else {
        runs(app, wording::PIPELINES).then_some(Tool::Building)
    }
}

/// Whether it is to run on, and the cluster did not bring it along.
pub(super) fn is_standing(app: &App) -> bool {
    let kind = matches!(app.object.kind, Kind::Deployment | Kind::StatefulSet);
    kind && !app.object.namespace.starts_with("kube-")
}

/// Workloads that hold, judge or show measurements.
pub(super) fn watchers(now: &Snapshot) -> Vec<&App> {
    now.apps_where(|a, _| {
        let kind = matches!(a.object.kind, Kind::Deployment | Kind::StatefulSet);
        kind && a.wanted() != Some(0) && runs(a, wording::WATCHERS)
    })
}

#[cfg(test)]
mod tests {
    use super::image_name;

    #[test]
    fn an_image_is_known_by_its_last_name() {
        assert_eq!(image_name("reg.example:5000/own/prometheus:v3@sha256:aa"), "prometheus");
        assert_eq!(image_name("grafana"), "grafana");
    }
}

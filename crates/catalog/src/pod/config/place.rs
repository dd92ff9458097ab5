//! The field of a pod spec in which a config map, secret or key is named.

use model::record::{ConfigPlace, ConfigUse};
use model::{App, Kind};

use crate::pod::edit::{container_field, spec_field};

/// The field that names the object, or the key when `key` is wanted.
pub(super) fn field(app: &App, used: &ConfigUse<'_>, key: Option<&str>) -> String {
    let map = used.kind == Kind::ConfigMap;
    match used.place {
        ConfigPlace::Variable { container, variable } => {
            let source = if map { "configMapKeyRef" } else { "secretKeyRef" };
            let end = if key.is_some() { "key" } else { "name" };
            let field = format!("env[{variable}].valueFrom.{source}.{end}");
            container_field(app, container, &field)
        }
        ConfigPlace::AllVariables { container, index } => {
            let source = if map { "configMapRef" } else { "secretRef" };
            container_field(app, container, &format!("envFrom[{index}].{source}.name"))
        }
        ConfigPlace::Volume { volume, source } => {
            let (at, name) = match (source, map) {
                (None, true) => ("configMap".to_owned(), "name"),
                (None, false) => ("secret".to_owned(), "secretName"),
                (Some(i), true) => (format!("projected.sources[{i}].configMap"), "name"),
                (Some(i), false) => (format!("projected.sources[{i}].secret"), "name"),
            };
            let end = key.map_or(name.to_owned(), |key| format!("items[{key}].key"));
            spec_field(app, &format!("volumes[{volume}].{at}.{end}"))
        }
    }
}

/// Whether two uses stand in the same place of two revisions.
pub(super) fn same(a: &ConfigPlace<'_>, b: &ConfigPlace<'_>) -> bool {
    a == b
}

//! Turns the cells of one row into an object in the shape of the API.
//!
//! Shared by text tables and the server's own `Table` JSON. A column that is not there leaves its
//! field out; a column that says `<none>` makes it empty.

mod event;
mod network;
mod node;
mod other;
mod pod;
mod storage;
mod workload;

pub use event::{set_ages, set_source};
pub use other::metric;
pub use storage::claim_ref;

use crate::text::shape::{object, pairs, put, some};
use crate::text::time::age_seconds;
use serde_json::{Value, json};

/// One row with the names of its columns.
struct Row<'a> {
    headers: Vec<&'a str>,
    cells: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// The cell of a column, or `None` when the table has no such column.
    fn get(&self, name: &str) -> Option<&'a str> {
        let at = self.headers.iter().position(|h| h.eq_ignore_ascii_case(name))?;
        Some(self.cells.get(at).copied().unwrap_or("").trim())
    }

    /// The first of several names of the same column.
    fn any(&self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|n| self.get(n))
    }

    /// The cell when it holds something.
    fn some(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(some)
    }

    fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }
}

/// The object of `kind` that a row of a table shows; `None` when the row names none or the kind
/// is not known.
///
/// `headers` are column names as printed or as in `columnDefinitions` (case does not matter),
/// `cells` their values as text. `namespace` is used when no column names one. Keys beyond the
/// API's shape are listed at the head of the module `text`.
pub fn object_from_row<H: AsRef<str>, C: AsRef<str>>(
    kind: &str,
    headers: &[H],
    cells: &[C],
    namespace: Option<&str>,
) -> Option<Value> {
    let row = Row {
        headers: headers.iter().map(AsRef::as_ref).collect(),
        cells: cells.iter().map(AsRef::as_ref).collect(),
    };
    let namespace = row.some("NAMESPACE").or(namespace);
    if kind == "Event" {
        return event::event(&row, namespace);
    }
    let name = row.some("NAME")?;
    // `pod/web-1`, but `system:node/x` is the name of a role.
    let name = name.split_once('/').map_or(name, |(_, name)| name);
    let plain = name.strip_suffix(" (default)").unwrap_or(name);
    let mut value = object(kind, plain, namespace);
    match kind {
        "Pod" => pod::pod(&row, &mut value),
        "Node" => node::node(&row, &mut value),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "ReplicationController" => {
            workload::replicated(kind, &row, &mut value);
        }
        "Job" => workload::job(&row, &mut value),
        "CronJob" => workload::cron_job(&row, &mut value),
        "Service" => network::service(&row, &mut value),
        "Endpoints" => network::endpoints(&row, &mut value),
        "EndpointSlice" => network::endpoint_slice(&row, &mut value),
        "Ingress" => network::ingress(&row, &mut value),
        "NetworkPolicy" => network::policy(&row, &mut value),
        "PersistentVolumeClaim" => storage::claim(&row, &mut value),
        "PersistentVolume" => storage::volume(&row, &mut value),
        "StorageClass" => storage::class(&row, name != plain, &mut value),
        _ => other::other(kind, &row, &mut value)?,
    }
    if let Some(age) = row.get("AGE").and_then(age_seconds) {
        put(&mut value, "metadata.ageSeconds", age);
    }
    if let Some(labels) = row.get("LABELS") {
        put(&mut value, "metadata.labels", pairs(labels));
    }
    Some(value)
}

/// `CONTAINERS` and `IMAGES` of a wide row as containers.
fn containers(row: &Row<'_>) -> Option<Value> {
    let names = row.any(&["CONTAINERS", "CONTAINER(S)"])?;
    let images = row.any(&["IMAGES", "IMAGE(S)"])?;
    let pairs = names.split(',').zip(images.split(','));
    let list: Vec<Value> = pairs
        .filter(|(name, _)| some(name).is_some())
        .map(|(name, image)| json!({"name": name, "image": image}))
        .collect();
    Some(Value::from(list))
}

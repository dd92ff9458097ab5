//! What objects must fulfil, in the words of the real server. One module per subject; rules for
//! metadata hold for every kind.

mod access;
mod admission;
mod certificates;
mod config;
mod container;
mod difference;
mod fields;
mod fields_table;
mod frozen;
mod immutable;
mod internal;
mod jobs;
mod metadata;
mod network;
mod own;
mod pod;
mod policy;
mod selector;
mod storage;
mod workload;

use serde_json::Value;

pub(crate) use certificates::request_update;
pub(crate) use immutable::update_rules;
pub(crate) use internal::internal;
pub(crate) use metadata::{
    LABEL, dns_1035, is_label, label_value, metadata, of_change as metadata_of_change, qualified,
    subdomain,
};
pub(crate) use network::{is_cidr, sloppy_address};
pub(crate) use own::{pod as own_pod, workload as own_workload};

use crate::field;
use crate::registry::Cause;

const NOT_NEGATIVE: &str = "must be greater than or equal to 0";
const PORT_RANGE: &str = "must be between 1 and 65535, inclusive";
const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' \
     (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
const CIDR: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/// No rule.
pub(super) fn nothing(_: &Value) -> Vec<Cause> {
    Vec::new()
}

/// What a client's object of a kind breaks, by storage name.
pub(crate) fn client_causes(storage: &str, object: &Value) -> Vec<Cause> {
    let mut causes = rules(storage).map_or_else(Vec::new, |rules| rules(object));
    causes.extend(fields::causes(storage, object));
    causes
}

/// Rules of a kind beyond single fields.
fn rules(storage: &str) -> Option<fn(&Value) -> Vec<Cause>> {
    Some(match storage {
        "pods" => pod::pod,
        "services" => network::service,
        "nodes" => network::node,
        "endpoints" => network::endpoints,
        "configmaps" => config::config_map,
        "secrets" => config::secret,
        "events" => policy::event,
        "limitranges" => policy::limit_range,
        "persistentvolumeclaims" => storage::claim,
        "persistentvolumes" => storage::volume,
        "deployments.apps" => workload::deployment,
        "replicasets.apps" => workload::replica_set,
        "replicationcontrollers" => workload::replication_controller,
        "daemonsets.apps" => workload::daemon_set,
        "statefulsets.apps" => workload::stateful_set,
        "jobs.batch" => jobs::job,
        "cronjobs.batch" => jobs::cron_job,
        "horizontalpodautoscalers.autoscaling" => policy::autoscaler,
        "poddisruptionbudgets.policy" => policy::budget,
        "leases.coordination.k8s.io" => policy::lease,
        "endpointslices.discovery.k8s.io" => network::endpoint_slice,
        "ingresses.networking.k8s.io" => network::ingress,
        "networkpolicies.networking.k8s.io" => network::network_policy,
        "storageclasses.storage.k8s.io" => storage::storage_class,
        "priorityclasses.scheduling.k8s.io" => policy::priority_class,
        "roles.rbac.authorization.k8s.io" | "clusterroles.rbac.authorization.k8s.io" => {
            access::role
        }
        "customresourcedefinitions.apiextensions.k8s.io" => crate::custom::create_causes,
        "rolebindings.rbac.authorization.k8s.io"
        | "clusterrolebindings.rbac.authorization.k8s.io" => access::binding,
        "mutatingwebhookconfigurations.admissionregistration.k8s.io"
        | "validatingwebhookconfigurations.admissionregistration.k8s.io" => admission::webhooks,
        "validatingadmissionpolicies.admissionregistration.k8s.io" => admission::policy,
        "validatingadmissionpolicybindings.admissionregistration.k8s.io" => admission::binding,
        "certificatesigningrequests.certificates.k8s.io" => certificates::request,
        _ => return None,
    })
}

/// In which order the server tells what a changed object breaks.
pub(crate) enum Order {
    /// What holds for every object of the kind, then what may not change.
    ChangeLast,
    ChangeFirst,
    /// What holds for every object is looked at twice.
    Twice,
}

/// The order of a kind, by storage name.
pub(crate) fn order(storage: &str) -> Order {
    match storage {
        "services" | "daemonsets.apps" | "configmaps" | "secrets" => Order::ChangeFirst,
        "persistentvolumes" | "jobs.batch" => Order::Twice,
        _ => Order::ChangeLast,
    }
}

/// The value at a pointer, or null.
pub(crate) fn at<'a>(object: &'a Value, pointer: &str) -> &'a Value {
    object.pointer(pointer).unwrap_or(&Value::Null)
}

/// Whole numbers that may not be negative, by pointer and path.
fn not_negative(object: &Value, fields: &[(&str, &str)]) -> Vec<Cause> {
    let negative = |(pointer, path): &(&str, &str)| {
        let value = at(object, pointer);
        let is = value.as_i64().is_some_and(|n| n < 0);
        is.then(|| Cause::invalid(path, value, NOT_NEGATIVE))
    };
    fields.iter().filter_map(negative).collect()
}

/// A text that must be one of some, if it is there.
fn one_of(value: &Value, path: &str, known: &[&str]) -> Option<Cause> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    (!known.contains(&text)).then(|| Cause::unsupported(path, value, known))
}

/// A name that must be there and a DNS label.
fn label_name(value: &Value, path: &str) -> Option<Cause> {
    match value.as_str().unwrap_or_default() {
        "" => Some(Cause::required(path)),
        text if text.len() > 63 => {
            Some(Cause::invalid(path, value, "must be no more than 63 characters"))
        }
        text if !metadata::is_label(text) => Some(Cause::invalid(path, value, metadata::LABEL)),
        _ => None,
    }
}

/// Names that come twice in a list, by their field.
fn duplicates(list: &[Value], key: &str, path: &str) -> Vec<Cause> {
    let mut seen: Vec<&str> = Vec::new();
    let mut causes = Vec::new();
    for (index, item) in list.iter().enumerate() {
        let name = field::text(item, &format!("/{key}"));
        if !name.is_empty() && seen.contains(&name) {
            let at = format!("{path}[{index}].{key}");
            causes.push(Cause::duplicate(&at, &name.into()));
        }
        seen.push(name);
    }
    causes
}

/// A number or percentage.
fn number_or_percent(value: &Value, path: &str, most_100: bool) -> Vec<Cause> {
    match value {
        Value::Number(number) if number.as_i64().is_some_and(|n| n < 0) => {
            vec![Cause::invalid(path, value, NOT_NEGATIVE)]
        }
        Value::String(text) => {
            let share = text.strip_suffix('%').filter(|s| !s.is_empty());
            let share = share.filter(|s| s.bytes().all(|b| b.is_ascii_digit()));
            match share.map(|s| s.parse::<u64>().unwrap_or(u64::MAX)) {
                None => vec![Cause::invalid(path, value, PERCENT)],
                Some(101..) if most_100 => {
                    vec![Cause::invalid(path, value, "must not be greater than 100%")]
                }
                Some(_) => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

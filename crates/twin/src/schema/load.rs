//! Unpacks the derived table of built-in types.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::Value;

use super::{Field, List, Relation, Schema, Struct, Type};

const TABLE: &[u8] = include_bytes!("../../data/types.json.gz");

/// Optional fields whose zero is the same as nothing; other numbers are pointers.
const PLAIN_NUMBERS: [&str; 29] = [
    "active",
    "availableReplicas",
    "count",
    "currentReplicas",
    "failed",
    "failureThreshold",
    "fullyLabeledReplicas",
    "generation",
    "hostPort",
    "initialDelaySeconds",
    "minReadySeconds",
    "nodePort",
    "numberAvailable",
    "numberUnavailable",
    "observedGeneration",
    "periodSeconds",
    "port",
    "readyReplicas",
    "signal",
    "succeeded",
    "successThreshold",
    "unavailableReplicas",
    "updatedNumberScheduled",
    "updatedReplicas",
    "retryAfterSeconds",
    "code",
    "remainingItemCount",
    "terminating",
    "probeTimeoutSeconds",
];

/// Optional flags where "no" and "not said" differ.
const POINTER_FLAGS: [&str; 34] = [
    "allocateLoadBalancerNodePorts",
    "allowPrivilegeEscalation",
    "allowVolumeExpansion",
    "attachRequired",
    "automountServiceAccountToken",
    "blockOwnerDeletion",
    "controller",
    "enableServiceLinks",
    "fsGroupChange",
    "hostProcess",
    "hostUsers",
    "immutable",
    "insecureSkipTLSVerify",
    "manualSelector",
    "nodeAllocatableUpdate",
    "nullable",
    "optional",
    "orphanDependents",
    "podInfoOnMount",
    "privileged",
    "procMount",
    "readOnlyRootFilesystem",
    "ready",
    "requiresRepublish",
    "runAsNonRoot",
    "seLinuxMount",
    "serving",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "started",
    "storageCapacity",
    "suspend",
    "terminating",
    "readOnlyRecursive",
];

/// Optional texts where "" and "not said" differ.
const POINTER_TEXTS: [&str; 28] = [
    "apiGroup",
    "appProtocol",
    "containerName",
    "controllerName",
    "completionMode",
    "deletionPolicy",
    "devicePath",
    "failurePolicy",
    "fsGroupPolicy",
    "holderIdentity",
    "hostnameOverride",
    "ingressClassName",
    "ipFamilyPolicy",
    "loadBalancerClass",
    "mountPropagation",
    "nodeName",
    "parameterNamespace",
    "path",
    "persistentVolumeName",
    "preemptionPolicy",
    "recursiveReadOnly",
    "runtimeClassName",
    "storageClassName",
    "timeZone",
    "unhealthyPodEvictionPolicy",
    "volumeAttributesClassName",
    "volumeMode",
    "zone",
];

/// Optional times that are written as null.
const PLAIN_TIMES: [&str; 12] = [
    "eventTime",
    "finishedAt",
    "firstTimestamp",
    "lastHeartbeatTime",
    "lastObservedTime",
    "lastProbeTime",
    "lastTimestamp",
    "deprecatedFirstTimestamp",
    "deprecatedLastTimestamp",
    "lastTransitionTime",
    "lastUpdateTime",
    "startedAt",
];

/// Fields that are always written, though their schema calls them optional.
const ALWAYS: [(&str, &str); 17] = [
    ("StatefulSetStatus", "availableReplicas"),
    ("EndpointSlice", "endpoints"),
    ("EndpointSlice", "ports"),
    ("PodDisruptionBudgetStatus", "disruptionsAllowed"),
    ("PodDisruptionBudgetStatus", "currentHealthy"),
    ("PodDisruptionBudgetStatus", "desiredHealthy"),
    ("PodDisruptionBudgetStatus", "expectedPods"),
    ("HorizontalPodAutoscalerStatus", "currentMetrics"),
    ("HorizontalPodAutoscalerStatus", "desiredReplicas"),
    ("Event", "reportingComponent"),
    ("Event", "reportingInstance"),
    ("ClusterRole", "rules"),
    ("Role", "rules"),
    ("CSINodeDriver", "topologyKeys"),
    ("StatefulSetSpec", "serviceName"),
    ("StatefulSetOrdinals", "start"),
    ("PriorityClass", "value"),
];

/// Fields that are not written when they are empty, though their schema calls them required.
const SOMETIMES: [(&str, &str); 2] = [
    ("ValidatingAdmissionPolicyBindingSpec", "validationActions"),
    ("Event", "reportingController"),
];

pub(super) fn built_in() -> Schema {
    let table = unpacked(TABLE);
    let rows = table["types"].as_object().cloned().unwrap_or_default();
    let places: BTreeMap<&str, usize> =
        rows.keys().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let loader = Loader { rows: &rows, places: &places };
    let structs: Vec<_> = rows.iter().map(|(name, row)| loader.structure(name, row)).collect();
    let kinds = table["kinds"].as_object().into_iter().flatten().filter_map(|(kind, name)| {
        let at = places.get(name.as_str()?)?;
        Some((kind.clone(), *at))
    });
    let plain = |at| Type::Struct { at, atomic: None, retain_keys: false };
    Schema { places: (0..structs.len()).map(plain).collect(), kinds: kinds.collect(), structs }
}

/// A packed JSON table of this crate; `Null` could only mean a broken build.
pub(crate) fn unpacked(packed: &[u8]) -> Value {
    let mut text = String::new();
    let read = flate2::read::GzDecoder::new(packed).read_to_string(&mut text);
    read.ok().and_then(|_| serde_json::from_str(&text).ok()).unwrap_or_default()
}

struct Loader<'a> {
    rows: &'a serde_json::Map<String, Value>,
    places: &'a BTreeMap<&'a str, usize>,
}

impl Loader<'_> {
    fn structure(&self, name: &str, row: &Value) -> Struct {
        let mut parts = name.rsplit('.');
        let (last, version) = (parts.next().unwrap_or(name), parts.next().unwrap_or_default());
        let own = |(key, field): (&String, &Value)| (key.clone(), self.field(last, key, field));
        Struct {
            name: format!("{version}.{last}"),
            path: name.to_owned(),
            fields: row["fields"].as_object().into_iter().flatten().map(own).collect(),
            atomic: row["a"] == "atomic",
            open: false,
        }
    }

    fn field(&self, owner: &str, key: &str, row: &Value) -> Field {
        let of = self.typed(row["t"].as_str().unwrap_or_default(), row);
        let always = ALWAYS.contains(&(owner, key));
        let required = (row["r"] == true || always) && !SOMETIMES.contains(&(owner, key));
        let default = row.get("d").cloned();
        let counts = owner.ends_with("Status") && key == "replicas";
        let pointer = match of {
            Type::Int32 | Type::Int64 | Type::Double => {
                !(PLAIN_NUMBERS.contains(&key) || counts)
                    || key == "port" && owner == "EndpointPort"
                    || key == "terminating" && owner == "JobStatus"
            }
            Type::Bool => POINTER_FLAGS.contains(&key),
            Type::String => {
                POINTER_TEXTS.contains(&key) && !matches!(owner, "RoleRef" | "Subject")
                    || key == "name" && matches!(owner, "EndpointPort" | "EndpointPortV1")
            }
            Type::Time | Type::MicroTime => !PLAIN_TIMES.contains(&key),
            _ => true,
        };
        Field { of, required, default, pointer }
    }

    fn typed(&self, text: &str, row: &Value) -> Type {
        let strategy = row["p"].as_str().unwrap_or_default();
        match text.split_at_checked(1) {
            Some(("@", name)) => self.named(name, row),
            Some(("[", of)) => Type::List(Box::new(List {
                of: self.typed(of, &Value::Null),
                relation: match row["l"].as_str() {
                    Some("set") => Relation::Set,
                    Some("map") => Relation::Keyed(texts(&row["k"])),
                    _ => Relation::Atomic,
                },
                merges: strategy.contains("merge"),
                merge_key: row["m"].as_str().unwrap_or_default().to_owned(),
            })),
            Some(("{", of)) => {
                let of = Box::new(self.typed(of, &Value::Null));
                Type::Map { of, atomic: row["a"] == "atomic" }
            }
            _ => scalar(text),
        }
    }

    /// A reference; definitions of one value are what they stand for.
    fn named(&self, name: &str, row: &Value) -> Type {
        let Some(definition) = self.rows.get(name) else { return Type::Any };
        if let Some(text) = definition.as_str() {
            return self.typed(text, row);
        }
        let at = self.places.get(name).copied().unwrap_or_default();
        let retain_keys = row["p"].as_str().is_some_and(|p| p.contains("retainKeys"));
        let atomic = row["a"].as_str().map(|kind| kind == "atomic");
        Type::Struct { at, atomic, retain_keys }
    }
}

fn scalar(text: &str) -> Type {
    match text {
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "double" => Type::Double,
        "bool" => Type::Bool,
        "time" => Type::Time,
        "microtime" => Type::MicroTime,
        "quantity" => Type::Quantity,
        "intstr" => Type::IntOrString,
        _ => Type::Any,
    }
}

pub(super) fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    list.map(str::to_owned).collect()
}

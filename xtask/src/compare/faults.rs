//! The kinds of fault in the compared clusters: what a right diagnosis names as the cause, and
//! the words by which a text of any tool names it. Data; it must judge nothing.

/// One kind of fault.
pub struct Fault {
    /// Its name in the list of what was planted.
    pub id: &'static str,
    /// What is wrong, for the table.
    pub meaning: &'static str,
    /// `failure/mechanism` of ours that name it.
    pub causes: &'static [&'static str],
    /// Other objects than the planted one that may rightly be named for it: `Kind name`.
    pub objects: &'static [&'static str],
    /// A text about the object names the cause when it has one of these, in lower case.
    pub words: &'static [&'static str],
}

/// All kinds, those of the first cluster before those that are planted in addition.
pub const ALL: &[Fault] = &[
    Fault {
        id: "crashloop",
        meaning: "the program ends with exit code 1",
        causes: &["pod-crash-looping/application-error"],
        objects: &[],
        // Without logs, the exit code is all there is to know.
        words: &["exit code", "exitcode", "exited with", "termination reason is error"],
    },
    Fault {
        id: "imagepull",
        meaning: "the image does not exist",
        causes: &["pod-image-pull-failing/image-not-found"],
        objects: &[],
        words: &["not found", "does not exist"],
    },
    Fault {
        id: "oomkilled",
        meaning: "killed at its memory limit",
        causes: &[
            "pod-limit-reached/memory-limit-too-low",
            "pod-limit-reached/memory-leak",
            "pod-crash-looping/out-of-memory",
        ],
        objects: &[],
        words: &["oomkilled", "out of memory", "memory limit"],
    },
    Fault {
        id: "unschedulable",
        meaning: "requests more CPU than any node has",
        causes: &["pod-pending-unschedulable/insufficient-cpu"],
        objects: &[],
        words: &["insufficient cpu", "enough cpu"],
    },
    Fault {
        id: "service-no-endpoints",
        meaning: "the Service selects a label that no pod has",
        causes: &["service-without-endpoints/selector-unmatched"],
        objects: &[],
        words: &["no pods match", "expected label", "selector"],
    },
    Fault {
        id: "pvc-pending",
        meaning: "the claim names a storage class that does not exist",
        causes: &["claim-pending/storage-class-missing"],
        objects: &[],
        words: &["storageclass", "storage class"],
    },
    Fault {
        id: "hpa-no-target",
        meaning: "the autoscaler names a Deployment that does not exist",
        causes: &["hpa-blind/target-missing"],
        objects: &[],
        words: &["does not exist", "not found", "scaletargetref"],
    },
    Fault {
        id: "config-missing",
        meaning: "a Secret that the pods name does not exist",
        causes: &["pod-config-missing/secret-missing"],
        objects: &[],
        words: &["secret"],
    },
    Fault {
        id: "unready",
        meaning: "the readiness probe is answered with 503",
        causes: &["pod-probe-failing/dependency-down", "pod-probe-failing/slow-start"],
        objects: &[],
        words: &["readiness probe", "statuscode: 503"],
    },
    Fault {
        id: "metrics-absent",
        meaning: "the metrics API is not served, all autoscalers are blind",
        causes: &["hpa-blind/metrics-api-down"],
        objects: &["Deployment metrics-server"],
        words: &["metrics api", "metrics-server", "metrics.k8s.io"],
    },
    Fault {
        id: "quota-exceeded",
        meaning: "the quota of pods is smaller than the replicas",
        causes: &["pods-refused-at-admission/quota-pods"],
        objects: &["ResourceQuota pods"],
        words: &["quota"],
    },
    Fault {
        id: "pod-security",
        meaning: "the pods do not meet the security standard of the namespace",
        causes: &["pods-refused-at-admission/pod-security"],
        objects: &[],
        words: &["podsecurity", "pod security"],
    },
    Fault {
        id: "service-account-missing",
        meaning: "the service account does not exist",
        causes: &[
            "pods-refused-at-admission/service-account-missing",
            "pod-config-missing/service-account-missing",
        ],
        objects: &[],
        words: &["serviceaccount", "service account"],
    },
    Fault {
        id: "priority-class-missing",
        meaning: "the priority class does not exist",
        causes: &["pods-refused-at-admission/priority-class-missing"],
        objects: &[],
        words: &["priorityclass", "priority class"],
    },
    Fault {
        id: "webhook-without-backend",
        meaning: "a webhook fails closed and its Service does not exist",
        causes: &[
            "webhook-deadlock/webhook-without-endpoints",
            "webhook-deadlock/webhook-deadlock",
            "pods-refused-at-admission/webhook-unreachable",
        ],
        objects: &["Deployment loom"],
        words: &["webhook"],
    },
    Fault {
        id: "node-selector-unmatched",
        meaning: "no node has the label that the pods select",
        causes: &["pod-pending-unschedulable/node-selector-unmatched"],
        objects: &[],
        words: &["node affinity/selector", "node selector", "nodeselector"],
    },
    Fault {
        id: "taint-not-tolerated",
        meaning: "the pods do not tolerate the taint of their pool",
        causes: &["pod-pending-unschedulable/taint-not-tolerated"],
        objects: &[],
        words: &["untolerated taint", "tolerate"],
    },
    Fault {
        id: "anti-affinity",
        meaning: "three replicas that must be apart, two nodes",
        causes: &["pod-pending-unschedulable/pod-anti-affinity-unmatched"],
        objects: &[],
        words: &["anti-affinity"],
    },
    Fault {
        id: "scheduler-unknown",
        meaning: "the scheduler that the pods name does not exist",
        causes: &["pod-pending-unschedulable/scheduler-name-unknown"],
        objects: &[],
        words: &["scheduler"],
    },
    Fault {
        id: "port-name-unmatched",
        meaning: "the Service targets a port name that no container has",
        causes: &["service-misrouted/port-name-unmatched"],
        objects: &[],
        words: &["port"],
    },
    Fault {
        id: "target-port-wrong",
        meaning: "the Service targets a port on which nothing listens",
        causes: &["service-misrouted/target-port-wrong"],
        objects: &[],
        words: &["port"],
    },
    Fault {
        id: "ingress-backend-missing",
        meaning: "the Service behind the Ingress does not exist",
        causes: &["ingress-misrouted/backend-service-missing"],
        objects: &[],
        words: &["does not exist", "not found", "backend"],
    },
    Fault {
        id: "claim-without-class",
        meaning: "the claim names no class and there is no default",
        causes: &["claim-pending/storage-class-missing", "claim-pending/no-volume"],
        objects: &[],
        words: &["no storage class", "storageclass", "storage class"],
    },
    Fault {
        id: "claim-too-large",
        meaning: "the claim asks for more than the volume has",
        causes: &["claim-pending/capacity-too-small"],
        objects: &[],
        words: &["capacity", "too small", "smaller"],
    },
    Fault {
        id: "budget-blocks-drain",
        meaning: "a budget lets no pod leave the cordoned node",
        causes: &["pdb-blocking/budget-allows-none"],
        objects: &[],
        words: &[
            "disruptions allowed",
            "allows no",
            "lets no pod",
            "0 disruptions",
            "minavailable",
        ],
    },
    Fault {
        id: "node-silent",
        meaning: "the node's kubelet is not heard any more",
        causes: &[
            "node-unknown/kubelet-down",
            "node-unknown/host-down",
            "node-unknown/network-cut",
        ],
        objects: &[],
        words: &["stopped posting", "status unknown", "unknown state", "nodestatusunknown"],
    },
    Fault {
        id: "finalizer-held",
        meaning: "a finalizer keeps the pod that is to be replaced",
        causes: &["pod-terminating-stuck/finalizer-held"],
        objects: &["Pod stamp-0"],
        words: &["finalizer"],
    },
    Fault {
        id: "scaled-to-zero",
        meaning: "scaled to zero while another workload calls it",
        causes: &["workload-scaled-to-zero/scaled-to-zero"],
        objects: &[],
        words: &["zero", "0 replicas"],
    },
    Fault {
        id: "key-missing",
        meaning: "the config map has no such key",
        causes: &["pod-config-missing/key-missing"],
        objects: &[],
        words: &["find key", "key rate", "has no key"],
    },
    Fault {
        id: "rollout-image",
        meaning: "the new revision names an image that does not exist",
        causes: &["pod-image-pull-failing/image-not-found"],
        objects: &[],
        words: &["not found", "does not exist"],
    },
    Fault {
        id: "job-fails",
        meaning: "the Job's pod ends with exit code 3",
        causes: &["job-failing/backoff-limit", "job-failing/application-error"],
        objects: &[],
        words: &["backoff limit", "exit code", "exitcode"],
    },
];

/// The kind of fault of this name.
pub fn named(id: &str) -> Option<&'static Fault> {
    ALL.iter().find(|f| f.id == id)
}

/// What `compare plant` breaks: fault, kind, namespace and name of the object.
pub const PLANTED: &[[&str; 4]] = &[
    ["quota-exceeded", "Deployment", "lab-small", "press"],
    ["pod-security", "Deployment", "lab-strict", "forge"],
    ["service-account-missing", "Deployment", "lab", "mill"],
    ["priority-class-missing", "Deployment", "lab", "kiln"],
    ["webhook-without-backend", "ValidatingWebhookConfiguration", "", "lab-guard"],
    ["node-selector-unmatched", "Deployment", "lab", "lathe"],
    ["taint-not-tolerated", "Deployment", "lab", "render"],
    ["anti-affinity", "Deployment", "lab", "quorum"],
    ["scheduler-unknown", "Deployment", "lab", "gear"],
    ["port-name-unmatched", "Service", "lab", "hopper"],
    ["target-port-wrong", "Service", "lab", "chute"],
    ["ingress-backend-missing", "Ingress", "lab", "front"],
    ["claim-without-class", "PersistentVolumeClaim", "lab", "silo-data"],
    ["claim-too-large", "PersistentVolumeClaim", "lab", "vat-data"],
    ["budget-blocks-drain", "PodDisruptionBudget", "lab", "crane"],
    ["node-silent", "Node", "", "lab-far-0"],
    ["finalizer-held", "StatefulSet", "lab", "stamp"],
    ["scaled-to-zero", "Deployment", "lab", "boiler"],
    ["key-missing", "Deployment", "lab", "scale"],
    ["rollout-image", "Deployment", "lab", "oven"],
    ["job-fails", "Job", "lab", "sweep"],
    ["metrics-absent", "Component", "", "metrics-server"],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planted_is_known_and_its_causes_are_in_the_catalogue() {
        for [fault, ..] in PLANTED {
            assert!(named(fault).is_some(), "{fault} has no row");
        }
        for cause in ALL.iter().flat_map(|f| f.causes) {
            let (failure, mechanism) = cause.split_once('/').unwrap();
            let kind = catalog::ALL.iter().find(|k| k.id == failure);
            let known = kind.is_some_and(|k| k.mechanisms.iter().any(|m| m.id == mechanism));
            assert!(known, "{cause} is no cause of the catalogue");
        }
    }
}

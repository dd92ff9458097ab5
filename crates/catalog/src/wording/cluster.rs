//! How the API server, the scheduler and controllers say why they refuse or wait.

/// A pod took more of the node's disk than its own limits allow (not: than the node has).
pub const STORAGE_LIMIT: &[&str] = &[
    "exceeded its local ephemeral storage limit",
    "ephemeral local storage usage exceeds the total limit",
    "usage of emptydir volume",
    "exceeds its local ephemeral storage limit",
];

/// Somebody says that a container is held back from the processor.
pub const CPU_THROTTLED: &[&str] = &["throttl", "cpu_cfs", "cfs_"];

/// Somebody says that answers come late.
pub const SLOW_ANSWERS: &[&str] =
    &["latency", "slow", "response time", "response_time", "duration", "p95", "p99"];

/// Somebody says that answers are lost or are errors.
pub const LOST_ANSWERS: &[&str] = &[
    "success rate",
    "success_rate",
    "successrate",
    "error rate",
    "error_rate",
    "errorrate",
    "error ratio",
    "5xx",
    "packet loss",
    "packetloss",
    "availability",
    "failed requests",
];

/// Somebody says that a container uses very much of the processor.
pub const CPU_BUSY: &[&str] = &[
    "cpu core",
    "cpu usage",
    "cpu_usage",
    "cpu utilization",
    "cpu utilisation",
    "cpu saturation",
    "cpu overload",
    "cpu pressure",
    "high cpu",
    "highcpu",
    "cpuusage",
    "cpu load",
];

/// An admission webhook was called and did not answer.
pub const WEBHOOK_FAILED: &[&str] = &["failed calling webhook", "failed to call webhook"];

/// Something between the API server and the store took too long: mostly a webhook.
pub const ADMISSION_TIMEOUT: &[&str] = &["request did not complete within requested timeout"];

/// The namespace is being deleted and takes nothing new.
pub const NAMESPACE_ENDS: &[&str] = &["because it is being terminated"];

/// Rules about security, as they were told before Pod Security admission.
pub const POD_SECURITY_OLD: &[&str] = &[
    "unable to validate against any pod security policy",
    "unable to validate against any security context constraint",
    "no providers available to validate pod",
    "securitycontextdeny",
    "pod.spec.securitycontext",
    "securitycontext.runasuser is forbidden",
    "securitycontext.selinuxoptions is forbidden",
    "securitycontext.fsgroup is forbidden",
    "securitycontext.supplementalgroups is forbidden",
];

/// A message is about a storage class.
pub const CLASS: &[&str] =
    &["storageclass.storage.k8s.io \"", "storageclass \"", "storage class \""];

/// A provisioner says that its volumes cannot be used by as many as the claim asks for.
pub const ACCESS_UNSUPPORTED: &[&str] = &[
    "only accessmodes[",
    "access modes are not supported",
    "accessmode is not supported",
    "unsupported access mode",
    "access mode not supported",
    "multi_node_multi_writer not supported",
    "invalid accessmodes",
];

/// A class whose volumes are made by hand.
pub const NO_PROVISIONER: &[&str] =
    &["kubernetes.io/no-provisioner", "no volume plugin matched", "cannot find volume plugin"];

/// The volume that a claim names or had is not there.
pub const VOLUME_GONE: &[&str] = &["not found", "lost its persistentvolume"];

/// A claim waits for its first pod; no fault.
pub const WAITS_FOR_POD: &[&str] =
    &["waiting for first consumer to be created before binding", "to be scheduled"];

/// The scheduler found no volume for a claim that waits for its pod.
pub const NO_VOLUME_TO_BIND: &[&str] = &["available persistent volumes to bind"];

/// Why a volume that a claim names cannot be bound to it, with the mechanism.
pub const BINDING_REFUSED: &[(&str, &str)] = &[
    ("already bound to a different claim", "volume-taken"),
    ("already bound to", "volume-taken"),
    ("storageclassname does not match", "storage-class-mismatch"),
    ("requested pv is too small", "capacity-too-small"),
    ("incompatible accessmode", "access-mode-mismatch"),
    ("incompatible volumemode", "volume-mode-mismatch"),
];

/// A Job gives up: its pods failed too often.
pub const BACKOFF_LIMIT: &[&str] = &["specified backoff limit", "backoff limit exceeded"];

/// A Job gives up: it took too long.
pub const JOB_DEADLINE: &[&str] =
    &["longer than specified deadline", "longer than the specified deadline"];

/// A CronJob missed so many runs that its controller does not catch up.
pub const TOO_MANY_MISSED: &[&str] = &["too many missed start time", "too many missed times"];

/// A CronJob starts no run because the one before still runs.
pub const PRIOR_RUNS: &[&str] = &[
    "prior execution is running and concurrency policy is forbid",
    "concurrency policy is forbid",
];

/// A CronJob's schedule or time zone means nothing to its controller.
pub const SCHEDULE_INVALID: &[&str] = &[
    "unparseable schedule",
    "unparseable cronjob",
    "unparsable schedule",
    "invalid timezone",
    "unknown time zone",
];

/// The API knows no objects of a kind: their definition is not installed.
pub const KIND_UNKNOWN: &[&str] =
    &["no matches for kind \"", "doesn't have a resource type \"", "no kind \""];

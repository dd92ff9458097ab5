//! How autoscalers, disruption budgets and their controllers say what they miss.

/// A container states no request, so that there is no percentage of it.
pub const REQUEST_MISSING: &[&str] = &["missing request for"];

/// The metrics API is not there or does not answer.
pub const METRICS_API_DOWN: &[&str] = &[
    "from resource metrics api: the server could not find the requested resource",
    "from resource metrics api: the server is currently unable to handle the request",
    "could not find the requested resource (get pods.metrics.k8s.io)",
    "unable to handle the request (get pods.metrics.k8s.io)",
    "unable to fetch metrics from resource metrics api",
    "unable to fetch pod metrics",
    "could not find the requested resource (get services http:heapster:)",
];

/// The metrics API answers, but has no figures of these pods.
pub const NO_METRICS: &[&str] = &[
    "no metrics returned from resource metrics api",
    "no metrics known for pod",
    "did not receive metrics for",
    "no recommendation",
];

/// A metric of an adapter has no figures.
pub const CUSTOM_METRIC: &[&str] = &[
    "custom.metrics.k8s.io",
    "external.metrics.k8s.io",
    "custom metrics api",
    "external metrics api",
    "no custom metrics api",
    "no external metrics api",
    "unable to get external metric",
    "unable to get pods metric",
    "unable to get metric ",
    "unable to get object metric",
];

/// The same pods belong to several autoscalers.
pub const PODS_SHARED: &[&str] = &["controlled by multiple hpas"];

/// An eviction was refused for a disruption budget.
pub const EVICTION_REFUSED: &[&str] = &["disruption budget"];

/// Two budgets protect one pod: the API evicts it never.
pub const TWO_BUDGETS: &[&str] = &["more than one poddisruptionbudget"];

//! How controllers of clouds say that they make no load balancer.

use super::says;

/// Reasons of events about a Service whose load balancer could not be made.
const REASONS: &[&str] = &[
    "SyncLoadBalancerFailed",
    "CreatingLoadBalancerFailed",
    "UpdateLoadBalancerFailed",
    "LoadBalancerUpdateFailed",
    "AllocationFailed",
    "FailedBuildModel",
    "FailedDeployModel",
    "UnAvailableLoadBalancer",
];

/// Fragments of complaints, each with the word of `lb-pending` for it.
const COMPLAINTS: &[(&[&str], &str)] = &[
    (
        &[
            "quota",
            "toomanyloadbalancers",
            "limit exceeded",
            "limitexceeded",
            "limit reached",
            "resource_limit_exceeded",
            "cannot have more than",
            "maximum number of",
        ],
        "quota-exceeded",
    ),
    (
        &[
            "accessdenied",
            "access denied",
            "not authorized",
            "unauthorized",
            "authfailure",
            "forbidden",
            "invalidclienttoken",
            "credential",
            "permission",
        ],
        "rights-missing",
    ),
    (&["subnet"], "subnet-missing"),
    (
        &[
            "no available ips",
            "no more available",
            "not enough free ip",
            "insufficient free",
            "already in use",
            "is not allowed in config",
            "not in allowed",
            "cannot allocate",
        ],
        "addresses-exhausted",
    ),
];

/// Whether an event about a Service says that its load balancer was not made.
pub fn is_balancer_complaint(reason: &str, message: &str) -> bool {
    REASONS.contains(&reason)
        || says(message, &["error syncing load balancer", "failed to ensure load balancer"])
}

/// The mechanism that a complaint tells of.
pub fn balancer_mechanism(message: &str) -> &'static str {
    let told = COMPLAINTS.iter().find(|(words, _)| says(message, words));
    told.map_or("provider-failing", |(_, mechanism)| *mechanism)
}

//! How nodes and their kubelets say what is wrong.

use super::between;

/// The container runtime does not answer.
pub const RUNTIME_DOWN: &[&str] = &[
    "container runtime is down",
    "container runtime not ready",
    "container runtime status check may not have completed",
    "cannot connect to the docker daemon",
    "pleg is not healthy",
    "runtimeready=false",
    "containerd.sock: connect",
    "crio.sock: connect",
];

/// The kubelet says that its runtime is down, without a reason.
pub const RUNTIME_SAID_DOWN: &[&str] =
    &["container runtime is down", "container runtime not ready", "runtimeready=false"];

/// Nobody listens at the container runtime's socket, or it hung up.
pub const RUNTIME_REFUSED: &[&str] = &[
    "cannot connect to the docker daemon",
    "is the docker daemon running",
    "docker.sock: connect",
    "docker.sock: read",
    "dockershim.sock: connect",
    "cri-dockerd.sock: connect",
    "containerd.sock: connect",
    "crio.sock: connect",
];

/// A call took longer than it may.
pub const CALL_LATE: &[&str] =
    &["code = deadlineexceeded", "context deadline exceeded", "operation timeout"];

/// A text is about a call to the container runtime.
pub const RUNTIME_CALL: &[&str] = &[
    "rpc error",
    "genericpleg",
    "runtime service",
    "container runtime",
    "image service",
    "image stats",
    "containers/json",
    "docker.sock",
    "containerd.sock",
    "crio.sock",
];

/// The kernel waits for a process of the container runtime.
pub const RUNTIME_BLOCKED: &[&str] =
    &["task docker", "task containerd", "task runc", "task crio", "task conmon"];

/// The kubelet's round over all containers has not ended for too long.
pub const PLEG_STALLED: &[&str] = &["pleg is not healthy: pleg was last seen active"];

/// The network plugin is not ready.
pub const NETWORK_PLUGIN_DOWN: &[&str] = &[
    "cni plugin not initialized",
    "cni config uninitialized",
    "network plugin is not ready",
    "network plugin not ready",
    "networkready=false",
    "networkpluginnotready",
    "runtime network not ready",
];

/// A certificate is past its date or not trusted.
pub const CERTIFICATE: &[&str] = &[
    "x509:",
    "certificate has expired",
    "certificate signed by unknown",
    // The kubelet, when it cannot even start with the certificate that it has.
    "bootstrap client certificate in",
];

/// The API server does not believe a client who it is.
pub const CLIENT_REFUSED: &[&str] = &["unable to authenticate the request"];

/// The disk is full.
pub const DISK_FULL: &[&str] = &["no space left on device", "disk quota exceeded"];

/// The kubelet is only starting.
pub const KUBELET_STARTING: &[&str] =
    &["node not yet ready", "kubelet is starting", "csinode is not yet initialized"];

/// System units that are container runtimes.
pub const RUNTIME_UNITS: &[&str] = &["containerd", "docker", "crio", "cri-o", "cri-dockerd"];

/// A cloud's route to a node could not be made.
pub const ROUTE_FAILED: &[&str] = &[
    "failed to create a route",
    "could not create route",
    "failed to create route",
    "error creating route",
    "backoff creating route",
    "ceate route for table",
    "create route for table",
    "created without a route",
];

/// A limit of the cloud is reached.
pub const QUOTA_EXCEEDED: &[&str] = &[
    "quotaexceeded",
    "quota_exceeded",
    "quota exceeded",
    "routelimitexceeded",
    "limitexceeded",
    "limit exceeded",
    "maximum number of routes",
];

/// A cloud refuses what was asked of it.
pub const CLOUD_REFUSED: &[&str] = &[
    "unauthorizedoperation",
    "accessdenied",
    "access denied",
    "forbidden",
    "not authorized",
    "authorizationfailed",
    "authfailure",
    "invalidnexthop",
    "operationfailed",
    "invalidparameter",
    "status code: 400",
    "status code: 403",
];

/// An alert is about the load of a node.
pub const NODE_LOAD: &[&str] = &[
    "load average",
    "load per core",
    "nodesystemsaturation",
    "nodehighload",
    "nodeloadhigh",
    "highload",
    "load15",
    "cpu overloaded",
];

/// A clock is wrong: a certificate is refused since it begins only later, or nobody sets the
/// clock.
pub const CLOCK_SKEW: &[&str] = &[
    "clock skew",
    "clock is unsynchronized",
    "clock is not synchronized",
    "system clock synchronized: no",
    "ntp synchronized: no",
    "certificate is not yet valid",
];

/// No further process can be started.
pub const NO_PROCESS: &[&str] = &[
    "resource temporarily unavailable",
    "cannot fork",
    "can't fork",
    "fork failed",
    "pids.max",
    "too many processes",
    "pthread_create failed",
];

/// A whole node is out of memory.
pub const NODE_MEMORY: &[&str] = &[
    "out of memory: kill",
    "out of memory: killed process",
    "system oom encountered",
    "fork: cannot allocate memory",
    "fork/exec /usr/bin/runc: cannot allocate memory",
];

/// A machine is being switched off.
pub const SHUTTING_DOWN: &[&str] = &[
    "node is shutting down",
    "the system will power off",
    "system is powering down",
    "reboot: power down",
    "instance terminated",
    "instance is being stopped",
];

/// A kubelet does not reach its API server.
pub const API_UNREACHABLE: &[&str] = &[
    "failed to update lease",
    "failed to update node lease",
    "failed to ensure lease exists",
    "unable to update node status",
    "error updating node status",
    "failed to contact api server",
];

/// A pod was evicted because its node is short of memory.
pub const MEMORY_SHORT: &[&str] = &["low on resource: memory"];

/// A provider repairs a node by itself.
pub const AUTO_REPAIR: &[&str] =
    &["auto_repair", "autorepair", "auto-repair", "noderepair", "node_repair", "repairnode"];

/// For how long the kubelet's round over all containers has not ended, in seconds:
/// `pleg was last seen active 3m7.6s ago`.
pub fn pleg_seconds(text: &str) -> Option<i64> {
    between(text, "last seen active ", " ago").and_then(go_seconds)
}

/// A duration as Go programs print it: `16h17m50.79s`, `3m0s`, `250ms`; parts of seconds are
/// dropped.
pub fn go_seconds(text: &str) -> Option<i64> {
    let mut seconds = 0.0_f64;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let unit = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit)?;
        let factor = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" | "µs" | "us" | "ns" => 0.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    // A year of centuries is no duration.
    (!text.trim().is_empty() && seconds < 1e10).then_some(seconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, want) in [
            ("3m7.629592089s", Some(187)),
            ("16h17m50.791825508s", Some(58_670)),
            ("250ms", Some(0)),
            ("", None),
            ("soon", None),
            ("7", None),
        ] {
            assert_eq!(go_seconds(text), want, "{text}");
        }
        let text = "PLEG is not healthy: pleg was last seen active 3m7.6s ago; threshold is 3m0s";
        assert_eq!(pleg_seconds(text), Some(187));
    }
}

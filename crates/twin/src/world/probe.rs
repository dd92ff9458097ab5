//! Probes that a container does not pass. Those that it passes are elided: they only decide
//! when it becomes ready.
//!
//! Assumption: a program listens on the ports that its pod declares, and answers there. A pod
//! that declares none listens wherever it is probed. Commands always succeed.

use model::Timestamp;
use serde_json::Value;

use crate::field;
use crate::kernel::{SECOND, plus};

/// The three probes in the order in which they count, with their fields.
const PROBES: [(&str, &str); 3] =
    [("Startup", "startupProbe"), ("Liveness", "livenessProbe"), ("Readiness", "readinessProbe")];

/// A probe that fails, each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failing {
    /// `Startup`, `Liveness` or `Readiness`.
    pub which: &'static str,
    /// What the kubelet tells each time.
    pub message: String,
    /// Failures up to now.
    pub failures: i64,
    /// After so many failures it counts.
    pub threshold: i64,
    pub period_seconds: i64,
    /// The next try.
    pub due: Timestamp,
}

/// What the probes of a container mean for it, from its start on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Those that will fail.
    pub failing: Vec<Failing>,
    /// Whether it counts as started at once.
    pub starts: bool,
    /// When it may be ready at the earliest; `None` for never.
    pub ready_after_seconds: Option<i64>,
}

/// Reads the probes of a container that started at `since`.
pub(super) fn plan(pod: &Value, container: &Value, ip: &str, since: Timestamp) -> Plan {
    let mut plan = Plan { failing: Vec::new(), starts: true, ready_after_seconds: Some(0) };
    for (which, key) in PROBES {
        let Some(probe) = container.get(key).filter(|p| p.is_object()) else { continue };
        let delay = field::number(probe, "/initialDelaySeconds").clamp(0, 1 << 20);
        let Some(message) = complaint(which, pod, container, probe, ip) else {
            if which == "Readiness" {
                plan.ready_after_seconds = plan.ready_after_seconds.map(|s| s.max(delay));
            }
            continue;
        };
        let period_seconds = field::number(probe, "/periodSeconds").clamp(1, 1 << 20);
        plan.failing.push(Failing {
            which,
            message,
            failures: 0,
            threshold: field::number(probe, "/failureThreshold").max(1),
            period_seconds,
            due: plus(since, delay.max(1) * SECOND),
        });
        if which != "Liveness" {
            plan.ready_after_seconds = None;
        }
        if which == "Startup" {
            // The others wait for it.
            plan.starts = false;
            break;
        }
    }
    plan
}

/// What the kubelet tells of a probe that fails; `None` if it succeeds.
fn complaint(
    which: &str,
    pod: &Value,
    container: &Value,
    probe: &Value,
    ip: &str,
) -> Option<String> {
    let kind = ["httpGet", "tcpSocket", "grpc"].into_iter().find(|k| probe[*k].is_object())?;
    let action = &probe[kind];
    let Some(port) = number(container, &action["port"]) else {
        let name = action["port"].as_str().unwrap_or_default();
        return Some(format!(
            "{which} probe errored and resulted in unknown state: strconv.Atoi: parsing \
             \"{name}\": invalid syntax"
        ));
    };
    if listens(pod, port) {
        return None;
    }
    let refused = format!("dial tcp {ip}:{port}: connect: connection refused");
    Some(match kind {
        "httpGet" => {
            let scheme = match field::text(action, "/scheme") {
                "HTTPS" => "https",
                _ => "http",
            };
            let path = field::text(action, "/path").trim_start_matches('/');
            format!("{which} probe failed: Get \"{scheme}://{ip}:{port}/{path}\": {refused}")
        }
        "tcpSocket" => format!("{which} probe failed: {refused}"),
        _ => {
            let within = field::number(probe, "/timeoutSeconds").max(1);
            format!(
                "{which} probe failed: timeout: failed to connect service \"{ip}:{port}\" \
                 within {within}s: context deadline exceeded"
            )
        }
    })
}

/// The number of a port that may be a name of the container's ports.
fn number(container: &Value, port: &Value) -> Option<i64> {
    if let Some(number) = port.as_i64() {
        return Some(number);
    }
    let name = port.as_str().unwrap_or_default();
    let ports = field::list(container, "/ports").iter();
    let named = ports.filter(|p| field::text(p, "/name") == name);
    named.map(|p| field::number(p, "/containerPort")).next().or_else(|| name.parse().ok())
}

/// Containers of a pod share one network.
fn listens(pod: &Value, port: i64) -> bool {
    let all = field::list(pod, "/spec/containers").iter();
    let mut ports = all.flat_map(|c| field::list(c, "/ports")).peekable();
    ports.peek().is_none() || ports.any(|p| field::number(p, "/containerPort") == port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(probes: Value, failing: &[(&str, &str)], ready_after_seconds: Option<i64>) {
        let mut container = json!({"ports": [{"name": "http", "containerPort": 8080}]});
        json_patch::merge(&mut container, &probes);
        let pod = json!({"spec": {"containers": [container]}});
        let container = &pod["spec"]["containers"][0];
        let plan = plan(&pod, container, "10.0.0.7", Timestamp::from_seconds(0));
        let told: Vec<_> = plan.failing.iter().map(|f| (f.which, f.message.as_str())).collect();
        assert_eq!((told.as_slice(), plan.ready_after_seconds), (failing, ready_after_seconds));
    }

    #[test]
    fn a_probe_of_a_port_where_nobody_listens_fails() {
        let http = |port: Value| json!({"httpGet": {"path": "/live", "port": port}});
        check(json!({"readinessProbe": http(json!("http"))}), &[], Some(0));
        check(
            json!({"readinessProbe": {"tcpSocket": {"port": 8080}, "initialDelaySeconds": 7}}),
            &[],
            Some(7),
        );
        let refused = "dial tcp 10.0.0.7:81: connect: connection refused";
        let live = format!("Liveness probe failed: Get \"http://10.0.0.7:81/live\": {refused}");
        check(json!({"livenessProbe": http(json!(81))}), &[("Liveness", &live)], Some(0));
        let started = format!("Startup probe failed: {refused}");
        check(
            json!({
                "startupProbe": {"tcpSocket": {"port": 81}}, "livenessProbe": http(json!(81)),
            }),
            &[("Startup", &started)],
            None,
        );
        let named = "Readiness probe errored and resulted in unknown state: strconv.Atoi: parsing \
                     \"web\": invalid syntax";
        check(json!({"readinessProbe": http(json!("web"))}), &[("Readiness", named)], None);
    }
}

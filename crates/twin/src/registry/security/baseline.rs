//! What even a harmless pod may not do.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Breach, Check, bad, containers, many, quoted, setters, told};
use crate::field;

/// The checks in order; those marked are replaced by stricter ones on the level above.
pub(super) const CHECKS: &[(Check, bool)] = &[
    (app_armor, false),
    (capabilities, true),
    (host_namespaces, false),
    (host_paths, true),
    (host_ports, false),
    (host_probes, false),
    (privileged, false),
    (proc_mount, true),
    (selinux, false),
    (seccomp, true),
    (sysctls, false),
    (windows_host, false),
];

const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
const SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
];
const SELINUX_TYPES: [&str; 5] =
    ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/// Texts at a pointer, of all containers, that are not allowed.
fn values(spec: &Value, pointer: &str, allowed: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let all = containers(spec).map(|container| field::text(container, pointer));
    all.filter(|text| !text.is_empty() && !allowed(text)).map(str::to_owned).collect()
}

/// A type of profile that the pod or containers set and that is not allowed: who, and what.
pub(super) fn profiles(
    spec: &Value,
    pointer: &str,
    allowed: impl Fn(&str) -> bool,
) -> Option<(String, BTreeSet<String>)> {
    let refused = |of: &Value| {
        let text = field::text(of, pointer);
        !text.is_empty() && !allowed(text)
    };
    let mut found = values(spec, pointer, &allowed);
    if refused(spec) {
        found.insert(field::text(spec, pointer).to_owned());
    }
    Some((setters(refused(spec), &bad(spec, refused))?, found))
}

fn app_armor(spec: &Value) -> Option<Breach> {
    let allowed = |kind: &str| matches!(kind, "RuntimeDefault" | "Localhost");
    let (who, what) = profiles(spec, "/securityContext/appArmorProfile/type", allowed)?;
    let reason = match what.len() {
        1 => "forbidden AppArmor profile",
        _ => "forbidden AppArmor profiles",
    };
    let detail = format!("{who} must not set AppArmor profile type to {}", quoted(&what));
    Some(Breach { reason, detail })
}

fn capabilities(spec: &Value) -> Option<Breach> {
    let (names, added) = added(spec, |name| CAPABILITIES.contains(&name));
    let detail = format!(
        "{} must not include {} in securityContext.capabilities.add",
        told(&names),
        quoted(&added)
    );
    (!names.is_empty()).then_some(Breach { reason: "non-default capabilities", detail })
}

/// Who adds capabilities that are not allowed, and which.
pub(super) fn added(
    spec: &Value,
    allowed: impl Fn(&str) -> bool,
) -> (Vec<String>, BTreeSet<String>) {
    let of = |container: &Value| -> Vec<String> {
        let all = field::list(container, "/securityContext/capabilities/add").iter();
        let refused = all.filter_map(Value::as_str).filter(|name| !allowed(name));
        refused.map(str::to_owned).collect()
    };
    (bad(spec, |container| !of(container).is_empty()), containers(spec).flat_map(of).collect())
}

fn host_namespaces(spec: &Value) -> Option<Breach> {
    let keys = ["hostNetwork", "hostPID", "hostIPC"];
    let set = keys.iter().filter(|key| field::flag(spec, &format!("/{key}")));
    let detail = set.map(|key| format!("{key}=true")).collect::<Vec<_>>().join(", ");
    (!detail.is_empty()).then_some(Breach { reason: "host namespaces", detail })
}

fn host_paths(spec: &Value) -> Option<Breach> {
    let volumes = field::list(spec, "/volumes").iter();
    let volumes = volumes.filter(|volume| volume.get("hostPath").is_some_and(Value::is_object));
    let names: Vec<String> = volumes.map(|v| field::text(v, "/name").to_owned()).collect();
    let detail = many("volume", "volumes", &names);
    (!names.is_empty()).then_some(Breach { reason: "hostPath volumes", detail })
}

fn host_ports(spec: &Value) -> Option<Breach> {
    let of = |container: &Value| -> Vec<String> {
        let all = field::list(container, "/ports").iter();
        let ports = all.map(|port| field::number(port, "/hostPort")).filter(|port| *port != 0);
        ports.map(|port| port.to_string()).collect()
    };
    let names = bad(spec, |container| !of(container).is_empty());
    let ports: BTreeSet<String> = containers(spec).flat_map(of).collect();
    let uses = if names.len() == 1 { "uses" } else { "use" };
    let word = if ports.len() == 1 { "hostPort" } else { "hostPorts" };
    let list = ports.into_iter().collect::<Vec<_>>().join(", ");
    let detail = format!("{} {uses} {word} {list}", told(&names));
    (!names.is_empty()).then_some(Breach { reason: "hostPort", detail })
}

fn host_probes(spec: &Value) -> Option<Breach> {
    const PLACES: [&str; 5] = [
        "/livenessProbe",
        "/readinessProbe",
        "/startupProbe",
        "/lifecycle/postStart",
        "/lifecycle/preStop",
    ];
    let of = |container: &Value| -> Vec<String> {
        let kinds =
            |place: &str| ["httpGet", "tcpSocket"].map(|kind| format!("{place}/{kind}/host"));
        let all = PLACES.iter().flat_map(|place| kinds(place));
        let hosts = all.map(|pointer| field::text(container, &pointer).to_owned());
        hosts.filter(|host| !host.is_empty()).collect()
    };
    let mut names = bad(spec, |container| !of(container).is_empty());
    names.sort();
    let hosts: BTreeSet<String> = containers(spec).flat_map(of).collect();
    let uses = if names.len() == 1 { "uses" } else { "use" };
    let word = if hosts.len() == 1 { "host" } else { "hosts" };
    let detail = format!("{} {uses} probe or lifecycle {word} {}", told(&names), quoted(&hosts));
    (!names.is_empty()).then_some(Breach { reason: "probe or lifecycle host", detail })
}

fn privileged(spec: &Value) -> Option<Breach> {
    let names = bad(spec, |container| field::flag(container, "/securityContext/privileged"));
    let detail = format!("{} must not set securityContext.privileged=true", told(&names));
    (!names.is_empty()).then_some(Breach { reason: "privileged", detail })
}

fn proc_mount(spec: &Value) -> Option<Breach> {
    if in_own_users(spec) { None } else { masked_proc(spec) }
}

/// Whether the pod has users of its own, so that its root is nobody outside.
pub(super) fn in_own_users(spec: &Value) -> bool {
    spec.get("hostUsers") == Some(&Value::Bool(false))
}

pub(super) fn masked_proc(spec: &Value) -> Option<Breach> {
    const POINTER: &str = "/securityContext/procMount";
    let allowed = |kind: &str| matches!(kind, "" | "Default");
    let names = bad(spec, |container| !allowed(field::text(container, POINTER)));
    let kinds = quoted(values(spec, POINTER, allowed));
    let detail = format!("{} must not set securityContext.procMount to {kinds}", told(&names));
    (!names.is_empty()).then_some(Breach { reason: "procMount", detail })
}

fn selinux(spec: &Value) -> Option<Breach> {
    const POINTER: &str = "/securityContext/seLinuxOptions";
    let text = |of: &Value, key: &str| field::text(of, &format!("{POINTER}/{key}")).to_owned();
    let refused = |of: &Value| {
        let kind = text(of, "type");
        let set = |key: &str| !text(of, key).is_empty();
        !SELINUX_TYPES.contains(&kind.as_str()) || set("user") || set("role")
    };
    let who = setters(refused(spec), &bad(spec, refused))?;
    let all: Vec<&Value> = containers(spec).chain([spec]).collect();
    let kinds: BTreeSet<String> = all.iter().map(|of| text(of, "type")).collect();
    let kinds: Vec<String> =
        kinds.into_iter().filter(|kind| !SELINUX_TYPES.contains(&kind.as_str())).collect();
    let mut data = Vec::new();
    if !kinds.is_empty() {
        data.push(many("type", "types", &kinds));
    }
    for key in ["user", "role"] {
        if all.iter().any(|of| !text(of, key).is_empty()) {
            data.push(format!("{key} may not be set"));
        }
    }
    let data = data.join("; ");
    let detail = format!("{who} set forbidden securityContext.seLinuxOptions: {data}");
    Some(Breach { reason: "seLinuxOptions", detail })
}

/// Whether a seccomp profile of this type is one.
pub(super) fn is_seccomp(kind: &str) -> bool {
    matches!(kind, "Localhost" | "RuntimeDefault")
}

pub(super) fn seccomp(spec: &Value) -> Option<Breach> {
    let (who, what) = profiles(spec, "/securityContext/seccompProfile/type", is_seccomp)?;
    let what = quoted(&what);
    let detail = format!("{who} must not set securityContext.seccompProfile.type to {what}");
    Some(Breach { reason: "seccompProfile", detail })
}

fn sysctls(spec: &Value) -> Option<Breach> {
    let all = field::list(spec, "/securityContext/sysctls").iter();
    let names = all.map(|sysctl| field::text(sysctl, "/name"));
    let detail = names.filter(|name| !SYSCTLS.contains(name)).collect::<Vec<_>>().join(", ");
    (!detail.is_empty()).then_some(Breach { reason: "forbidden sysctls", detail })
}

fn windows_host(spec: &Value) -> Option<Breach> {
    let set = |of: &Value| field::flag(of, "/securityContext/windowsOptions/hostProcess");
    let who = setters(set(spec), &bad(spec, set))?;
    let detail = format!("{who} must not set securityContext.windowsOptions.hostProcess=true");
    Some(Breach { reason: "hostProcess", detail })
}

//! What a pod must do to be trusted least.

use std::collections::BTreeSet;

use serde_json::Value;

use super::baseline::{added, in_own_users, is_seccomp, masked_proc, seccomp as bad_seccomp};
use super::{Breach, Check, bad, many, setters, told};
use crate::field;

/// The checks in order.
pub(super) const CHECKS: &[Check] =
    &[escalation, capabilities, proc_mount, volumes, non_root, root_user, seccomp];

/// Volumes that hold nothing of the host.
const VOLUMES: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

fn is_windows(spec: &Value) -> bool {
    field::text(spec, "/os/name") == "windows"
}

fn escalation(spec: &Value) -> Option<Breach> {
    let pointer = "/securityContext/allowPrivilegeEscalation";
    let names = bad(spec, |container| container.pointer(pointer) != Some(&Value::Bool(false)));
    let detail =
        format!("{} must set securityContext.allowPrivilegeEscalation=false", told(&names));
    let broken = !names.is_empty() && !is_windows(spec);
    broken.then_some(Breach { reason: "allowPrivilegeEscalation != false", detail })
}

fn capabilities(spec: &Value) -> Option<Breach> {
    let keeps = bad(spec, |container| {
        let dropped = field::list(container, "/securityContext/capabilities/drop");
        !dropped.iter().any(|name| name == "ALL")
    });
    let (adds, names) = added(spec, |name| name == "NET_BIND_SERVICE");
    let mut details = Vec::new();
    if !keeps.is_empty() {
        let who = told(&keeps);
        details.push(format!("{who} must set securityContext.capabilities.drop=[\"ALL\"]"));
    }
    if !adds.is_empty() {
        details.push(format!(
            "{} must not include {} in securityContext.capabilities.add",
            told(&adds),
            super::quoted(&names)
        ));
    }
    let detail = details.join("; ");
    let broken = !detail.is_empty() && !is_windows(spec);
    broken.then_some(Breach { reason: "unrestricted capabilities", detail })
}

fn proc_mount(spec: &Value) -> Option<Breach> {
    masked_proc(spec)
}

fn volumes(spec: &Value) -> Option<Breach> {
    let kind = |volume: &Value| -> Option<String> {
        let keys =
            volume.as_object()?.iter().filter(|(key, value)| *key != "name" && !value.is_null());
        let mut keys = keys.map(|(key, _)| key.clone());
        let kind = keys.next().unwrap_or_else(|| "unknown".into());
        (!VOLUMES.contains(&kind.as_str())).then_some(kind)
    };
    let all = field::list(spec, "/volumes").iter();
    let refused: Vec<(String, String)> = all
        .filter_map(|volume| Some((field::text(volume, "/name").to_owned(), kind(volume)?)))
        .collect();
    let names: Vec<String> = refused.iter().map(|(name, _)| name.clone()).collect();
    let kinds: BTreeSet<String> = refused.into_iter().map(|(_, kind)| kind).collect();
    let kinds: Vec<String> = kinds.into_iter().collect();
    let uses = if names.len() == 1 { "uses" } else { "use" };
    let kinds = many("restricted volume type", "restricted volume types", &kinds);
    let detail = format!("{} {uses} {kinds}", many("volume", "volumes", &names));
    (!names.is_empty()).then_some(Breach { reason: "restricted volume types", detail })
}

fn non_root(spec: &Value) -> Option<Breach> {
    if in_own_users(spec) {
        return None;
    }
    let set = |of: &Value| of.pointer("/securityContext/runAsNonRoot").and_then(Value::as_bool);
    let reason = "runAsNonRoot != true";
    if let Some(who) = setters(set(spec) == Some(false), &bad(spec, |c| set(c) == Some(false))) {
        let detail = format!("{who} must not set securityContext.runAsNonRoot=false");
        return Some(Breach { reason, detail });
    }
    let silent = bad(spec, |container| set(container).is_none());
    let detail = format!("pod or {} must set securityContext.runAsNonRoot=true", told(&silent));
    (set(spec).is_none() && !silent.is_empty()).then_some(Breach { reason, detail })
}

fn root_user(spec: &Value) -> Option<Breach> {
    if in_own_users(spec) {
        return None;
    }
    let root =
        |of: &Value| of.pointer("/securityContext/runAsUser").and_then(Value::as_i64) == Some(0);
    let who = setters(root(spec), &bad(spec, root))?;
    Some(Breach { reason: "runAsUser=0", detail: format!("{who} must not set runAsUser=0") })
}

fn seccomp(spec: &Value) -> Option<Breach> {
    if is_windows(spec) {
        return None;
    }
    if let Some(breach) = bad_seccomp(spec) {
        return Some(breach);
    }
    let set = |of: &Value| is_seccomp(field::text(of, "/securityContext/seccompProfile/type"));
    let silent = bad(spec, |container| !set(container));
    let detail = format!(
        "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \
         \"Localhost\"",
        told(&silent)
    );
    let broken = !set(spec) && !silent.is_empty();
    broken.then_some(Breach { reason: "seccompProfile", detail })
}

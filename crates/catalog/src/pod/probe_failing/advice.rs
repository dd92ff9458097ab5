//! What to do about failing probes, and how to avoid them.

use model::record::Probe;
use model::{Finding, Gap, Kind, ObjectRef, Patch, Remedy, Risk, Snapshot, Step};

use super::KIND;
use super::complaint::Complaint;
use crate::listening;

/// The one command that tells the remaining mechanisms apart.
pub(super) fn decide(
    mechanism: &str,
    object: &ObjectRef,
    container: &str,
    last: Option<&Complaint<'_>>,
    _: &Snapshot,
) -> String {
    let pod = last.map(|c| c.pod.meta.object(Kind::Pod));
    let target = pod.as_ref().unwrap_or(object).for_kubectl();
    let of = if container.is_empty() { String::new() } else { format!(" -c {container}") };
    match mechanism {
        "probe-port-wrong" | "probe-protocol-wrong" => {
            format!("kubectl exec {target}{of} -- ss -lnt")
        }
        "probe-timing-too-tight" => format!("kubectl top pod -n {} --containers", object.namespace),
        "slow-start" => format!("kubectl logs {target}{of} --previous --timestamps"),
        _ => format!("kubectl logs {target}{of} --tail=50"),
    }
}

pub(super) fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = &finding.object;
    let mut next = Vec::new();
    if let Some(command) = &finding.decide {
        next.push(Step::look("Look at what decides", command.clone()));
    }
    let undo = match object.kind {
        Kind::Pod => format!("kubectl get {} -o yaml", object.for_kubectl()),
        _ => format!("kubectl rollout undo {}", object.for_kubectl()),
    };
    let what = match (finding.mechanism, &finding.field, &finding.expected) {
        ("dependency-down", _, _) => None,
        (_, Some(field), Some(expected)) => Some(format!("Set {field} to {expected}")),
        _ => Some("Correct the probe".to_owned()),
    };
    if let Some(what) = what {
        let command = patch_command(finding, now)
            .unwrap_or_else(|| format!("kubectl edit {}", object.for_kubectl()));
        next.push(Step::change(what, command, undo).risk(Risk::Disruptive));
    } else {
        let what = "Repair the peer; the probe only reports it. Let readiness, not liveness, \
                    depend on peers";
        next.push(Step::advice(what));
    }
    let do_not = match finding.mechanism {
        "slow-start" | "probe-timing-too-tight" => {
            "Do not roll back for this: the new version may be as good, only slower to start"
        }
        "dependency-down" => "Do not restart the pods: each start asks the same missing peer",
        _ => "Do not delete or restart the pods: their successors are probed in the same way",
    };
    Remedy { next, do_not: vec![do_not.into()] }
}

/// A patch that sets the port of a probe.
fn patch_command(finding: &Finding, _: &Snapshot) -> Option<String> {
    if finding.mechanism != "probe-port-wrong" || finding.object.kind == Kind::Pod {
        return None;
    }
    let port: u16 = finding.expected.as_ref()?.parse().ok()?;
    let field = finding.field.as_ref()?.strip_prefix("spec.template.spec.containers[")?;
    let (container, rest) = field.split_once("].")?;
    let (probe, rest) = rest.split_once('.')?;
    let action = rest.strip_suffix(".port")?;
    let safe = container.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    safe.then(|| {
        let change = format!("\"{probe}\":{{\"{action}\":{{\"port\":{port}}}}}");
        let spec = format!("{{\"containers\":[{{\"name\":\"{container}\",{change}}}]}}");
        let body = format!("{{\"spec\":{{\"template\":{{\"spec\":{spec}}}}}}}");
        format!("kubectl patch {} -p '{body}'", finding.object.for_kubectl())
    })
}

/// Seconds a program may take to start before its liveness probe kills it; below this a busy
/// node alone can make a restart loop of a slow start.
const START_SECONDS: u32 = 30;

/// Liveness probes that kill slow starts: no startup probe, and little time.
pub(super) fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in &now.apps {
        if !matches!(app.object.kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet) {
            continue;
        }
        for c in app.spec().into_iter().flat_map(|s| s.containers.iter()) {
            let Some(probe) = c.liveness_probe.as_deref() else { continue };
            let budget = super::complaint::budget_seconds(probe);
            if c.startup_probe.is_none() && budget < START_SECONDS {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: app.object.clone(),
                    field: crate::pod::edit::container_field(app, &c.name, "startupProbe"),
                    why: format!(
                        "its liveness probe kills whatever takes over {budget} s to start"
                    ),
                });
            }
        }
    }
}

pub(super) fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let app = now.app(&gap.object)?;
    let named = |name: &str| gap.field.contains(&format!("[{name}]"));
    let c = app.spec()?.containers.iter().find(|c| named(&c.name))?;
    let action = action_yaml(c.liveness_probe.as_deref()?)?;
    let body = format!(
        "spec:\n  template:\n    spec:\n      containers:\n      - name: {}\n        \
         startupProbe:\n{action}          periodSeconds: 10\n          failureThreshold: 30\n",
        c.name
    );
    Some(Patch { object: gap.object.clone(), body })
}

/// The action of a probe as YAML, indented for a container's probe.
fn action_yaml(probe: &Probe) -> Option<String> {
    if let Some(exec) = &probe.exec {
        let words: Vec<String> = exec.command.iter().map(|w| format!("{:?}", w.as_str())).collect();
        return Some(format!("          exec:\n            command: [{}]\n", words.join(", ")));
    }
    let (how, action) = probe.target()?;
    let field = listening::action_field(how);
    let mut text = format!("          {field}:\n            port: {}\n", action.port);
    if let Some(path) = &action.path {
        text.push_str(&format!("            path: {path}\n"));
    }
    if how == "https" {
        text.push_str("            scheme: HTTPS\n");
    }
    Some(text)
}

//! How the container runtime of a node is, read from everything said about the node. Shared by
//! the kinds about runtimes that hang and what follows from it.

use model::record::Node;
use model::{Risk, Snapshot, Step, Timestamp};

use super::signs::{self, Sign, Source};
use crate::wording::{self, says};

/// What is said about a node's runtime and still holds.
#[derive(Default)]
pub(super) struct Runtime<'s> {
    /// The kubelet's round over all containers does not end.
    pub(super) pleg: Vec<Sign<'s>>,
    /// Calls to the runtime take too long.
    pub(super) late: Vec<Sign<'s>>,
    /// Nobody listens at its socket.
    pub(super) refused: Vec<Sign<'s>>,
    /// The kubelet calls it down, without a reason.
    pub(super) said_down: Vec<Sign<'s>>,
    /// The last such sign that is over.
    pub(super) over: Option<Sign<'s>>,
}

impl<'s> Runtime<'s> {
    /// Reads the signs of a node.
    pub(super) fn of(node: &'s Node, now: &'s Snapshot) -> Self {
        let mut runtime = Runtime::default();
        for sign in signs::of(node, now) {
            let Some(list) = runtime.list(&sign) else { continue };
            // A node may say Ready for long while its runtime hangs; not so with its own word.
            let goes_on = sign.is_tail && is_late(sign.text);
            if sign.is_current(node, now) || goes_on {
                list.push(sign);
            } else {
                runtime.over = Some(sign);
            }
        }
        runtime
    }

    /// Where a sign belongs.
    fn list(&mut self, sign: &Sign<'_>) -> Option<&mut Vec<Sign<'s>>> {
        let late = sign.says(wording::CALL_LATE);
        let call = || sign.says(wording::RUNTIME_CALL) || sign.is_event("ContainerGCFailed");
        let blocked = sign.says(wording::RUNTIME_BLOCKED) && sign.says(&["blocked for more than"]);
        if sign.says(wording::RUNTIME_REFUSED) {
            Some(&mut self.refused)
        } else if sign.says(wording::RUNTIME_SAID_DOWN) || is_unhealthy(sign) {
            Some(&mut self.said_down)
        } else if sign.says(wording::PLEG_STALLED) {
            Some(&mut self.pleg)
        } else if blocked || (late && call()) {
            Some(&mut self.late)
        } else {
            None
        }
    }

    /// Since when the node's runtime is in trouble; `None` when nothing says that it is.
    pub(super) fn troubled_since(&self) -> Option<Option<Timestamp>> {
        let all = || {
            let parts = [&self.pleg, &self.late, &self.refused, &self.said_down];
            parts.into_iter().flatten()
        };
        all().next()?;
        Some(signs::since(all()))
    }
}

/// What a watcher of the node itself (node-problem-detector) calls a runtime that is not well.
fn is_unhealthy(sign: &Sign<'_>) -> bool {
    let kinds = ["ContainerRuntimeUnhealthy", "RuntimeOffline", "DockerHung", "RuntimeHung"];
    let kernel = sign.reason == "KernelDeadlock" && sign.says(&["docker", "containerd", "runc"]);
    sign.source == Source::Condition && (kinds.contains(&sign.reason) || kernel)
}

/// Whether somebody saw the runtime's unit stopped: then it is down and does not hang.
pub(super) fn is_stopped(node: &Node, now: &Snapshot) -> bool {
    let mut units = now.units_of(&node.meta.name);
    units.any(|u| !u.active && wording::RUNTIME_UNITS.contains(&u.unit.as_str()))
}

/// The system unit of the node's runtime.
pub(super) fn unit(node: Option<&Node>) -> &'static str {
    let runtime = node.map_or("", |n| n.runtime.as_str());
    match runtime.split(':').next().unwrap_or_default() {
        "docker" => "docker",
        "cri-o" => "crio",
        _ => "containerd",
    }
}

/// The steps for a runtime that hangs, in the order that loses least.
pub(super) fn steps(name: &str, now: &Snapshot) -> Vec<Step> {
    let unit = unit(now.nodes.get("", name));
    let list = if unit == "docker" { "docker ps" } else { "crictl ps" };
    let restart = |what: &str, command: String| Step {
        what: what.into(),
        command: Some(command),
        risk: Risk::Disruptive,
        undo: None,
    };
    vec![
        Step::look(
            "See whether the runtime answers at all",
            format!("ssh {name} 'time timeout 20 {list}; journalctl -u {unit} -n 50'"),
        ),
        Step::change(
            "Keep new pods away while it is repaired",
            format!("kubectl cordon {name}"),
            format!("kubectl uncordon {name}"),
        ),
        restart(
            "Let systemd take up its units anew; often enough by itself",
            format!("ssh {name} sudo systemctl daemon-reexec"),
        ),
        restart(
            "Restart the runtime if it still hangs; containers live on",
            format!("ssh {name} sudo systemctl restart {unit}"),
        ),
        restart("Then the kubelet", format!("ssh {name} sudo systemctl restart kubelet")),
        Step::advice(
            "Stop the container that hangs it, if one does; reboot only when nothing else helps",
        ),
    ]
}

/// What makes a hanging runtime worse.
pub(super) fn do_not() -> Vec<String> {
    vec![
        "Do not delete the node's pods by force: they run on unseen, and a second copy of each \
         may write to the same volume"
            .into(),
        "Do not drain first: a runtime that hangs cannot stop containers, the drain hangs too"
            .into(),
    ]
}

/// Whether a text is a late call to the runtime.
pub(super) fn is_late(text: &str) -> bool {
    says(text, wording::CALL_LATE)
}

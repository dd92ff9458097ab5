//! Pods that do not ask the DNS of the cluster, though they call Services by their names.

use model::record::{Known, PodSpec};
use model::{App, Snapshot};

use crate::pod::peer;

/// A workload whose pods ask another DNS.
pub(crate) struct Outside<'s> {
    pub(crate) app: &'s App,
    /// The Service it calls by name.
    pub(crate) peer: String,
    /// Its policy, as written, with why it leads outside.
    pub(crate) policy: String,
    /// The policy it needs.
    pub(crate) expected: &'static str,
}

/// All such workloads; those of the system are let alone.
pub(crate) fn outside(now: &Snapshot) -> Vec<Outside<'_>> {
    let apps = now.apps_where(|a, now| of(a, now).is_some()).into_iter();
    apps.filter_map(|a| of(a, now)).collect()
}

fn of<'s>(app: &'s App, now: &Snapshot) -> Option<Outside<'s>> {
    if app.object.namespace == "kube-system" {
        return None;
    }
    let shown = app.workload.as_ref().is_some_and(|w| w.meta.shows(Known::PLACEMENT))
        || app.pods.iter().any(|p| p.meta.known.has(Known::PLACEMENT));
    let spec = app.spec().filter(|_| shown)?;
    let (policy, expected) = leads_outside(spec)?;
    let own = app.object.namespace.as_str();
    let peers = now.peers_of(app);
    let named = peers
        .iter()
        .find(|p| !peer::is_address(p.host) && peer::service_of(p.host, own, now).is_some())?;
    Some(Outside { app, peer: named.host.to_owned(), policy, expected })
}

fn leads_outside(spec: &PodSpec) -> Option<(String, &'static str)> {
    let right = if spec.host_network { "ClusterFirstWithHostNet" } else { "ClusterFirst" };
    match spec.dns_policy.as_str() {
        "Default" => Some(("Default".into(), right)),
        // With `None` its own servers may be those of the cluster, unless they are public ones.
        "None" if spec.dns_servers.iter().any(|s| is_public(s)) => {
            let servers: Vec<&str> = spec.dns_servers.iter().map(|s| s.as_str()).collect();
            Some((format!("None with {}", servers.join(", ")), right))
        }
        "" | "ClusterFirst" if spec.host_network => {
            Some(("ClusterFirst on the network of the node".into(), right))
        }
        _ => None,
    }
}

fn is_public(address: &str) -> bool {
    address.parse::<std::net::Ipv4Addr>().is_ok_and(|a| {
        let carrier = a.octets().first() == Some(&100) && (64..128).contains(&a.octets()[1]);
        !a.is_private() && !a.is_loopback() && !a.is_link_local() && !carrier
    })
}

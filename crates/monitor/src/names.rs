//! Which node a series is of: its labels say it, or what else was scraped from its address.

use std::collections::BTreeMap;

use crate::answer::Series;

/// Labels that hold the name of a node, best first.
const NODE_LABELS: [&str; 5] =
    ["node", "nodename", "node_name", "kubernetes_node", "kubernetes_io_hostname"];

/// Names of nodes by where they are scraped.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// By `instance`, as `10.0.0.7:9100`.
    by_instance: BTreeMap<String, String>,
    /// By address or host name, without a port.
    by_host: BTreeMap<String, String>,
}

impl Names {
    /// From `node_uname_info` and `kube_node_info`.
    pub(crate) fn learn(&mut self, series: &[Series]) {
        for s in series {
            let node = NODE_LABELS.iter().map(|l| s.label(l)).find(|n| !n.is_empty());
            let Some(node) = node else { continue };
            match s.label("__name__") {
                "node_uname_info" => {
                    self.by_instance.insert(s.label("instance").to_owned(), node.to_owned());
                    let host = host(s.label("instance"));
                    self.by_host.entry(host.to_owned()).or_insert_with(|| node.to_owned());
                }
                _ if !s.label("internal_ip").is_empty() => {
                    self.by_host.insert(s.label("internal_ip").to_owned(), node.to_owned());
                }
                _ => {}
            }
        }
    }

    /// The node of a series; where nobody tells, the host that it was scraped from.
    pub(crate) fn node<'s>(&'s self, series: &'s Series) -> &'s str {
        let named = NODE_LABELS.iter().map(|l| series.label(l)).find(|n| !n.is_empty());
        let instance = series.label("instance");
        named
            .or_else(|| self.by_host.get(host(instance)).map(String::as_str))
            .or_else(|| self.by_instance.get(instance).map(String::as_str))
            .unwrap_or(host(instance))
    }
}

/// Without the port.
fn host(instance: &str) -> &str {
    let (host, port) = instance.rsplit_once(':').unwrap_or((instance, ""));
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let host = if is_port { host } else { instance };
    host.trim_start_matches('[').trim_end_matches(']')
}

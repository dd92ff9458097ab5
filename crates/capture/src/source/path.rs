//! What the path of a file in a known capture tells: whose log it is, which namespace and kind
//! its objects have, and whether it lists all of them.

use crate::piece::LogOwner;
use crate::text::kinds;
use crate::{logs, sniff};

/// A file that lists every object of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Kind, e.g. `Pod`.
    pub kind: String,
    /// Namespace, or `None` for all of the cluster.
    pub namespace: Option<String>,
}

/// What a path tells. It is believed only where the content agrees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathHints {
    /// Kind of objects that do not name their own.
    pub kind: Option<String>,
    /// Namespace of objects that do not name their own.
    pub namespace: Option<String>,
    /// The file is a log of this owner.
    pub log_of: Option<LogOwner>,
    /// The file lists every object of a kind.
    pub listing: Option<Listing>,
}

impl PathHints {
    /// Hints for the file at `path`, whose bytes begin with `head`.
    pub fn new(path: &str, form: sniff::Form, head: &[u8]) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
        let mut hints = PathHints::default();
        if form == sniff::Form::Text || path.ends_with(".log") {
            hints.log_of = logs::owner_of_path(path);
        }
        hints.layout(&parts, head);
        hints
    }

    fn layout(&mut self, parts: &[&str], head: &[u8]) {
        let Some((file, folders)) = parts.split_last() else { return };
        let stem = file.split('.').next().unwrap_or(file);
        let own = kind_named(stem);
        match folders {
            // must-gather: namespaces/shop/core/pods.yaml
            [.., "namespaces", namespace, _group] => {
                self.namespace = Some((*namespace).to_owned());
                self.list(own, Some(namespace));
            }
            // must-gather: namespaces/shop/apps/deployments/cart.yaml
            [.., "namespaces", namespace, _group, kind] => {
                self.namespace = Some((*namespace).to_owned());
                self.kind = kind_named(kind).map(|k| k.kind.to_owned());
            }
            // must-gather: cluster-scoped-resources/storage.k8s.io/storageclasses.yaml
            [.., "cluster-scoped-resources", _group] => self.list(own, None),
            // must-gather: cluster-scoped-resources/core/nodes/worker-1.yaml
            [.., "cluster-scoped-resources", _group, kind] => {
                self.kind = kind_named(kind).map(|k| k.kind.to_owned());
            }
            // support bundle: cluster-resources/nodes.json
            [.., "cluster-resources"] => self.list(own, None),
            // support bundle: cluster-resources/pods/shop.json
            [.., "cluster-resources", kind] => {
                self.namespace = Some(stem.to_owned());
                self.list(kind_named(kind), Some(stem));
            }
            // kubectl cluster-info dump: shop/pods.json and nodes.json, typed lists of the API
            [.., namespace] => {
                let Some(kind) = own else {
                    self.kind = kind_named(namespace).map(|k| k.kind.to_owned());
                    return;
                };
                self.kind = Some(kind.kind.to_owned());
                if is_typed_list(head, kind.kind) {
                    self.list(own, kind.namespaced.then_some(namespace));
                }
            }
            [] => self.kind = own.map(|k| k.kind.to_owned()),
        }
    }

    fn list(&mut self, kind: Option<&kinds::Kind>, namespace: Option<&str>) {
        let Some(kind) = kind else { return };
        self.kind = Some(kind.kind.to_owned());
        let namespace = namespace.filter(|_| kind.namespaced).map(str::to_owned);
        // The whole cluster's objects of a kind that lives in namespaces are one file each.
        if namespace.is_some() || !kind.namespaced {
            self.listing = Some(Listing { kind: kind.kind.to_owned(), namespace });
        }
    }
}

/// `pods`, `storage-classes`, `pvcs`.
fn kind_named(name: &str) -> Option<&'static kinds::Kind> {
    let name = name.replace(['-', '_'], "");
    kinds::by_name(&name).or_else(|| kinds::by_name(name.strip_suffix('s')?))
}

/// Whether JSON begins as a list of the API itself: `{"kind": "PodList", ...`. What
/// `kubectl get` prints is called `List` and may have been selected by anything.
fn is_typed_list(head: &[u8], kind: &str) -> bool {
    let head = head.get(..head.len().min(512)).unwrap_or_default();
    memchr::memmem::find(head, format!("\"{kind}List\"").as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        let show = |path: &str, head: &str| {
            let form = sniff::form(head.as_bytes());
            let h = PathHints::new(path, form, head.as_bytes());
            let listing = h.listing.map(|l| format!("all {} in {:?}", l.kind, l.namespace));
            let parts =
                [h.kind, h.namespace, listing, h.log_of.map(|o| format!("log of {}", o.name))];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        };
        let yaml = "---\nkind: PodList\nitems: []\n";
        for (path, head, want) in [
            ("mg/namespaces/shop/core/pods.yaml", yaml, "Pod, shop, all Pod in Some(\"shop\")"),
            ("mg/namespaces/shop/apps/deployments/cart.yaml", yaml, "Deployment, shop"),
            ("cluster-scoped-resources/core/nodes/n.yaml", yaml, "Node"),
            (
                "sb/cluster-resources/pvs.json",
                "{\"kind\":",
                "PersistentVolume, all PersistentVolume in None",
            ),
            (
                "sb/cluster-resources/pod-disruption-budgets/shop.json",
                "{\"kind\":",
                "PodDisruptionBudget, shop, all PodDisruptionBudget in Some(\"shop\")",
            ),
            ("dump/shop/pods.json", "{\"kind\": \"PodList\",", "Pod, all Pod in Some(\"shop\")"),
            ("dump/pods.json", "{\"apiVersion\": \"v1\", \"items\": [", "Pod"),
            ("pods/default.json", "{\"kind\": \"PodList\",", "Pod"),
            ("pods.json", "{}", "Pod"),
            ("sb/all-logs/cart-1/app.log", "up\n", "log of cart-1"),
            ("sb/all-logs/cart-1/app.log", "{\"level\":\"info\"}\n", "log of cart-1"),
            ("notes.txt", "hello", ""),
        ] {
            assert_eq!(show(path, head), want, "{path}");
        }
    }
}

//! Names that two runs share: `web#3` is the third pod of Deployment web, `agent@n1` the pod of
//! a DaemonSet for a node, `db-0~2` the second pod of that name.

use std::collections::BTreeMap;

use serde_json::Value;

/// Aliases of pods by uid, and the names they stand for.
#[derive(Default)]
pub struct Aliases {
    of: BTreeMap<String, String>,
    /// Real names and aliases, of the pods that have a generated name.
    names: BTreeMap<String, String>,
    counts: BTreeMap<String, usize>,
    /// Deployments of ReplicaSets by namespace and name.
    above: BTreeMap<String, String>,
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn owner(object: &Value) -> Option<(&str, &str)> {
    let all = object["metadata"]["ownerReferences"].as_array()?;
    let owner = all.iter().find(|owner| owner["controller"] == true)?;
    Some((owner["kind"].as_str()?, owner["name"].as_str()?))
}

impl Aliases {
    /// Notes an object that may be the owner of pods.
    pub fn learn(&mut self, object: &Value) {
        if object["kind"] == "ReplicaSet"
            && let Some(("Deployment", above)) = owner(object)
        {
            self.above.insert(full(object), above.to_owned());
        }
    }

    /// The name of an object as recordings have it, with its namespace.
    pub fn name(&mut self, object: &Value) -> String {
        let (namespace, name) =
            (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
        match object["kind"].as_str() {
            Some("Pod") => format!("{namespace}/{}", self.pod(object)),
            Some("EndpointSlice") => {
                let service = text(object, "/metadata/labels/kubernetes.io~1service-name");
                format!("{namespace}/{service}")
            }
            _ if namespace.is_empty() => name.to_owned(),
            _ => format!("{namespace}/{name}"),
        }
    }

    fn pod(&mut self, pod: &Value) -> String {
        let uid = text(pod, "/metadata/uid").to_owned();
        if let Some(known) = self.of.get(&uid) {
            return known.clone();
        }
        let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
        let alias = match owner(pod) {
            Some(("ReplicaSet", set)) => {
                let base = self.above.get(&format!("{namespace}/{set}")).cloned();
                self.next(namespace, base.as_deref().unwrap_or(set), '#')
            }
            Some(("Job" | "ReplicationController", base)) => self.next(namespace, base, '#'),
            Some(("DaemonSet", base)) => {
                let node = target(pod);
                self.again(namespace, &format!("{base}@{node}"))
            }
            _ => self.again(namespace, name),
        };
        self.of.insert(uid, alias.clone());
        if alias.split('~').next() != Some(name) {
            self.names.insert(name.to_owned(), alias.clone());
        }
        alias
    }

    fn next(&mut self, namespace: &str, base: &str, mark: char) -> String {
        let count = self.counts.entry(format!("{namespace}/{base}")).or_default();
        *count += 1;
        format!("{base}{mark}{count}")
    }

    fn again(&mut self, namespace: &str, name: &str) -> String {
        let count = self.counts.entry(format!("{namespace}/{name}")).or_default();
        *count += 1;
        if *count == 1 { name.to_owned() } else { format!("{name}~{count}") }
    }

    /// The alias of the pod that an event is about, if it was seen.
    pub fn by_uid(&self, uid: &str) -> Option<&String> {
        self.of.get(uid)
    }

    /// The pod that an alias stands for.
    pub fn real(&self, alias: &str) -> String {
        let found = self.names.iter().find(|(_, known)| *known == alias);
        found
            .map_or_else(|| alias.split('~').next().unwrap_or(alias).to_owned(), |(n, _)| n.clone())
    }

    /// The alias that stands for a name.
    pub fn alias(&self, name: &str) -> String {
        self.names.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// A text with aliases in place of generated names.
    pub fn clean(&self, text: &str) -> String {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let mut clean = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(is_word) {
            let (before, from) = rest.split_at(at);
            clean.push_str(before);
            let end = from.find(|c| !is_word(c)).unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            clean.push_str(self.names.get(word).map_or(word, String::as_str));
            rest = after;
        }
        clean.push_str(rest);
        clean
    }
}

fn full(object: &Value) -> String {
    format!("{}/{}", text(object, "/metadata/namespace"), text(object, "/metadata/name"))
}

/// The node that a pod of a DaemonSet is for.
fn target(pod: &Value) -> String {
    let bound = text(pod, "/spec/nodeName");
    if !bound.is_empty() {
        return bound.to_owned();
    }
    let terms = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution\
                 /nodeSelectorTerms/0/matchFields/0/values/0";
    text(pod, terms).to_owned()
}

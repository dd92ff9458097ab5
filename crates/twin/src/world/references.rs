//! ConfigMaps and Secrets that a pod names: without them it does not start.

use serde_json::Value;

use crate::field;
use crate::kinds::{CONFIG_MAP, Kind, SECRET};
use crate::registry::Registry;

/// A reference in a pod: where it stands, the word for its object, and how it is named.
struct Reference<'a> {
    kind: &'static Kind,
    word: &'static str,
    name: &'a str,
    /// The key that must be there, or "".
    key: &'a str,
}

impl Reference<'_> {
    /// What is missing, in the words of the kubelet.
    fn missing(&self, registry: &Registry, namespace: &str) -> Option<String> {
        let Ok(object) = registry.get(self.kind, namespace, self.name) else {
            return Some(format!("{} \"{}\" not found", self.word, self.name));
        };
        let parts = ["data", "binaryData", "stringData"];
        let found = self.key.is_empty() || parts.iter().any(|p| !object[*p][self.key].is_null());
        let (kind, name, key) = (self.kind.kind, self.name, self.key);
        (!found).then(|| format!("couldn't find key {key} in {kind} {namespace}/{name}"))
    }
}

/// The two kinds, with the fields that name them: of a variable, of a list of variables, of a
/// volume.
const KINDS: [(&Kind, &str, [&str; 4]); 2] = [
    (&CONFIG_MAP, "configmap", ["configMapKeyRef", "configMapRef", "configMap", "name"]),
    (&SECRET, "secret", ["secretKeyRef", "secretRef", "secret", "secretName"]),
];

/// What the variables of a container lack.
pub(super) fn missing_setting(registry: &Registry, pod: &Value, spec: &Value) -> Option<String> {
    let namespace = field::namespace(pod);
    let of = |place: &Value, slot: usize, keyed: bool| {
        KINDS.iter().find_map(|(kind, word, fields)| {
            let reference = place.get(fields.get(slot)?).filter(|r| r.is_object())?;
            if field::flag(reference, "/optional") {
                return None;
            }
            let key = if keyed { field::text(reference, "/key") } else { "" };
            let name = field::text(reference, "/name");
            Reference { kind, word, name, key }.missing(registry, namespace)
        })
    };
    let lists = field::list(spec, "/envFrom").iter().find_map(|from| of(from, 1, false));
    lists.or_else(|| field::list(spec, "/env").iter().find_map(|e| of(&e["valueFrom"], 0, true)))
}

/// The first volume of a pod that cannot be mounted, and what it lacks.
pub(super) fn missing_mount(registry: &Registry, pod: &Value) -> Option<(String, String)> {
    let namespace = field::namespace(pod);
    field::list(pod, "/spec/volumes").iter().find_map(|volume| {
        KINDS.iter().find_map(|(kind, word, [_, _, source, name])| {
            let source = volume.get(source).filter(|s| s.is_object())?;
            if field::flag(source, "/optional") {
                return None;
            }
            let name = source.get(name).and_then(Value::as_str).unwrap_or_default();
            let why = Reference { kind, word, name, key: "" }.missing(registry, namespace)?;
            Some((field::text(volume, "/name").to_owned(), why))
        })
    })
}

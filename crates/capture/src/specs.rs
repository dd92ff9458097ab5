//! Pod specs known by their bytes.
//!
//! Specs are most of a large capture and few of them differ: the pods of one workload repeat its
//! template byte for byte, but for the node and the random name of the token volume. A spec
//! whose other bytes were seen before is not decoded again. It must never take two different
//! specs for one: bytes are compared by a 128-bit hash.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memchr::memmem::Finder;
use model::record::{PlacedSpec, PodSpec, SpecReader};
use model::{SpecParts, Text};
use rustc_hash::FxHashMap;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::Xxh3;

/// The volume that the API server adds to every pod; five random characters follow.
const TOKEN: &str = "kube-api-access-";
const TOKEN_SUFFIX_BYTES: usize = 5;
/// What stands before the node's name. It can stand nowhere else: inside a string its quotes
/// would be escaped.
const NODE: &[u8] = b"\"nodeName\":";

/// Reads specs, each distinct one only once, for all threads.
#[derive(Debug)]
pub(crate) struct KnownSpecs {
    token: Finder<'static>,
    node: Finder<'static>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    specs: FxHashMap<u128, Arc<PodSpec>>, // tidy: lookup only
    parts: SpecParts,
}

impl Default for KnownSpecs {
    fn default() -> Self {
        KnownSpecs {
            token: Finder::new(TOKEN.as_bytes()),
            node: Finder::new(NODE),
            seen: Mutex::default(),
        }
    }
}

impl KnownSpecs {
    /// The hash of everything but the node and the token volume's name, and the node.
    fn key(&self, bytes: &[u8]) -> Option<(u128, Text)> {
        let mut hash = Xxh3::new();
        let (mut rest, mut node) = (bytes, Text::default());
        if let Some(at) = self.node.find(bytes) {
            let (before, after) = bytes.split_at(at + NODE.len());
            let value = after.trim_ascii_start().strip_prefix(b"\"")?;
            let end = memchr::memchr(b'"', value)?;
            let (name, after) = value.split_at(end);
            node = Text::from_utf8(name).ok().filter(|n| !n.contains('\\'))?;
            self.without_token(before, &mut hash);
            rest = after;
        }
        self.without_token(rest, &mut hash);
        Some((hash.digest128(), node))
    }

    /// What is known so far; a thread that panicked leaves nothing half done in it.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn without_token(&self, mut bytes: &[u8], hash: &mut Xxh3) {
        while let Some(at) = self.token.find(bytes) {
            let (before, after) = bytes.split_at(at);
            let (token, after) = after.split_at(TOKEN.len());
            hash.update(before);
            hash.update(token);
            bytes = if is_name(before) { suffix_off(after) } else { after };
        }
        hash.update(bytes);
    }
}

/// Whether a spec still holds such a name after its token volume was dropped: then something
/// else has it, and the characters that the hash leaves out tell two specs apart.
fn speaks_of_token(spec: &PodSpec) -> bool {
    format!("{spec:?}").contains(TOKEN)
}

/// Whether a string that is somebody's name begins after these bytes.
fn is_name(before: &[u8]) -> bool {
    let key = before.strip_suffix(b"\"").map(<[u8]>::trim_ascii_end);
    let key = key.and_then(|k| k.strip_suffix(b":")).map(<[u8]>::trim_ascii_end);
    key.is_some_and(|k| k.ends_with(b"\"name\""))
}

/// Without the random characters at the front, if that is what stands there.
fn suffix_off(bytes: &[u8]) -> &[u8] {
    match bytes.split_at_checked(TOKEN_SUFFIX_BYTES) {
        Some((suffix, after)) if suffix.iter().all(u8::is_ascii_alphanumeric) => after,
        _ => bytes,
    }
}

impl<'de> SpecReader<'de> for KnownSpecs {
    type Raw = &'de RawValue;

    fn read<E: serde::de::Error>(&self, raw: &'de RawValue) -> Result<PlacedSpec, E> {
        let decode = || serde_json::from_str::<PlacedSpec>(raw.get()).map_err(E::custom);
        let Some((key, node)) = self.key(raw.get().as_bytes()) else { return decode() };
        if let Some(spec) = self.seen().specs.get(&key) {
            return Ok(PlacedSpec { spec: Arc::clone(spec), node });
        }
        // Decoded without the lock: another thread may do the same, and be first.
        let mut placed = decode()?;
        // To look through a decoded spec takes long; most have no such volume at all.
        let has_token = self.token.find(raw.get().as_bytes()).is_some();
        if has_token && speaks_of_token(&placed.spec) {
            return Ok(placed);
        }
        let seen = &mut *self.seen();
        if let Some(new) = Arc::get_mut(&mut placed.spec) {
            seen.parts.share(new);
        }
        placed.spec = Arc::clone(seen.specs.entry(key).or_insert(placed.spec));
        Ok(placed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = r#"{"containers":[{"name":"a","image":"a:1",
        "volumeMounts":[{"name":"kube-api-access-x2x4z","mountPath":"/t"}]}],
        "nodeName":"n1","volumes":[{"name":"kube-api-access-x2x4z"}]}"#;

    fn read(specs: &KnownSpecs, json: &str) -> PlacedSpec {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        specs.read::<serde_json::Error>(raw).unwrap()
    }

    #[test]
    fn specs_that_differ_in_node_and_token_are_one() {
        let specs = KnownSpecs::default();
        let first = read(&specs, SPEC);
        let second = read(&specs, &SPEC.replace("x2x4z", "b7c8d").replace("n1", "node-2"));
        assert!(Arc::ptr_eq(&first.spec, &second.spec));
        assert_eq!((first.node.as_str(), second.node.as_str()), ("n1", "node-2"));
    }

    #[test]
    fn what_is_read_by_its_bytes_equals_what_is_decoded() {
        let specs = KnownSpecs::default();
        let changes =
            [("n1", "n2"), ("a:1", "a:2"), ("/t", "/u"), ("\"name\":\"a\"", "\"name\":\"b\"")];
        for (old, new) in changes {
            for json in [SPEC.to_owned(), SPEC.replace(old, new)] {
                let plain: PlacedSpec = serde_json::from_str(&json).unwrap();
                let known = read(&specs, &json);
                assert_eq!((&plain.spec, &plain.node), (&known.spec, &known.node), "{json}");
            }
        }
    }

    #[test]
    fn only_a_name_is_a_token() {
        let specs = KnownSpecs::default();
        let with =
            |arg: &str| SPEC.replace(r#""image":"#, &format!(r#""args":["{arg}"],"image":"#));
        let [first, second] = ["kube-api-access-x2x4z", "kube-api-access-b7c8d"].map(|arg| {
            let known = read(&specs, &with(arg));
            assert_eq!(known.spec.containers.first().unwrap().args.first().unwrap(), arg);
            known
        });
        assert_ne!(first.spec, second.spec);
    }

    #[test]
    fn a_name_that_is_kept_tells_specs_apart() {
        let specs = KnownSpecs::default();
        let with = |secret: &str| {
            let from = format!(r#"{{"secretKeyRef":{{"name":"{secret}","key":"k"}}}}"#);
            let env = format!(r#""env":[{{"name":"KEY","valueFrom":{from}}}],"image":"#);
            SPEC.replace(r#""image":"#, &env)
        };
        for secret in ["kube-api-access-x2x4z", "kube-api-access-b7c8d"] {
            let plain: PlacedSpec = serde_json::from_str(&with(secret)).unwrap();
            assert_eq!(read(&specs, &with(secret)).spec, plain.spec, "{secret}");
        }
    }

    #[test]
    fn an_odd_node_name_is_decoded_in_full() {
        let specs = KnownSpecs::default();
        let odd = read(&specs, r#"{"containers":[],"nodeName":"a\u0062"}"#);
        assert_eq!(odd.node, "ab");
        let null: Result<PlacedSpec, serde_json::Error> =
            specs.read(serde_json::from_str(r#"{"nodeName":7}"#).unwrap());
        assert!(null.is_err());
    }
}

//! What was probably meant where a name means nothing: the name of the revision before, a slip
//! of the pen, another hash, another namespace, the other kind.

use model::record::{Known, Named};
use model::{Kind, ObjectRef, Snapshot};

use super::lack::{self, Lack, What};
use crate::pod::edit::nearest;

/// What the field should say, or what should exist.
pub(super) fn expected(lack: &Lack<'_>, now: &Snapshot) -> String {
    if lack.what.key.is_empty() { object(lack, now) } else { key(lack, now) }
}

fn object(lack: &Lack<'_>, now: &Snapshot) -> String {
    let ObjectRef { kind, namespace, name } = &lack.what.object;
    let live = |n: &&Named| n.meta.known != Known::default();
    let same_kind = now.named.in_namespace(namespace).filter(|n| n.kind == *kind).filter(live);
    let names: Vec<&str> = same_kind.map(|n| n.meta.name.as_str()).collect();
    if let Some(old) = lack::before(lack)
        && old.named.name != *name
        && now.exists(*kind, namespace, &old.named.name)
    {
        return format!("{}, as in the revision before", old.named.name);
    }
    if let Some(near) = nearest(name, names.iter().copied()) {
        return format!("{near}, which exists");
    }
    if let Some(other) = other_hash(name, &names) {
        return format!("{other}, which exists (the same name with another hash)");
    }
    let other_kind = match kind {
        Kind::ConfigMap => Kind::Secret,
        _ => Kind::ConfigMap,
    };
    if *kind != Kind::ServiceAccount && now.named(other_kind, namespace, name).is_some() {
        let word = lack::word(other_kind);
        return format!("a reference to the {word} {name}, which exists");
    }
    let elsewhere = now.named.iter().find(|n| n.kind == *kind && n.meta.name == *name);
    let word = lack::word(*kind);
    match elsewhere.filter(|n| n.meta.namespace != *namespace) {
        Some(other) => format!(
            "a {word} of this name in namespace {namespace}; namespace {} has one, but they are \
             not shared",
            other.meta.namespace
        ),
        None => format!("a {word} of this name in namespace {namespace}"),
    }
}

fn key(lack: &Lack<'_>, now: &Snapshot) -> String {
    let What { object, key } = &lack.what;
    let word = lack::word(object.kind);
    let found = now.named(object.kind, &object.namespace, &object.name);
    let keys: Vec<&str> = found.iter().flat_map(|f| f.keys.iter().map(|k| k.as_str())).collect();
    if let Some(near) = nearest(key, keys.iter().copied()) {
        return format!("{near}, which {word} {} has", object.name);
    }
    let same = keys.iter().find(|k| plain(k) == plain(key));
    if let Some(same) = same {
        return format!("{same}, which {word} {} has", object.name);
    }
    match keys.as_slice() {
        [] => format!("a key that {word} {} has", object.name),
        [only] => format!("{only}, the only key of {word} {}", object.name),
        several => {
            format!("one of {}", several.iter().take(8).copied().collect::<Vec<_>>().join(", "))
        }
    }
}

/// Letters and digits only, in small letters: `DB_HOST` and `db.host` are alike.
fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The same name with another ending, as tools that put a hash of the data into it make.
fn other_hash<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let (stem, end) = name.rsplit_once('-')?;
    let is_hash =
        |end: &str| (6..=12).contains(&end.len()) && end.bytes().any(|c| c.is_ascii_digit());
    let alike = |n: &&&str| {
        n.rsplit_once('-').is_some_and(|(s, e)| s == stem && is_hash(e) && e.len() == end.len())
    };
    is_hash(end).then(|| names.iter().find(alike).copied()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_hash_is_the_same_name() {
        assert_eq!(other_hash("lamps-g4t6k9h2m7", &["lamps-8bh2c4k5t9"]), Some("lamps-8bh2c4k5t9"));
        assert_eq!(other_hash("lamps-config", &["lamps-secret"]), None);
        assert_eq!(plain("DB_HOST"), plain("db.host"));
    }
}

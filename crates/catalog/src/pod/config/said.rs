//! What the kubelet says it misses: names of objects and keys in its messages.

use model::Kind;

use crate::wording::{self, between};

/// One thing that is missing, as far as a message names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said<'t> {
    pub(super) kind: Kind,
    /// The object; empty when only a volume and a key are named.
    pub(super) name: &'t str,
    /// The key in it; empty when the object itself is missing.
    pub(super) key: &'t str,
    /// The volume it is for; empty for none.
    pub(super) volume: &'t str,
}

/// Everything a message says is missing.
pub(super) fn read(text: &str) -> Vec<Said<'_>> {
    let volume = between(text, "for volume \"", "\"").unwrap_or_default();
    let mut found = objects(text, volume);
    found.extend(items(text, volume));
    found.extend(keys(text));
    found.sort();
    found.dedup();
    found
}

fn kind(word: &str) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|k| k.name().eq_ignore_ascii_case(word))
}

/// `configmap "settings" not found`.
fn objects<'t>(text: &'t str, volume: &'t str) -> Vec<Said<'t>> {
    let mut found = Vec::new();
    for (mark, word) in wording::MISSED_OBJECTS {
        for (at, _) in text.match_indices(mark) {
            // `persistentvolumeclaim "` must not be read as the end of another word.
            let inside = text.get(..at).is_some_and(|b| b.ends_with(char::is_alphabetic));
            let Some(rest) = text.get(at + mark.len()..).filter(|_| !inside) else { continue };
            let Some((name, rest)) = rest.split_once('"') else { continue };
            if let Some(kind) = kind(word)
                && rest.trim_start().starts_with("not found")
                && !name.is_empty()
            {
                found.push(Said { kind, name, key: "", volume });
            }
        }
    }
    found
}

/// `references non-existent secret key: tls.crt`.
fn items<'t>(text: &'t str, volume: &'t str) -> Vec<Said<'t>> {
    let found = wording::MISSED_ITEMS.iter().filter_map(|(mark, word)| {
        let (_, rest) = text.split_once(mark)?;
        let key = rest.split([' ', ',', ']', '"']).next().filter(|k| !k.is_empty())?;
        Some(Said { kind: kind(word)?, name: "", key, volume })
    });
    found.collect()
}

/// `couldn't find key LEVEL in ConfigMap shop/settings`.
fn keys(text: &str) -> Option<Said<'_>> {
    let at = text.to_ascii_lowercase().find(wording::MISSED_KEY)?;
    let rest = text.get(at + wording::MISSED_KEY.len()..)?;
    let (key, rest) = rest.split_once(" in ")?;
    let (word, rest) = rest.split_once(' ')?;
    let path = rest.split_whitespace().next()?.trim_end_matches([',', '.', ']', ')', '"']);
    let name = path.rsplit('/').next()?;
    Some(Said { kind: kind(word)?, name, key, volume: "" })
}

#[cfg(test)]
mod tests;

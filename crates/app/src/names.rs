//! Names that people type, and what they probably meant.

use std::path::PathBuf;

use model::{FailureKind, Kind, ObjectRef};

use crate::exit::Failure;
use crate::render::clean;

/// Names offered when one is not known.
const OFFERED: usize = 3;

/// The failure kind of this id.
///
/// # Errors
/// When there is none; the nearest names are offered.
pub(crate) fn failure(id: &str) -> Result<&'static FailureKind, Failure> {
    catalog::find(id).ok_or_else(|| {
        let ids: Vec<&str> = catalog::ALL.iter().map(|k| k.id).collect();
        let near = nearest(id, &ids);
        let offer = match near.as_slice() {
            [] => "`seaworthy explain` lists them all".to_owned(),
            near => format!("did you mean {}?", near.join(", ")),
        };
        Failure::usage(format!("no failure kind is called `{}`: {offer}", clean(id)))
    })
}

/// An object as people name it: `pod/web-0`, `hpa/web`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObjectName<'a> {
    /// Its kind.
    pub(crate) kind: Kind,
    /// Its name.
    pub(crate) name: &'a str,
}

/// The object that these arguments name, and the paths that follow; `None` when they name none.
/// As kubectl has it, kind and name may also stand apart: `pod web-0`.
///
/// # Errors
/// A kind that is not known, or without a name.
pub(crate) fn object<'a>(
    word: &'a str,
    paths: &'a [PathBuf],
) -> Result<Option<(ObjectName<'a>, &'a [PathBuf])>, Failure> {
    let known = |word: &str| {
        let kind = capture::text::kinds::by_name(word)?;
        Kind::from_name(kind.kind).filter(|k| *k != Kind::Event)
    };
    let (kind, name) = match word.split_once('/') {
        Some((kind, name)) => (kind, name),
        None if catalog::find(word).is_none() && known(word).is_some() => (word, ""),
        None => return Ok(None),
    };
    let Some(kind) = known(kind) else {
        let error = format!("`{}` is not a kind of object that is explained", clean(kind));
        return Err(Failure::usage(error).next("Write KIND/NAME, such as pod/web-0 or node/n1."));
    };
    if !name.is_empty() {
        return Ok(Some((ObjectName { kind, name }, paths)));
    }
    let apart = paths.split_first().and_then(|(name, rest)| Some((name.to_str()?, rest)));
    match apart {
        Some((name, rest)) => Ok(Some((ObjectName { kind, name }, rest))),
        None => {
            let error = format!("which {kind}? Its name is missing");
            Err(Failure::usage(error).next("Write KIND/NAME, such as pod/web-0 or node/n1."))
        }
    }
}

/// Objects whose names are most like this one, as they would be typed.
pub(crate) fn nearest_objects(wanted: &str, all: &[&ObjectRef]) -> Vec<String> {
    let begin: Vec<&&ObjectRef> = all.iter().filter(|o| o.name.starts_with(wanted)).collect();
    let typed = |o: &ObjectRef| {
        let place = match o.namespace.as_str() {
            "" => String::new(),
            namespace => format!(" -n {namespace}"),
        };
        format!("{}/{}{place}", o.kind.short(), o.name)
    };
    if !begin.is_empty() && !wanted.is_empty() {
        return begin.into_iter().take(OFFERED).map(|o| typed(o)).collect();
    }
    let names: Vec<&str> = all.iter().map(|o| o.name.as_str()).collect();
    let near = nearest(wanted, &names);
    let of = |name: &str| all.iter().find(|o| o.name == name).map(|o| typed(o));
    let mut typed: Vec<String> = near.into_iter().filter_map(of).collect();
    typed.dedup();
    typed
}

/// The names most like this one, the nearest first; none that is unlike it.
pub(crate) fn nearest<'n>(wanted: &str, names: &[&'n str]) -> Vec<&'n str> {
    let wanted: Vec<char> = wanted.to_lowercase().chars().take(64).collect();
    let word = |name: &str| {
        let shared = name.split('-').filter(|part| {
            let part: Vec<char> = part.chars().collect();
            part.len() > 2 && wanted.windows(part.len()).any(|w| w == part.as_slice())
        });
        shared.count()
    };
    let mut ranked: Vec<(usize, usize, &str)> = names
        .iter()
        .map(|name| (distance(&wanted, &name.chars().collect::<Vec<_>>()), word(name), *name))
        .filter(|(distance, words, name)| *words > 0 || *distance <= name.len() / 3)
        .collect();
    ranked.sort_by_key(|(distance, words, name)| (distance.saturating_sub(4 * words), *name));
    ranked.into_iter().take(OFFERED).map(|(_, _, name)| name).collect()
}

/// Edits that make one word of the other (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let edit = (diagonal + usize::from(x != y)).min(left + 1).min(*above + 1);
            (diagonal, left) = (*above, edit);
            *above = edit;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_are_offered() {
        let names = ["node-not-ready", "node-unknown", "claim-pending", "pod-crash-looping"];
        for (typed, want) in [
            ("node-not-redy", vec!["node-not-ready", "node-unknown"]),
            ("crash", vec!["pod-crash-looping"]),
            ("claimpending", vec!["claim-pending"]),
            ("zzz", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(nearest(typed, &names), want, "{typed}");
        }
    }

    #[test]
    fn distance_counts_edits() {
        for (a, b, want) in [("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0)] {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            assert_eq!(distance(&a, &b), want);
        }
    }
}

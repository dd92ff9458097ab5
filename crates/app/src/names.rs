//! Names that people type, and what they probably meant.

use model::FailureKind;

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

/// The names most like this one, the nearest first; none that is unlike it.
fn nearest<'n>(wanted: &str, names: &[&'n str]) -> Vec<&'n str> {
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

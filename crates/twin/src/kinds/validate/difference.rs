//! Two texts as a patch, by the matching of Ratcliff and Obershelp: the longest run that both
//! have, then what lies before and after it. Lines that are too frequent begin no match.
//!
//! Refusals quote such patches word by word; crates that make patches find other matches.

use std::collections::BTreeMap;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;
/// From this length on, frequent lines begin no match.
const LONG: usize = 200;

/// Where both texts have the same lines: first line in each, and how many.
type Block = (usize, usize, usize);

/// A stretch of both texts: from and to in the old one, from and to in the new one.
type Stretch = (usize, usize, usize, usize);

/// What turns `old` into `new`; lines end with a line break. "" for equal texts.
pub(super) fn unified(old: &[String], new: &[String]) -> String {
    let mut text = String::new();
    for group in grouped(&stretches(&blocks(old, new))) {
        let (Some((_, first)), Some((_, last))) = (group.first(), group.last()) else { continue };
        let (before, after) = (range(first.0, last.1), range(first.2, last.3));
        text.push_str(&format!("@@ -{before} +{after} @@\n"));
        for (equal, stretch) in &group {
            let before = old.get(stretch.0..stretch.1).unwrap_or_default();
            let after = new.get(stretch.2..stretch.3).unwrap_or_default();
            if *equal {
                before.iter().for_each(|line| text.push_str(&format!(" {line}")));
                continue;
            }
            before.iter().for_each(|line| text.push_str(&format!("-{line}")));
            after.iter().for_each(|line| text.push_str(&format!("+{line}")));
        }
    }
    text
}

fn range(from: usize, to: usize) -> String {
    match to.saturating_sub(from) {
        1 => format!("{}", from + 1),
        0 => format!("{from},0"),
        length => format!("{},{length}", from + 1),
    }
}

/// All matching blocks, neighbours joined, closed by an empty one.
fn blocks(old: &[String], new: &[String]) -> Vec<Block> {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, line) in new.iter().enumerate() {
        places.entry(line).or_default().push(index);
    }
    if new.len() >= LONG {
        let most = new.len() / 100 + 1;
        places.retain(|_, found| found.len() <= most);
    }
    let mut found = Vec::new();
    let mut open: Vec<Stretch> = vec![(0, old.len(), 0, new.len())];
    while let Some(within) = open.pop() {
        let (i, j, size) = longest(old, new, &places, within);
        if size > 0 {
            found.push((i, j, size));
            open.push((within.0, i, within.2, j));
            open.push((i + size, within.1, j + size, within.3));
        }
    }
    found.sort_unstable();
    let mut joined: Vec<Block> = Vec::new();
    for (i, j, size) in found {
        match joined.last_mut() {
            Some(last) if last.0 + last.2 == i && last.1 + last.2 == j => last.2 += size,
            _ => joined.push((i, j, size)),
        }
    }
    joined.push((old.len(), new.len(), 0));
    joined
}

/// The longest block within a stretch; the earliest of equal ones.
fn longest(
    old: &[String],
    new: &[String],
    places: &BTreeMap<&str, Vec<usize>>,
    (from, to, new_from, new_to): Stretch,
) -> Block {
    let mut best = (from, new_from, 0);
    // Lengths of the runs that end at a line of the new text.
    let mut runs: BTreeMap<usize, usize> = BTreeMap::new();
    for (i, line) in old.iter().enumerate().take(to).skip(from) {
        let mut next = BTreeMap::new();
        let here = places.get(line.as_str()).map_or(&[][..], Vec::as_slice);
        for &j in here.iter().filter(|j| (new_from..new_to).contains(*j)) {
            let before = j.checked_sub(1).and_then(|j| runs.get(&j)).copied().unwrap_or(0);
            let size = before + 1;
            next.insert(j, size);
            if size > best.2 {
                best = (i + 1 - size, j + 1 - size, size);
            }
        }
        runs = next;
    }
    while best.0 > from && best.1 > new_from && old.get(best.0 - 1) == new.get(best.1 - 1) {
        best = (best.0 - 1, best.1 - 1, best.2 + 1);
    }
    while best.0 + best.2 < to
        && best.1 + best.2 < new_to
        && old.get(best.0 + best.2) == new.get(best.1 + best.2)
    {
        best.2 += 1;
    }
    best
}

/// A stretch, and whether it is the same in both texts.
type Told = (bool, Stretch);

/// Stretches that are equal and stretches that are not.
fn stretches(blocks: &[Block]) -> Vec<Told> {
    let (mut i, mut j) = (0, 0);
    let mut all = Vec::new();
    for &(from, new_from, size) in blocks {
        if i < from || j < new_from {
            all.push((false, (i, from, j, new_from)));
        }
        (i, j) = (from + size, new_from + size);
        if size > 0 {
            all.push((true, (from, i, new_from, j)));
        }
    }
    all
}

/// Changes with their context; far ones stand apart.
fn grouped(all: &[Told]) -> Vec<Vec<Told>> {
    let mut groups = Vec::new();
    let mut group: Vec<Told> = Vec::new();
    for (index, &(equal, (mut i, mut to, mut j, mut new_to))) in all.iter().enumerate() {
        if equal && index == 0 {
            i = i.max(to.saturating_sub(CONTEXT));
            j = j.max(new_to.saturating_sub(CONTEXT));
        }
        if equal && index + 1 == all.len() {
            to = to.min(i + CONTEXT);
            new_to = new_to.min(j + CONTEXT);
        } else if equal && to - i > 2 * CONTEXT {
            group.push((true, (i, to.min(i + CONTEXT), j, new_to.min(j + CONTEXT))));
            groups.push(std::mem::take(&mut group));
            i = i.max(to.saturating_sub(CONTEXT));
            j = j.max(new_to.saturating_sub(CONTEXT));
        }
        group.push((equal, (i, to, j, new_to)));
    }
    if group.iter().any(|(equal, _)| !equal) {
        groups.push(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &str, new: &str, patch: &str) {
        let lines =
            |text: &str| -> Vec<String> { text.chars().map(|c| format!("{c}\n")).collect() };
        let told = unified(&lines(old), &lines(new)).replace('\n', "|");
        assert_eq!(told, patch, "{old} {new}");
    }

    #[test]
    fn a_patch_has_context_and_ranges() {
        check("abc", "abc", "");
        check("abcdefghi", "abcdXfghi", "@@ -2,7 +2,7 @@| b| c| d|-e|+X| f| g| h|");
        check("a", "ab", "@@ -1 +1,2 @@| a|+b|");
        check("", "a", "@@ -0,0 +1 @@|+a|");
        check("abcdefghijklm", "Xbcdefghijklm", "@@ -1,4 +1,4 @@|-a|+X| b| c| d|");
        check(
            "abcdefghijklmno",
            "Xbcdefghijklmn",
            "@@ -1,4 +1,4 @@|-a|+X| b| c| d|@@ -12,4 +12,3 @@| l| m| n|-o|",
        );
    }
}

//! The numbered parts of an indexed Job.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{has_ended, is_failed};
use crate::field;
use crate::store::Object;

pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
pub(super) const FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
/// Failures of an index that its policy does not count.
pub(super) const IGNORED: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// Numbers as Jobs write them: `0,2-4`.
pub(super) type Indexes = BTreeSet<i64>;

/// Reads numbers below `end`.
pub(super) fn read(text: &str, end: i64) -> Indexes {
    let mut all = Indexes::new();
    for part in text.split(',') {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(low), Ok(high)) = (low.parse::<i64>(), high.parse::<i64>()) {
            all.extend(low.max(0)..(high.saturating_add(1)).min(end));
        }
    }
    all
}

/// Three or more numbers in a row are written as a range.
pub(super) fn write(all: &Indexes) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for &index in all {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == index => *end = index,
            _ => runs.push((index, index)),
        }
    }
    let told = runs.iter().map(|&(low, high)| match high - low {
        0 => low.to_string(),
        1 => format!("{low},{high}"),
        _ => format!("{low}-{high}"),
    });
    told.collect::<Vec<_>>().join(",")
}

pub(super) fn is_indexed(job: &Value) -> bool {
    field::text(job, "/spec/completionMode") == "Indexed"
}

/// Whether each index has its own limit of failures.
pub(super) fn has_own_limit(job: &Value) -> bool {
    job["spec"]["backoffLimitPerIndex"].is_i64()
}

fn annotation(pod: &Value, key: &str) -> Option<i64> {
    let annotations = field::map(pod, "/metadata/annotations");
    annotations?.get(key)?.as_str()?.parse().ok()
}

/// Which part a pod does.
pub(super) fn of(pod: &Value) -> Option<i64> {
    annotation(pod, INDEX)
}

/// Failures of its index before this pod: counted and ignored ones.
pub(super) fn failures(pod: &Value) -> (i64, i64) {
    (annotation(pod, FAILURES).unwrap_or(0), annotation(pod, IGNORED).unwrap_or(0))
}

/// The indexes that are done.
pub(super) fn succeeded(job: &Value, uncounted: &[Object]) -> Indexes {
    let end = field::number(job, "/spec/completions");
    let mut all = read(field::text(job, "/status/completedIndexes"), end);
    let done = uncounted.iter().filter(|pod| field::text(pod, "/status/phase") == "Succeeded");
    all.extend(done.filter_map(|pod| of(pod)).filter(|index| *index < end));
    all
}

/// The first indexes that are neither done nor given up nor in somebody's hands.
pub(super) fn pending(job: &Value, taken: &Indexes, most: usize) -> Vec<i64> {
    let end = field::number(job, "/spec/completions");
    (0..end).filter(|index| !taken.contains(index)).take(most).collect()
}

/// Indexes whose pods are at work; with pods that are being deleted where they must end first.
pub(super) fn in_hand(job: &Value, pods: &[Object], waits_for_end: bool) -> Indexes {
    let end = field::number(job, "/spec/completions");
    let at_work = pods.iter().filter(|pod| {
        !has_ended(pod) && (!field::is_deleting(pod) || waits_for_end && !is_failed(job, pod))
    });
    at_work.filter_map(|pod| of(pod)).filter(|index| *index < end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_short() {
        for (text, short) in [
            ("", ""),
            ("0", "0"),
            ("0,1", "0,1"),
            ("0,1,2,5,7,8,9", "0-2,5,7-9"),
            ("3,1-2", "1-3"),
            ("8-20", "8,9"),
            ("x,4", "4"),
        ] {
            assert_eq!(write(&read(text, 10)), short, "{text}");
        }
    }
}

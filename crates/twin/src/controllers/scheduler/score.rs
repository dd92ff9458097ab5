//! Which of the nodes that fit is best.

use serde_json::Value;

use super::affinity;
use super::filter::Wish;
use super::room::Room;
use crate::cluster::Context;
use crate::controllers::taint_eviction::tolerates;
use crate::field;

/// Weights of the rules.
const TAINTS: i64 = 3;
const AFFINITY: i64 = 2;
const SPREAD: i64 = 2;
const PEERS: i64 = 2;

/// The name of the best node; equals are decided by the dice.
pub(super) fn best(
    context: &mut Context<'_>,
    wish: &Wish<'_>,
    fitting: &[&Room],
) -> Option<String> {
    if let [only] = fitting {
        return Some(only.name().to_owned());
    }
    let mut scores: Vec<i64> =
        fitting.iter().map(|room| free(wish, room) + balance(wish, room)).collect();
    let mut add = |weight: i64, points: Vec<i64>| {
        for (score, points) in scores.iter_mut().zip(points) {
            *score += weight * points;
        }
    };
    let of = |points: &dyn Fn(&Room) -> i64| -> Vec<i64> {
        fitting.iter().map(|room| points(room)).collect()
    };
    add(TAINTS, fewest(of(&|room| disliked(wish.pod, &room.node))));
    add(AFFINITY, most(of(&|room| affinity::liking(wish.pod, &room.node))));
    if let Some(points) = wish.spread.scores(fitting) {
        add(SPREAD, points);
    }
    if let Some(points) = wish.peers.scores(fitting) {
        add(PEERS, points);
    }
    let top = *scores.iter().max()?;
    let equal: Vec<_> =
        fitting.iter().zip(&scores).filter(|(_, s)| **s == top).map(|(r, _)| r).collect();
    let count = i64::try_from(equal.len()).unwrap_or(1);
    let pick = usize::try_from(context.dice.between(0, count)).unwrap_or(0);
    equal.get(pick).map(|room| room.name().to_owned())
}

/// Points as a share of the highest.
fn most(raw: Vec<i64>) -> Vec<i64> {
    match raw.iter().copied().max().unwrap_or(0) {
        0 => vec![0; raw.len()],
        top => raw.into_iter().map(|one| 100 * one / top).collect(),
    }
}

/// The fewer the better.
fn fewest(raw: Vec<i64>) -> Vec<i64> {
    let top = raw.iter().copied().max().unwrap_or(0).max(1);
    raw.into_iter().map(|one| 100 - 100 * one / top).collect()
}

/// Taints that a pod does not like and yet would bear.
fn disliked(pod: &Value, node: &Value) -> i64 {
    let tolerations = field::list(pod, "/spec/tolerations").iter();
    let own: Vec<_> = tolerations
        .filter(|one| matches!(field::text(one, "/effect"), "" | "PreferNoSchedule"))
        .collect();
    let taints = field::list(node, "/spec/taints").iter();
    let soft = taints.filter(|taint| field::text(taint, "/effect") == "PreferNoSchedule");
    soft.filter(|taint| !own.iter().any(|one| tolerates(one, taint))).count() as i64
}

/// Percent that would stay free, cpu and memory in the middle.
fn free(wish: &Wish<'_>, room: &Room) -> i64 {
    let left = |taken: i64, more: i64, all: i64| {
        let taken = taken.saturating_add(more);
        if all <= 0 || taken > all { 0 } else { (all - taken).saturating_mul(100) / all }
    };
    let demand = &wish.demand;
    let cpu = left(room.taken.weight_cpu, demand.weight_cpu, room.cpu_milli);
    let memory = left(room.taken.weight_memory, demand.weight_memory, room.memory_bytes);
    (cpu + memory) / 2
}

/// How evenly cpu and memory would be taken. Pods that ask for nothing do not care.
fn balance(wish: &Wish<'_>, room: &Room) -> i64 {
    let demand = &wish.demand;
    if demand.cpu_milli == 0 && demand.memory_bytes == 0 {
        return 0;
    }
    let share = |taken: i64, more: i64, all: i64| {
        (taken.saturating_add(more) as f64 / all.max(1) as f64).min(1.0)
    };
    let cpu = share(room.taken.cpu_milli, demand.cpu_milli, room.cpu_milli);
    let memory = share(room.taken.memory_bytes, demand.memory_bytes, room.memory_bytes);
    ((1.0 - (cpu - memory).abs() / 2.0) * 100.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_shares() {
        assert_eq!(most(vec![0, 0]), [0, 0]);
        assert_eq!(most(vec![5, 10, 0]), [50, 100, 0]);
        assert_eq!(fewest(vec![0, 0]), [100, 100]);
        assert_eq!(fewest(vec![1, 2, 0]), [50, 0, 100]);
    }
}

//! How fast and how far a number of pods may change.
//!
//! Pure arithmetic over what was recommended and done before.

use model::Timestamp;
use serde_json::Value;

use crate::field;

/// A number that was recommended, or a change that was made, at a time.
pub(super) type Dated = (Timestamp, i64);

/// What an autoscaler remembers.
#[derive(Debug, Default, Clone)]
pub(super) struct Memory {
    pub recommended: Vec<Dated>,
    pub added: Vec<Dated>,
    pub removed: Vec<Dated>,
}

/// Nothing older matters: no window and no period may be longer.
const LONGEST_SECONDS: i64 = 3600;
/// Scaling down looks back this far unless told otherwise.
const DOWN_WINDOW: i64 = 300;
/// Without rules the number at most doubles, but may always become this.
const FIRST_STEP: i64 = 4;

/// A number of pods and why it is not another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limited {
    pub replicas: i64,
    pub limited: bool,
    pub reason: &'static str,
    /// Reason of a number that earlier ones held back.
    pub stabilized: Option<&'static str>,
}

const IN_RANGE: &str = "DesiredWithinRange";
const TOO_FEW: &str = "TooFewReplicas";
const TOO_MANY: &str = "TooManyReplicas";
const UP_LIMIT: &str = "ScaleUpLimit";
const DOWN_LIMIT: &str = "ScaleDownLimit";
pub(super) const UP_STABILIZED: &str = "ScaleUpStabilized";
pub(super) const DOWN_STABILIZED: &str = "ScaleDownStabilized";

/// The reason in a condition, in words.
pub(super) fn message(reason: &str) -> &'static str {
    match reason {
        TOO_FEW => "the desired replica count is less than the minimum replica count",
        TOO_MANY => "the desired replica count is more than the maximum replica count",
        UP_LIMIT => "the desired replica count is increasing faster than the maximum scale rate",
        DOWN_LIMIT => "the desired replica count is decreasing faster than the maximum scale rate",
        UP_STABILIZED => {
            "recent recommendations were lower than current one, applying the lowest recent \
             recommendation"
        }
        DOWN_STABILIZED => {
            "recent recommendations were higher than current one, applying the highest recent \
             recommendation"
        }
        _ => "the desired count is within the acceptable range",
    }
}

impl Memory {
    /// Remembers a recommendation and forgets what is too old to matter.
    fn note(&mut self, now: Timestamp, wanted: i64) {
        self.recommended.push((now, wanted));
        let oldest = now.minus_seconds(LONGEST_SECONDS);
        for list in [&mut self.recommended, &mut self.added, &mut self.removed] {
            list.retain(|(at, _)| *at >= oldest);
        }
    }

    /// Remembers a change of the number.
    pub fn scaled(&mut self, now: Timestamp, from: i64, to: i64) {
        let (list, by) =
            if to > from { (&mut self.added, to - from) } else { (&mut self.removed, from - to) };
        list.push((now, by));
    }
}

/// The number that may be set now, instead of the `wanted` one. `bounds` are least and most.
pub(super) fn limit(
    memory: &mut Memory,
    behavior: &Value,
    (current, wanted): (i64, i64),
    bounds: (i64, i64),
    now: Timestamp,
) -> Limited {
    let held = match behavior.is_object() {
        true => held_between(memory, behavior, (current, wanted), now),
        false => held_up(memory, wanted, now),
    };
    memory.note(now, wanted);
    let (replicas, reason) = match behavior.is_object() {
        true => by_rules(memory, behavior, (current, held), bounds, now),
        false => by_old_rule(current, held, bounds),
    };
    let stabilized = (held != wanted).then_some(match behavior.is_object() && wanted >= current {
        true => UP_STABILIZED,
        false => DOWN_STABILIZED,
    });
    Limited { replicas, limited: replicas != held, reason, stabilized }
}

/// The highest number of late.
fn held_up(memory: &Memory, wanted: i64, now: Timestamp) -> i64 {
    let cutoff = now.minus_seconds(DOWN_WINDOW);
    let late = memory.recommended.iter().filter(|(at, _)| *at >= cutoff);
    late.map(|(_, n)| *n).fold(wanted, i64::max)
}

/// Neither above the lowest nor below the highest number of late.
fn held_between(
    memory: &Memory,
    behavior: &Value,
    (current, wanted): (i64, i64),
    now: Timestamp,
) -> i64 {
    let cutoff = |way: &str, default: i64| {
        let window = behavior.pointer(&format!("/{way}/stabilizationWindowSeconds"));
        now.minus_seconds(window.and_then(Value::as_i64).unwrap_or(default))
    };
    let (up, down) = (cutoff("scaleUp", 0), cutoff("scaleDown", DOWN_WINDOW));
    let late = |from: Timestamp| {
        memory.recommended.iter().filter(move |(at, _)| *at > from).map(|(_, n)| *n)
    };
    let lowest = late(up).fold(wanted, i64::min);
    let highest = late(down).fold(wanted, i64::max);
    current.max(lowest).min(highest)
}

fn by_old_rule(current: i64, wanted: i64, (least, most): (i64, i64)) -> (i64, &'static str) {
    let step = (2 * current).max(FIRST_STEP);
    let (most, why) = if most > step { (step, UP_LIMIT) } else { (most, TOO_MANY) };
    match wanted {
        few if few < least => (least, TOO_FEW),
        many if many > most => (most, why),
        fine => (fine, IN_RANGE),
    }
}

fn by_rules(
    memory: &Memory,
    behavior: &Value,
    (current, wanted): (i64, i64),
    (least, most): (i64, i64),
    now: Timestamp,
) -> (i64, &'static str) {
    let start = |period: i64| {
        let from = now.minus_seconds(period);
        let sum = |list: &[Dated]| -> i64 {
            list.iter().filter(|(at, _)| *at > from).map(|(_, by)| *by).sum()
        };
        current - sum(&memory.added) + sum(&memory.removed)
    };
    if wanted > current {
        let step = rate(&behavior["scaleUp"], true, start).map_or(current, |n| n.max(current));
        let (most, why) = if most > step { (step, UP_LIMIT) } else { (most, TOO_MANY) };
        if wanted > most {
            return (most, why);
        }
    } else if wanted < current {
        let step = rate(&behavior["scaleDown"], false, start).map_or(current, |n| n.min(current));
        let (least, why) = if least < step { (step, DOWN_LIMIT) } else { (least, TOO_FEW) };
        if wanted < least {
            return (least, why);
        }
    }
    (wanted, IN_RANGE)
}

/// The farthest number that the policies of one way allow; none if it is closed.
fn rate(rules: &Value, up: bool, start: impl Fn(i64) -> i64) -> Option<i64> {
    let default: &[(&str, i64, i64)] =
        if up { &[("Pods", 4, 15), ("Percent", 100, 15)] } else { &[("Percent", 100, 15)] };
    let given = field::list(rules, "/policies").iter().map(|policy| {
        let number = |key| field::number(policy, key);
        (field::text(policy, "/type"), number("/value"), number("/periodSeconds"))
    });
    let mut policies: Vec<_> = given.collect();
    if policies.is_empty() {
        policies = default.to_vec();
    }
    let select = field::text(rules, "/selectPolicy");
    if select == "Disabled" {
        return None;
    }
    let reached = policies.into_iter().map(|(kind, value, period)| {
        let from = start(period);
        match (kind, up) {
            ("Pods", true) => from + value,
            ("Pods", false) => from - value,
            (_, true) => (from as f64 * (1.0 + value as f64 / 100.0)).ceil() as i64,
            (_, false) => (from as f64 * (1.0 - value as f64 / 100.0)) as i64,
        }
    });
    // The farthest is the highest on the way up and the lowest on the way down.
    if up == (select != "Min") { reached.max() } else { reached.min() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> Timestamp {
        Timestamp::from_seconds(100_000)
    }

    /// Numbers and how many seconds ago they were.
    fn dated(all: &[(i64, i64)]) -> Vec<Dated> {
        all.iter().map(|(ago, n)| (now().minus_seconds(*ago), *n)).collect()
    }

    #[test]
    fn bounds_and_the_old_rule() {
        for (current, wanted, least, most, expected, reason) in [
            (5, 7, 3, 8, 7, IN_RANGE),
            (3, 1, 2, 8, 2, TOO_FEW),
            (1, 0, 0, 10, 0, IN_RANGE),
            (20, 1000, 1, 10, 10, TOO_MANY),
            (3, 1000, 1, 2000, 6, UP_LIMIT),
        ] {
            let found = by_old_rule(current, wanted, (least, most));
            assert_eq!(found, (expected, reason), "{current} to {wanted}");
        }
    }

    /// Seconds ago, and by how many.
    type Past = [(i64, i64)];

    #[track_caller]
    fn rules(
        way: &str,
        policies: &[(&str, i64, i64)],
        (added, removed): (&Past, &Past),
        (current, wanted): (i64, i64),
        expected: i64,
    ) {
        let policies: Vec<_> = policies
            .iter()
            .map(|(kind, value, period)| {
                json!({"type": kind, "value": value, "periodSeconds": period})
            })
            .collect();
        let behavior = json!({way: {"policies": policies}});
        let memory = Memory { added: dated(added), removed: dated(removed), ..Memory::default() };
        let found = by_rules(&memory, &behavior, (current, wanted), (1, 1000), now());
        assert_eq!(found.0, expected, "{way} {policies:?} {current} to {wanted}");
    }

    #[test]
    fn scaling_up_by_rules() {
        let up = |policies: &[_], added: &[_], removed: &[_], from, to, expected| {
            rules("scaleUp", policies, (added, removed), (from, to), expected);
        };
        up(&[], &[], &[], 10, 50, 20);
        up(&[("Pods", 100, 60), ("Percent", 100, 60)], &[], &[], 10, 500, 110);
        up(&[("Pods", 2, 60), ("Percent", 100, 60)], &[], &[], 10, 500, 20);
        up(&[("Pods", 30, 60), ("Percent", 100, 60)], &[], &[], 10, 50, 40);
        up(&[("Percent", 200, 60)], &[], &[], 10, 500, 30);
        up(&[("Percent", 1, 60)], &[], &[], 3, 500, 4);
        up(&[("Pods", 5, 120)], &[(60, 15)], &[], 100, 200, 100);
        up(&[("Pods", 150, 120)], &[(60, 15)], &[], 100, 500, 235);
        up(&[("Percent", 200, 120)], &[(60, 15)], &[], 100, 500, 255);
        up(&[("Percent", 300, 300)], &[(240, 4)], &[(120, 2)], 6, 500, 16);
    }

    #[test]
    fn scaling_down_by_rules() {
        let down = |policies: &[_], added: &[_], removed: &[_], from, to, expected| {
            rules("scaleDown", policies, (added, removed), (from, to), expected);
        };
        down(&[("Pods", 20, 60), ("Percent", 1, 60)], &[], &[], 100, 2, 80);
        down(&[("Pods", 2, 60), ("Percent", 1, 60)], &[], &[], 100, 2, 98);
        down(&[("Pods", 5, 60)], &[], &[], 10, 2, 5);
        down(&[("Percent", 50, 60)], &[], &[], 10, 5, 5);
        down(&[("Pods", 5, 120)], &[], &[(60, 15)], 100, 2, 100);
        down(&[("Percent", 50, 120)], &[], &[(60, 12)], 100, 2, 56);
        down(&[("Percent", 50, 180)], &[(60, 2)], &[(120, 4)], 10, 1, 6);
        down(&[("Percent", 10, 120)], &[], &[(60, 30)], 100, 2, 100);
    }

    #[test]
    fn the_least_policy_or_none() {
        let both = json!([{"type": "Pods", "value": 2, "periodSeconds": 60},
            {"type": "Percent", "value": 50, "periodSeconds": 60}]);
        let least = json!({"policies": both, "selectPolicy": "Min"});
        assert_eq!(rate(&least, true, |_| 1), Some(2));
        assert_eq!(rate(&least, false, |_| 5), Some(3));
        assert_eq!(rate(&json!({"selectPolicy": "Disabled"}), true, |_| 5), None);
    }

    #[test]
    fn the_highest_of_late_holds_without_rules() {
        for (earlier, wanted, expected) in [
            (&[(120, 4), (60, 5)][..], 3, 5),
            (&[(120, 1), (60, 2)], 3, 3),
            (&[(600, 10), (540, 9)], 3, 3),
            (&[(600, 10), (60, 4), (120, 5), (540, 9)], 3, 5),
        ] {
            let memory = Memory { recommended: dated(earlier), ..Memory::default() };
            assert_eq!(held_up(&memory, wanted, now()), expected, "{earlier:?}");
        }
    }

    #[test]
    fn windows_hold_both_ways() {
        for (current, wanted, up, down, earlier, expected) in [
            (100, 3, 0, 180, &[(120, 4), (60, 5)][..], 5),
            (1, 7, 300, 0, &[(120, 4), (60, 5)], 4),
            (1, 100, 300, 0, &[(60, 6), (120, 5), (180, 9)], 5),
            (2, 1, 300, 300, &[(180, 3)], 2),
            (2, 3, 300, 300, &[(180, 1)], 2),
        ] {
            let behavior = json!({
                "scaleUp": {"stabilizationWindowSeconds": up},
                "scaleDown": {"stabilizationWindowSeconds": down},
            });
            let memory = Memory { recommended: dated(earlier), ..Memory::default() };
            let found = held_between(&memory, &behavior, (current, wanted), now());
            assert_eq!(found, expected, "{current} to {wanted} after {earlier:?}");
        }
    }
}

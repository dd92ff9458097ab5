//! From what pods use to how many there should be.
//!
//! Pure arithmetic; it must never know where the numbers come from.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;

/// A pod may be busy with its start for this long: what it uses then tells little.
const INITIALIZATION_SECONDS: i64 = 300;
/// A pod that was not ready after this long, and never was, is not counted.
const FIRST_READY_SECONDS: i64 = 30;

/// What is known of a pod.
#[derive(Debug, Clone, Default)]
pub(super) struct PodView {
    pub name: String,
    pub pending: bool,
    /// Failed or being deleted.
    pub leaving: bool,
    /// Whether it is ready, and since when it is or is not.
    pub ready: Option<(bool, Timestamp)>,
    pub started: Option<Timestamp>,
    /// What it asks for of the resource.
    pub request: i64,
}

/// What a pod uses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub value: i64,
    pub at: Timestamp,
    pub window_seconds: i64,
}

/// What pods use, by name.
pub(super) type Readings = BTreeMap<String, Reading>;

/// How far use may be off the target before anything is done, by direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerance {
    pub up: f64,
    pub down: f64,
}

impl Tolerance {
    fn has(self, ratio: f64) -> bool {
        ratio >= 1.0 - self.down && ratio <= 1.0 + self.up
    }
}

/// What use is aimed at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// Percent of the requests.
    Percent(i64),
    /// So much for each pod.
    Each(i64),
}

/// A number of pods, and what it was derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proposal {
    pub replicas: i64,
    /// Percent of the requests, for targets in percent.
    pub percent: i64,
    pub average: i64,
}

/// How the pods of a target are sorted.
#[derive(Debug, Default)]
struct Groups {
    ready: i64,
    unready: BTreeSet<String>,
    missing: BTreeSet<String>,
    ignored: BTreeSet<String>,
}

/// The number of pods at which each would use what it should. `cpu` is special: pods that start
/// are busier than they will be.
pub(super) fn pods(
    current: i64,
    target: Target,
    pods: &[PodView],
    readings: &Readings,
    (cpu, now): (bool, Timestamp),
    tolerance: Tolerance,
) -> Result<Proposal, String> {
    if pods.is_empty() {
        return Err("no pods returned by selector while calculating replica count".to_owned());
    }
    let groups = group(pods, readings, cpu, now);
    let mut counted = readings.clone();
    counted.retain(|name, _| !groups.ignored.contains(name) && !groups.unready.contains(name));
    if counted.is_empty() {
        let why = "did not receive metrics for targeted pods (pods might be unready)";
        return Err(why.to_owned());
    }
    let (ratio, percent, average) = ratio(target, pods, &counted)?;
    let stay = Proposal { replicas: current, percent, average };
    let fill_unready = !groups.unready.is_empty() && ratio > 1.0;
    if !fill_unready && groups.missing.is_empty() {
        if tolerance.has(ratio) {
            return Ok(stay);
        }
        return Ok(Proposal { replicas: ceil(ratio * groups.ready as f64), ..stay });
    }
    for name in &groups.missing {
        let value = match ratio {
            ratio if ratio < 1.0 => assumed(target, pods, name),
            ratio if ratio > 1.0 => 0,
            _ => continue,
        };
        counted.insert(name.clone(), Reading { value, at: now, window_seconds: 0 });
    }
    if fill_unready {
        for name in &groups.unready {
            counted.insert(name.clone(), Reading { value: 0, at: now, window_seconds: 0 });
        }
    }
    let (again, _, _) = self::ratio(target, pods, &counted)?;
    let turned = ratio < 1.0 && again > 1.0 || ratio > 1.0 && again < 1.0;
    if tolerance.has(again) || turned {
        return Ok(stay);
    }
    let replicas = ceil(again * counted.len() as f64);
    let against = again < 1.0 && replicas > current || again > 1.0 && replicas < current;
    Ok(Proposal { replicas: if against { current } else { replicas }, ..stay })
}

/// A pod without a reading counts, on the way down, as one that uses all it may.
fn assumed(target: Target, pods: &[PodView], name: &str) -> i64 {
    match target {
        Target::Each(each) => each,
        Target::Percent(percent) => {
            let request = pods.iter().find(|pod| pod.name == name).map_or(0, |pod| pod.request);
            request.saturating_mul(percent.max(100)) / 100
        }
    }
}

/// Use as a share of the target, in percent of the requests, and on average.
fn ratio(target: Target, pods: &[PodView], readings: &Readings) -> Result<(f64, i64, i64), String> {
    let all = i64::try_from(readings.len()).unwrap_or(i64::MAX).max(1);
    let total: i64 = readings.values().fold(0, |sum, r| sum.saturating_add(r.value));
    match target {
        Target::Each(each) => {
            let average = total / all;
            Ok((average as f64 / each.max(1) as f64, 0, average))
        }
        Target::Percent(percent) => {
            let known = pods.iter().filter_map(|pod| Some((pod, readings.get(&pod.name)?)));
            let (mut used, mut asked, mut count) = (0_i64, 0_i64, 0);
            for (pod, reading) in known {
                used = used.saturating_add(reading.value);
                asked = asked.saturating_add(pod.request);
                count += 1;
            }
            if asked == 0 {
                return Err("no metrics returned matched known pods".to_owned());
            }
            let is = used.saturating_mul(100) / asked;
            Ok((is as f64 / percent.max(1) as f64, is, used / count.max(1)))
        }
    }
}

fn group(pods: &[PodView], readings: &Readings, cpu: bool, now: Timestamp) -> Groups {
    let mut groups = Groups::default();
    for pod in pods {
        let name = pod.name.clone();
        if pod.leaving {
            groups.ignored.insert(name);
        } else if pod.pending {
            groups.unready.insert(name);
        } else {
            match readings.get(&pod.name) {
                None => drop(groups.missing.insert(name)),
                Some(reading) if cpu && tells_little(pod, reading, now) => {
                    groups.unready.insert(name);
                }
                Some(_) => groups.ready += 1,
            }
        }
    }
    groups
}

/// Whether what a pod uses of the cpu may come from its start.
fn tells_little(pod: &PodView, reading: &Reading, now: Timestamp) -> bool {
    let (Some((ready, since)), Some(started)) = (pod.ready, pod.started) else { return true };
    if started.plus_seconds(INITIALIZATION_SECONDS) > now {
        return !ready || reading.at < since.plus_seconds(reading.window_seconds);
    }
    !ready && started.plus_seconds(FIRST_READY_SECONDS) > since
}

/// The number of pods for one number that all of them share: `usage` against `target`.
pub(super) fn shared(
    current: i64,
    ready: i64,
    (usage, target): (i64, i64),
    tolerance: Tolerance,
) -> i64 {
    let ratio = usage as f64 / target.max(1) as f64;
    match current {
        0 => ceil(ratio),
        _ if tolerance.has(ratio) => current,
        _ => ceil(ratio * ready as f64),
    }
}

/// The same where the target is for each pod.
pub(super) fn shared_each(current: i64, (usage, each): (i64, i64), tolerance: Tolerance) -> i64 {
    let ratio = usage as f64 / (each.max(1) as f64 * current as f64);
    if current > 0 && tolerance.has(ratio) {
        return current;
    }
    ceil(usage as f64 / each.max(1) as f64)
}

fn ceil(number: f64) -> i64 {
    // Floats saturate; counts are far smaller.
    number.ceil() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: Tolerance = Tolerance { up: 0.1, down: 0.1 };

    fn now() -> Timestamp {
        Timestamp::from_seconds(100_000)
    }

    /// A pod that has been ready for long, as `r`; `u` is not ready, `h` became ready just now,
    /// `p` pending, `f` failed or being deleted.
    fn pod(name: usize, state: char) -> PodView {
        let long_ago = now().minus_seconds(3600);
        PodView {
            name: name.to_string(),
            pending: state == 'p',
            leaving: state == 'f',
            ready: Some(match state {
                'u' => (false, now().minus_seconds(60)),
                'h' => (true, now().minus_seconds(10)),
                _ => (true, long_ago),
            }),
            started: Some(if matches!(state, 'u' | 'h') {
                now().minus_seconds(60)
            } else {
                long_ago
            }),
            request: 1000,
        }
    }

    fn views(states: &str) -> Vec<PodView> {
        states.chars().enumerate().map(|(name, state)| pod(name, state)).collect()
    }

    fn levels(values: &[Option<i64>]) -> Readings {
        let reading = |value| Reading { value, at: now(), window_seconds: 30 };
        let all = values.iter().enumerate();
        all.filter_map(|(name, value)| Some((name.to_string(), reading((*value)?)))).collect()
    }

    /// Replicas and percent for a target in percent of the cpu requests.
    #[track_caller]
    fn check(current: i64, target: i64, states: &str, values: &[i64], expected: (i64, i64)) {
        let values: Vec<_> = values.iter().map(|v| (*v >= 0).then_some(*v)).collect();
        let found = pods(
            current,
            Target::Percent(target),
            &views(states),
            &levels(&values),
            (true, now()),
            TENTH,
        );
        let found = found.map(|p| (p.replicas, p.percent));
        assert_eq!(found, Ok(expected));
    }

    #[test]
    fn percent_of_the_requests() {
        check(3, 30, "rrr", &[300, 500, 700], (5, 50));
        check(3, 30, "urr", &[300, 500, 700], (4, 60));
        check(3, 30, "hrr", &[300, 500, 700], (4, 60));
        check(3, 30, "ruu", &[400, 500, 700], (3, 40));
        check(3, 30, "rhh", &[400, 500, 700], (3, 40));
        check(2, 30, "rrff", &[500, 700], (4, 60));
        check(5, 50, "rrrrr", &[100, 300, 500, 250, 250], (3, 28));
        check(4, 50, "urrr", &[100, 100, 100, -1], (3, 10));
        check(3, 50, "urr", &[100, 2000, -1], (4, 200));
        check(3, 50, "hrr", &[100, 2000, -1], (4, 200));
        check(2, 50, "rrr", &[100, 100, -1], (2, 10));
        // Pods that hang in their start count as unused on the way up.
        check(3, 50, "prr", &[-1, 1000, 1000], (4, 100));
        check(2, 50, "rr", &[540, 540], (2, 54));
    }

    #[test]
    fn so_much_for_each_pod() {
        for (states, values, expected) in [
            ("rrr", [20_000, 10_000, 30_000], 4),
            // Readiness is for the cpu only.
            ("ruu", [50_000, 10_000, 30_000], 6),
        ] {
            let readings = levels(&values.map(Some));
            let views = views(states);
            let found =
                pods(3, Target::Each(15_000), &views, &readings, (false, now()), TENTH).unwrap();
            assert_eq!(found.replicas, expected, "{values:?}");
        }
    }

    #[test]
    fn a_number_that_all_share() {
        for (current, ready, usage, target, expected) in [
            (3, 3, 20_000, 15_000, 4),
            (3, 1, 50_000, 10_000, 5),
            (3, 1, 8_600, 4_400, 2),
            (0, 0, 1_500, 1_000, 2),
            (0, 0, 0, 1_000, 0),
        ] {
            let found = shared(current, ready, (usage, target), TENTH);
            assert_eq!(found, expected, "{usage} of {target}");
        }
        assert_eq!(shared_each(3, (8_600, 2_150), TENTH), 4);
    }

    #[test]
    fn without_readings_there_is_no_number() {
        let unknown = Readings::from([(
            "other".to_owned(),
            Reading { value: 1, at: now(), window_seconds: 30 },
        )]);
        let of = |views: &[PodView], readings: &Readings| {
            pods(1, Target::Percent(100), views, readings, (true, now()), TENTH).unwrap_err()
        };
        assert!(of(&views("r"), &unknown).contains("no metrics returned matched known pods"));
        assert!(of(&views("r"), &Readings::new()).contains("did not receive metrics"));
        assert!(of(&[], &Readings::new()).contains("no pods returned by selector"));
    }
}

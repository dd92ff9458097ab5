//! Measurements of a workload: one series from samples, and what is unusual in it.

use std::collections::BTreeMap;

use model::{App, Sample, Snapshot, Timestamp};

use super::log_lines::names;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Cores used.
    Cpu,
    /// Time held back, per second, or the share of periods in which it was held back.
    Throttling,
    /// Bytes in use.
    Memory,
}

impl Measure {
    fn is(self, metric: &str) -> bool {
        let m = metric.to_ascii_lowercase();
        let throttling = m.contains("throttl") || m.contains("cfs");
        let other = ["limit", "request", "quota", "node_", "latency"].iter().any(|w| m.contains(w));
        match self {
            Measure::Throttling => throttling,
            Measure::Cpu => m.contains("cpu") && !throttling && !other,
            Measure::Memory => {
                let memory = m == "mem" || m.contains("memory") || m.contains("working_set");
                memory && !other && !m.contains("cache") && !m.contains("fail")
            }
        }
    }
}

/// Values in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Series {
    pub(super) points: Vec<(Option<Timestamp>, f64)>,
    pub(super) document: u16,
    pub(super) metric: String,
    pub(super) subject: String,
}

/// Fewer points than this say nothing about a course.
const FEW: usize = 6;

/// The series of one measure of a workload; `None` when there are too few samples.
pub(super) fn of(app: &App, measure: Measure, now: &Snapshot) -> Option<Series> {
    if now.samples.is_empty() {
        return None;
    }
    let names = names(app);
    let mut own = now.samples.iter().filter(|s| {
        let subject = s.subject.rsplit('/').next().unwrap_or_default();
        measure.is(&s.metric) && names.contains(&subject) && s.value.is_finite()
    });
    let first = own.next()?;
    let same = |s: &&model::Sample| s.metric == first.metric && s.subject == first.subject;
    let mut points: Vec<(Option<Timestamp>, f64)> =
        std::iter::once(first).chain(own.filter(same)).map(|s| (s.at, s.value)).collect();
    points.sort_by_key(|p| p.0);
    if first.metric.ends_with("_total") || is_counter(&points) {
        points = rates(&points);
    }
    (points.len() >= FEW).then(|| Series {
        points,
        document: first.document,
        metric: first.metric.to_string(),
        subject: first.subject.to_string(),
    })
}

/// The newest measurement of each pod, by the last part of its subject, of samples that `is`
/// takes.
pub(crate) fn newest(now: &Snapshot, is: impl Fn(&Sample) -> bool) -> BTreeMap<&str, &Sample> {
    let mut newest: BTreeMap<&str, &Sample> = BTreeMap::new();
    for sample in now.samples.iter().filter(|s| is(s)) {
        let subject = sample.subject.rsplit('/').next().unwrap_or_default();
        let known = newest.entry(subject).or_insert(sample);
        if known.at <= sample.at {
            *known = sample;
        }
    }
    newest
}

/// A value that only grows, by more than any rate could: seconds since the start.
fn is_counter(points: &[(Option<Timestamp>, f64)]) -> bool {
    let grows = points.windows(2).all(|w| matches!(w, [a, b] if b.1 >= a.1));
    grows
        && points.last().is_some_and(|p| p.1 > 1000.0)
        && points.first().is_some_and(|p| p.1 < 1e6)
}

/// Growth per second between neighbours; a counter that starts anew gives no rate.
fn rates(points: &[(Option<Timestamp>, f64)]) -> Vec<(Option<Timestamp>, f64)> {
    let rate = |w: &[(Option<Timestamp>, f64)]| match w {
        [a, b] => {
            let seconds = b.0?.since(a.0?);
            (seconds > 0 && b.1 >= a.1).then(|| (b.0, (b.1 - a.1) / seconds as f64))
        }
        _ => None,
    };
    points.windows(2).filter_map(rate).collect()
}

impl Series {
    /// The middle value of its first quarter: what was usual before.
    pub(super) fn before(&self) -> f64 {
        let first = self.points.get(..self.points.len().div_ceil(4)).unwrap_or_default();
        middle(first.iter().map(|p| p.1).collect())
    }

    /// The middle value of the highest quarter.
    pub(super) fn high(&self) -> f64 {
        let mut values: Vec<f64> = self.points.iter().map(|p| p.1).collect();
        values.sort_by(f64::total_cmp);
        let from = values.len() - values.len().div_ceil(4);
        middle(values.split_off(from))
    }

    /// The last value.
    pub(super) fn last(&self) -> f64 {
        self.points.last().map_or(0.0, |p| p.1)
    }

    /// When it first came at least half the way from `before` to `high`.
    pub(super) fn rose_at(&self) -> Option<Timestamp> {
        let half = f64::midpoint(self.before(), self.high());
        self.points.iter().find(|p| p.1 >= half).and_then(|p| p.0)
    }

    /// Whether the last values are still high.
    pub(super) fn is_high_still(&self) -> bool {
        let half = f64::midpoint(self.before(), self.high());
        let last: Vec<f64> = self.points.iter().rev().take(3).map(|p| p.1).collect();
        middle(last) >= half
    }

    /// Growth per second, when it grows nearly all the time and by half at least.
    pub(super) fn growth(&self) -> Option<f64> {
        let (first, last) = (self.points.first()?, self.points.last()?);
        let steps = self.points.len() - 1;
        let up = self.points.windows(2).filter(|w| matches!(w, [a, b] if b.1 >= a.1)).count();
        let seconds = last.0?.since(first.0?);
        let grows = up * 10 >= steps * 8 && first.1 > 0.0 && last.1 >= first.1 * 1.5;
        (grows && seconds > 0).then(|| (last.1 - first.1) / seconds as f64)
    }
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        let at = |i: usize| Some(Timestamp::from_seconds(1_000_000 + 15 * i as i64));
        let points = values.iter().enumerate().map(|(i, v)| (at(i), *v)).collect();
        Series { points, ..Series::default() }
    }

    #[test]
    fn an_episode_stands_out() {
        let s = series(&[0.1, 0.1, 0.1, 0.1, 0.9, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.1]);
        assert_eq!((s.before(), s.high(), s.is_high_still()), (0.1, 1.0, false));
        assert_eq!(s.rose_at(), Some(Timestamp::from_seconds(1_000_060)));
        assert_eq!(s.growth(), None);
        assert!(series(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).growth().is_some());
    }

    #[test]
    fn metrics_are_told_apart() {
        assert!(Measure::Throttling.is("container_cpu_cfs_throttled_seconds_total"));
        assert!(!Measure::Cpu.is("container_cpu_cfs_throttled_seconds_total"));
        assert!(Measure::Cpu.is("container_cpu_usage_seconds_total") && Measure::Cpu.is("cpu"));
        assert!(!Measure::Cpu.is("kube_pod_container_resource_limits_cpu"));
        assert!(
            Measure::Memory.is("mem") && Measure::Memory.is("container_memory_working_set_bytes")
        );
    }
}

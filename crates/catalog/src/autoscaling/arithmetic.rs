//! How a HorizontalPodAutoscaler comes to its number, step by step, as pure functions.
//!
//! It computes with what the autoscaler's own status shows and must never guess what is not
//! shown: pods that are not ready or have no metrics change the controller's figures.

use model::record::{Amount, MetricSource, Scaler, ScalerMetric, ScalingRules};
use model::{Timestamp, Truth};

/// A ratio this near to 1, in percent, changes nothing. It is a setting of the controller
/// manager; since 1.33 an autoscaler may have its own.
pub const TOLERANCE_PERCENT: i64 = 10;

/// How long recommendations to take pods away are looked back at when nothing is stated.
pub const DOWN_WINDOW_SECONDS: i64 = 300;

/// How often the controller looks, in seconds.
pub const PERIOD_SECONDS: i64 = 15;

/// What one metric asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The metric.
    pub metric: String,
    /// Its present value, in words.
    pub current: String,
    /// Its goal, in words.
    pub target: String,
    /// Replicas it asks for.
    pub replicas: i64,
    /// Whether it is so near to its goal that nothing changes.
    pub is_near: bool,
}

/// An autoscaler's decision with everything that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Replicas there are.
    pub current: i64,
    /// What each metric asks for.
    pub proposals: Vec<Proposal>,
    /// Metrics of which the present value is not known.
    pub unknown: Vec<String>,
    /// The most that a metric asks for; `None` when none is known.
    pub asked: Option<i64>,
    /// After the limit on how much may change at once.
    pub allowed: Option<i64>,
    /// After fewest and most replicas: what it comes to.
    pub wanted: i64,
    /// Each step in words; the last says why nothing happens, when nothing does.
    pub steps: Vec<String>,
}

/// `ceil(pods * current / target)`: the formula. `None` without a goal or with one of zero.
pub fn replicas_for(pods: i64, current: Amount, target: Amount) -> Option<i64> {
    let (now, goal) = (i128::from(current.milli()), i128::from(target.milli()));
    if goal <= 0 || now < 0 || pods < 0 {
        return None;
    }
    let product = i128::from(pods) * now;
    let up = product.div_euclid(goal) + i128::from(product.rem_euclid(goal) != 0);
    i64::try_from(up).ok()
}

/// Whether the ratio of value to goal is within the tolerance of 1.
pub fn is_near(current: Amount, target: Amount) -> bool {
    let (now, goal) = (i128::from(current.milli()), i128::from(target.milli()));
    (now - goal).abs() * 100 <= goal * i128::from(TOLERANCE_PERCENT)
}

/// Most replicas that may be reached in one step upwards from `pods`. Without rules: four more
/// or twice as many, whichever is more, every 15 s.
pub fn most_after_step(pods: i64, rules: Option<&ScalingRules>) -> i64 {
    let policies = rules.filter(|r| !r.policies.is_empty() || r.select_policy == "Disabled");
    let Some(rules) = policies else { return pods.saturating_add(4.max(pods)) };
    let reached = rules.policies.iter().map(|p| match p.kind.as_str() {
        "Percent" => {
            let share = i128::from(pods) * (100 + i128::from(p.value));
            i64::try_from((share + 99).div_euclid(100)).unwrap_or(i64::MAX)
        }
        _ => pods.saturating_add(p.value),
    });
    match rules.select_policy.as_str() {
        "Disabled" => pods,
        "Min" => reached.min().unwrap_or(pods),
        _ => reached.max().unwrap_or(pods),
    }
}

/// Fewest replicas that may be reached in one step downwards from `pods`. Without rules: all
/// may go at once.
pub fn fewest_after_step(pods: i64, rules: Option<&ScalingRules>) -> i64 {
    let policies = rules.filter(|r| !r.policies.is_empty() || r.select_policy == "Disabled");
    let Some(rules) = policies else { return 0 };
    let left = rules.policies.iter().map(|p| match p.kind.as_str() {
        "Percent" => {
            let share = i128::from(pods) * (100 - i128::from(p.value.clamp(0, 100)));
            i64::try_from(share.div_euclid(100)).unwrap_or(0)
        }
        _ => pods.saturating_sub(p.value).max(0),
    });
    match rules.select_policy.as_str() {
        "Disabled" => pods,
        "Min" => left.max().unwrap_or(pods),
        _ => left.min().unwrap_or(pods),
    }
}

/// The stabilised number: looking back over the window, the highest recommendation counts when
/// taking away, and the lowest when adding. `past` are recommendations with their times.
pub fn stabilised(
    current: i64,
    asked: i64,
    past: &[(Timestamp, i64)],
    now: Timestamp,
    window_seconds: i64,
) -> i64 {
    let within = past.iter().filter(|(at, _)| now.since(*at) <= window_seconds).map(|(_, n)| *n);
    if asked < current {
        within.fold(asked, i64::max).min(current)
    } else {
        within.fold(asked, i64::min).max(current)
    }
}

/// What a metric asks for with this many pods.
pub fn proposal(pods: i64, metric: &ScalerMetric) -> Option<Proposal> {
    let (current, target) = (metric.current?, metric.target?);
    let near = is_near(current, target);
    let replicas = if near { pods } else { replicas_for(pods, current, target)? };
    Some(Proposal {
        metric: name(metric),
        current: current.text(&metric.name),
        target: target.text(&metric.name),
        replicas,
        is_near: near,
    })
}

/// A metric as people say it: `cpu of the pods`, `queue (external)`.
pub fn name(metric: &ScalerMetric) -> String {
    match metric.source {
        MetricSource::Resource => format!("{} of the pods", metric.name),
        MetricSource::ContainerResource => {
            format!("{} of container {}", metric.name, metric.container)
        }
        MetricSource::Pods => format!("{} per pod", metric.name),
        MetricSource::Object => format!("{} of an object", metric.name),
        MetricSource::External => format!("{} (external)", metric.name),
        MetricSource::Unknown => metric.name.to_string(),
    }
}

/// The whole computation for an autoscaler as its status shows it.
pub fn decide(scaler: &Scaler) -> Decision {
    let pods = scaler.replicas.0;
    let mut steps = Vec::new();
    let proposals: Vec<Proposal> =
        scaler.metrics.iter().filter_map(|m| proposal(pods, m)).collect();
    for p in &proposals {
        steps.push(match p.is_near {
            true => format!(
                "{}: {} of {}, within {TOLERANCE_PERCENT}% of its goal: {pods} pods stay",
                p.metric, p.current, p.target
            ),
            false => format!(
                "{}: ceil({pods} pods x {} / {}) = {} pods",
                p.metric, p.current, p.target, p.replicas
            ),
        });
    }
    let unknown: Vec<String> = scaler
        .metrics
        .iter()
        .filter(|m| m.target.is_some() && m.current.is_none())
        .map(name)
        .collect();
    for metric in &unknown {
        steps.push(format!("{metric}: its present value is not known"));
    }
    let asked = proposals.iter().map(|p| p.replicas).max();
    if proposals.len() > 1
        && let Some(n) = asked
    {
        steps.push(format!("the metric that asks for most decides: {n} pods"));
    }
    // With a metric unknown, nothing is taken away.
    let asked = asked.map(|n| if unknown.is_empty() { n } else { n.max(pods) });
    let allowed = asked.map(|n| limited(scaler, pods, n, &mut steps));
    let wanted = allowed.unwrap_or(pods);
    let (fewest, most) = (scaler.fewest(), scaler.max.max(scaler.fewest()));
    let bounded = wanted.clamp(fewest, most);
    if bounded != wanted {
        let bound = if wanted > most { "maxReplicas" } else { "minReplicas" };
        steps.push(format!("{bound} makes it {bounded}"));
    }
    let wanted = if pods == 0 { 0 } else { bounded };
    steps.extend(why_nothing(scaler, pods, asked, wanted));
    Decision { current: pods, proposals, unknown, asked, allowed, wanted, steps }
}

/// The limit on how much may change at once.
fn limited(scaler: &Scaler, pods: i64, asked: i64, steps: &mut Vec<String>) -> i64 {
    let limit = if asked > pods {
        asked.min(most_after_step(pods, scaler.up.as_deref()))
    } else {
        asked.max(fewest_after_step(pods, scaler.down.as_deref()))
    };
    if limit != asked {
        steps.push(format!("at most {limit} pods in this step, by its scaling policies"));
    }
    limit
}

/// Why the number stays as it is, when it does.
fn why_nothing(scaler: &Scaler, pods: i64, asked: Option<i64>, wanted: i64) -> Option<String> {
    let is_false = |kind: &str| {
        scaler.condition(kind).filter(|c| c.status == Truth::False).map(|c| c.reason().to_owned())
    };
    if pods == 0 {
        return Some("nothing happens: at zero replicas an autoscaler is switched off".into());
    }
    if let Some(reason) = is_false("AbleToScale") {
        return Some(format!("nothing happens: it cannot scale its target ({reason})"));
    }
    let Some(asked) = asked else {
        let reason = is_false("ScalingActive").map(|r| format!(" ({r})")).unwrap_or_default();
        return Some(format!("nothing happens: it knows no metric{reason}"));
    };
    if wanted != pods {
        let window = match wanted < pods {
            true => scaler.down.as_ref().and_then(|r| r.stabilization_window_seconds),
            false => scaler.up.as_ref().and_then(|r| r.stabilization_window_seconds),
        };
        let usual = if wanted < pods { DOWN_WINDOW_SECONDS } else { 0 };
        let window = window.unwrap_or(usual);
        let which = if wanted < pods { "highest" } else { "lowest" };
        return (window > 0).then(|| {
            format!("the {which} number of the last {window}s counts, so it may come later")
        });
    }
    if scaler.max <= scaler.fewest() {
        return Some("nothing happens: fewest and most replicas are the same".into());
    }
    Some(match asked {
        n if n > pods => format!("nothing happens: {pods} is all that it may have"),
        n if n < pods => format!("nothing happens: {pods} is the fewest it may have"),
        _ => "nothing happens: it has what it needs".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::record::ScalingPolicy;
    use model::{Condition, Quantity};

    fn scaler(pods: i64, current: i64, target: i64, min: i64, max: i64) -> Scaler {
        let metric = ScalerMetric {
            name: "cpu".into(),
            target: Some(Amount::Percent(target)),
            current: Some(Amount::Percent(current)),
            ..ScalerMetric::default()
        };
        Scaler {
            min: Some(min),
            max,
            replicas: (pods, pods),
            metrics: vec![metric].into(),
            ..Scaler::default()
        }
    }

    fn rules(select: &str, policies: &[(&str, i64)]) -> ScalingRules {
        let policy = |(kind, value): &(&str, i64)| ScalingPolicy {
            kind: (*kind).into(),
            value: *value,
            period_seconds: 60,
        };
        ScalingRules {
            select_policy: select.into(),
            policies: policies.iter().map(policy).collect(),
            ..ScalingRules::default()
        }
    }

    #[test]
    fn the_formula_rounds_up_and_has_a_tolerance() {
        let percent = Amount::Percent;
        assert_eq!(replicas_for(3, percent(90), percent(50)), Some(6));
        assert_eq!(replicas_for(4, percent(20), percent(50)), Some(2));
        assert_eq!(replicas_for(3, percent(51), percent(50)), Some(4), "3.06 is rounded up");
        assert_eq!(replicas_for(3, percent(51), percent(0)), None);
        let queue = |n| Amount::Average(Quantity::from_units(n));
        assert_eq!(replicas_for(2, queue(70), queue(30)), Some(5));
        assert!(is_near(percent(55), percent(50)) && is_near(percent(45), percent(50)));
        assert!(!is_near(percent(56), percent(50)) && !is_near(percent(44), percent(50)));
        assert_eq!(replicas_for(i64::MAX, percent(i64::MAX), percent(1)), None);
    }

    #[test]
    fn steps_are_limited_by_policies() {
        assert_eq!(most_after_step(1, None), 5);
        assert_eq!(most_after_step(10, None), 20);
        assert_eq!(fewest_after_step(10, None), 0);
        let both = [("Pods", 2), ("Percent", 50)];
        assert_eq!(most_after_step(10, Some(&rules("", &both))), 15);
        assert_eq!(most_after_step(10, Some(&rules("Min", &both))), 12);
        assert_eq!(fewest_after_step(10, Some(&rules("", &both))), 5);
        assert_eq!(fewest_after_step(10, Some(&rules("Min", &both))), 8);
        assert_eq!(fewest_after_step(10, Some(&rules("Disabled", &[]))), 10);
        assert_eq!(fewest_after_step(3, Some(&rules("", &[("Percent", 10)]))), 2);
    }

    #[test]
    fn the_window_holds_the_highest_number_of_five_minutes() {
        let at = Timestamp::from_seconds;
        let past = [(at(0), 9), (at(100), 6), (at(350), 4)];
        assert_eq!(stabilised(8, 3, &past, at(400), DOWN_WINDOW_SECONDS), 6);
        assert_eq!(stabilised(8, 3, &past, at(900), DOWN_WINDOW_SECONDS), 3);
        assert_eq!(stabilised(3, 8, &past, at(400), 60), 4);
    }

    #[test]
    fn a_decision_says_every_step_and_why_nothing_happens() {
        let last = |s: &Scaler| {
            let d = decide(s);
            (d.wanted, d.steps.last().cloned().unwrap_or_default())
        };
        let nothing = |why: &str| format!("nothing happens: {why}");
        assert_eq!(last(&scaler(3, 52, 50, 1, 9)), (3, nothing("it has what it needs")));
        assert_eq!(last(&scaler(9, 90, 50, 1, 9)), (9, nothing("9 is all that it may have")));
        assert_eq!(last(&scaler(2, 9, 50, 2, 9)), (2, nothing("2 is the fewest it may have")));
        assert_eq!(
            last(&scaler(3, 90, 50, 3, 3)).1,
            nothing("fewest and most replicas are the same")
        );
        let up = decide(&scaler(3, 90, 50, 1, 9));
        assert_eq!((up.asked, up.wanted), (Some(6), 6));
        assert_eq!(
            up.steps.first().map(String::as_str),
            Some("cpu of the pods: ceil(3 pods x 90% / 50%) = 6 pods")
        );
        let (wanted, why) = last(&scaler(6, 10, 50, 1, 9));
        assert!(wanted == 2 && why.contains("last 300s"), "{why}");
        let at_zero = last(&scaler(0, 0, 50, 1, 9));
        assert!(at_zero.0 == 0 && at_zero.1.contains("switched off"), "{at_zero:?}");
        let mut blind = scaler(3, 0, 50, 1, 9);
        blind.metrics = vec![ScalerMetric { current: None, ..blind.metrics[0].clone() }].into();
        blind.conditions =
            vec![Condition::new("ScalingActive", Truth::False, "FailedGetResourceMetric", "")]
                .into();
        assert_eq!(last(&blind), (3, nothing("it knows no metric (FailedGetResourceMetric)")));
    }
}

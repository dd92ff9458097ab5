//! `hpa-pinned`: an autoscaler has all the replicas it may have, and they are not enough.

use model::record::{Known, Scaler};
use model::{
    Act, Certainty, Finding, Findings, Gap, Kind, Patch, Remedy, Scenario, Snapshot, State, Step,
    Truth,
};

use super::arithmetic;
use crate::evidence;

failure! {
    /// # An autoscaler is at its most replicas and would add more
    ///
    /// ## Signs
    /// `REPLICAS` equals `MAXPODS`, and the present value stays above the goal. The condition
    /// `ScalingLimited` is True with the reason `TooManyReplicas`. Requests get slower; nothing
    /// fails yet.
    ///
    /// ## Why it happens
    /// `maxReplicas` is a guess of the past: load grew, a peer became slower so that each
    /// request takes longer, or something loops. The autoscaler then has no more to give, and
    /// the pods it has take all the load.
    ///
    /// ## What we do
    /// 1. Is it more work, or slower work? When a peer is slow, more pods make it slower.
    /// 2. Is there room? Nodes, quota and the connections of a database must bear the pods.
    /// 3. Raise `maxReplicas` to what the formula asks for, with some room above.
    ///
    /// ## How to avoid it
    /// Alert when the number of replicas stays at its most for a quarter of an hour. Look at
    /// `maxReplicas` whenever the load of a month has grown.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Horizontal Pod Autoscaling".
    id: "hpa-pinned",
    mechanisms: {
        "max-replicas-too-low": "it wants more replicas than it may have",
    },
    reads: [HorizontalPodAutoscaler, Deployment, StatefulSet, Pod],
    leads_to: ["slo-burning"],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// At its most for longer than this, nobody is waiting for it to end.
const STANDING_SECONDS: i64 = 3 * 86_400;

fn detect(now: &Snapshot, findings: &mut Findings) {
    for scaler in now.scalers.iter().filter(|s| s.meta.live.has(Known::STATUS)) {
        pinned(scaler, now, findings);
    }
}

fn pinned(scaler: &Scaler, now: &Snapshot, findings: &mut Findings) {
    let object = scaler.meta.object(Kind::HorizontalPodAutoscaler);
    let (current, _) = scaler.replicas;
    if scaler.max == 0 || current < scaler.max {
        return;
    }
    let decision = arithmetic::decide(scaler);
    let limited = scaler.condition("ScalingLimited");
    let limited = limited.filter(|c| c.status == Truth::True && c.reason() == "TooManyReplicas");
    let above = decision.asked.is_some_and(|n| n > scaler.max);
    if !above && (decision.asked.is_some() || limited.is_none()) {
        return;
    }
    // Somebody may have meant it so: it is told, and nobody is woken for it.
    let fixed = scaler.max <= scaler.fewest();
    let target = now.scaled_by(scaler);
    if target.is_some_and(|a| !a.pods.is_empty() && a.lost_replicas() > 0) {
        let why = "not all of its pods are ready: the others carry their load";
        return findings.rule_out(KIND.id, object, why);
    }
    let most = scaler.max;
    let by = decision.proposals.iter().max_by_key(|p| p.replicas);
    let load = by.map(|p| format!(": {} at {} of {}", p.metric, p.current, p.target));
    let wants = decision.asked.filter(|_| above);
    let headline = format!(
        "autoscaler {object} is at its most of {most} replicas{}",
        load.unwrap_or_else(|| " and wants more".into())
    );
    let headline = match fixed {
        true => format!("{headline}; fewest and most are the same, so it never scales"),
        false => headline,
    };
    let expected = wants.map_or("more".to_owned(), |n| format!("{n} or more, as its metrics ask"));
    let facts = decision.steps.iter().take(2).map(|step| {
        evidence::field(scaler.meta.source, &object, "status.currentMetrics", step.clone())
    });
    let told = limited.map(|c| evidence::condition(scaler.meta.source, &object, c));
    let long = limited.and_then(|c| c.since);
    let long = long.is_some_and(|t| now.has_time && now.now.since(t) > STANDING_SECONDS);
    let mut finding = Finding::new(KIND.id, "max-replicas-too-low", object.clone(), headline)
        .field("spec.maxReplicas", most.to_string(), expected)
        .since(limited.and_then(|c| c.since))
        .evidence(facts)
        .evidence(told)
        .state(if long || fixed { State::Suspected } else { State::Active });
    if !above {
        let look = format!("kubectl describe {}", object.for_kubectl());
        finding = finding.unsure(Certainty::Likely, &[], look);
    }
    if let Some(app) = target {
        finding = finding.affects(app.object.clone(), "works above its goal");
    }
    findings.push(finding);
}

/// Autoscalers one step below their most: the next peak pins them.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for scaler in now.scalers.iter().filter(|s| s.max > s.fewest()) {
        let (current, _) = scaler.replicas;
        if current > 0 && current * 10 >= scaler.max * 9 {
            gaps.push(Gap {
                failure: KIND.id,
                object: scaler.meta.object(Kind::HorizontalPodAutoscaler),
                field: "spec.maxReplicas".into(),
                why: format!("{current} of {} replicas are in use", scaler.max),
            });
        }
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let old = finding.value.as_deref().unwrap_or("1");
    let asked = finding.expected.as_deref().and_then(|e| e.split(' ').next());
    let asked = asked.and_then(|n| n.parse::<i64>().ok());
    let new = asked.unwrap_or_else(|| old.parse::<i64>().map_or(2, |n| n.saturating_mul(2)));
    let patch =
        |n: &str| format!("kubectl patch {object} -p '{{\"spec\":{{\"maxReplicas\":{n}}}}}'");
    Remedy {
        next: vec![
            Step::look(
                "See whether there is room for more pods",
                format!(
                    "kubectl describe quota -n {}; kubectl top nodes",
                    finding.object.namespace
                ),
            ),
            Step::change("Allow more replicas", patch(&new.to_string()), patch(old)),
        ],
        do_not: vec![
            "Do not raise it blindly when a peer is what is slow: more pods load it more".into(),
        ],
    }
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let scaler = now.scalers.get(&gap.object.namespace, &gap.object.name)?;
    let more = scaler.max.saturating_mul(3) / 2 + 1;
    let body = format!("spec:\n  maxReplicas: {more}\n");
    Some(Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "Load grows until an autoscaler has all the replicas it may have.",
        acts: vec![(10, Act::Unmodelled("load grows, and the autoscaler's controller follows it"))],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check, check_gaps};

    fn scaler(min: i64, current: i64, percent: i64, conditions: &str) -> String {
        format!(
            "kind: HorizontalPodAutoscaler\nmetadata: {{namespace: fair, name: wheel, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{scaleTargetRef: {{kind: \
             Deployment, \
             name: wheel}}, minReplicas: {min}, maxReplicas: 6, targetCPUUtilizationPercentage: \
             60}}\nstatus: {{currentReplicas: {current}, desiredReplicas: {current}, \
             currentCPUUtilizationPercentage: {percent}{conditions}}}\n---\n"
        )
    }

    const LIMITED: &str = ", conditions: [{type: ScalingLimited, status: 'True', reason: \
                           TooManyReplicas, lastTransitionTime: 2026-03-01T09:00:00Z}]";
    const WANT: &str = "max-replicas-too-low hpa/wheel Proven Active";

    #[test]
    fn all_replicas_are_in_use_and_not_enough() {
        check(&KIND, &scaler(2, 6, 90, ""), &[WANT]);
        check(&KIND, &scaler(2, 6, 90, LIMITED), &[WANT]);
        check_gaps(&KIND, &scaler(2, 6, 90, ""), &["hpa/wheel spec.maxReplicas"]);
        let told = scaler(2, 6, 90, LIMITED).replace("currentCPUUtilizationPercentage: 90, ", "");
        check(&KIND, &told, &["max-replicas-too-low hpa/wheel Likely Active"]);
    }

    #[test]
    fn one_that_may_not_scale_at_all_is_a_note() {
        let note = "max-replicas-too-low hpa/wheel Proven Suspected";
        check(&KIND, &scaler(6, 6, 90, LIMITED), &[note]);
        check(&KIND, &scaler(6, 6, 50, ""), &[]);
    }

    #[test]
    fn look_alikes_stay_quiet() {
        check(&KIND, &scaler(2, 6, 62, LIMITED), &[]);
        check(&KIND, &scaler(2, 4, 90, ""), &[]);
        check_gaps(&KIND, &scaler(2, 4, 50, ""), &[]);
        let unready = "kind: Deployment\nmetadata: {namespace: fair, name: wheel, \
                       creationTimestamp: 2026-01-01T00:00:00Z}\nspec: {replicas: 6}\nstatus: \
                       {replicas: 6}\n---\nkind: Pod\nmetadata: {namespace: fair, name: \
                       wheel-5d4f8c7b9-x2x4z, ownerReferences: [{kind: ReplicaSet, name: \
                       wheel-5d4f8c7b9, controller: true}]}\nstatus: {phase: Pending}\n---\n";
        check(&KIND, &(scaler(2, 6, 90, LIMITED) + unready), &[]);
    }
}

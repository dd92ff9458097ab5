//! `hpa-explained`: how an autoscaler comes to its number, and why nothing happened.

use model::{Finding, Gap, Kind, Patch, Remedy, Scenario, Snapshot, Step};

failure! {
    /// # How an autoscaler comes to its number
    ///
    /// ## Signs
    /// A HorizontalPodAutoscaler adds no pods although they are busy, adds too many, or takes
    /// them away later than expected. `kubectl describe hpa` shows the metrics, and conditions
    /// whose reasons tell most: `ReadyForNewScale`, `ScaleDownStabilized`,
    /// `TooManyReplicas`, `TooFewReplicas`, `FailedGetResourceMetric`, `ScalingDisabled`.
    ///
    /// ## Why it happens
    /// Every 15 s the controller computes, for each metric:
    ///
    /// 1. wanted = ceil(pods x present value / goal)
    ///
    /// With 3 pods at 90% of a goal of 50%: ceil(3 x 90 / 50) = 6.
    ///
    /// - **Tolerance.** Is the ratio between 0.9 and 1.1, nothing changes. With a goal of 50%
    ///   that is anything from 45% to 55%.
    /// - **Percent of what?** Of what the containers *request*, not of their limit. Without a
    ///   request there is no percentage, and the autoscaler is blind.
    /// - **Pods that are not ready** or have no metrics yet are left out at first; then, to be
    ///   careful, they count as using nothing when pods would be added, and as using all of
    ///   the goal when pods would be taken away.
    /// - **Several metrics:** the one that asks for most decides. Is one of them unknown,
    ///   nothing is taken away.
    /// - **Up:** at once, by at most 4 pods or by as many as there are, every 15 s.
    /// - **Down:** the highest number wanted within the last 300 s counts. It is a sliding
    ///   maximum, not a pause: each busy moment holds the number for five minutes.
    /// - **`behavior`** changes windows and steps for each direction; `selectPolicy: Disabled`
    ///   forbids one.
    /// - At last **`minReplicas` and `maxReplicas`**.
    ///
    /// In 2019 it was otherwise: three minutes between two steps up and five between two steps
    /// down, and at most twice the pods at a time. Advice from then still names these.
    ///
    /// ## What we do
    /// 1. Read target, present value and replicas: do the sum by hand.
    /// 2. No present value: see `hpa-blind`. At the most replicas: see `hpa-pinned`. At zero:
    ///    see `workload-scaled-to-zero`.
    /// 3. Wants more, and there are not more: pods are pending, or a quota is full.
    /// 4. Goes up and down all the time: a longer window downwards, a goal that is further from
    ///    the usual load, and no second tool that sets `replicas`.
    ///
    /// ## How to avoid it
    /// Requests for every container, goals of 50 to 70%, room in the cluster for the most
    /// replicas, readiness that tells when a pod really serves.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Horizontal Pod Autoscaling", "Algorithm details".
    id: "hpa-explained",
    mechanisms: {
        "within-tolerance": "the ratio of value and goal is too near to 1",
        "stabilised": "a higher number of the last minutes still counts",
        "at-its-bounds": "fewest or most replicas are reached",
        "step-limited": "its policies allow only so many pods in one step",
    },
    reads: [HorizontalPodAutoscaler],
    leads_to: [],
    detect: Exposure,
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

const DOWN: &str = "spec.behavior.scaleDown.selectPolicy";

/// Autoscalers that never give back what they took.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let never =
        |s: &&model::record::Scaler| s.down.as_ref().is_some_and(|r| r.select_policy == "Disabled");
    for scaler in now.scalers.iter().filter(never) {
        gaps.push(Gap {
            failure: KIND.id,
            object: scaler.meta.object(Kind::HorizontalPodAutoscaler),
            field: DOWN.into(),
            why: "Disabled: one busy minute is paid for until somebody notices".into(),
        });
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    Remedy {
        next: vec![Step::look(
            "Read its metrics and conditions",
            format!("kubectl describe {object}"),
        )],
        do_not: vec!["Do not set replicas by hand: it sets them again within 15 s".into()],
    }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let body = "spec:\n  behavior:\n    scaleDown:\n      selectPolicy: Max\n".to_owned();
    (gap.field == DOWN).then(|| Patch { object: gap.object.clone(), body })
}

/// A page; nothing happens.
fn rehearse() -> Option<Scenario> {
    None
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check_gaps;

    #[test]
    fn an_autoscaler_that_never_goes_down_is_a_gap() {
        let yaml = |policy: &str| {
            format!(
                "kind: HorizontalPodAutoscaler\nmetadata: {{namespace: fair, name: wheel}}\nspec: \
                 {{scaleTargetRef: {{kind: Deployment, name: wheel}}, maxReplicas: 4, behavior: \
                 {{scaleDown: {{selectPolicy: {policy}}}}}}}\n"
            )
        };
        check_gaps(&KIND, &yaml("Disabled"), &["hpa/wheel spec.behavior.scaleDown.selectPolicy"]);
        let of_set = yaml("Disabled").replace("Deployment", "StatefulSet");
        check_gaps(&KIND, &of_set, &["hpa/wheel spec.behavior.scaleDown.selectPolicy"]);
        check_gaps(&KIND, &yaml("Max"), &[]);
    }
}

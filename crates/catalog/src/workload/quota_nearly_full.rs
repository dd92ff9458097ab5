//! `quota-nearly-full`: the next pod of a workload does not fit into a quota any more.

use model::record::{Known, Quota};
use model::{
    Act, App, Finding, Findings, Gap, Kind, Patch, Quantity, Remedy, Role, Scenario, Snapshot,
    State, Step,
};

use super::refused::cause::quota_mechanism;
use crate::evidence;

failure! {
    /// # A quota has no room for one more pod
    ///
    /// ## Signs
    /// `kubectl describe quota` shows a figure under Used that is close to Hard. All pods run;
    /// nothing is refused yet.
    ///
    /// ## Why it happens
    /// A quota counts what pods request, not what they use. A rolling update makes a new pod
    /// before it takes an old one away, so it needs room for one pod more than usually run.
    /// The same is true when an autoscaler adds pods, or when a node is lost and its pods are
    /// made again while the old ones still count. The first of these finds the quota full.
    ///
    /// ## What we do
    /// 1. Compare what is left with what one more pod of each workload asks for.
    /// 2. Raise the quota, or ask for less where requests are far above use.
    /// 3. Delete what nobody needs: old Jobs, forgotten Deployments, leftover claims.
    ///
    /// ## How to avoid it
    /// Keep room for the largest workload's surge. Alert at 80% of Hard.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Resource Quotas".
    id: "quota-nearly-full",
    mechanisms: {
        "quota-cpu": "the cpu that is left is less than one more pod asks for",
        "quota-memory": "the memory that is left is less than one more pod asks for",
        "quota-pods": "no pod more may be made",
        "quota-storage": "hardly any storage is left",
        "quota-services": "hardly any Service more may be made",
        "quota-count": "hardly any object of a kind more may be made",
    },
    reads: [ResourceQuota, Deployment, StatefulSet, Pod],
    leads_to: [],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A share of this much, in percent, is worth a look.
const NEARLY_PERCENT: i64 = 80;

fn detect(now: &Snapshot, findings: &mut Findings) {
    for quota in now.quotas.iter().filter(|q| q.meta.live.has(Known::STATUS)) {
        findings.found.extend(full_for(quota, now).or_else(|| nearly(quota)));
    }
}

/// What is left is so little that the next change may take it.
const ALMOST_PERCENT: i128 = 95;

/// A quota of this much or less is meant to be used up.
const FEW: i128 = 4;

/// The resource of which least is left, when that is very little.
fn nearly(quota: &Quota) -> Option<Finding> {
    let share = |used: Quantity, hard: Quantity| {
        i128::from(used.milli()) * 100 / i128::from(hard.milli().max(1))
    };
    let counted = |hard: Quantity| i128::from(hard.milli()) > FEW * 1000;
    let all = quota.hard.iter().filter_map(|(resource, hard)| {
        let used = quota.used.get(resource)?;
        let almost = share(used, hard) >= ALMOST_PERCENT && used < hard;
        (almost && counted(hard)).then_some((share(used, hard), resource, used, hard))
    });
    let (_, resource, used, hard) = all.max_by_key(|r| (r.0, r.1))?;
    let object = quota.meta.object(Kind::ResourceQuota);
    let text = |q: Quantity| q.text(resource);
    let value = format!("{} of {}", text(used), text(hard));
    let field = format!("status.used[{resource}]");
    let headline = format!(
        "quota {object} has {} of {resource} left: {value} are used",
        text(hard.minus(used))
    );
    let fact = evidence::field(quota.meta.source, &object, field, value);
    let finding = Finding::new(KIND.id, quota_mechanism(resource), object, headline)
        .field(format!("spec.hard[{resource}]"), text(hard), "more, or fewer who use it")
        .evidence([fact])
        .role(Role::Contributing)
        .state(State::Suspected);
    Some(finding)
}

/// The workload whose next pod does not fit, with the resource that is short.
fn full_for(quota: &Quota, now: &Snapshot) -> Option<Finding> {
    let apps = now.apps_in(&quota.meta.namespace).iter();
    let rolling = |a: &&App| {
        let rolls = a.workload.as_ref().and_then(|w| w.rollout.as_deref());
        a.object.kind == Kind::Deployment
            && a.wanted().is_some_and(|w| w > 0)
            && rolls.is_none_or(|r| r.strategy != "Recreate")
    };
    let apps: Vec<&App> = apps.filter(rolling).collect();
    let short = quota.hard.iter().filter_map(|(resource, hard)| {
        let used = quota.used.get(resource)?;
        let left = hard.minus(used);
        let needs = |a: &App| Some((one_pod(a, resource)?, a.object.clone()));
        let most = apps.iter().filter_map(|a| needs(a)).max()?;
        (hard.is_positive() && left < most.0).then_some((resource, used, hard, left, most))
    });
    let (resource, used, hard, left, (need, app)) = short.min_by_key(|s| s.3)?;
    let object = quota.meta.object(Kind::ResourceQuota);
    let text = |q: Quantity| q.text(resource);
    let headline = format!(
        "quota {object} has {} of {resource} left: a rollout of {app} needs {}",
        text(left),
        text(need)
    );
    let value = format!("{} of {}", text(used), text(hard));
    let fact = evidence::field(
        quota.meta.source,
        &object,
        format!("status.used[{resource}]"),
        value.clone(),
    );
    Some(
        Finding::new(KIND.id, quota_mechanism(resource), object, headline)
            .field(
                format!("spec.hard[{resource}]"),
                text(hard),
                format!("{} or more", text(used.plus(need))),
            )
            .evidence([fact])
            .role(Role::Contributing)
            .state(State::Suspected),
    )
}

/// What one pod of a workload adds to the count of a resource.
fn one_pod(app: &App, resource: &str) -> Option<Quantity> {
    if matches!(resource, "pods" | "count/pods") {
        return Some(Quantity::from_units(1));
    }
    let spec = app.spec().filter(|_| app.shows_spec())?;
    let (part, name) = resource.split_once('.').unwrap_or(("requests", resource));
    if !matches!(name, "cpu" | "memory" | "ephemeral-storage") {
        return None;
    }
    let of = |c: &model::record::Container| {
        let limit = c.resources.limits.get(name);
        match part {
            "limits" => limit,
            "requests" => c.resources.requests.get(name).or(limit),
            _ => None,
        }
        .unwrap_or_default()
    };
    Some(spec.containers.iter().map(of).fold(Quantity::ZERO, Quantity::plus))
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for quota in now.quotas.iter().filter(|q| q.meta.shows(Known::STATUS)) {
        for (resource, hard) in quota.hard.iter().filter(|(_, h)| h.is_positive()) {
            let used = quota.used.amount(resource);
            let share = i128::from(used.milli()) * 100 / i128::from(hard.milli().max(1));
            if share >= i128::from(NEARLY_PERCENT) {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: quota.meta.object(Kind::ResourceQuota),
                    field: format!("spec.hard[{resource}]"),
                    why: format!(
                        "{share}% used: {} of {}",
                        used.text(resource),
                        hard.text(resource)
                    ),
                });
            }
        }
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let namespace = &finding.object.namespace;
    let object = finding.object.for_kubectl();
    let resource = finding
        .field
        .as_deref()
        .and_then(|f| crate::wording::between(f, "[", "]"))
        .unwrap_or("cpu");
    let amount = finding.expected.as_deref().and_then(|e| e.split(' ').next()).unwrap_or("1");
    let old = finding.value.as_deref().unwrap_or("1");
    let patch = |amount: &str| {
        format!(
            "kubectl patch {object} --type merge -p \
             '{{\"spec\":{{\"hard\":{{\"{resource}\":\"{amount}\"}}}}}}'"
        )
    };
    Remedy {
        next: vec![
            Step::look(
                "See what is used and by whom",
                format!("kubectl describe {object}; kubectl top pods -n {namespace}"),
            ),
            Step::change("Raise the quota, if the cluster has room", patch(amount), patch(old)),
        ],
        do_not: vec!["Do not delete the quota: other namespaces rely on it too".into()],
    }
}

/// How much a team may have is agreed with people, not derived.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A namespace's quota leaves no room for the surge of a rollout.",
        acts: vec![(10, Act::Unmodelled("it is a note only: nobody is asked for attention"))],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check, check_gaps};

    fn quota(resource: &str, used: &str, hard: &str) -> String {
        format!(
            "kind: ResourceQuota\nmetadata: {{namespace: barn, name: team, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{hard: \
             {{{resource}: '{hard}'}}}}\nstatus: {{hard: {{{resource}: '{hard}'}}, used: \
             {{{resource}: '{used}'}}}}\n---\n"
        )
    }

    fn app(more: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: barn, name: loft}}\nspec: {{replicas: \
             2{more}, template: {{spec: {{containers: [{{name: main, resources: {{requests: {{cpu: \
             500m}}, limits: {{memory: 1Gi}}}}}}]}}}}}}\n---\n"
        )
    }

    #[test]
    fn the_next_pod_does_not_fit() {
        let want = "quota-cpu quota/team Proven Suspected";
        check(&KIND, &(quota("requests.cpu", "1800m", "2") + &app("")), &[want]);
        check(&KIND, &(quota("cpu", "1800m", "2") + &app("")), &[want]);
        let memory = quota("requests.memory", "7.5Gi", "8Gi") + &app("");
        check(&KIND, &memory, &["quota-memory quota/team Proven Suspected"]);
        let pods = quota("pods", "10", "10") + &app("");
        check(&KIND, &pods, &["quota-pods quota/team Proven Suspected"]);
        check_gaps(&KIND, &pods, &["quota/team spec.hard[pods]"]);
    }

    #[test]
    fn room_enough_and_no_surge_stay_quiet() {
        check(&KIND, &(quota("requests.cpu", "1", "2") + &app("")), &[]);
        check_gaps(&KIND, &(quota("requests.cpu", "1", "2") + &app("")), &[]);
        check(&KIND, &quota("requests.cpu", "1800m", "2"), &[]);
        let recreate = quota("requests.cpu", "1800m", "2") + &app(", strategy: {type: Recreate}");
        check(&KIND, &recreate, &[]);
    }
}

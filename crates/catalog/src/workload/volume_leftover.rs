//! `statefulset-volume-leftover`: claims that outlived the pods of their StatefulSet.

use std::collections::BTreeSet;

use model::record::{Claim, Known};
use model::{Finding, Gap, Kind, ObjectRef, Patch, Remedy, Risk, Scenario, Snapshot, Step};

failure! {
    /// # Claims of a StatefulSet are left over
    ///
    /// ## Signs
    /// Claims named `TEMPLATE-SET-NUMBER` are bound, and no pod of that number exists: the
    /// StatefulSet was deleted, or has fewer replicas than before. They cost money and count
    /// against quotas.
    ///
    /// ## Why it happens
    /// A StatefulSet makes a claim for each pod and by default never deletes it: data is worth
    /// more than a disk. That is on purpose. It becomes a trouble when nobody remembers whose
    /// they are, or when a new set of the same name finds the old data of another.
    ///
    /// ## What we do
    /// 1. Ask whose data it is and whether there is a copy of it.
    /// 2. In this order: scale the set down or delete it, then the claim, then, with the
    ///    reclaim policy `Retain`, the volume and at last the disk behind it.
    ///
    /// ## How to avoid it
    /// `persistentVolumeClaimRetentionPolicy` (stable since 1.32) says per set what becomes of
    /// claims when it is deleted and when it shrinks. Labels that name an owner.
    ///
    /// ## Sources
    /// Kubernetes documentation, "StatefulSets", section "PersistentVolumeClaim retention".
    id: "statefulset-volume-leftover",
    mechanisms: {
        "set-smaller": "the StatefulSet has fewer replicas than claims",
        "set-deleted": "the StatefulSet does not exist any more",
    },
    reads: [StatefulSet, PersistentVolumeClaim, Pod],
    leads_to: [],
    detect: Exposure,
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let mounted: BTreeSet<(&str, &str)> = now
        .apps
        .iter()
        .filter(|a| a.running().next().is_some() || a.object.kind != Kind::StatefulSet)
        .flat_map(|a| {
            let own = a.object.kind != Kind::StatefulSet;
            let names = if own { now.claims_of(a) } else { mounted_by_pods(a) };
            names.into_iter().map(move |n| (a.object.namespace.as_str(), n))
        })
        .collect();
    for claim in now.claims.iter().filter(|c| c.phase == "Bound") {
        let namespace = claim.meta.namespace.as_str();
        let shown = now.coverage.lists(Kind::StatefulSet, namespace)
            && now.coverage.lists(Kind::Pod, namespace);
        if !shown || mounted.contains(&(namespace, claim.meta.name.as_str())) {
            continue;
        }
        if let Some(why) = leftover(claim, now) {
            let object = claim.meta.object(Kind::PersistentVolumeClaim);
            let field = "metadata.name".to_owned();
            gaps.push(Gap { failure: KIND.id, object, field, why });
        }
    }
}

/// Claims that its pods mount; those from templates only as far as there are pods.
fn mounted_by_pods(app: &model::App) -> Vec<&str> {
    let volumes = app.pods.iter().flat_map(|p| p.spec.volumes.iter());
    let claims = volumes.filter_map(|v| match &v.source {
        model::record::VolumeSource::Claim(name) => Some(name.as_str()),
        _ => None,
    });
    claims.collect()
}

/// Why nobody will ever mount it.
fn leftover(claim: &Claim, now: &Snapshot) -> Option<String> {
    let (front, number) = claim.meta.name.rsplit_once('-')?;
    let number: i64 = number.parse().ok()?;
    let here = now.apps_in(&claim.meta.namespace).iter();
    let sets = here.filter(|a| a.object.kind == Kind::StatefulSet);
    for app in sets {
        let workload = app.workload.as_ref().filter(|w| w.meta.known.has(Known::REPLICAS))?;
        let own =
            |t: &model::record::Claim| front == format!("{}-{}", t.meta.name, app.object.name);
        let by_name = front.ends_with(&format!("-{}", app.object.name));
        let known = !workload.claim_templates.is_empty();
        if workload.claim_templates.iter().any(own) || (!known && by_name) {
            let replicas = workload.replicas.unwrap_or(1);
            return (number >= replicas).then(|| {
                format!("StatefulSet {} has {replicas} replicas: no pod {number}", app.object.name)
            });
        }
    }
    // Another owner deletes it in time; without one, the name is all that speaks of a set.
    let lonely = claim.meta.owner.is_none() && front.contains('-');
    let siblings = now.claims.in_namespace(&claim.meta.namespace).filter(|c| {
        c.meta.name.rsplit_once('-').is_some_and(|(f, n)| f == front && n.parse::<i64>().is_ok())
    });
    (lonely && siblings.count() > 1)
        .then(|| "named as one of several of a StatefulSet that does not exist".to_owned())
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object: &ObjectRef = &finding.object;
    Remedy {
        next: vec![
            Step::look(
                "See what it belongs to",
                format!("kubectl describe {}", object.for_kubectl()),
            ),
            Step {
                what: "When its data is not wanted any more, delete it".into(),
                command: Some(format!("kubectl delete {}", object.for_kubectl())),
                risk: Risk::Destructive,
                undo: None,
            },
        ],
        do_not: vec![
            "Do not delete a claim before somebody says that its data is not wanted".into(),
        ],
    }
}

/// Whether data may go, no patch decides.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

/// Nothing happens; there is nothing to practise.
fn rehearse() -> Option<Scenario> {
    None
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check_gaps;

    fn claim(name: &str) -> String {
        format!(
            "kind: PersistentVolumeClaim\nmetadata: {{namespace: mint, name: {name}}}\nspec: \
             {{}}\nstatus: {{phase: Bound}}\n---\n"
        )
    }

    const SET: &str = "kind: StatefulSet\nmetadata: {namespace: mint, name: coin}\nspec: \
                       {replicas: \
                       1, volumeClaimTemplates: [{metadata: {name: data}}]}\n---\n";
    const POD: &str = "kind: Pod\nmetadata: {namespace: mint, name: coin-0, ownerReferences: \
                       [{kind: \
                       StatefulSet, name: coin, controller: true}]}\nspec: {containers: [], \
                       volumes: \
                       [{name: data, persistentVolumeClaim: {claimName: data-coin-0}}]}\nstatus: \
                       {phase: Running}\n---\n";

    #[test]
    fn claims_beyond_the_replicas_and_of_sets_that_are_gone() {
        let all = SET.to_owned() + POD + &claim("data-coin-0") + &claim("data-coin-1");
        check_gaps(&KIND, &all, &["pvc/data-coin-1 metadata.name"]);
        let gone = claim("data-old-0") + &claim("data-old-1");
        check_gaps(&KIND, &gone, &["pvc/data-old-0 metadata.name", "pvc/data-old-1 metadata.name"]);
    }

    #[test]
    fn claims_that_are_in_use_or_stand_alone_are_none() {
        check_gaps(&KIND, &(SET.to_owned() + POD + &claim("data-coin-0")), &[]);
        check_gaps(&KIND, &(claim("uploads") + &claim("backup-2")), &[]);
    }
}

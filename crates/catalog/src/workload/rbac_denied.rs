//! `rbac-denied`: a program asks the API for what its service account may not do.

use model::{
    Act, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Scenario, Snapshot, Step,
};

use super::access::{asked, dangling, judge};

failure! {
    /// # A service account may not do what its program asks for
    ///
    /// ## Signs
    /// The log of a program, or an event, says `is forbidden: User
    /// "system:serviceaccount:NAMESPACE:NAME" cannot VERB resource "RESOURCE"`. The program
    /// retries for ever, does nothing, or ends. Its pods may look well.
    ///
    /// ## Why it happens
    /// Nothing is allowed that no role allows. A request is let through when some binding gives
    /// the service account of the pod a role, and the role lists verb, group and resource. The
    /// chain breaks in three places: there is no binding; the binding names another account (a
    /// word misspelt, another namespace, `default` because the pod names none); or the role is
    /// missing or lacks the verb. Bindings may name roles and accounts that do not exist, and
    /// nobody complains. A RoleBinding counts in its own namespace only: a program that lists
    /// objects of all namespaces needs a ClusterRoleBinding.
    ///
    /// ## What we do
    /// 1. Take account, verb, resource, group and namespace from the message.
    /// 2. Ask the API: `kubectl auth can-i VERB RESOURCE --as=system:serviceaccount:...`.
    /// 3. Look for bindings that name the account, then at their roles, then at the verb.
    /// 4. Mend the one link that is broken. Programs that watch must list as well.
    ///
    /// Do not bind `cluster-admin` to get it running: whoever takes over the pod has all of the
    /// cluster, and nobody takes the binding back later.
    ///
    /// ## How to avoid it
    /// Keep account, role and binding of a program in one template with the program itself.
    /// Ask `kubectl auth can-i` in the pipeline for each verb that the program needs. Give every
    /// program an account of its own.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Using RBAC Authorization" and "Authorization Overview".
    id: "rbac-denied",
    mechanisms: {
        "role-missing": "no role that its account is bound to allows the request",
        "binding-missing": "no binding gives its account a role that allows the request",
        "subject-mismatch": "the binding names another account than the one its pods use",
    },
    reads: [
        Role, ClusterRole, RoleBinding, ClusterRoleBinding, ServiceAccount, Pod, Deployment,
        StatefulSet, DaemonSet, CronJob, Job, Event,
    ],
    leads_to: [
        "deployment-rollout-failing",
        "job-failing",
        "pod-crash-looping",
        "pod-probe-failing",
        "service-without-endpoints",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    for request in asked::all(now) {
        judge::judge(&request, now, findings);
    }
    dangling::detect(now, findings);
}

/// Several programs with one account: what one of them needs, all of them may do.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for binding in now.bindings.iter() {
        let wide = matches!(binding.role.1.as_str(), "cluster-admin" | "admin" | "edit");
        let object = binding.meta.object(binding.kind);
        let default = binding.subjects.iter().any(|s| {
            s.kind == "ServiceAccount" && s.name == "default" && s.namespace != "kube-system"
        });
        if wide && default {
            gaps.push(Gap {
                failure: KIND.id,
                object,
                field: "subjects".into(),
                why: format!(
                    "role {} is given to the account that every pod without an own one uses",
                    binding.role.1
                ),
            });
        }
    }
}

/// Which account should have the role instead is for the owner of the program to say.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = &finding.object;
    let mut next = Vec::new();
    let request = asked::all(now).into_iter().find(|r| judge::concerns(r, finding));
    if let Some(request) = &request {
        next.push(Step::look("Ask the API whether it is allowed", request.can_i()));
    }
    match (finding.mechanism, &request) {
        ("binding-missing", Some(request)) => next.push(bind(request, now)),
        ("subject-mismatch", _)
            if object.kind != Kind::RoleBinding && object.kind != Kind::ClusterRoleBinding =>
        {
            next.push(set_account(finding));
        }
        _ => {
            let what = match (&finding.field, &finding.expected) {
                (Some(field), Some(expected)) => format!("In {field}: {expected}"),
                _ => "Correct it".to_owned(),
            };
            let edit = format!("kubectl edit {}", object.for_kubectl());
            next.push(Step::change(what, edit.clone(), edit));
        }
    }
    Remedy {
        next,
        do_not: vec![
            "Do not bind cluster-admin: allow the one verb on the one resource that is asked for"
                .into(),
        ],
    }
}

fn bind(request: &asked::Request, now: &Snapshot) -> Step {
    let account = format!("{}:{}", request.denial.account_namespace, request.denial.account);
    let name = &request.denial.account;
    let (kind, place) = match request.denial.namespace.as_str() {
        "" => ("clusterrolebinding", String::new()),
        namespace => ("rolebinding", format!(" -n {namespace}")),
    };
    let role = match judge::role_that_allows(request, now) {
        Some(ObjectRef { kind: Kind::ClusterRole, name, .. }) => format!("--clusterrole={name}"),
        Some(role) => format!("--role={}", role.name),
        None if place.is_empty() => "--clusterrole=ROLE".to_owned(),
        None => "--role=ROLE".to_owned(),
    };
    Step::change(
        "Give the account a role that allows it",
        format!("kubectl create {kind} {name}{place} {role} --serviceaccount={account}"),
        format!("kubectl delete {kind} {name}{place}"),
    )
}

fn set_account(finding: &Finding) -> Step {
    let object = finding.object.for_kubectl();
    let name = |n: &Option<String>| {
        let text = n.as_deref().unwrap_or("default");
        text.split([' ', ',']).next().unwrap_or("default").to_owned()
    };
    let set = |account: &str| format!("kubectl set serviceaccount {object} {account}");
    Step::change(
        "Let its pods use the account that has the role",
        set(&name(&finding.expected)),
        set(&name(&finding.value)),
    )
    .risk(model::Risk::Disruptive)
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A program lists pods, and the binding of its account was lost.",
        acts: vec![
            (10, Act::Apply(REHEARSAL)),
            (
                40,
                Act::Unmodelled(
                    "the program of Deployment shop/drill-clerk is refused by the API and logs it",
                ),
            ),
        ],
        found_within_seconds: 120,
    })
}

const REHEARSAL: &str = concat!(
    "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: drill-clerk, namespace: shop}\n\
     ---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n\
     metadata: {name: drill-clerk, namespace: shop}\n\
     rules: [{apiGroups: [''], resources: [pods], verbs: [get, list, watch]}]\n",
    drill_deployment!(
        "drill-clerk",
        replicas: 1,
        container: "image: 'drill:1'",
        pod: "serviceAccountName: drill-clerk"
    ),
);

#[cfg(test)]
mod tests;

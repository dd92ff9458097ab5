//! `namespace-terminating-stuck`: a namespace is being deleted and does not go.

use model::record::Named;
use model::{
    Act, Certainty, Condition, Evidence, Finding, Findings, Gap, Kind, Patch, Remedy, Risk,
    Scenario, Snapshot, State, Step, Truth, duration_text,
};

use crate::evidence;
use crate::wording::between;

failure! {
    /// # A namespace is being deleted and does not go
    ///
    /// ## Signs
    /// `kubectl get namespaces` shows `Terminating` for minutes or days. Nothing can be made in
    /// the namespace any more: "because it is being terminated". Whoever wants to make a
    /// namespace of the same name anew cannot.
    ///
    /// ## Why it happens
    /// A namespace goes when everything in it is gone. Its conditions say what holds it:
    /// something in it has a finalizer that nobody takes off (its controller was removed
    /// first), something is still being deleted, or the API cannot list all kinds of object
    /// because nobody answers for an extension of it (an APIService whose Service is down).
    ///
    /// ## What we do
    /// 1. Read the conditions of the namespace: they name the kinds and the finalizers.
    /// 2. An extension of the API does not answer? Repair it, or delete its APIService if the
    ///    extension is gone for good.
    /// 3. A finalizer is left? Bring its controller back and let it do its work. Only when
    ///    what it cleans up is known to be gone, take the finalizer off that object.
    /// 4. Take no finalizer off the namespace itself: what is in it would stay in etcd, unseen,
    ///    and come back with a namespace of the same name.
    ///
    /// ## How to avoid it
    /// Remove the objects of an operator before the operator, and the operator before its
    /// definitions. Watch that all APIServices are available.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Namespaces", "Finalizers" and "Kubernetes API Aggregation
    /// Layer".
    id: "namespace-terminating-stuck",
    mechanisms: {
        "finalizer-held": "something in it has a finalizer that is not taken off",
        "content-remaining": "something in it is not gone yet",
        "discovery-failing": "nobody answers for an extension of the API, so not all can be listed",
        "deletion-failing": "something in it cannot be deleted",
    },
    reads: [Namespace],
    leads_to: ["pods-refused-at-admission"],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// How long a namespace may take to go, in seconds.
const GOING_SECONDS: i64 = 300;

/// Its conditions, the more telling ones first, each with what it means.
const TELLING: [(&str, &str); 5] = [
    ("NamespaceDeletionDiscoveryFailure", "discovery-failing"),
    ("NamespaceDeletionGroupVersionParsingFailure", "discovery-failing"),
    ("NamespaceFinalizersRemaining", "finalizer-held"),
    ("NamespaceDeletionContentFailure", "deletion-failing"),
    ("NamespaceContentRemaining", "content-remaining"),
];

fn detect(now: &Snapshot, findings: &mut Findings) {
    let ending = now.named.iter().filter(|n| n.kind == Kind::Namespace && n.state == "Terminating");
    for namespace in ending {
        let object = namespace.meta.object(Kind::Namespace);
        let since = namespace.meta.deleting.filter(|t| now.has_time && t.seconds() > 0);
        let told = told(namespace);
        let since = since.or(told.iter().filter_map(|(c, _)| c.since).min());
        if since.is_some_and(|t| now.now.since(t) < GOING_SECONDS) {
            findings.rule_out(KIND.id, object, "it is being deleted since a few minutes only");
            continue;
        }
        findings.push(finding(namespace, &told, since, now));
    }
}

/// Conditions that hold and say why it is still there.
fn told(namespace: &Named) -> Vec<(&Condition, &'static str)> {
    let holds = |kind: &str| {
        namespace.conditions.iter().find(|c| c.kind == kind && c.status == Truth::True)
    };
    TELLING.iter().filter_map(|(kind, mechanism)| Some((holds(kind)?, *mechanism))).collect()
}

fn finding(
    namespace: &Named,
    told: &[(&Condition, &'static str)],
    since: Option<model::Timestamp>,
    now: &Snapshot,
) -> Finding {
    let object = namespace.meta.object(Kind::Namespace);
    let source = namespace.meta.source;
    let facts = told.iter().map(|(c, _)| evidence::condition(source, &object, c));
    let facts: Vec<Evidence> = facts.collect();
    let first = told.first();
    let mechanism = first.map_or("finalizer-held", |(_, mechanism)| *mechanism);
    let said = first.map_or("", |(c, _)| c.message());
    let age = since.map(|t| format!(" for {}", duration_text(now.now.since(t))));
    let what = held(mechanism, said).unwrap_or_else(|| KIND.meaning(mechanism).to_owned());
    let headline =
        format!("namespace {} is being deleted{}: {what}", object.name, age.unwrap_or_default());
    let (field, expected) = match mechanism {
        "finalizer-held" => ("metadata.finalizers", "none on what is in it"),
        "discovery-failing" => ("status.conditions[Available]", "True for all APIServices"),
        _ => ("status.phase", "gone"),
    };
    let value: String =
        if said.is_empty() { "not shown" } else { said }.chars().take(200).collect();
    let finding = Finding::new(KIND.id, mechanism, object.clone(), headline)
        .field(field, value, expected)
        .since(since)
        .evidence(facts)
        .evidence([evidence::field(source, &object, "status.phase", "Terminating")]);
    let look = format!("kubectl get namespace {} -o yaml", object.name);
    match told {
        // A table shows that it is being deleted, not since when.
        [] => finding
            .unsure(Certainty::Possible, &["content-remaining", "discovery-failing"], look)
            .state(State::Suspected),
        _ => finding.affects(object, "nothing can be made in it"),
    }
}

/// What holds it, as its condition names it: `finalizer.acme.example in 1 resource instances`.
fn held(mechanism: &str, said: &str) -> Option<String> {
    let (_, rest) = said.split_once(": ")?;
    let first = rest.split(", ").next()?;
    match mechanism {
        "finalizer-held" => {
            let (name, _) = first.split_once(" in ")?;
            Some(format!("finalizer {name} is not taken off"))
        }
        "content-remaining" => {
            let (name, _) = first.split_once(" has ")?;
            Some(format!("there are still {name} in it"))
        }
        "discovery-failing" => {
            let group = first.split([':', ' ']).next().filter(|g| g.contains('/'))?;
            Some(format!("nobody answers for {group} of the API"))
        }
        _ => None,
    }
}

/// Whether a finalizer will be taken off cannot be seen beforehand.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let name = &finding.object.name;
    let value = finding.value.as_deref().unwrap_or_default();
    let mut next = vec![Step::look(
        "Read what holds it",
        format!("kubectl get namespace {name} -o jsonpath='{{.status.conditions}}'"),
    )];
    if finding.mechanism == "discovery-failing" {
        next.push(Step::look(
            "See which extension of the API does not answer, and repair it",
            "kubectl get apiservices | grep False",
        ));
    } else {
        let kind = between(value, "remaining: ", " ").filter(|k| k.contains('.'));
        let kinds = match kind.filter(|_| finding.mechanism == "content-remaining") {
            Some(kind) => format!("kubectl get -n {name} {kind} -o yaml"),
            None => format!(
                "kubectl api-resources --verbs=list --namespaced -o name | xargs -n 1 kubectl get \
                 --ignore-not-found --show-kind -n {name}"
            ),
        };
        next.push(Step::look("See what is still in it", kinds));
        next.push(
            Step::advice(
                "Bring back the controller of the finalizer; only if what it cleans up is known \
                 to be gone, take the finalizer off that object",
            )
            .risk(Risk::Destructive),
        );
    }
    Remedy {
        next,
        do_not: vec![
            "Do not take the finalizer off the namespace itself: what is in it stays, unseen"
                .into(),
        ],
    }
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A namespace is deleted while a finalizer in it has lost its controller.",
        acts: vec![(
            10,
            Act::Unmodelled("a namespace with an object whose finalizer stays is deleted"),
        )],
        found_within_seconds: 600,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check;

    const CLOCK: &str = "kind: Namespace\nmetadata: {name: shop, creationTimestamp: \
        2026-03-01T12:00:00Z}\n---\n";

    fn ending(since: &str, conditions: &str) -> String {
        format!(
            "{CLOCK}kind: Namespace\nmetadata: {{name: old, deletionTimestamp: {since}}}\n\
             status: {{phase: Terminating, conditions: [{conditions}]}}\n"
        )
    }

    #[test]
    fn conditions_say_what_holds_it() {
        let finalizer = "{type: NamespaceContentRemaining, status: 'True', message: 'Some \
            resources are remaining: certificates.cert-manager.io has 1 resource instances'}, \
            {type: NamespaceFinalizersRemaining, status: 'True', message: 'Some content in the \
            namespace has finalizers remaining: finalizer.example.io in 1 resource instances'}";
        let old = "2026-03-01T10:00:00Z";
        check(&KIND, &ending(old, finalizer), &["finalizer-held ns/old Proven Active"]);
        let discovery = "{type: NamespaceDeletionDiscoveryFailure, status: 'True', message: \
            'Discovery failed for some groups, 1 failing: unable to retrieve the complete list \
            of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery'}";
        check(&KIND, &ending(old, discovery), &["discovery-failing ns/old Proven Active"]);
        let gone = "{type: NamespaceContentRemaining, status: 'False', message: all gone}";
        check(&KIND, &ending(old, gone), &["finalizer-held ns/old Possible Suspected"]);
    }

    #[test]
    fn one_that_is_only_just_being_deleted_and_one_that_lives_are_quiet() {
        check(&KIND, &ending("2026-03-01T11:58:00Z", ""), &[]);
        let well = "kind: Namespace\nmetadata: {name: shop}\nstatus: {phase: Active}\n";
        check(&KIND, well, &[]);
    }
}

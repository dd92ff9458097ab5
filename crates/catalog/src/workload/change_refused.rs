//! `change-refused`: the API takes no change that somebody wants to make.

use std::collections::BTreeSet;

use model::{
    Act, ClientError, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Risk, Scenario,
    Snapshot, State, Step,
};

use super::refused::cause::{self, Subject};
use super::refused::message;
use crate::evidence;
use crate::wording::{self, between, says};

failure! {
    /// # A change is refused
    ///
    /// ## Signs
    /// `kubectl apply`, `helm upgrade` or a pipeline ends with an error: "exceeded quota", "is
    /// invalid", "field is immutable", "denied the request", "no matches for kind". Nothing in
    /// the cluster looks broken: what was to come did not come.
    ///
    /// ## Why it happens
    /// The API server checks what it is given. It refuses a kind of object that it has no
    /// definition for (the operator's CustomResourceDefinitions are missing, or serve another
    /// version), a value that its rules do not allow, a field that cannot be changed any more
    /// (selectors, the class of a claim, the template of a Job), what a quota has no room for,
    /// and what a webhook or a policy denies. Some of the objects of one file may have been
    /// taken and others not: the application is then half of each version.
    ///
    /// ## What we do
    /// 1. Read which object and which field the error names.
    /// 2. No definition: install the operator that brings it, or use the version it serves
    ///    (`kubectl api-resources`).
    /// 3. A field that cannot be changed: make the object under a new name and move over, or
    ///    replace it when an interruption is allowed.
    /// 4. Try the corrected files with `kubectl apply --dry-run=server` before the next attempt.
    ///
    /// ## How to avoid it
    /// Let the pipeline try every change with `--dry-run=server` against the cluster it is for.
    /// Install definitions in a step of their own, before what uses them.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Custom Resources", "Resource Quotas", "Server-Side Apply" and
    /// "Dynamic Admission Control".
    id: "change-refused",
    mechanisms: {
        "definition-missing": "the API has no definition for this kind of object",
        "field-invalid": "a field has a value that is not allowed",
        "field-immutable": "a field cannot be changed once it is set",
        "limit-range": "it breaks a limit range",
        "pod-security": "it breaks a rule about security",
        "quota-count": "a quota allows no more of these objects",
        "quota-cpu": "a quota leaves too little cpu",
        "quota-memory": "a quota leaves too little memory",
        "quota-pods": "a quota allows no more pods",
        "quota-services": "a quota allows no more Services of this type",
        "quota-storage": "a quota leaves too little storage",
        "webhook-denied": "a webhook or a policy says no",
        "webhook-unreachable": "a webhook that must be asked does not answer",
    },
    reads: [ResourceQuota],
    leads_to: [],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for error in &now.client_errors {
        let Some(finding) = of(error, now) else { continue };
        if seen.insert((finding.mechanism, finding.object.clone())) {
            findings.push(finding);
        }
    }
}

fn of(error: &ClientError, now: &Snapshot) -> Option<Finding> {
    let text = error.text.as_str();
    let mut finding =
        if says(text, wording::KIND_UNKNOWN) { undefined(text)? } else { refused(text, now)? };
    let fact = evidence::field(error.document, &finding.object, "client", text);
    finding.evidence.insert(0, fact);
    Some(finding)
}

/// Kinds that well-known programs bring along.
const BROUGHT_BY: [(&str, &str); 16] = [
    ("scaledobject", "KEDA"),
    ("scaledjob", "KEDA"),
    ("triggerauthentication", "KEDA"),
    ("servicemonitor", "the Prometheus operator"),
    ("podmonitor", "the Prometheus operator"),
    ("prometheusrule", "the Prometheus operator"),
    ("certificate", "cert-manager"),
    ("clusterissuer", "cert-manager"),
    ("issuer", "cert-manager"),
    ("virtualservice", "Istio"),
    ("destinationrule", "Istio"),
    ("ingressroute", "Traefik"),
    ("httproute", "the Gateway API"),
    ("externalsecret", "the External Secrets operator"),
    ("verticalpodautoscaler", "the vertical pod autoscaler"),
    ("rollout", "Argo Rollouts"),
];

/// The API does not know the kind. Where only somebody asked for it, nothing need be wrong.
fn undefined(text: &str) -> Option<Finding> {
    let asked = between(text, "resource type \"", "\"");
    let kind = asked.or_else(|| between(text, "kind \"", "\"")).filter(|k| !k.is_empty())?;
    let version = between(text, "in version \"", "\"").unwrap_or_default();
    let plain = kind.split('.').next().unwrap_or(kind).to_ascii_lowercase();
    let is = |known: &str| plain == known || plain.strip_suffix('s') == Some(known);
    let by = BROUGHT_BY.iter().find(|(known, _)| is(known)).map(|(_, program)| *program);
    let brings = by.map(|b| format!(": {b}, which brings it, is not installed"));
    let in_version = if version.is_empty() { String::new() } else { format!(" ({version})") };
    let headline = format!(
        "the API has no objects of kind {kind}{in_version}{}",
        brings.unwrap_or_else(|| ": its definition is not installed".into())
    );
    let object = ObjectRef::component(kind);
    let expected = match by {
        Some(program) => format!("{program} installed, with a version that is served"),
        None => "a kind and version of `kubectl api-resources`".to_owned(),
    };
    let value = if version.is_empty() { kind } else { version };
    let finding = Finding::new(KIND.id, "definition-missing", object.clone(), headline).field(
        "apiVersion",
        value,
        expected,
    );
    Some(match between(text, "name: \"", "\"") {
        Some(name) => finding.affects(object, format!("{kind} {name} was not made")),
        None if asked.is_none() => finding.affects(object, "was not made"),
        None => finding.state(State::Suspected),
    })
}

/// The API knows the kind and does not take the object.
fn refused(text: &str, now: &Snapshot) -> Option<Finding> {
    let (kind, name, why) = named(text)?;
    // Who may not do it has a kind of its own.
    if why.contains("cannot ") && text.contains("User \"") {
        return None;
    }
    let refusal = message::parse(why);
    let quota = match &refusal {
        Some(message::Refusal::Quota(exceeded)) => {
            now.quotas.iter().find(|q| q.meta.name == exceeded.quota)
        }
        _ => None,
    };
    let namespace = quota.map_or("", |q| q.meta.namespace.as_str());
    let object = ObjectRef::new(kind, namespace, name);
    let short: String = why.chars().take(140).collect();
    let headline = format!("{} {object} is refused: {short}", kind.name());
    let immutable = says(why, &["field is immutable", "updates to statefulset spec for fields"]);
    let Some(refusal) = refusal.filter(|_| !immutable) else {
        let (field, said) = why.split_once(": ")?;
        let mechanism = if immutable { "field-immutable" } else { "field-invalid" };
        let expected = match immutable {
            true => "what it was; another value needs an object made anew",
            false => "a value that the API accepts",
        };
        if field.contains(' ') && !immutable {
            return None;
        }
        let finding = Finding::new(KIND.id, mechanism, object.clone(), headline);
        let said: String = said.chars().take(160).collect();
        return Some(finding.field(field, said, expected).affects(object, "was not changed"));
    };
    let subject = Subject { object: &object, app: None, now };
    let cause = cause::of(&refusal, &subject);
    let known = KIND.mechanisms.iter().any(|m| m.id == cause.mechanism);
    let mechanism = if known { cause.mechanism } else { "field-invalid" };
    let finding = Finding::new(KIND.id, mechanism, cause.object, headline)
        .field(cause.field, cause.value, cause.expected)
        .evidence(cause.evidence)
        .affects(object, "was not made");
    Some(finding)
}

/// Kind, name and reason in `services "web" is forbidden: ...`, `The Service "web" is invalid:
/// ...` and `error when creating "web.yaml": ...`.
fn named(text: &str) -> Option<(Kind, &str, &str)> {
    let text = text
        .rsplit_once("error when ")
        .map_or(text, |(_, rest)| rest.split_once("\": ").map_or(rest, |(_, after)| after));
    let at = [" is forbidden: ", " is invalid: "].iter().find_map(|mark| text.split_once(mark));
    let (subject, why) = at?;
    let (before, name) = subject.trim_end_matches('"').rsplit_once('"')?;
    let word = before.trim().rsplit(' ').next()?;
    let plural = word.split('.').next()?;
    let kind = Kind::from_name(word)
        .or_else(|| Kind::ALL.iter().copied().find(|k| k.plural() == plural))?;
    Some((kind, name, why))
}

/// What nobody has tried yet is refused by nobody.
fn exposed(_: &Snapshot, _: &mut Vec<Gap>) {}

fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let field = finding.field.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    let next = match finding.mechanism {
        "definition-missing" => vec![
            Step::look("See which kinds the API serves", "kubectl api-resources"),
            Step::advice(format!("Set it right: {expected}")),
        ],
        "field-immutable" => vec![Step {
            what: format!("Make the object anew with its new {field}, when that may interrupt"),
            command: Some("kubectl replace --force -f FILE".into()),
            risk: Risk::Disruptive,
            undo: None,
        }],
        "webhook-unreachable" => vec![Step::look(
            "See which webhooks must be asked, and whether their Services answer",
            "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",
        )],
        _ if finding.object.kind == Kind::ResourceQuota => vec![
            Step::look(
                "See what the quota allows and what is used",
                format!("kubectl describe {}", finding.object.for_kubectl()),
            ),
            Step::advice("Remove what nobody needs, or let its owner raise the quota"),
        ],
        _ => vec![
            Step::advice(format!("Correct {field}: {expected}")),
            Step::look("Try it before it is applied", "kubectl apply --dry-run=server -f FILE"),
        ],
    };
    Remedy {
        next,
        do_not: vec![
            "Do not apply only the part that is taken: it may not go with what was there".into(),
        ],
    }
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "Somebody applies an object of a kind that the cluster has no definition for.",
        acts: vec![(10, Act::Unmodelled("a client applies an object and is told an error"))],
        found_within_seconds: 60,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{lines, snapshot};

    fn told(yaml: &str, text: &str) -> Vec<String> {
        let mut now = snapshot(yaml);
        now.client_errors.push(model::ClientError {
            text: text.into(),
            answered_later: true,
            document: 0,
        });
        lines(&KIND, &now)
    }

    #[test]
    fn a_kind_without_a_definition() {
        for (text, want) in [
            (
                "error: resource mapping not found for name: \"api\" namespace: \"shop\" from \
                 \"so.yaml\": no matches for kind \"ScaledObject\" in version \
                 \"keda.sh/v1alpha1\"",
                "definition-missing component/ScaledObject Proven Active",
            ),
            (
                "error: unable to recognize \"i.yaml\": no matches for kind \"Ingress\" in \
                 version \"extensions/v1beta1\"",
                "definition-missing component/Ingress Proven Active",
            ),
            (
                "error: the server doesn't have a resource type \"scaledobject\"",
                "definition-missing component/scaledobject Proven Suspected",
            ),
        ] {
            assert_eq!(told("", text), [want]);
        }
    }

    #[test]
    fn objects_that_are_not_taken() {
        let quota = "kind: ResourceQuota\nmetadata: {name: counts, namespace: shop}\n\
            status: {hard: {services: '9'}, used: {services: '9'}}\n";
        for (text, want) in [
            (
                "Error from server (Forbidden): error when creating \"f.yaml\": services \
                 \"web\" is forbidden: exceeded quota: counts, requested: services=1, used: \
                 services=9, limited: services=9",
                "quota-services quota/counts Proven Active",
            ),
            (
                "The Deployment \"web\" is invalid: spec.selector: Invalid value: \
                 v1.LabelSelector{}: field is immutable",
                "field-immutable deploy/web Proven Active",
            ),
            (
                "The Service \"web\" is invalid: spec.ports[0].nodePort: Invalid value: 30080: \
                 provided port is already allocated",
                "field-invalid svc/web Proven Active",
            ),
        ] {
            assert_eq!(told(quota, text), [want]);
        }
    }

    #[test]
    fn other_errors_are_not_its_matter() {
        for text in [
            "Error from server (Forbidden): pods is forbidden: User \"a\" cannot list resource \
             \"pods\" in API group \"\" in the namespace \"shop\"",
            "Error from server (NotFound): pods \"web\" not found",
            "error: timed out waiting for the condition",
        ] {
            assert!(told("", text).is_empty(), "{text}");
        }
    }
}

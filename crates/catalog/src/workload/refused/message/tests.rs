use super::*;

const HEAD: &str = "Error creating: pods \"press-6b8d9c7f5-\" is forbidden: ";

fn read(text: &str) -> Refusal {
    parse(&format!("{HEAD}{text}")).unwrap_or_else(|| panic!("nothing read in {text}"))
}

#[test]
fn used_up_quotas_are_read() {
    let Refusal::Quota(q) = read(
        "exceeded quota: team, requested: limits.memory=2Gi,pods=1, used: \
         limits.memory=7Gi,pods=9, limited: limits.memory=8Gi,pods=9",
    ) else {
        panic!("no quota")
    };
    let got = [&*q.quota, &*q.resource, &*q.requested, &*q.used, &*q.limited];
    assert_eq!(got, ["team", "limits.memory", "2Gi", "7Gi", "8Gi"]);
    let claim = "create Claim data-db-0 for Pod db-0 in StatefulSet db failed error: \
                 persistentvolumeclaims \"data-db-0\" is forbidden: exceeded quota: disks, \
                 requested: requests.storage=5Gi, used: requests.storage=6Gi, limited: \
                 requests.storage=10Gi";
    assert!(matches!(parse(claim), Some(Refusal::Quota(q)) if q.resource == "requests.storage"));
}

#[test]
fn what_a_quota_wants_stated_is_read_in_both_wordings() {
    let want = |text: &str, containers: &[&str]| {
        let Refusal::Unstated { resources, containers: found, .. } = read(text) else {
            panic!("not read: {text}")
        };
        assert_eq!(resources, ["limits.cpu", "limits.memory"]);
        assert_eq!(found, containers);
    };
    want("failed quota: team: must specify limits.cpu,limits.memory", &[]);
    want("failed quota: team: must specify limits.cpu for: a,b; limits.memory for: a", &["a", "b"]);
}

#[test]
fn limits_are_read() {
    for (text, resource, part, bound, amount, small) in [
        (
            "maximum cpu usage per Container is 1, but limit is 1500m",
            "cpu",
            "limits",
            "1",
            "1500m",
            false,
        ),
        (
            "[minimum memory usage per Container is 64Mi, but request is 16Mi, minimum cpu usage \
             per Container is 10m, but request is 5m]",
            "memory",
            "requests",
            "64Mi",
            "16Mi",
            true,
        ),
        (
            "maximum memory usage per Pod is 1Gi, but limit is 2147483648",
            "memory",
            "limits",
            "1Gi",
            "2147483648",
            false,
        ),
        (
            "maximum memory usage per Container is 1Gi.  No limit is specified",
            "memory",
            "limits",
            "1Gi",
            "",
            false,
        ),
        (
            "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
            "cpu",
            "limits",
            "2",
            "4.000000",
            false,
        ),
    ] {
        let Refusal::LimitRange(l) = read(text) else { panic!("not read: {text}") };
        let got = (&*l.resource, l.part, &*l.bound, &*l.amount, l.too_small);
        assert_eq!(got, (resource, part, bound, amount, small), "{text}");
    }
}

#[test]
fn webhooks_are_read() {
    let denied = parse(
        "Error creating: admission webhook \"check.example.com\" denied the request: image must \
         have a digest",
    );
    let want =
        Refusal::Denied { by: "check.example.com".into(), why: "image must have a digest".into() };
    assert_eq!(denied, Some(want));
    let policy = "ValidatingAdmissionPolicy 'small' with binding 'all' denied request: too many";
    let want = Refusal::Denied { by: "small".into(), why: "too many".into() };
    assert_eq!(read(policy), want);
    for call in [
        "failed calling webhook \"a.b\": failed to call webhook:",
        "failed calling webhook \"a.b\":",
    ] {
        let text = format!(
            "Error creating: Internal error occurred: {call} Post \
             \"https://guard.policy.svc:443/pods?timeout=10s\": no endpoints available for \
             service \"guard\""
        );
        let Some(Refusal::Unreachable { webhook, service, why }) = parse(&text) else {
            panic!("not read: {text}")
        };
        assert_eq!((webhook.as_str(), service), ("a.b", Some(("policy".into(), "guard".into()))));
        assert!(why.starts_with("no endpoints available"), "{why}");
    }
    let slow = "Error creating: Timeout: request did not complete within requested timeout context \
                deadline exceeded";
    assert!(matches!(parse(slow), Some(Refusal::Unreachable { service: None, .. })));
}

#[test]
fn missing_things_and_broken_rules_are_read() {
    let account =
        "error looking up service account print/inker: serviceaccount \"inker\" not found";
    assert_eq!(read(account), Refusal::Account("inker".into()));
    let old = "No API token found for service account \"inker\", retry after the token is \
               automatically created and added to the service account";
    assert_eq!(read(old), Refusal::Account("inker".into()));
    let priority = "no PriorityClass with name rush was found";
    assert_eq!(read(priority), Refusal::Priority("rush".into()));
    for text in ["RuntimeClass \"kata\" not found", "RuntimeClass.node.k8s.io \"kata\" not found"] {
        assert_eq!(read(&format!("pod rejected: {text}")), Refusal::Runtime("kata".into()));
    }
    let Refusal::PodSecurity { level, what } = read(
        "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \
         \"main\" must set securityContext.allowPrivilegeEscalation=false)",
    ) else {
        panic!("no pod security")
    };
    assert_eq!(level, "restricted:latest");
    assert!(what.starts_with("allowPrivilegeEscalation"));
    let old = "unable to validate against any pod security policy: []";
    assert!(matches!(read(old), Refusal::PodSecurity { .. }));
    let field = parse(
        "Error creating: Pod \"press-0\" is invalid: spec.containers[0].resources.requests: \
         Invalid value: \"2\": must be less than or equal to cpu limit of 1",
    );
    assert!(matches!(field, Some(Refusal::Field { field, .. })
        if field == "spec.containers[0].resources.requests"));
    let ending = "unable to create new content in namespace print because it is being terminated";
    assert_eq!(read(ending), Refusal::Terminating);
    assert_eq!(parse("Error creating: something new"), None);
}

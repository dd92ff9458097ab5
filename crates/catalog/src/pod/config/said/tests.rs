use super::*;

#[track_caller]
fn check(text: &str, want: &[(Kind, &str, &str, &str)]) {
    let said = read(text);
    let said: Vec<_> = said.iter().map(|s| (s.kind, s.name, s.key, s.volume)).collect();
    assert_eq!(said, want, "{text}");
}

#[test]
fn old_and_new_words_of_the_kubelet_are_read() {
    check("Error: configmap \"lamps\" not found", &[(Kind::ConfigMap, "lamps", "", "")]);
    check("secrets \"pw\" not found", &[(Kind::Secret, "pw", "", "")]);
    check(
        "couldn't find key LEVEL in ConfigMap shop/lamps",
        &[(Kind::ConfigMap, "lamps", "LEVEL", "")],
    );
    check("Couldn't find key a.b in Secret shop/pw", &[(Kind::Secret, "pw", "a.b", "")]);
    check(
        "MountVolume.SetUp failed for volume \"conf\" : configmap \"lamps\" not found",
        &[(Kind::ConfigMap, "lamps", "", "conf")],
    );
    check(
        "MountVolume.SetUp failed for volume \"all\" : [configmap \"a\" not found, secret \"b\" not found]",
        &[(Kind::ConfigMap, "a", "", "all"), (Kind::Secret, "b", "", "all")],
    );
    check(
        "MountVolume.SetUp failed for volume \"conf\" : configmap references non-existent config key: x.yaml",
        &[(Kind::ConfigMap, "", "x.yaml", "conf")],
    );
    check(
        "MountVolume.SetUp failed for volume \"kube-api-access-1\" : failed to fetch token: serviceaccounts \"bot\" not found",
        &[(Kind::ServiceAccount, "bot", "", "kube-api-access-1")],
    );
}

#[test]
fn what_is_forbidden_or_only_slow_is_not_missing() {
    check("secrets \"pw\" is forbidden: User \"system:node:a\" cannot get", &[]);
    check("failed to sync secret cache: timed out waiting for the condition", &[]);
    check("object \"shop\"/\"pw\" not registered", &[]);
}

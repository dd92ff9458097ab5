use super::KIND;
use crate::testing::{check, check_gaps, snapshot};

const USER: &str = "system:serviceaccount:quay:pilot";

/// A workload that uses `account`, and an event in which it says that it was refused.
fn told(account: &str, asked: &str) -> String {
    format!(
        "kind: Deployment\nmetadata: {{namespace: quay, name: beacon, \
         creationTimestamp: 2026-01-01T00:00:00Z}}\n\
         spec: {{replicas: 1, selector: {{matchLabels: {{app: beacon}}}}, template: {{metadata: \
         {{labels: {{app: beacon}}}}, spec: {{serviceAccountName: {account}, containers: \
         [{{name: main}}]}}}}}}\nstatus: {{readyReplicas: 1}}\n---\n\
         kind: ServiceAccount\nmetadata: {{namespace: quay, name: {account}}}\n---\n\
         kind: Event\nmetadata: {{namespace: quay, name: e}}\ntype: Warning\nreason: Failed\n\
         involvedObject: {{kind: Deployment, namespace: quay, name: beacon}}\n\
         lastTimestamp: 2026-01-01T01:00:00Z\n\
         message: 'forbidden: User \"system:serviceaccount:quay:{account}\" cannot {asked}'\n---\n"
    )
}

fn refused(asked: &str) -> String {
    told("pilot", asked)
}

const LIST: &str = "list resource \"pods\" in API group \"\" in the namespace \"quay\"";

fn role(name: &str, rule: &str) -> String {
    format!("kind: Role\nmetadata: {{namespace: quay, name: {name}}}\nrules: [{rule}]\n---\n")
}

fn binding(role: &str, account: &str) -> String {
    format!(
        "kind: RoleBinding\nmetadata: {{namespace: quay, name: for-beacon}}\n\
         roleRef: {{kind: Role, name: {role}}}\n\
         subjects: [{{kind: ServiceAccount, {account}}}]\n---\n"
    )
}

const PODS: &str = "{apiGroups: [''], resources: [pods], verbs: [get, list]}";
const PILOT: &str = "namespace: quay, name: pilot";

#[test]
fn what_is_allowed_now_is_no_fault() {
    check(&KIND, &(refused(LIST) + &role("reader", PODS) + &binding("reader", PILOT)), &[]);
    let user = binding("reader", PILOT).replace(
        "{kind: ServiceAccount, namespace: quay, name: pilot}",
        &format!("{{kind: User, name: '{USER}'}}"),
    );
    check(&KIND, &(refused(LIST) + &role("reader", PODS) + &user), &[]);
}

#[test]
fn the_link_that_is_broken_is_named() {
    let reader = role("reader", PODS);
    let narrow = role("reader", "{apiGroups: [''], resources: [pods], verbs: [get]}");
    let group = role("reader", "{apiGroups: [apps], resources: [pods], verbs: [list]}");
    for (objects, want) in [
        (binding("readers", PILOT) + &reader, "role-missing rolebinding/for-beacon Proven Active"),
        (binding("reader", PILOT) + &narrow, "role-missing role/reader Proven Active"),
        (binding("reader", PILOT) + &group, "role-missing role/reader Proven Active"),
        (reader.clone(), "binding-missing sa/pilot Proven Active"),
        (
            binding("reader", "namespace: harbour, name: pilot") + &reader,
            "subject-mismatch rolebinding/for-beacon Proven Active",
        ),
        (
            binding("reader", "namespace: quay, name: pilto") + &reader,
            "subject-mismatch rolebinding/for-beacon Proven Active",
        ),
    ] {
        check(&KIND, &(refused(LIST) + &objects), &[want]);
    }
}

#[test]
fn a_pod_without_an_account_of_its_own_is_the_workloads_fault() {
    let yaml = told("default", LIST)
        + &role("reader", PODS)
        + &binding("reader", PILOT)
        + "kind: ServiceAccount\nmetadata: {namespace: quay, name: pilot}\n";
    check(&KIND, &yaml, &["subject-mismatch deploy/beacon Proven Active"]);
    let now = snapshot(&yaml);
    let mut findings = model::Findings::default();
    super::detect(&now, &mut findings);
    let found = findings.found.first().expect("a finding");
    assert_eq!(found.field.as_deref(), Some("spec.template.spec.serviceAccountName"));
    let steps = (KIND.remedy)(found, &now).next;
    let commands: Vec<&str> = steps.iter().filter_map(|s| s.command.as_deref()).collect();
    assert_eq!(
        commands,
        [
            "kubectl auth can-i list pods -n quay --as=system:serviceaccount:quay:default",
            "kubectl set serviceaccount -n quay deploy/beacon pilot",
        ]
    );
}

#[test]
fn old_words_other_scopes_and_paths_are_understood() {
    let whole = refused("list pods at the cluster scope")
        + &role("reader", PODS)
        + &binding("reader", PILOT);
    check(&KIND, &whole, &["binding-missing sa/pilot Proven Active"]);
    let path = refused("get path \"/metrics\"");
    check(&KIND, &path, &["binding-missing sa/pilot Proven Active"]);
    let all = path
        + "kind: ClusterRole\nmetadata: {name: metrics}\n\
           rules: [{nonResourceURLs: [/metrics], verbs: [get]}]\n---\n\
           kind: ClusterRoleBinding\nmetadata: {name: metrics}\n\
           roleRef: {kind: ClusterRole, name: metrics}\n\
           subjects: [{kind: Group, name: 'system:serviceaccounts:quay'}]\n";
    check(&KIND, &all, &[]);
    let told = format!("{LIST}: RBAC: role.rbac.authorization.k8s.io \"reader\" not found");
    check(&KIND, &refused(&told), &["role-missing role/reader Proven Active"]);
}

#[test]
fn what_is_over_or_asked_by_people_stays_quiet() {
    let old = refused(LIST)
        + "kind: Event\nmetadata: {name: late, namespace: quay}\n\
           lastTimestamp: 2026-01-01T09:00:00Z\n";
    check(&KIND, &old, &[]);
    check(&KIND, &refused(LIST).replace("system:serviceaccount:quay:pilot", "kim"), &[]);
}

#[test]
fn a_binding_without_its_role_is_a_suspicion_where_all_is_well() {
    let quiet = refused(LIST).replace("cannot", "may");
    let lost = quiet.clone() + &binding("reader", PILOT);
    check(&KIND, &lost, &["role-missing rolebinding/for-beacon Likely Suspected"]);
    let sick = lost.replace("readyReplicas: 1", "readyReplicas: 0");
    check(&KIND, &sick, &["role-missing rolebinding/for-beacon Likely Active"]);
    check(&KIND, &(quiet + &binding("reader", "namespace: quay, name: nobody")), &[]);
}

#[test]
fn much_given_to_the_default_account_is_a_gap() {
    let wide = "kind: ClusterRoleBinding\nmetadata: {name: all}\n\
                roleRef: {kind: ClusterRole, name: cluster-admin}\n\
                subjects: [{kind: ServiceAccount, namespace: quay, name: default}]\n";
    check_gaps(&KIND, wide, &["clusterrolebinding/all subjects"]);
    check_gaps(&KIND, &wide.replace("name: default", "name: pilot"), &[]);
}

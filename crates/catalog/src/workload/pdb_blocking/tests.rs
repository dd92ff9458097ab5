use super::{KIND, allows_none};
use crate::testing::{check, check_gaps, lines, snapshot};
use model::ClientError;
use model::record::Budget;
use model::record::Share::{self, Percent, Pods};

/// Whether figures alone allow no eviction.
fn figures(min: Option<Share>, max: Option<Share>, pods: i64) -> bool {
    let budget = Budget { min_available: min, max_unavailable: max, ..Budget::default() };
    allows_none(&budget, pods)
}

fn budget(spec: &str, status: &str) -> String {
    format!(
        "kind: PodDisruptionBudget\nmetadata: {{namespace: pier, name: rope}}\nspec: \
         {{selector: {{matchLabels: {{app: rope}}}}, {spec}}}\nstatus: {{{status}}}\n---\n"
    )
}

fn app(node: &str) -> String {
    format!(
        "kind: Deployment\nmetadata: {{namespace: pier, name: rope}}\nspec: {{replicas: 1, \
         selector: {{matchLabels: {{app: rope}}}}, template: {{metadata: {{labels: {{app: \
         rope}}}}}}}}\n---\nkind: Pod\nmetadata: {{namespace: pier, name: rope-5d4f8c7b9-x2x4z, \
         labels: {{app: rope}}, ownerReferences: [{{kind: ReplicaSet, name: rope-5d4f8c7b9, \
         controller: true}}]}}\nspec: {{nodeName: {node}}}\nstatus: {{phase: Running}}\n---\n"
    )
}

const CORDONED: &str = "kind: Node\nmetadata: {name: n1}\nspec: {unschedulable: true}\n---\n";
const NONE: &str = "disruptionsAllowed: 0, expectedPods: 1, currentHealthy: 1, desiredHealthy: 1";

#[test]
fn figures_that_allow_no_eviction() {
    assert!(figures(Some(Pods(2)), None, 2) && figures(Some(Percent(100)), None, 5));
    assert!(figures(Some(Percent(51)), None, 1) && figures(None, Some(Pods(0)), 3));
    assert!(!figures(Some(Pods(1)), None, 2) && !figures(Some(Percent(50)), None, 4));
    assert!(!figures(None, Some(Percent(10)), 3), "10% of 3 is rounded up to 1");
}

#[test]
fn a_node_that_cannot_be_drained() {
    let yaml = budget("minAvailable: 1", NONE) + &app("n1") + CORDONED;
    check(&KIND, &yaml, &["budget-allows-none pdb/rope Likely Active"]);
    check_gaps(&KIND, &yaml, &["pdb/rope spec.minAvailable"]);
    let unhealthy = budget(
        "maxUnavailable: 1",
        "disruptionsAllowed: 0, expectedPods: 2, \
                           currentHealthy: 1, desiredHealthy: 1",
    ) + &app("n1")
        + CORDONED;
    check(&KIND, &unhealthy, &["pods-unhealthy pdb/rope Likely Active"]);
}

#[test]
fn the_words_of_drain_prove_it() {
    let mut now = snapshot(&(budget("maxUnavailable: 0", NONE) + &app("n2")));
    assert_eq!(lines(&KIND, &now), Vec::<String>::new());
    now.client_errors.push(ClientError {
        text: "error when evicting pods/\"rope-5d4f8c7b9-x2x4z\" -n \"pier\" (will retry after \
               5s): Cannot evict pod as it would violate the pod's disruption budget."
            .into(),
        answered_later: false,
        document: 0,
    });
    assert_eq!(lines(&KIND, &now), ["budget-allows-none pdb/rope Proven Active"]);
}

#[test]
fn a_table_shows_no_selector_but_the_refusal_names_a_pod() {
    let row = "kind: PodDisruptionBudget\nmetadata: {namespace: pier, name: rope}\nspec: \
               {minAvailable: 1}\nstatus: {disruptionsAllowed: 0}\n---\n";
    let mut now = snapshot(&(row.to_owned() + &app("n1")));
    let budget = now.budgets.iter().next().expect("a budget").clone();
    let names = |now: &model::Snapshot| -> Vec<String> {
        super::refused(&budget, now).iter().map(|a| a.object.name.to_string()).collect()
    };
    assert!(names(&now).is_empty());
    let text = "error when evicting pods/\"rope-5d4f8c7b9-x2x4z\" -n \"pier\": Cannot evict pod \
                as it would violate the pod's disruption budget.";
    now.client_errors.push(ClientError { text: text.into(), answered_later: false, document: 0 });
    assert_eq!(names(&now), ["rope"]);
}

#[test]
fn budgets_that_nobody_meets_stay_quiet() {
    // Nobody drains: it is only a gap.
    check(&KIND, &(budget("minAvailable: 1", NONE) + &app("n1")), &[]);
    // The node was cordoned, but others are still on it: nobody has drained it.
    let more = app("n1").replace("rope", "sail");
    check(&KIND, &(budget("minAvailable: 1", NONE) + &app("n1") + &more + CORDONED), &[]);
    let allows = budget("minAvailable: 1", "disruptionsAllowed: 1, expectedPods: 2");
    check(&KIND, &(allows + &app("n1") + CORDONED), &[]);
}

#[test]
fn two_budgets_for_one_pod() {
    let second = budget("minAvailable: 1", NONE).replace("name: rope}", "name: knot}");
    let yaml = budget("maxUnavailable: 1", NONE) + &second + &app("n1") + CORDONED;
    let want = ["two-budgets pdb/knot Likely Active", "two-budgets pdb/rope Likely Active"];
    check(&KIND, &yaml, &want);
}

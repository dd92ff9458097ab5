//! Each way in which a node's network is not there, and what only looks like it.

use super::KIND;
use crate::node::testing::{event, node, with_condition};
use crate::testing::check;

const FAILED: &str = "RouteController failed to create a route";

fn cut(name: &str) -> String {
    with_condition(&node(name, "True", ""), "NetworkUnavailable", "True", FAILED)
}

#[test]
fn a_missing_route_alone_leaves_the_reason_open() {
    check(&KIND, &cut("a"), &["route-missing node/a Possible Active"]);
    let told = event("a", "NetworkUnavailable", FAILED, 1);
    check(&KIND, &told, &["route-missing node/a Possible Active"]);
}

#[test]
fn what_the_cloud_says_is_the_reason() {
    for (text, want) in [
        (
            "Could not create route 1 10.2.0.0/24 for node a after 90ms: timed out waiting \
             for the condition -> WaitCreate: ceate route for table vtb-1 error, Status \
             Code: 400 Code: QuotaExceeded Message: Route entry quota exceeded in this route \
             table",
            "route-quota-exceeded",
        ),
        (
            "Backoff creating route: WaitCreate: ceate route for table vtb-2 error, Code: \
             OperationFailed.InvalidNexthop Message: vpc multi scope route must has a enable \
             nexthop.",
            "route-refused",
        ),
        (
            "Could not create route 1 10.2.0.0/24 for node a after 1s: \
             UnauthorizedOperation: You are not authorized to perform this operation",
            "route-refused",
        ),
    ] {
        let line = format!("{want} node/a Proven Active");
        check(&KIND, &(cut("a") + &event("a", "FailedToCreateRoute", text, 5)), &[&line]);
        check(&KIND, &event("a", "FailedToCreateRoute", text, 1), &[&line]);
    }
}

#[test]
fn many_nodes_have_one_cause() {
    let yaml = cut("a")
        + &cut("b")
        + &event("a", "FailedToCreateRoute", "Could not create route: QuotaExceeded", 5);
    check(&KIND, &yaml, &["route-quota-exceeded component/cloud-controller-manager Proven Active"]);
    let down = cut("a").replace("Because", "CalicoIsDown");
    check(&KIND, &down, &["network-plugin-down node/a Proven Active"]);
}

#[test]
fn look_alikes_stay_quiet() {
    let well = with_condition(
        &node("a", "True", ""),
        "NetworkUnavailable",
        "False",
        "RouteController created a route",
    );
    check(&KIND, &well, &[]);
    let new = cut("a").replace("2026-01-01T00:00:00Z", "2026-01-02T09:58:30Z");
    check(&KIND, &new, &[]);
}

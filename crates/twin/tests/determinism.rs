//! Same seed and inputs, same run: every write at the same time, every object the same.

use twin::Twin;
use twin::scenario::{Component, Fault, Scenario, cascade, standard};

/// Losses and returns, of nodes and of the control plane.
fn troubled(seed: u64) -> Scenario {
    let mut scenario = standard(seed);
    let node = scenario.nodes.last().map(|node| node.name.clone()).unwrap_or_default();
    let component = Component::ControllerManager;
    scenario.timeline = vec![
        (60, Fault::StopKubelet { node: node.clone() }),
        (200, Fault::StopComponent { component }),
        (210, Fault::StartComponent { component }),
        (500, Fault::StopComponent { component: Component::ApiServer }),
        (530, Fault::StartComponent { component: Component::ApiServer }),
        (600, Fault::StartKubelet { node }),
    ];
    scenario.duration_seconds = 900;
    scenario
}

fn run(scenario: Scenario) -> (u64, String) {
    let twin = Twin::new(scenario);
    twin.run();
    (twin.log_hash(), twin.dump())
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for scenario in [cascade as fn(u64) -> Scenario, troubled] {
        let (first, again, other) = (run(scenario(7)), run(scenario(7)), run(scenario(8)));
        assert_eq!(first.0, again.0);
        assert!(first.1 == again.1, "the objects differ");
        assert_ne!(first.0, other.0, "the seed is used");
    }
}

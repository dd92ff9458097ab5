//! A standing verdict is the verdict of a fresh look, whatever happened before: after every step
//! of random histories of random clusters, both must be the same to the last byte.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests may panic")]

mod happenings;
mod objects;
mod world;

use engine::Standing;
use model::{Kind, Snapshot};
use proptest::collection::vec;
use proptest::prelude::*;
use world::World;

/// Everything that can be seen of a snapshot without asking a kind.
fn shown(now: &Snapshot) -> String {
    let apps: Vec<_> = now.apps.iter().collect();
    let events: Vec<_> = now.events.iter().collect();
    let nodes: Vec<_> = now.known_nodes().collect();
    let placed: Vec<_> = nodes
        .iter()
        .map(|n| now.on_node(&n.meta.name).map(|(a, p)| (a, &p.meta.name)).collect())
        .collect::<Vec<Vec<_>>>();
    let services: Vec<_> = now.services.iter().collect();
    let called: Vec<_> = services
        .iter()
        .map(|s| {
            let callers = now.callers_of(&s.meta.namespace, &s.meta.name);
            callers.into_iter().map(|(a, p)| (&a.object, p)).collect()
        })
        .collect::<Vec<Vec<_>>>();
    let claims: Vec<_> = now.claims.iter().collect();
    let named: Vec<_> = now.named.iter().collect();
    let backends: Vec<_> = now.backends.iter().collect();
    format!(
        "{apps:#?}{events:#?}{nodes:#?}{placed:#?}{services:#?}{called:#?}{claims:#?}{named:#?}{backends:#?}"
    )
}

/// Fails with the first line that differs.
fn assert_same(step: usize, what: &str, kept: &str, fresh: &str) {
    if kept != fresh {
        let lines = || kept.lines().zip(fresh.lines()).enumerate();
        let at = lines().find(|(_, (a, b))| a != b).map_or(0, |(at, _)| at);
        let near = |text: &str| {
            text.lines().skip(at.saturating_sub(30)).take(60).collect::<Vec<_>>().join("\n")
        };
        panic!("step {step}: {what} differ\nkept:\n{}\nfresh:\n{}", near(kept), near(fresh));
    }
}

fn live_through(listed: bool, history: &[Vec<(u8, u8, u8, u8)>]) {
    let mut world = World::new(listed);
    let mut standing = Standing::new(world.snapshot(), catalog::ALL);
    for (step, happenings) in history.iter().enumerate() {
        let changes = happenings.iter().flat_map(|h| world.happen(*h)).collect::<Vec<_>>();
        standing.apply(changes, world.now());
        let fresh = world.snapshot();
        assert_same(step, "snapshots", &shown(standing.now()), &shown(&fresh));
        let (kept, anew) = (standing.situation(), engine::step(&fresh, catalog::ALL));
        assert_same(step, "situations", &format!("{kept:#?}"), &format!("{anew:#?}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 400, ..Default::default() })]

    #[test]
    fn a_standing_verdict_is_that_of_a_fresh_look(
        listed in prop::bool::weighted(0.8),
        history in vec(vec(any::<(u8, u8, u8, u8)>(), 1..6), 1..24),
    ) {
        live_through(listed, &history);
    }
}

#[test]
fn the_histories_are_loud() {
    let mut world = World::new(true);
    let mut failures = std::collections::BTreeSet::new();
    for turn in 0..1200_u32 {
        let [a, b, c, d] = turn.wrapping_mul(0x9E37_79B9).to_be_bytes();
        world.happen((a, b, c, d));
        if turn % 40 == 39 {
            let said = engine::step(&world.snapshot(), catalog::ALL);
            let members = said.incidents.iter().flat_map(|i| &i.members);
            failures.extend(members.map(|m| m.finding.failure));
        }
    }
    assert!(failures.len() >= 20, "only {failures:?}");
}

#[test]
fn a_change_asks_again_only_what_rests_on_it() {
    let mut world = World::new(true);
    let made = world.clock(-86_400);
    let beating = |at: String| {
        let mut node = objects::node("node-a", &made, "True", &made, 0);
        let conditions = node["status"]["conditions"].as_array_mut().expect("a list");
        conditions.iter_mut().for_each(|c| c["lastHeartbeatTime"] = at.clone().into());
        node
    };
    let (one, next) = (world.clock(-20), world.clock(-10));
    world.put(Kind::Node, &beating(one));
    let mut standing = Standing::new(world.snapshot(), catalog::ALL);
    let beat = world.put(Kind::Node, &beating(next));
    assert!(standing.apply(beat, world.now()).is_empty(), "a node that is well goes on");
    let runs = objects::running("web", &made, 0);
    let mut pod = objects::pod(("shop", "web", 0), ("node-a", 0), &made, runs);
    pod["status"]["conditions"][0]["status"] = "False".into();
    let fails = world.put(Kind::Pod, &pod);
    let asked = standing.apply(fails, world.now());
    assert_eq!(asked.get("pod-image-pull-failing"), Some(&1), "of one workload");
    assert_eq!(asked.get("claim-pending"), None, "{asked:?}");
}

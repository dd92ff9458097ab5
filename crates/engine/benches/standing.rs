//! How long a standing verdict takes to follow a change in a large cluster.
//!
//! `cargo bench -p engine --bench standing -- DUMP` reads a dump (`cargo xtask bench diagnose
//! --keep FILE` writes one), lets things happen to it and prints the time of each step. With
//! `--kinds` it says how long each kind takes to be asked about everything.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use capture::{Input, Limits};
use engine::{Asked, Standing};
use model::record::{ClusterEvent, EventTime, Node, Pod};
use model::{Change, Condition, Detect, Kind, Object, Snapshot, Timestamp, Truth, listen};

/// Steps of each sort.
const STEPS: usize = 12;
/// Changes in a batch.
const BATCH: usize = 1_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(dump) = words.iter().find(|w| !w.starts_with("--")) else {
        // `cargo test` runs benches without a dump.
        println!("name a dump of a cluster");
        return;
    };
    let began = Instant::now();
    let read = capture::read(&[Input::Path(PathBuf::from(dump))], &Limits::default());
    let now = read.evidence.finish(None);
    println!("read       {}", seconds(began.elapsed()));
    if words.iter().any(|w| w == "--kinds") {
        return kinds(&now);
    }
    let began = Instant::now();
    let situation = engine::step(&now, catalog::ALL);
    println!("judged     {} in one look", seconds(began.elapsed()));
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let scene = Scene::of(&now);
    println!("cluster    {} pods, {} nodes", scene.pods.len(), scene.nodes.len());
    let began = Instant::now();
    let mut standing = Standing::new(now, catalog::ALL);
    println!("stands     after {}", seconds(began.elapsed()));
    let kept = standing.situation();
    assert!(*kept == situation, "the standing verdict is another");
    for sort in Sort::ALL {
        let steps: Vec<Took> =
            (0..STEPS).map(|_| step(&mut standing, scene.changes(sort, 1, &mut random))).collect();
        print(sort.name(), 1, steps);
    }
    let steps: Vec<Took> = (0..4)
        .map(|_| {
            let changes = Sort::ALL.iter().cycle().take(BATCH);
            let changes = changes.flat_map(|sort| scene.changes(*sort, 1, &mut random)).collect();
            step(&mut standing, changes)
        })
        .collect();
    print("all of these", BATCH, steps);
    let fresh = engine::step(standing.now(), catalog::ALL);
    assert!(*standing.situation() == fresh, "the standing verdict is another");
    println!("the verdict is that of a fresh look");
}

/// How long a step took.
struct Took {
    time: Duration,
    asked: Asked,
}

fn step(standing: &mut Standing<'_>, changes: Vec<Change>) -> Took {
    let now = Timestamp::from(standing.now().now).plus_seconds(1);
    let began = Instant::now();
    let asked = standing.apply(changes, now);
    Took { time: began.elapsed(), asked }
}

fn print(name: &str, changes: usize, mut steps: Vec<Took>) {
    steps.sort_by_key(|t| t.time);
    let (middle, last) = (&steps[steps.len() / 2], &steps[steps.len() - 1]);
    println!(
        "{name:<22} {changes:>5}  {:>9.0} us, most {:>8.0} us; {:>9.0} changes/s, {:>5} asked",
        micros(middle.time),
        micros(last.time),
        changes as f64 / middle.time.as_secs_f64(),
        middle.asked.values().sum::<usize>(),
    );
    if std::env::args().any(|a| a == "--asked") {
        let cluster =
            |id: &&str| catalog::find(id).is_some_and(|k| matches!(k.detect, Detect::Cluster(_)));
        let mut all: std::collections::BTreeMap<&str, usize> = Default::default();
        for step in &steps {
            for (id, count) in &step.asked {
                *all.entry(id).or_default() += count;
            }
        }
        let all: Vec<String> = all
            .iter()
            .map(|(id, count)| format!("{}{id} {count}", if cluster(id) { "*" } else { "" }))
            .collect();
        println!("    {}", all.join(", "));
    }
}

/// How long each kind takes, and on how many parts of the snapshot its answer rests.
fn kinds(now: &Snapshot) {
    let mut rows: Vec<(Duration, usize, usize, &str, &str)> = Vec::new();
    let mut all = Duration::ZERO;
    for kind in catalog::ALL {
        let class = match kind.detect {
            Detect::Apps(_) => "apps",
            Detect::Nodes(_) => "nodes",
            Detect::Services(_) => "services",
            Detect::Claims(_) => "claims",
            Detect::Cluster(_) => "cluster",
            Detect::Exposure | Detect::ExposedApps(_) => continue,
        };
        let began = Instant::now();
        let found = engine::ask(kind, now);
        let took = began.elapsed();
        all += took;
        let (_, parts) = listen(|| engine::ask(kind, now));
        rows.push((took, found.found.len(), parts.len(), class, kind.id));
    }
    rows.sort();
    for (took, found, parts, class, id) in rows.into_iter().rev() {
        println!("{:>9.0} us {found:>6} found {parts:>7} parts {class:<8} {id}", micros(took));
    }
    println!("{:>9.0} us in all", micros(all));
}

/// What happens to one object.
#[derive(Clone, Copy)]
enum Sort {
    PodFails,
    PodRecovers,
    PodGone,
    PodCame,
    Heartbeat,
    Event,
    Scaled,
}

impl Sort {
    const ALL: [Sort; 7] = [
        Sort::PodFails,
        Sort::PodRecovers,
        Sort::PodGone,
        Sort::PodCame,
        Sort::Heartbeat,
        Sort::Event,
        Sort::Scaled,
    ];

    fn name(self) -> &'static str {
        match self {
            Sort::PodFails => "a pod is not ready",
            Sort::PodRecovers => "a pod is ready",
            Sort::PodGone => "a pod goes",
            Sort::PodCame => "a pod comes",
            Sort::Heartbeat => "a node's heartbeat",
            Sort::Event => "an event",
            Sort::Scaled => "a workload's status",
        }
    }
}

/// The objects that things happen to.
struct Scene {
    pods: Vec<Pod>,
    nodes: Vec<Node>,
    workloads: Vec<model::record::Workload>,
}

impl Scene {
    fn of(now: &Snapshot) -> Self {
        let apps = || now.apps.iter();
        Scene {
            pods: apps().flat_map(|a| &a.pods).map(|p| (**p).clone()).collect(),
            nodes: now.nodes.iter().cloned().collect(),
            workloads: apps().filter_map(|a| a.workload.as_deref().cloned()).collect(),
        }
    }

    fn changes(&self, sort: Sort, count: usize, random: &mut Random) -> Vec<Change> {
        (0..count).map(|_| self.change(sort, random)).collect()
    }

    fn change(&self, sort: Sort, random: &mut Random) -> Change {
        let mut pod = self.pods[random.below(self.pods.len())].clone();
        match sort {
            Sort::PodFails => {
                if let Some(ready) = &mut pod.ready {
                    ready.status = Truth::False;
                }
                Change::Put(Object::Pod(pod))
            }
            Sort::PodRecovers | Sort::PodCame => Change::Put(Object::Pod(pod)),
            Sort::PodGone => Change::Gone(pod.meta.object(Kind::Pod)),
            Sort::Heartbeat => {
                let mut node = self.nodes[random.below(self.nodes.len())].clone();
                let beats = random.below(100) as i64;
                let later = |c: &Condition| {
                    let mut c = c.clone();
                    c.heartbeat = Some(Timestamp::from_seconds(1_900_000_000 + beats));
                    c
                };
                let conditions: Vec<Condition> = node.conditions.iter().map(later).collect();
                node.conditions = conditions.into();
                Change::Put(Object::Node(node))
            }
            Sort::Event => Change::Put(Object::Event(ClusterEvent {
                about: Some(pod.meta.object(Kind::Pod)),
                warning: true,
                reason: "Unhealthy".into(),
                message: "Readiness probe failed: connection refused".into(),
                source: "kubelet".into(),
                count: 1,
                first: EventTime::Unknown,
                last: EventTime::Unknown,
                document: 0,
            })),
            Sort::Scaled => {
                let mut workload = self.workloads[random.below(self.workloads.len())].clone();
                workload.counts.ready -= random.below(2) as i64;
                Change::Put(Object::Workload(workload))
            }
        }
    }
}

/// A seeded choice.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound.max(1)
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

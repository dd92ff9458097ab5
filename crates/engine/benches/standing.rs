//! How long a standing verdict takes to follow a change in a large cluster.
//!
//! `cargo xtask bench watch` makes a dump and runs this on it: it lets things happen to the
//! cluster and holds each step against its limit. `cargo bench -p engine --bench standing --
//! DUMP` does so with a dump that is there. With `--asked` it says who was asked again, with
//! `--kinds` how long each kind takes to be asked about everything.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use capture::{Input, Limits};
use engine::{Asked, Standing};
use model::record::{ClusterEvent, EventTime, Node, Phase, Pod};
use model::{Change, Condition, Detect, Kind, Object, Snapshot, Timestamp, Truth, listen};

/// Steps of each sort.
const STEPS: usize = 12;
/// Changes in a batch.
const BATCH: usize = 1_000;
/// One change is followed in less, and a batch.
const CHANGE_LIMIT: Duration = Duration::from_millis(1);
const BATCH_LIMIT: Duration = Duration::from_millis(50);

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
    let mut scene = Scene::of(&now);
    println!("cluster    {} pods, {} nodes", scene.pods.len(), scene.nodes.len());
    let began = Instant::now();
    let mut standing = Standing::new(now, catalog::ALL);
    println!("stands     after {}", seconds(began.elapsed()));
    let kept = standing.situation();
    assert!(*kept == situation, "the standing verdict is another");
    let mut is_met = true;
    for sort in Sort::ALL {
        let mut steps = Vec::new();
        for _ in 0..STEPS {
            let change = scene.change(sort, &mut random);
            steps.push(step(&mut standing, vec![change]));
        }
        is_met &= print(sort.name(), 1, steps, standing.now());
    }
    let mut steps = Vec::new();
    for _ in 0..4 {
        let changes = Sort::ALL.iter().cycle().take(BATCH);
        let changes = changes.map(|sort| scene.change(*sort, &mut random)).collect();
        steps.push(step(&mut standing, changes));
    }
    is_met &= print("all of these", BATCH, steps, standing.now());
    let fresh = engine::step(standing.now(), catalog::ALL);
    assert!(*standing.situation() == fresh, "the standing verdict is another");
    println!("the verdict is that of a fresh look");
    if !is_met {
        std::process::exit(1);
    }
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

/// Prints a row; whether its middle one is within the limit.
fn print(name: &str, changes: usize, mut steps: Vec<Took>, now: &Snapshot) -> bool {
    steps.sort_by_key(|t| t.time);
    let (middle, last) = (&steps[steps.len() / 2], &steps[steps.len() - 1]);
    let limit = if changes == 1 { CHANGE_LIMIT } else { BATCH_LIMIT };
    let of_limit = |took: &Took| took.time.as_secs_f64() / limit.as_secs_f64();
    println!(
        "{name:<22} {changes:>5}  {:>9.0} changes/s; {:>7.3} of the limit, at most {:>7.3}; \
         {:>5} asked",
        changes as f64 / middle.time.as_secs_f64(),
        of_limit(middle),
        of_limit(last),
        middle.asked.values().sum::<usize>(),
    );
    if std::env::args().any(|a| a == "--asked") {
        let mut all: std::collections::BTreeMap<&str, usize> = Default::default();
        for step in &steps {
            for (id, count) in &step.asked {
                *all.entry(id).or_default() += count;
            }
        }
        for (id, count) in all {
            // What looks at all at once takes about as long as another look at all.
            let kind = catalog::find(id).filter(|k| matches!(k.detect, Detect::Cluster(_)));
            let took = kind.map_or(Duration::ZERO, |kind| {
                let began = Instant::now();
                drop(listen(|| engine::ask(kind, now)));
                began.elapsed()
            });
            println!("    {count:>6} {:>9.0} us {id}", micros(took));
        }
    }
    middle.time <= limit
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
    PodWaits,
    PodPlaced,
    Heartbeat,
    Event,
    Scaled,
}

impl Sort {
    const ALL: [Sort; 9] = [
        Sort::PodFails,
        Sort::PodRecovers,
        Sort::PodGone,
        Sort::PodCame,
        Sort::PodWaits,
        Sort::PodPlaced,
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
            Sort::PodWaits => "a pod has no node",
            Sort::PodPlaced => "a pod gets its node",
            Sort::Heartbeat => "a node's heartbeat",
            Sort::Event => "an event",
            Sort::Scaled => "a workload's status",
        }
    }
}

/// The objects that things happen to.
struct Scene {
    at: Timestamp,
    pods: Vec<Pod>,
    nodes: Vec<Node>,
    workloads: Vec<model::record::Workload>,
    /// Pods that failed, went or wait: these recover, come back and are placed.
    down: Vec<Pod>,
    gone: Vec<Pod>,
    waiting: Vec<Pod>,
}

impl Scene {
    fn of(now: &Snapshot) -> Self {
        let apps = || now.apps.iter();
        Scene {
            at: now.now.into(),
            pods: apps().flat_map(|a| &a.pods).map(|p| (**p).clone()).collect(),
            nodes: now.nodes.iter().cloned().collect(),
            workloads: apps().filter_map(|a| a.workload.as_deref().cloned()).collect(),
            down: Vec::new(),
            gone: Vec::new(),
            waiting: Vec::new(),
        }
    }

    fn change(&mut self, sort: Sort, random: &mut Random) -> Change {
        let mut pod = self.pods[random.below(self.pods.len())].clone();
        match sort {
            Sort::PodFails => {
                self.down.push(pod.clone());
                if let Some(ready) = &mut pod.ready {
                    ready.status = Truth::False;
                }
                Change::Put(Object::Pod(pod))
            }
            Sort::PodRecovers => Change::Put(Object::Pod(self.down.pop().unwrap_or(pod))),
            Sort::PodCame => Change::Put(Object::Pod(self.gone.pop().unwrap_or(pod))),
            Sort::PodPlaced => Change::Put(Object::Pod(self.waiting.pop().unwrap_or(pod))),
            Sort::PodGone => {
                let object = pod.meta.object(Kind::Pod);
                self.gone.push(pod);
                Change::Gone(object)
            }
            Sort::PodWaits => {
                self.waiting.push(pod.clone());
                pod.node = "".into();
                pod.phase = Phase::Pending;
                if let Some(ready) = &mut pod.ready {
                    ready.status = Truth::False;
                }
                Change::Put(Object::Pod(pod))
            }
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
                first: EventTime::At(self.at),
                last: EventTime::At(self.at),
                document: 0,
            })),
            Sort::Scaled => {
                let mut workload = self.workloads[random.below(self.workloads.len())].clone();
                workload.counts.ready -= 1 + random.below(2) as i64;
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

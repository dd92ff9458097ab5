//! `cargo xtask fidelity specs SUITE.json --e2e PATH --kubectl PATH`: upstream end-to-end specs
//! run against a twin. The suite's file names those that pass without a kubelet.
//!
//! Several processes of the suite share one twin, as they would share a cluster; specs that say
//! they are serial run after all others, one at a time. It must never know what a spec asks.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::report::{self, Difference};
use super::twin::{Controls, Twin};

/// What is run.
#[derive(Default)]
pub struct Options {
    pub suite: PathBuf,
    pub e2e: PathBuf,
    pub kubectl: PathBuf,
    /// Where the binaries of a real control plane are, if its controllers shall act.
    pub controls: Option<PathBuf>,
    /// Groups, e.g. `sig-cli`; all of them when empty.
    pub groups: Vec<String>,
    /// Only specs whose name holds this.
    pub only: String,
    /// Where the suite's own output is kept.
    pub keep: Option<PathBuf>,
    /// Renews the page.
    pub write: bool,
}

/// So many processes of the suite run side by side.
const PROCESSES: usize = 3;
/// So many specs a process runs at most: starting it takes seconds.
const BATCH: usize = 12;
const NODES: usize = 3;

#[derive(Clone)]
struct Spec {
    name: String,
    group: String,
    /// What it took against a real control plane.
    seconds: f64,
}

/// How a spec ended: nothing, or why it failed.
type Outcomes = BTreeMap<String, Option<String>>;

pub fn run(options: &Options) -> Result<()> {
    let specs = read(options)?;
    if options.write && !options.only.is_empty() {
        bail!("--write needs whole groups, without --only")
    }
    let controls = options.controls.as_deref().map_or(Controls::Own, Controls::Real);
    let twin = Twin::start(controls)?;
    make_nodes(&twin, &options.kubectl)?;
    let folder = options.keep.clone().unwrap_or_else(|| twin.folder.path().join("specs"));
    fs::create_dir_all(&folder)?;
    let (serial, side_by_side): (Vec<_>, Vec<_>) =
        specs.iter().cloned().partition(|spec| spec.name.contains("[Serial]"));
    let runner = Runner { options, twin: &twin, folder: &folder };
    let mut outcomes = runner.all(side_by_side, PROCESSES)?;
    outcomes.extend(runner.all(serial, 1)?);
    told(&specs, &outcomes, options.write)
}

fn read(options: &Options) -> Result<Vec<Spec>> {
    let path = &options.suite;
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let suite: Value = serde_json::from_slice(&text)?;
    let specs = suite["pass"].as_array().into_iter().flatten().map(|one| Spec {
        name: one["spec"].as_str().unwrap_or_default().to_owned(),
        group: one["sig"].as_str().unwrap_or_default().to_owned(),
        seconds: one["seconds"].as_f64().unwrap_or_default(),
    });
    let wanted = |spec: &Spec| {
        let group = options.groups.is_empty() || options.groups.contains(&spec.group);
        group && spec.name.contains(&options.only)
    };
    let specs: Vec<_> = specs.filter(wanted).collect();
    if specs.is_empty() {
        bail!("{} holds no such spec", path.display())
    }
    Ok(specs)
}

/// The nodes that the suite was recorded with.
fn make_nodes(twin: &Twin, kubectl: &Path) -> Result<()> {
    let node = |number: usize| {
        let room = json!({"cpu": "32", "memory": "128Gi", "pods": "110"});
        let name = format!("node-{number}");
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {
                "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/zone": format!("zone-{number}"),
            }},
            "spec": {"providerID": format!("twin://{name}")},
            "status": {"capacity": room, "allocatable": room},
        })
    };
    let list = json!({
        "apiVersion": "v1", "kind": "List", "items": (1..=NODES).map(node).collect::<Vec<_>>(),
    });
    let file = twin.folder.path().join("nodes.json");
    fs::write(&file, list.to_string())?;
    let file = file.display().to_string();
    for words in [
        &["create", "-f", &file] as &[&str],
        &["wait", "--for=condition=Ready", "node", "--all", "--timeout=60s"],
    ] {
        let mut command = Command::new(kubectl);
        command.arg("--kubeconfig").arg(&twin.kubeconfig).args(words).stdout(Stdio::null());
        let done = command.status().context("cannot run kubectl")?;
        if !done.success() {
            bail!("the nodes could not be made: {}", twin.log("twin"))
        }
    }
    Ok(())
}

struct Runner<'a> {
    options: &'a Options,
    twin: &'a Twin,
    folder: &'a Path,
}

impl Runner<'_> {
    fn all(&self, specs: Vec<Spec>, processes: usize) -> Result<Outcomes> {
        let queue = Mutex::new(batches(specs));
        let done = Mutex::new(Outcomes::new());
        thread::scope(|scope| {
            let work = || -> Result<()> {
                loop {
                    let next = queue.lock().map(|mut queue| queue.pop_front());
                    let Ok(Some(batch)) = next else { return Ok(()) };
                    let (outcomes, left) = self.batch(&batch)?;
                    if let (Ok(mut done), Ok(mut queue)) = (done.lock(), queue.lock()) {
                        eprintln!("{} run, {} batches to go", outcomes.len(), queue.len());
                        done.extend(outcomes);
                        queue.extend((!left.is_empty()).then_some(left));
                    }
                }
            };
            let workers: Vec<_> = (0..processes).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                worker.join().unwrap_or_else(|_| bail!("a run broke off"))?;
            }
            anyhow::Ok(())
        })?;
        Ok(done.into_inner().unwrap_or_default())
    }

    /// Runs some specs in one process: how they ended, and those it did not come to.
    fn batch(&self, batch: &[Spec]) -> Result<(Outcomes, Vec<Spec>)> {
        let number = fs::read_dir(self.folder)?.count();
        let report = self.folder.join(format!("{number}-{}.json", std::process::id()));
        let log = fs::File::create(self.folder.join(format!("{number}.log")))?;
        let names: Vec<_> = batch.iter().map(|spec| regex::escape(&spec.name)).collect();
        let usual: f64 = batch.iter().map(|spec| spec.seconds).sum();
        let patience = Duration::from_secs_f64(usual * 2.0 + 90.0);
        let mut command = Command::new(&self.options.e2e);
        command.arg(format!("--kubeconfig={}", self.twin.kubeconfig.display()));
        command.arg(format!("--kubectl-path={}", self.options.kubectl.display()));
        command.args(["--provider=skeleton", "--allowed-not-ready-nodes=-1"]);
        command.args(["--dump-logs-on-failure=false", "--ginkgo.no-color", "--ginkgo.v"]);
        command.args(["--ginkgo.silence-skips", "--ginkgo.grace-period=20s"]);
        command.arg(format!("--ginkgo.timeout={}s", patience.as_secs()));
        command.arg(format!("--ginkgo.json-report={}", report.display()));
        command.arg(format!("--ginkgo.focus=({})$", names.join("|")));
        command.current_dir(self.folder).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        command.status().with_context(|| self.options.e2e.display().to_string())?;
        let told = fs::read(&report).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let told: Value = told.unwrap_or_default();
        let mut outcomes = outcomes(&told);
        let mut left = Vec::new();
        for spec in batch {
            match outcomes.get(&spec.name) {
                Some(_) => {}
                // Not run, though others were: another process will.
                None if !outcomes.is_empty() => left.push(spec.clone()),
                None => {
                    outcomes.insert(spec.name.clone(), Some("did not run".to_owned()));
                }
            }
        }
        Ok((outcomes, left))
    }
}

/// Long specs spread over the batches.
fn batches(mut specs: Vec<Spec>) -> VecDeque<Vec<Spec>> {
    specs.sort_by(|one, two| two.seconds.total_cmp(&one.seconds));
    let count = specs.len().div_ceil(BATCH);
    let mut batches = VecDeque::from(vec![Vec::new(); count]);
    for spec in specs {
        // The next in turn gets it.
        if let Some(mut batch) = batches.pop_front() {
            batch.push(spec);
            batches.push_back(batch);
        }
    }
    batches
}

/// The specs that a report tells about.
fn outcomes(report: &Value) -> Outcomes {
    let suites = report.as_array().into_iter().flatten();
    let specs = suites.flat_map(|suite| suite["SpecReports"].as_array().into_iter().flatten());
    let outcome = |spec: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let above = spec["ContainerHierarchyTexts"].as_array().into_iter().flatten().map(text);
        let name = above.chain([text(&spec["LeafNodeText"])]).collect::<Vec<_>>().join(" ");
        let why = match spec["State"].as_str().unwrap_or_default() {
            "passed" => None,
            "skipped" if spec["Failure"]["Message"].as_str().is_none_or(str::is_empty) => {
                return None;
            }
            state => {
                let told = text(&spec["Failure"]["Message"]);
                let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
                Some(format!("{state}: {told}"))
            }
        };
        (spec["LeafNodeType"] == "It").then_some((name, why))
    };
    specs.filter_map(outcome).collect()
}

/// Prints each group's figures and every failure.
fn told(specs: &[Spec], outcomes: &Outcomes, write: bool) -> Result<()> {
    let mut tally: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut differences = Vec::new();
    for spec in specs {
        let [total, passed, _] = tally.entry(spec.group.clone()).or_default();
        *total += 1;
        match outcomes.get(&spec.name) {
            Some(None) => *passed += 1,
            why => {
                let told = why.cloned().flatten().unwrap_or_else(|| "did not run".to_owned());
                println!("FAILS {}\n  {told}", spec.name);
                differences.push(Difference { of: spec.name.clone(), told });
            }
        }
    }
    for (group, [total, passed, _]) in &tally {
        let share = 100.0 * *passed as f64 / *total as f64;
        println!("{group:<20} {passed:>4} of {total:>4} {share:>6.1} %");
    }
    if write {
        report::specs(tally, differences)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_how_specs_ended() {
        let spec = |leaf: &str, state: &str, why: &str| {
            json!({
                "ContainerHierarchyTexts": ["[sig-x] A"], "LeafNodeText": leaf,
                "LeafNodeType": "It", "State": state, "Failure": {"Message": why},
            })
        };
        let report = json!([{"SpecReports": [
            spec("works", "passed", ""), spec("breaks", "failed", "no\n  luck"),
            spec("is not chosen", "skipped", ""), spec("is refused", "skipped", "no gate"),
        ]}]);
        let got = outcomes(&report);
        let why = |name: &str| got.get(&format!("[sig-x] A {name}")).cloned();
        assert_eq!(why("works"), Some(None));
        assert_eq!(why("breaks"), Some(Some("failed: no luck".into())));
        assert_eq!(why("is not chosen"), None);
        assert_eq!(why("is refused"), Some(Some("skipped: no gate".into())));
    }

    #[test]
    fn long_specs_are_spread() {
        let spec = |seconds: f64| Spec { name: String::new(), group: String::new(), seconds };
        let batches = batches((0..30_i32).map(|n| spec(f64::from(n))).collect());
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10]);
        let sums = batches.iter().map(|batch| batch.iter().map(|s| s.seconds).sum::<f64>());
        assert!(sums.clone().fold(0.0, f64::max) - sums.fold(f64::MAX, f64::min) < 30.0);
    }
}

//! How long one pasted transcript takes inside the process: read, join, judge. It makes its own
//! transcript of 0.2 MB (pods, events and descriptions of a made-up shop) and prints the median
//! of many runs beside the time asked for.
//!
//! `cargo bench -p seaworthy --bench transcript`

use std::fmt::Write as _;
use std::time::Instant;

use capture::{Input, Limits};

/// Size of the transcript.
const BYTES: usize = 200_000;
const RUNS: usize = 41;
const ASKED_MILLISECONDS: f64 = 10.0;

fn main() {
    let text = transcript();
    let path = std::env::temp_dir().join(format!("transcript-{}.txt", std::process::id()));
    if let Err(e) = std::fs::write(&path, &text) {
        eprintln!("cannot write {}: {e}", path.display());
        std::process::exit(1);
    }
    let inputs = [Input::Path(path.clone())];
    let mut milliseconds: Vec<f64> = (0..RUNS).map(|_| run(&inputs)).collect();
    if let Err(e) = std::fs::remove_file(&path) {
        eprintln!("cannot remove {}: {e}", path.display());
    }
    milliseconds.sort_by(f64::total_cmp);
    let median = milliseconds[RUNS / 2];
    let rate = text.len() as f64 / 1000.0 / median;
    println!(
        "transcript {:.2} MB: median {median:.1} ms of {RUNS} ({rate:.0} MB/s), asked: under \
         {ASKED_MILLISECONDS} ms",
        text.len() as f64 / 1e6,
    );
}

fn run(inputs: &[Input]) -> f64 {
    let start = Instant::now();
    let now = capture::read(inputs, &Limits::default()).evidence.finish(None);
    let situation = engine::step(&now, catalog::ALL);
    let took = start.elapsed().as_secs_f64() * 1e3;
    assert_eq!(situation.incidents.len(), 1, "the transcript tells of one failure");
    took
}

/// What a shell shows of a shop in which one workload cannot pull its image.
fn transcript() -> String {
    let mut text = String::from("$ kubectl get pods -n shop -o wide\n");
    text.push_str("NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES\n");
    let sick = |at: usize| at % 50 == 7;
    let name = |at: usize| {
        let app = if sick(at) { "cart".to_owned() } else { format!("api-{}", at % 17) };
        format!("{app}-6d5f8c7b9d-{}", tail(at))
    };
    let pods = 400;
    for at in 0..pods {
        let (ready, status) =
            if sick(at) { ("0/1", "ImagePullBackOff") } else { ("1/1", "Running") };
        let _ = writeln!(
            text,
            "{:<28} {ready}   {status:<18} 0   3h12m   10.1.{}.{}   worker-{}   <none>   <none>",
            name(at),
            at / 250,
            at % 250,
            at % 9
        );
    }
    let mut at = 0;
    while text.len() < BYTES {
        describe(&mut text, &name(at), at, sick(at));
        at += 1;
    }
    text
}

fn describe(text: &mut String, name: &str, at: usize, sick: bool) {
    let image = if sick { "registry.example/cart:2.1" } else { "registry.example/api:1.4" };
    let (state, ready) = match sick {
        true => ("Waiting\n      Reason:     ImagePullBackOff", "False"),
        false => ("Running\n      Started:    Sun, 01 Mar 2026 07:12:41 +0000", "True"),
    };
    let _ = write!(
        text,
        "$ kubectl describe pod {name} -n shop
Name:             {name}
Namespace:        shop
Priority:         0
Service Account:  default
Node:             worker-{node}/192.0.2.{node}
Start Time:       Sun, 01 Mar 2026 07:12:36 +0000
Labels:           app=shop
                  pod-template-hash=6d5f8c7b9d
Annotations:      <none>
Status:           {status}
IP:               10.1.0.{at}
Controlled By:    ReplicaSet/{set}
Containers:
  main:
    Image:          {image}
    Port:           8080/TCP
    Host Port:      0/TCP
    State:          {state}
    Ready:          {ready}
    Restart Count:  0
    Limits:
      cpu:     500m
      memory:  256Mi
    Requests:
      cpu:        100m
      memory:     128Mi
    Environment:  <none>
    Mounts:
      /var/run/secrets/kubernetes.io/serviceaccount from token (ro)
Conditions:
  Type              Status
  Initialized       True
  Ready             {ready}
  ContainersReady   {ready}
  PodScheduled      True
QoS Class:                   Burstable
Node-Selectors:              <none>
Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
Events:
",
        node = at % 9,
        at = at % 250,
        set = name.rsplit_once('-').map_or(name, |(set, _)| set),
        status = if sick { "Pending" } else { "Running" },
    );
    if sick {
        text.push_str("  Type     Reason   Age   From     Message\n");
        let _ = writeln!(
            text,
            "  Warning  Failed   2m    kubelet  Failed to pull image \"{image}\": rpc error: \
             code = NotFound desc = {image}: not found"
        );
    } else {
        text.push_str("  <none>\n");
    }
}

/// Five characters of the alphabet that controllers name pods with.
fn tail(mut at: usize) -> String {
    let letters = b"bcdfghjklmnpqrstvwxz2456789";
    let mut tail = String::new();
    for _ in 0..5 {
        tail.push(char::from(letters[at % letters.len()]));
        at = at / letters.len() + 11;
    }
    tail
}

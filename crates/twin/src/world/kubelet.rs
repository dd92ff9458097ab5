//! What a kubelet knows of one of its pods.

use model::Timestamp;
use serde_json::Value;

use crate::field;
use crate::kernel::SECOND;
use crate::scenario::Behaviour;

/// The longest pause between restarts.
const LONGEST_BACKOFF: i64 = 300 * SECOND;
const FIRST_BACKOFF: i64 = 10 * SECOND;
/// A container that ran this long starts its pauses anew.
const BACKOFF_RESET: i64 = 600 * SECOND;

/// A pod on the machine.
#[derive(Debug)]
pub(super) struct PodRun {
    /// The pod as last heard of.
    pub pod: std::sync::Arc<Value>,
    pub behaviour: Behaviour,
    pub ip: String,
    pub started_at: Option<Timestamp>,
    pub stage: Stage,
    /// When the next step of the stage is due.
    pub due: Option<Timestamp>,
    pub containers: Vec<ContainerRun>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Heard of, nothing done yet.
    New,
    /// The image is on its way.
    Pulling,
    /// Containers run, or wait for a restart.
    Running,
    /// Told to stop.
    Stopping,
}

#[derive(Debug)]
pub(super) struct ContainerRun {
    pub name: String,
    pub image: String,
    pub restarts: i64,
    pub state: State,
    pub last: Option<End>,
    pub ready: bool,
    /// When a dead container is started again.
    pub restart_at: Option<Timestamp>,
    backoff: i64,
}

#[derive(Debug, Clone)]
pub(super) enum State {
    Waiting { reason: &'static str, message: String },
    Running { since: Timestamp },
    Terminated(End),
}

/// How a container ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub reason: &'static str,
    pub exit_code: i64,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
}

impl PodRun {
    pub fn new(pod: &std::sync::Arc<Value>, behaviour: Behaviour, ip: String) -> Self {
        let containers = field::list(pod, "/spec/containers").iter().map(ContainerRun::new);
        Self {
            containers: containers.collect(),
            pod: std::sync::Arc::clone(pod),
            behaviour,
            ip,
            started_at: None,
            stage: Stage::New,
            due: None,
        }
    }

    pub fn uid(&self) -> &str {
        field::uid(&self.pod)
    }

    /// The earliest moment at which something is to be done for this pod.
    pub fn next_at(&self) -> Option<Timestamp> {
        let ready_after = self.behaviour.ready_seconds.saturating_mul(SECOND);
        let containers = self.containers.iter().filter_map(|c| match &c.state {
            State::Running { since } => {
                Some(crate::kernel::plus(*since, ready_after)).filter(|_| !c.ready)
            }
            _ => c.restart_at,
        });
        let containers = containers.filter(|_| self.stage == Stage::Running);
        self.due.into_iter().chain(containers).min()
    }
}

impl ContainerRun {
    fn new(spec: &Value) -> Self {
        Self {
            name: field::text(spec, "/name").to_owned(),
            image: field::text(spec, "/image").to_owned(),
            restarts: 0,
            state: State::Waiting { reason: "ContainerCreating", message: String::new() },
            last: None,
            ready: false,
            restart_at: None,
            backoff: 0,
        }
    }

    pub fn start(&mut self, now: Timestamp) {
        self.state = State::Running { since: now };
        self.restart_at = None;
        self.ready = false;
    }

    /// The container died; it is restarted after a pause, none the first time.
    pub fn die(&mut self, now: Timestamp, reason: &'static str, exit_code: i64) {
        let State::Running { since } = self.state else { return };
        let end = End { reason, exit_code, started_at: since, finished_at: now };
        if now.micros().saturating_sub(since.micros()) >= BACKOFF_RESET {
            self.backoff = 0;
        }
        self.ready = false;
        self.last = Some(end.clone());
        self.state = State::Terminated(end);
    }

    /// The pause before the next start; it doubles each time.
    pub fn take_backoff(&mut self) -> i64 {
        let pause = self.backoff;
        self.backoff = (pause * 2).clamp(FIRST_BACKOFF, LONGEST_BACKOFF);
        pause
    }
}

//! What a kubelet knows of one of its pods.

use model::Timestamp;
use serde_json::Value;

use super::probe::Failing;
use crate::field;
use crate::kernel::SECOND;
use crate::scenario::Behaviour;
use crate::store::Object;

/// A container that ran this long starts its pauses anew.
const BACKOFF_RESET: i64 = 600 * SECOND;

/// A pod on the machine.
#[derive(Debug)]
pub(super) struct PodRun {
    /// The pod as last heard of.
    pub pod: Object,
    pub behaviour: Behaviour,
    pub ip: String,
    pub started_at: Option<Timestamp>,
    pub stage: Stage,
    /// When the next step of the stage is due.
    pub due: Option<Timestamp>,
    pub containers: Vec<ContainerRun>,
    /// How often its volumes could not be mounted.
    pub mounts_failed: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Heard of, nothing done yet.
    New,
    /// Containers are brought up, run, or wait for a restart.
    Running,
    /// Told to stop.
    Stopping,
}

/// What is to be done next with a container that does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// See whether the image is there, else pull it.
    Pull,
    /// The pull is over, one way or the other.
    PullEnds,
    /// The pull failed; wait with the next one.
    HoldPull,
    /// Start the program.
    Start,
}

#[derive(Debug)]
pub(super) struct ContainerRun {
    pub name: String,
    pub image: String,
    pub restarts: i64,
    pub state: State,
    pub last: Option<End>,
    /// Whether its startup probe, if it has one, has succeeded.
    pub started: bool,
    pub ready: bool,
    /// The next step of a container that does not run.
    pub next: Option<(Timestamp, Step)>,
    /// When a running container becomes ready.
    pub ready_at: Option<Timestamp>,
    /// When and how a running container will end.
    pub ends: Option<(Timestamp, &'static str, i64)>,
    /// Probes that it does not pass.
    pub failing: Vec<Failing>,
    pub restart_pause: Pause,
    pub pull_pause: Pause,
    /// Before this no image is pulled again.
    pub pull_after: Option<Timestamp>,
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

/// The pause before the next try; it doubles each time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pause(i64);

impl Pause {
    const FIRST: i64 = 10 * SECOND;
    const LONGEST: i64 = 300 * SECOND;

    /// The same, but never none.
    pub fn take_some(&mut self) -> i64 {
        match self.take() {
            0 => self.take(),
            pause => pause,
        }
    }

    /// The pause that is due now, in microseconds; none the first time.
    pub fn take(&mut self) -> i64 {
        let pause = self.0;
        self.0 = (pause * 2).clamp(Self::FIRST, Self::LONGEST);
        pause
    }
}

impl PodRun {
    pub fn new(pod: &Object, behaviour: Behaviour, ip: String) -> Self {
        let containers = field::list(pod, "/spec/containers").iter().map(ContainerRun::new);
        Self {
            containers: containers.collect(),
            pod: Object::clone(pod),
            behaviour,
            ip,
            started_at: None,
            stage: Stage::New,
            due: None,
            mounts_failed: 0,
        }
    }

    pub fn uid(&self) -> &str {
        field::uid(&self.pod)
    }

    /// The container of this name.
    pub fn container(&mut self, name: &str) -> Option<&mut ContainerRun> {
        self.containers.iter_mut().find(|c| c.name == name)
    }

    /// The earliest moment at which something is to be done for this pod.
    pub fn next_at(&self) -> Option<Timestamp> {
        let containers = self.containers.iter().filter_map(ContainerRun::next_at);
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
            started: false,
            ready: false,
            next: None,
            ready_at: None,
            ends: None,
            failing: Vec::new(),
            restart_pause: Pause::default(),
            pull_pause: Pause::default(),
            pull_after: None,
        }
    }

    fn next_at(&self) -> Option<Timestamp> {
        let ends = self.ends.map(|(at, ..)| at);
        let probes = self.failing.iter().map(|probe| probe.due);
        let step = self.next.map(|(at, _)| at);
        step.into_iter().chain(self.ready_at).chain(ends).chain(probes).min()
    }

    /// The program runs.
    pub fn start(&mut self, now: Timestamp) {
        if self.last.is_some() {
            self.restarts += 1;
        }
        self.state = State::Running { since: now };
        (self.next, self.ready, self.started) = (None, false, false);
        self.pull_pause = Pause::default();
    }

    /// The program ended.
    pub fn die(&mut self, now: Timestamp, reason: &'static str, exit_code: i64) {
        let State::Running { since } = self.state else { return };
        let end = End { reason, exit_code, started_at: since, finished_at: now };
        if now.micros().saturating_sub(since.micros()) >= BACKOFF_RESET {
            self.restart_pause = Pause::default();
        }
        (self.ready, self.started) = (false, false);
        (self.ready_at, self.ends) = (None, None);
        self.failing.clear();
        self.last = Some(end.clone());
        self.state = State::Terminated(end);
    }

    /// Whether it ended and stays so.
    pub fn is_over(&self) -> Option<&End> {
        match &self.state {
            State::Terminated(end) if self.next.is_none() => Some(end),
            _ => None,
        }
    }
}

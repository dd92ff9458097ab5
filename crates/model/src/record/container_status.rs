//! How the containers of a pod are.

use serde::Deserialize;

use crate::{Text, Timestamp};

/// How a container is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ContainerStatus {
    /// Name.
    pub name: Text,
    /// Whether it is ready.
    pub ready: bool,
    /// Restarts so far.
    pub restarts: u32,
    /// State now.
    pub state: ContainerState,
    /// How it ended last.
    pub last: Option<Box<Terminated>>,
}

/// State of a container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ContainerState {
    /// Not known.
    #[default]
    Unknown,
    /// Waits: reason and message.
    Waiting(Box<(Text, Text)>),
    /// Runs, since.
    Running(Option<Timestamp>),
    /// Has ended.
    Terminated(Box<Terminated>),
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Terminated {
    /// Exit code.
    pub exit_code: i64,
    /// Signal, 0 for none.
    pub signal: i64,
    /// Reason, e.g. `OOMKilled`.
    pub reason: Text,
    /// Message, e.g. the end of the termination log.
    pub message: Text,
    /// Start.
    pub started_at: Option<Timestamp>,
    /// End.
    pub finished_at: Option<Timestamp>,
}

impl ContainerStatus {
    /// Whether it runs, is ready and never restarted.
    pub(super) fn is_calm(&self) -> bool {
        let runs = matches!(self.state, ContainerState::Running(_));
        runs && self.ready && self.restarts == 0 && self.last.is_none()
    }

    /// Reason for waiting, or empty.
    pub fn waiting(&self) -> &str {
        match &self.state {
            ContainerState::Waiting(why) => &why.0,
            _ => "",
        }
    }

    /// Message of a waiting container, or empty.
    pub fn waiting_message(&self) -> &str {
        match &self.state {
            ContainerState::Waiting(why) => &why.1,
            _ => "",
        }
    }

    /// How it ended: now, or the last time.
    pub fn ended(&self) -> Option<&Terminated> {
        match &self.state {
            ContainerState::Terminated(end) => Some(end),
            _ => self.last.as_deref(),
        }
    }
}

impl<'de> Deserialize<'de> for ContainerStatus {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "camelCase")]
        struct Wire {
            name: Text,
            ready: bool,
            restart_count: u32,
            state: Option<StateWire>,
            last_state: Option<StateWire>,
        }
        let w = Wire::deserialize(deserializer)?;
        Ok(Self {
            name: w.name,
            ready: w.ready,
            restarts: w.restart_count,
            state: w.state.map(ContainerState::from).unwrap_or_default(),
            last: w.last_state.and_then(|s| s.terminated),
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StateWire {
    waiting: Option<WaitingWire>,
    running: Option<RunningWire>,
    terminated: Option<Box<Terminated>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WaitingWire {
    reason: Text,
    message: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct RunningWire {
    started_at: Option<Timestamp>,
}

impl From<StateWire> for ContainerState {
    fn from(w: StateWire) -> Self {
        if let Some(end) = w.terminated {
            Self::Terminated(end)
        } else if let Some(why) = w.waiting {
            Self::Waiting(Box::new((why.reason, why.message.unwrap_or_default())))
        } else if let Some(run) = w.running {
            Self::Running(run.started_at)
        } else {
            Self::Unknown
        }
    }
}

//! Status conditions, kept small: a large cluster holds close to a million of them.

use serde::Deserialize;

use crate::{Text, Timestamp};

/// A condition's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody knows.
    #[default]
    #[serde(other)]
    Unknown,
}

/// One status condition of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// Type, e.g. `Ready`.
    pub kind: Text,
    /// Status.
    pub status: Truth,
    /// Last transition.
    pub since: Option<Timestamp>,
    /// Last heartbeat (nodes) or probe.
    pub heartbeat: Option<Timestamp>,
    why: Option<Box<(Text, Text)>>,
}

impl Condition {
    /// A condition with a reason and a message.
    pub fn new(kind: &str, status: Truth, reason: &str, message: &str) -> Self {
        Self {
            kind: kind.into(),
            status,
            since: None,
            heartbeat: None,
            why: boxed(reason.into(), message.into()),
        }
    }

    /// The reason, or an empty string.
    pub fn reason(&self) -> &str {
        self.why.as_ref().map_or("", |w| w.0.as_str())
    }

    /// The message, or an empty string.
    pub fn message(&self) -> &str {
        self.why.as_ref().map_or("", |w| w.1.as_str())
    }
}

fn boxed(reason: Text, message: Text) -> Option<Box<(Text, Text)>> {
    (!reason.is_empty() || !message.is_empty()).then(|| Box::new((reason, message)))
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            #[serde(rename = "type", default)]
            kind: Text,
            #[serde(default)]
            status: Truth,
            last_transition_time: Option<Timestamp>,
            #[serde(alias = "lastProbeTime", alias = "lastUpdateTime")]
            last_heartbeat_time: Option<Timestamp>,
            reason: Option<Text>,
            message: Option<Text>,
        }
        let w = Wire::deserialize(deserializer)?;
        Ok(Self {
            kind: w.kind,
            status: w.status,
            since: w.last_transition_time,
            heartbeat: w.last_heartbeat_time,
            why: boxed(w.reason.unwrap_or_default(), w.message.unwrap_or_default()),
        })
    }
}

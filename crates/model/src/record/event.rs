//! Events: what components said happened.

use serde::Deserialize;

use crate::{Kind, ObjectRef, Text, Timestamp};

/// One event, repeated or not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterEvent {
    /// The object it is about; `None` when its kind is not one that is told apart.
    pub about: Option<ObjectRef>,
    /// Whether it is a warning.
    pub warning: bool,
    /// Reason.
    pub reason: Text,
    /// Message, cut at 4 kB.
    pub message: Text,
    /// Who said it.
    pub source: Text,
    /// How often.
    pub count: u32,
    /// First time.
    pub first: EventTime,
    /// Last time.
    pub last: EventTime,
    /// Which document of the input it was read from.
    pub document: u16,
}

/// When an event happened: tables and `describe` print an age instead of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum EventTime {
    /// Not stated.
    #[default]
    Unknown,
    /// At a time.
    At(Timestamp),
    /// This many seconds before the input was made.
    SecondsAgo(u32),
}

impl EventTime {
    /// The time, with `now` as the moment the input was made.
    pub fn resolve(self, now: impl Into<Timestamp>) -> Option<Timestamp> {
        match self {
            EventTime::Unknown => None,
            EventTime::At(t) => Some(t),
            EventTime::SecondsAgo(s) => Some(now.into().minus_seconds(i64::from(s))),
        }
    }
}

/// Longest message kept, in bytes. A note of 64 kB says nothing more in its last 60.
const MESSAGE_BYTES: usize = 4096;

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Wire {
    metadata: Names,
    #[serde(alias = "regarding")]
    involved_object: Names,
    #[serde(rename = "type")]
    kind: Option<Text>,
    reason: Option<Text>,
    #[serde(alias = "note")]
    message: Option<Text>,
    source: Option<Source>,
    #[serde(alias = "reportingController")]
    reporting_component: Option<Text>,
    count: Option<u32>,
    #[serde(alias = "deprecatedFirstTimestamp")]
    first_timestamp: Option<Timestamp>,
    #[serde(alias = "deprecatedLastTimestamp")]
    last_timestamp: Option<Timestamp>,
    event_time: Option<Timestamp>,
    series: Option<Series>,
    age_seconds: Option<u32>,
    first_age_seconds: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Names {
    kind: Text,
    namespace: Option<Text>,
    name: Option<Text>,
    creation_timestamp: Option<Timestamp>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Source {
    component: Text,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    count: Option<u32>,
    last_observed_time: Option<Timestamp>,
}

impl<'de> Deserialize<'de> for ClusterEvent {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let w = Wire::deserialize(deserializer)?;
        let series = w.series.unwrap_or_default();
        let created = w.event_time.or(w.metadata.creation_timestamp);
        let time = |at: Option<Timestamp>, ago: Option<u32>| {
            at.map(EventTime::At).or(ago.map(EventTime::SecondsAgo)).unwrap_or_default()
        };
        let last_time = series.last_observed_time.or(w.last_timestamp).or(created);
        let last = time(last_time, w.age_seconds);
        let first = time(w.first_timestamp.or(created), w.first_age_seconds);
        let about = Kind::from_name(&w.involved_object.kind).map(|kind| {
            let fallback = || w.metadata.namespace.clone().unwrap_or_default();
            let namespace = w.involved_object.namespace.clone().unwrap_or_else(fallback);
            ObjectRef::new(kind, &namespace, &w.involved_object.name.clone().unwrap_or_default())
        });
        Ok(ClusterEvent {
            about,
            warning: w.kind.as_deref() == Some("Warning"),
            reason: w.reason.unwrap_or_default(),
            message: cut(w.message.unwrap_or_default()),
            source: w
                .reporting_component
                .filter(|c| !c.is_empty())
                .unwrap_or_else(|| w.source.unwrap_or_default().component),
            count: series.count.or(w.count).unwrap_or(1).max(1),
            first: if first == EventTime::Unknown { last } else { first },
            last,
            document: 0,
        })
    }
}

fn cut(mut message: Text) -> Text {
    if message.len() > MESSAGE_BYTES {
        let end = (0..=MESSAGE_BYTES).rev().find(|i| message.is_char_boundary(*i)).unwrap_or(0);
        message.truncate(end);
        message.shrink_to_fit();
    }
    message
}

//! What a rehearsal hopes or fears to see, and whether it was seen.

use std::fmt;

use model::{Incident, ObjectRef, Severity, Situation, Snapshot, State, duration_text};

/// Something that can be seen of a cluster from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// The diagnosis names this kind of failure in a loud incident that is not over.
    Finds {
        /// Id of the kind.
        failure: String,
        /// The object it must be about, as `kind/name`, where that matters.
        object: Option<String>,
    },
    /// So many endpoints of a Service are ready.
    Ready {
        /// Namespace of the Service.
        namespace: String,
        /// Its name.
        service: String,
        /// From so many on.
        least: u32,
        /// Up to so many.
        most: u32,
    },
    /// An event with this reason is told.
    Event {
        /// Its reason.
        reason: String,
        /// Part of the name of what it is about; empty for any.
        about: String,
    },
}

/// Something to be seen, or never to be seen, in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// What.
    pub(crate) sight: Sight,
    /// Not before this, in seconds from the start.
    pub(crate) after_seconds: i64,
    /// Not later than this; to the end when it is not said.
    pub(crate) within_seconds: Option<i64>,
}

impl Wish {
    /// Whether it is looked for at this time.
    pub(crate) fn covers(&self, seconds: i64) -> bool {
        seconds >= self.after_seconds && self.within_seconds.is_none_or(|end| seconds <= end)
    }
}

impl Sight {
    /// Whether it is there now. `told` are the reasons of the events told since the last look,
    /// each with the name of what it is about.
    pub(crate) fn is_seen(
        &self,
        now: &Snapshot,
        situation: &Situation,
        told: &[(String, String)],
    ) -> bool {
        match self {
            Sight::Finds { failure, object } => {
                let is_it = |i: &&Incident| is_loud(i) && names(i, failure, object.as_deref());
                situation.incidents.iter().any(|i| is_it(&i))
            }
            Sight::Ready { namespace, service, least, most } => {
                let service = now.services.get(namespace, service);
                let ready = service.and_then(|s| now.addresses(s)).map_or(0, |(ready, _)| ready);
                (*least..=*most).contains(&ready)
            }
            Sight::Event { reason, about } => {
                told.iter().any(|(r, name)| r == reason && name.contains(about.as_str()))
            }
        }
    }
}

/// Whether somebody should look at it now.
pub(super) fn is_loud(incident: &Incident) -> bool {
    incident.severity > Severity::Note && incident.state != State::Recovered
}

/// Whether the incident holds this failure: as its cause, among what follows, or as a protection
/// that was missing.
fn names(incident: &Incident, failure: &str, object: Option<&str>) -> bool {
    let wanted =
        |o: &ObjectRef| object.is_none_or(|name| format!("{}/{}", o.kind.short(), o.name) == name);
    incident.members.iter().map(|m| &m.finding).any(|f| {
        let own = f.failure == failure && wanted(&f.object);
        own || f.factors.iter().any(|g| g.failure == failure && wanted(&g.object))
    })
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Sight::Finds { failure, object: None } => write!(f, "the diagnosis names {failure}"),
            Sight::Finds { failure, object: Some(object) } => {
                write!(f, "the diagnosis names {failure} of {object}")
            }
            Sight::Ready { namespace, service, least, most: u32::MAX } => {
                write!(f, "Service {namespace}/{service} has {least} or more ready endpoints")
            }
            Sight::Ready { namespace, service, least: 0, most } => {
                write!(f, "Service {namespace}/{service} has {most} or fewer ready endpoints")
            }
            Sight::Ready { namespace, service, least, most } if least == most => {
                write!(f, "Service {namespace}/{service} has {least} ready endpoints")
            }
            Sight::Ready { namespace, service, least, most } => {
                write!(f, "Service {namespace}/{service} has {least} to {most} ready endpoints")
            }
            Sight::Event { reason, about } if about.is_empty() => write!(f, "event {reason}"),
            Sight::Event { reason, about } => write!(f, "event {reason} about {about}"),
        }
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sight.fmt(f)?;
        match (self.after_seconds, self.within_seconds) {
            (0, None) => Ok(()),
            (0, Some(end)) => write!(f, ", within {}", duration_text(end)),
            (start, None) => write!(f, ", from {} on", duration_text(start)),
            (start, Some(end)) => {
                write!(f, ", from {} to {}", duration_text(start), duration_text(end))
            }
        }
    }
}

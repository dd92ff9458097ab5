//! The nouns of failure management: slim records of Kubernetes objects, the snapshot they
//! form, and what is found in it.
//!
//! Everything here is a value. This crate does no I/O, reads no clock, draws no random numbers
//! and iterates no hash map: the same input gives the same bytes. It must never know how
//! anything is observed, executed or shown.

mod changes;
mod condition;
mod explanation;
mod failure;
mod finding;
mod incident;
mod list;
mod object;
mod object_ref;
mod quantity;
mod selector;
mod snapshot;
mod time;

pub mod record;

pub use changes::{ChangeKind, Changes, FieldChange, LedTo, ObjectChange};
pub use compact_str::CompactString as Text;
pub use condition::{Condition, Truth};
pub use explanation::{Explanation, Fact, Question};
pub use failure::{Act, Detect, FailureKind, Gap, Mechanism, Patch, Remedy, Risk, Scenario, Step};
pub use finding::{
    Affected, Certainty, Evidence, Factor, Finding, Findings, Forecast, Impact, Role, State,
};
pub use incident::{Blind, Edge, Incident, Member, RuledOut, Severity, Situation, Stale, Verdict};
pub use list::{Labels, List, Shared};
pub use object::{DecodeError, Object, decode, decode_value, decode_with};
pub use object_ref::{Kind, ObjectRef};
pub use quantity::{Quantity, QuantityError, Resources};
pub use selector::{Requirement, Selector};
pub use snapshot::{
    Alert, App, Apps, AppsHere, Builder, Change, ClientError, Clock, Coverage, Dial, Events,
    HealthCheck, HostFact, HostFigure, LogLines, Members, PartKey, Peer, Relation, Rests, Sample,
    Snapshot, SpecParts, Table, Touched, Turns, UNNAMED_HOST, UnitState, listen,
};
pub use time::{Timestamp, TimestampError, ago, duration_text};

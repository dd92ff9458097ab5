//! How it is found out why a pod has no node: what the scheduler said (`message`), what objects
//! say when they are compared (`fit`), which of several reasons counts (`choice`) and what a
//! person would edit (`cause`). Must not report anything: that is the failure kind's own.

pub(crate) mod absent;
pub(crate) mod cause;
mod choice;
mod claims;
mod edits;
pub(crate) mod fit;
pub(crate) mod full;
pub(crate) mod message;
pub(crate) mod remedy;
mod room;
pub(crate) mod strangers;
pub(crate) mod supply;
pub(crate) mod told;

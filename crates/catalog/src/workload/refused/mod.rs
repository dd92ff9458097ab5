//! How it is found out why pods are refused: what was said (`message`), whether it still holds
//! (`standing`), what objects say when they are compared (`compare`) and what a person would
//! edit (`cause`). Must not report anything: that is the failure kind's own.

pub(crate) mod cause;
pub(crate) mod compare;
pub(crate) mod message;
pub(crate) mod standing;

//! How it is found out why a claim is not bound: by comparing it with volumes (`matching`) and
//! classes (`cause`). Must not report anything: that is the failure kind's own.

pub(crate) mod cause;
mod matching;

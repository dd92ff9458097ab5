//! Who may do what: requests that were refused, and the bindings and roles that should have
//! allowed them.

pub(super) mod asked;
pub(super) mod dangling;
pub(super) mod judge;

//! References of pods to config maps, secrets and accounts that do not hold: what was said
//! about them and what comparing the objects shows. Shared by the kinds about settings and
//! about volumes; nothing here decides which of the two a broken reference is.

pub(super) mod advice;
pub(super) mod finding;
pub(super) mod hint;
pub(super) mod lack;
mod place;
mod said;
pub(super) mod waiting;

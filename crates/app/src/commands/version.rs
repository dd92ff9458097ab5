//! `seaworthy version`.

use crate::exit::{Failure, Outcome};
use crate::render;
use crate::settings::Output;
use crate::views::Version;

pub(super) fn run(output: Output, _: bool) -> Result<Outcome, Failure> {
    Ok(Outcome::clean(render::version(&Version::current(), output.format)?))
}

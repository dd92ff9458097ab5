//! `seaworthy explain`: the page of a failure kind, or the list of them.

use crate::exit::{Failure, Outcome};
use crate::settings::Explain;
use crate::views::{Failure as FailurePage, FailureList};
use crate::{names, render};

pub(super) fn run(options: &Explain, color: bool) -> Result<Outcome, Failure> {
    let format = options.output.format;
    let Some(id) = &options.id else {
        let list = FailureList::of(catalog::ALL);
        return Ok(Outcome::clean(render::failure_list(&list, format, color)?));
    };
    let kind = names::failure(id)?;
    let page = FailurePage::of(kind, catalog::ALL);
    Ok(Outcome::clean(render::failure(&page, format, color)?))
}

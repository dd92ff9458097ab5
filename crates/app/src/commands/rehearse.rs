//! `seaworthy rehearse`: lets something happen to the simulated cluster and says what came of it.

use crate::exit::{Code, Failure, Outcome};
use crate::names;
use crate::progress::Spinner;
use crate::rehearse;
use crate::render;
use crate::settings::Rehearse;
use crate::views::RehearsalList;

pub(super) fn run(options: &Rehearse, color: bool, progress: bool) -> Result<Outcome, Failure> {
    let format = options.output.format;
    let Some(name) = options.what.as_deref().filter(|name| *name != "list") else {
        let list = RehearsalList::of(rehearse::list()?);
        return Ok(Outcome::clean(render::rehearsal_list(&list, format, color)?));
    };
    let Some(play) = rehearse::find(name, options.seed)? else {
        return Err(unknown(name)?);
    };
    let spinner = Spinner::start(progress);
    let view = rehearse::run(play, options.seed, &spinner)?;
    drop(spinner);
    let code = if view.as_expected { Code::Clean } else { Code::Findings };
    Ok(Outcome { output: render::rehearsal(&view, format, color)?, code })
}

fn unknown(name: &str) -> Result<Failure, Failure> {
    let all = rehearse::list()?;
    let known: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    let near = names::nearest(name, &known);
    let offer = match near.as_slice() {
        [] => String::new(),
        near => format!(": did you mean {}?", near.join(", ")),
    };
    let error = format!("no rehearsal or file is called {}{offer}", render::clean(name));
    Ok(Failure::usage(error).next("`seaworthy rehearse list` lists them all."))
}

//! `seaworthy explain`: the page of a failure kind, the list of them, or why one object is as it
//! is.

use std::path::PathBuf;

use model::{Kind, ObjectRef, Snapshot};

use crate::evidence::{self, Evidence, Request};
use crate::exit::{Code, Failure, Outcome};
use crate::names::{self, ObjectName};
use crate::progress::Spinner;
use crate::render::{self, clean};
use crate::settings::Explain;
use crate::views::{self, Failure as FailurePage, FailureList};

pub(super) fn run(options: &Explain, color: bool, progress: bool) -> Result<Outcome, Failure> {
    let format = options.output.format;
    let Some(what) = &options.what else {
        let list = FailureList::of(catalog::ALL);
        return Ok(Outcome::clean(render::failure_list(&list, format, color)?));
    };
    if let Some((name, paths)) = names::object(what, &options.paths)? {
        return object(options, &name, paths, color, progress);
    }
    let kind = names::failure(what)?;
    if !options.paths.is_empty() || options.input.is_given() || options.namespace.is_some() {
        let error = format!("{what} is a kind of failure: its page needs no input");
        return Err(Failure::usage(error).next("An object is written as KIND/NAME."));
    }
    let page = FailurePage::of(kind, catalog::ALL);
    Ok(Outcome::clean(render::failure(&page, format, color)?))
}

/// Kinds that are read beside those of every diagnosis.
const ALSO_READ: [Kind; 2] = [Kind::HorizontalPodAutoscaler, Kind::PodDisruptionBudget];

fn object(
    options: &Explain,
    name: &ObjectName<'_>,
    paths: &[PathBuf],
    color: bool,
    progress: bool,
) -> Result<Outcome, Failure> {
    let spinner = Spinner::start(progress);
    let mut also = ALSO_READ.to_vec();
    also.push(name.kind);
    let namespace = options.namespace.as_deref();
    let request =
        Request { paths, input: &options.input, namespace, also: &also, since: None, at: None };
    let Evidence { now, source } = evidence::gather(&request, &spinner)?.finish();
    let object = find(name, namespace, &now)?;
    let explained = catalog::explain::explain(&object, &now);
    let explained = explained.ok_or_else(|| not_shown(name, namespace))?;
    let situation = engine::step(&now, catalog::ALL);
    drop(spinner);
    let view = views::explanation(&explained, &situation, &now, source);
    Ok(Outcome::clean(render::explanation(&view, options.output.format, color)?))
}

/// The object that the name means.
fn find(
    name: &ObjectName<'_>,
    namespace: Option<&str>,
    now: &Snapshot,
) -> Result<ObjectRef, Failure> {
    let all = catalog::explain::objects(now);
    let here = |o: &&ObjectRef| {
        o.kind == name.kind && namespace.is_none_or(|n| !o.kind.is_namespaced() || n == o.namespace)
    };
    let there: Vec<&ObjectRef> = all.iter().filter(here).collect();
    let found: Vec<&ObjectRef> = there.iter().copied().filter(|o| o.name == name.name).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let near = names::nearest_objects(name.name, &there);
            if near.is_empty() && !now.coverage.lists_any(name.kind) {
                return Err(not_shown(name, namespace));
            }
            let place = namespace.map(|n| format!(" in namespace {n}")).unwrap_or_default();
            let offer = match near.as_slice() {
                [] => String::new(),
                near => format!(": did you mean {}?", near.join(", ")),
            };
            let error = format!("no {} is called {}{place}{offer}", name.kind, clean(name.name));
            let failure = Failure::usage(error);
            Err(if near.is_empty() {
                failure.next("`kubectl get KIND -A` lists them.")
            } else {
                failure
            })
        }
        many => {
            let places: Vec<&str> = many.iter().take(5).map(|o| o.namespace.as_str()).collect();
            let error = format!(
                "{} namespaces have a {} {}: {}",
                many.len(),
                name.kind,
                clean(name.name),
                places.join(", ")
            );
            Err(Failure::usage(error).next("Say which with -n NAMESPACE."))
        }
    }
}

/// The input may be too small to show it.
fn not_shown(name: &ObjectName<'_>, namespace: Option<&str>) -> Failure {
    let place = namespace.unwrap_or("NAMESPACE");
    let place = if name.kind.is_namespaced() { format!(" -n {place}") } else { String::new() };
    let (kind, name) = (name.kind, clean(name.name));
    let error = format!(
        "the input does not show {kind} {name}; `kubectl get {}/{name}{place} -o json` would",
        kind.short()
    );
    Failure::new(Code::Inconclusive, anyhow::Error::msg(error))
}

//! Reading one object, and lists: selectors, pages from one version, old versions.

use std::borrow::Cow;
use std::ops::Bound;

use serde_json::json;

use super::encode::{Shape, Telling};
use super::page::Page;
use super::query::Query;
use super::route::Target;
use super::selector::Filter;
use super::{Reply, views};
use crate::registry::{Failure, Registry};
use crate::store::{Object, Table};

/// A single object.
pub(super) fn one(
    registry: &Registry,
    target: &Target,
    query: &Query,
    (shape, binary): (Shape, bool),
) -> Result<Reply, Failure> {
    let name = target.name.as_deref().unwrap_or_default();
    // A garbled version is the server's own trouble here, and the client's in a list.
    let asked = version(query).map_err(own_trouble)?;
    if let Some(asked) = asked.filter(|asked| *asked > registry.store.rv()) {
        return Err(Failure::version_too_large(asked, registry.store.rv()));
    }
    let object = registry.get(target.kind, target.home(), name)?;
    shape.check(target.kind, false)?;
    let object = views::of(target.kind, &registry.shown(target.kind, object));
    let told = Telling { binary, ..Telling::new(query, registry.now)? };
    shape.reply(200, target.kind, &object, &told)
}

/// A garbled version where it is taken for the server's own trouble.
pub(super) fn own_trouble(failure: Failure) -> Failure {
    let why = failure.message.trim_start_matches("invalid resource version: ").to_owned();
    Failure::new(500, "", why)
}

/// A list or one page of it.
pub(super) fn answer(
    registry: &Registry,
    target: &Target,
    query: &Query,
    (shape, binary): (Shape, bool),
) -> Result<Reply, Failure> {
    shape.check(target.kind, true)?;
    let filter = Filter::parse(target.kind, query)?;
    let told = Telling { binary, ..Telling::new(query, registry.now)? };
    let limit = query.number("limit")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    // What may be of any age comes whole.
    let limit = if version(query)? == Some(0) { 0 } else { limit };
    let start = Start::parse(registry, target, query)?;
    let table = start.table(registry, target)?;
    let home = target.namespace.as_ref();
    let from = match (&start.after, home) {
        (Some(after), _) => Bound::Excluded(after.clone()),
        (None, Some(home)) => Bound::Included((home.clone(), String::new())),
        (None, None) => Bound::Unbounded,
    };
    let places = table.range((from, Bound::Unbounded));
    let here = places.take_while(|(place, _)| home.is_none_or(|home| place.0 == *home));
    let mut found: Vec<_> = here.filter(|(_, object)| admits(target, &filter, object)).collect();
    let mut meta = json!({"resourceVersion": start.rv.to_string()});
    if limit > 0 && found.len() > limit {
        let left = found.len() - limit;
        found.truncate(limit);
        if let Some((place, _)) = found.last() {
            let page = Page { rv: start.rv, after: (*place).clone() };
            meta["continue"] = page.token(target.namespace.as_deref()).into();
        }
        if filter.is_empty() {
            meta["remainingItemCount"] = left.into();
        }
    }
    let objects: Vec<Object> = found
        .into_iter()
        .map(|(_, object)| views::of(target.kind, &registry.shown(target.kind, object)))
        .collect();
    shape.list(target.kind, &objects, &meta, &told)
}

fn admits(target: &Target, filter: &Filter, object: &Object) -> bool {
    let named = target.name.as_deref().is_none_or(|n| object["metadata"]["name"] == n);
    named && filter.admits(object)
}

/// Where a list begins: its version and the last place already told.
struct Start {
    rv: u64,
    after: Option<(String, String)>,
    is_page: bool,
}

const PAGE_EXPIRED: &str = "The provided continue parameter is too old to display a consistent \
     list result. You can start a new list without the continue parameter.";

impl Start {
    fn parse(registry: &Registry, target: &Target, query: &Query) -> Result<Self, Failure> {
        let current = registry.store.rv();
        let asked = version(query)?;
        if let Some(token) = query.get("continue") {
            if query.get("resourceVersionMatch").is_some() {
                return Err(Failure::match_with_continue(asked.is_none()));
            }
            if asked.is_some_and(|rv| rv > 0) {
                let why = "specifying resource version is not allowed when using continue";
                return Err(Failure::bad_request(why));
            }
            let page = Page::read(token, target.namespace.as_deref())?;
            return Ok(Self { rv: page.rv, after: Some(page.after), is_page: true });
        }
        const MATCH: &str = "resourceVersionMatch";
        let rule = query.get(MATCH);
        if query.has("sendInitialEvents") {
            let why = "sendInitialEvents is forbidden for list";
            return Err(Failure::bad_list_options("sendInitialEvents", why));
        }
        if rule.is_some() && asked.is_none() {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            return Err(Failure::bad_list_options(MATCH, why));
        }
        if let Some(rule) = rule.filter(|rule| !matches!(*rule, "Exact" | "NotOlderThan")) {
            let known = ["Exact", "NotOlderThan", ""];
            return Err(Failure::bad_option("ListOptions", MATCH, &rule.into(), &known));
        }
        if rule == Some("Exact") && asked == Some(0) {
            let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
            return Err(Failure::bad_list_options(MATCH, why));
        }
        // A page of a given version without a rule means exactly that version.
        let paged = query.number("limit")?.is_some_and(|n| n > 0) && asked.is_some_and(|rv| rv > 0);
        let exact = rule == Some("Exact") || rule.is_none() && paged;
        match asked {
            Some(asked) if asked > current => Err(Failure::version_too_large(asked, current)),
            Some(asked) if exact => Ok(Self { rv: asked, after: None, is_page: false }),
            _ => Ok(Self { rv: current, after: None, is_page: false }),
        }
    }

    fn table<'r>(
        &self,
        registry: &'r Registry,
        target: &Target,
    ) -> Result<Cow<'r, Table>, Failure> {
        let storage = target.kind.storage;
        let store = &registry.store;
        if self.rv >= store.rv() {
            return Ok(Cow::Borrowed(store.table(storage)));
        }
        let why = match self.is_page {
            true => PAGE_EXPIRED,
            false => "The resourceVersion for the provided list is too old.",
        };
        let old = store.table_at(storage, self.rv);
        old.map(Cow::Owned).map_err(|_| Failure::new(410, "Expired", why))
    }
}

/// The `resourceVersion` parameter.
pub(super) fn version(query: &Query) -> Result<Option<u64>, Failure> {
    let Some(text) = query.get("resourceVersion") else { return Ok(None) };
    let bad = |error: std::num::ParseIntError| {
        let why = match error.kind() {
            std::num::IntErrorKind::PosOverflow => "value out of range",
            _ => "invalid syntax",
        };
        Failure::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: \"{text}\": \
             strconv.ParseUint: parsing \"{text}\": {why}"
        ))
    };
    text.parse().map(Some).map_err(bad)
}

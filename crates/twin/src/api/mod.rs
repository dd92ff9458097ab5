//! The Kubernetes API over the registry, as synchronous functions: a request goes in, an
//! answer or an opened watch comes out.
//!
//! One pipeline for all kinds: route, row of the kind, decode, default, validate, store, watch,
//! encode. Must never know sockets, tasks or wall time; those are the shell's.

mod body;
mod custom;
mod discovery;
mod encode;
mod gate;
mod health;
mod labels;
mod list;
mod metrics;
mod negotiate;
mod openapi;
mod page;
mod patch;
mod query;
mod review;
mod route;
mod selector;
mod sub;
mod syntax;
mod views;
mod watch;
mod write;
mod yaml;

use bytes::Bytes;
use serde_json::{Value, json};

pub(crate) use discovery::GIT_VERSION;
pub(crate) use watch::Watch;

use crate::access::User;
use crate::registry::{Failure, Registry};
use encode::Shape;
use query::Query;
use route::{Route, Target};

/// An HTTP request, body read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub method: http::Method,
    pub path: String,
    /// Without the question mark.
    pub query: String,
    pub accept: String,
    pub content_type: String,
    pub user_agent: String,
    /// All headers, for those that say who asks.
    pub headers: http::HeaderMap,
    /// Whether the caller is in this process: such a one needs no credentials.
    pub in_process: bool,
    /// Who asks, once that is known.
    pub user: User,
    pub body: Bytes,
}

/// The answer.
#[derive(Debug)]
pub(crate) enum Reply {
    Full {
        code: u16,
        content_type: &'static str,
        /// Further headers.
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    Watch(Box<Watch>),
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

impl Reply {
    pub fn json(code: u16, value: &Value) -> Self {
        Self::bytes(code, JSON, encode::line(value))
    }

    pub fn bytes(code: u16, content_type: &'static str, body: Bytes) -> Self {
        Self::Full { code, content_type, headers: Vec::new(), body }
    }

    /// The answer with one `Warning` header for each remark.
    pub fn warning(mut self, remarks: &[String]) -> Self {
        if let Self::Full { headers, .. } = &mut self {
            let told = |remark: &String| {
                let escaped = remark.replace('\\', "\\\\").replace('"', "\\\"");
                ("warning", format!("299 - \"{escaped}\""))
            };
            headers.extend(remarks.iter().map(told));
        }
        self
    }

    pub fn text(code: u16, text: &'static str) -> Self {
        Self::bytes(code, TEXT, Bytes::from_static(text.as_bytes()))
    }

    pub fn failure(failure: &Failure) -> Self {
        let mut reply = Self::json(failure.code, &failure.status());
        let seconds = failure.details.as_ref().and_then(|d| d["retryAfterSeconds"].as_i64());
        if let (Some(seconds), Self::Full { headers, .. }) = (seconds, &mut reply) {
            headers.push(("retry-after", seconds.to_string()));
        }
        reply
    }
}

/// Serves one request. `own_clock`: the caller ends watches itself, by a clock of its own.
pub(crate) fn handle(registry: &mut Registry, mut request: Request, own_clock: bool) -> Reply {
    registry.remarks.clear();
    let answer = dispatch(registry, &mut request, own_clock);
    let reply = answer.unwrap_or_else(|failure| Reply::failure(&failure));
    let reply = reply.warning(&std::mem::take(&mut registry.remarks));
    negotiate::dressed(&request.accept, &request.path, reply)
}

fn dispatch(
    registry: &mut Registry,
    request: &mut Request,
    own_clock: bool,
) -> Result<Reply, Failure> {
    registry.refresh_customs();
    let query = Query::parse(&request.query);
    request.user = gate::pass(registry, request, &query)?;
    let request = &*request;
    let route = match route::parse(registry, &request.path)? {
        Route::Resource(target) => target,
        Route::Unknown => return Ok(Reply::text(404, "404 page not found\n")),
        Route::Discovery(what) => {
            // The root is no document of the API: it takes every method.
            if what.iter().any(|part| !part.is_empty()) {
                only_get(request)?;
                negotiate::document(&request.accept, &negotiate::DISCOVERY)?;
            }
            let told = discovery::answer(registry, &what, &request.accept);
            return Ok(negotiate::in_binary(negotiate::of_document(&request.accept), told));
        }
        Route::OpenApi => {
            only_get(request)?;
            return Ok(openapi::v2(request, registry.customs()));
        }
        Route::OpenApiPart(part) => {
            only_get(request)?;
            let told = openapi::v3(&part, request, registry.customs());
            return Ok(told.unwrap_or_else(missing));
        }
        Route::Metrics => {
            only_get(request)?;
            return Ok(metrics::answer(registry));
        }
        Route::Indicators => {
            only_get(request)?;
            return Ok(health::indicators());
        }
        Route::Health(path) => return Ok(health::answer(&path, &query)),
        Route::Version => {
            only_get(request)?;
            negotiate::document(&request.accept, &negotiate::VERSION)?;
            return Ok(discovery::version());
        }
    };
    query.check_timeout()?;
    let shape = negotiate::shape(request, &route)?;
    if !route.kind.warning.is_empty() {
        registry.remarks.push(route.kind.warning.to_owned());
    }
    let media = negotiate::media(request, &route);
    let answer = resource(registry, (&route, &query), shape, request, own_clock);
    let told = answer.unwrap_or_else(|failure| Reply::failure(&failure));
    Ok(negotiate::in_binary(media, told))
}

/// One pipeline for all kinds.
fn resource(
    registry: &mut Registry,
    (route, query): (&Target, &Query),
    shape: Shape,
    request: &Request,
    own_clock: bool,
) -> Result<Reply, Failure> {
    if !route.kind.is_stored() {
        return review::answer(registry, route, query, shape, request);
    }
    if let Some(answer) = sub::answer(registry, route, query, request) {
        return answer;
    }
    let watch = route.watch || query.flag("watch");
    let form = (shape, negotiate::media(request, route) == negotiate::BINARY);
    match request.method.as_str() {
        "GET" if route.name.is_none() || watch => {
            if watch {
                let watch = Watch::open(registry, route, query, shape, own_clock)?;
                return Ok(Reply::Watch(Box::new(watch)));
            }
            list::answer(registry, route, query, form)
        }
        "GET" => list::one(registry, route, query, form),
        "POST" => write::create(registry, route, query, shape, request),
        "PUT" => write::replace(registry, route, query, shape, request),
        "PATCH" => patch::answer(registry, route, query, shape, request),
        "DELETE" => write::delete(registry, route, query, shape, request),
        _ => Err(Failure::method_not_allowed()),
    }
}

/// A 404 without a body.
fn missing() -> Reply {
    Reply::bytes(404, "", Bytes::new())
}

fn only_get(request: &Request) -> Result<(), Failure> {
    if request.method == http::Method::GET {
        return Ok(());
    }
    Err(Failure::method_not_allowed())
}

/// A Status of success, as some deletions answer.
fn success(details: &Value) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": details,
    })
}

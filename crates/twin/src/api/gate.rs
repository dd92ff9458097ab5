//! Who is let in: from headers to a user, from a path to attributes, and the decision on both.

use std::fmt::Write as _;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::Request;
use super::query::{Query, decode};
use super::route::Target;
use crate::access::{Attributes, Authorization, Claims, ISSUER, User, Wanted, impersonate};
use crate::registry::{Failure, Registry};

/// Paths that are open without a token where there are no roles that could say so.
const OPEN: [&str; 4] = ["/healthz", "/livez", "/readyz", "/version"];

/// The user in whose name the request goes on.
pub(super) fn pass(registry: &Registry, request: &Request, query: &Query) -> Result<User, Failure> {
    let (access, store) = (&registry.access, &registry.store);
    let known = authenticate(registry, request)?;
    let asked = attributes(request, query)?;
    let user = match wanted(&request.headers)? {
        Some(wanted) => impersonate((access, store), &known, &wanted, &asked)?,
        None => known,
    };
    let decision = access.decide(store, &user, &asked);
    if decision.allowed { Ok(user) } else { Err(asked.refused(&user, &decision.reason)) }
}

/// Whoever makes an object by an update or an apply must be allowed to create it.
pub(super) fn check_create(
    registry: &Registry,
    target: &Target,
    request: &Request,
) -> Result<(), Failure> {
    let name = target.name.as_deref().unwrap_or_default();
    let resource = (target.kind.group, target.kind.plural);
    let asked = Attributes::on("create", resource, target.home(), name);
    let decision = registry.access.decide(&registry.store, &request.user, &asked);
    if decision.allowed { Ok(()) } else { Err(asked.refused(&request.user, &decision.reason)) }
}

/// A connection into a pod is a creation, whatever the method.
pub(super) fn may_connect(registry: &Registry, target: &Target, request: &Request) -> bool {
    let name = target.name.as_deref().unwrap_or_default();
    let asked =
        Attributes::on("create", (target.kind.group, target.kind.plural), target.home(), name);
    let asked = Attributes { subresource: target.part.subresource().to_owned(), ..asked };
    registry.access.decide(&registry.store, &request.user, &asked).allowed
}

fn authenticate(registry: &Registry, request: &Request) -> Result<User, Failure> {
    let unknown = || Failure::new(401, "Unauthorized", "Unauthorized");
    let shown = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(bearer);
    match token {
        Some(token) => bearer_user(registry, token, &[ISSUER.to_owned()])
            .map(|(user, _)| user)
            .map_err(|_| unknown()),
        None if request.in_process => Ok(User::admin()),
        None if registry.access.mode == Authorization::Rbac => Ok(User::anonymous()),
        None if OPEN.contains(&request.path.as_str()) => Ok(User::anonymous()),
        None => Err(unknown()),
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    let token = token.split(' ').next().filter(|token| !token.is_empty())?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// The user of a token, and for which of these audiences it counts.
pub(super) fn bearer_user(
    registry: &Registry,
    token: &str,
    audiences: &[String],
) -> Result<(User, Vec<String>), String> {
    let nobody = || "invalid bearer token".to_owned();
    if let Some(user) = registry.access.holder(token) {
        let own: Vec<String> = audiences.iter().filter(|one| *one == ISSUER).cloned().collect();
        return if own.is_empty() { Err(nobody()) } else { Ok((user.clone(), own)) };
    }
    let claims = Claims::read(token, &registry.access.key).ok_or_else(nobody)?;
    let told = |why: String| format!("[invalid bearer token, {why}]");
    let claims = claims.map_err(told)?;
    let common: Vec<String> =
        audiences.iter().filter(|audience| claims.aud.contains(audience)).cloned().collect();
    if common.is_empty() {
        let list = |all: &[String]| {
            let all: Vec<String> = all.iter().map(|one| format!("{one:?}")).collect();
            all.join(" ")
        };
        return Err(told(format!(
            "token audiences [{}] is invalid for the target audiences [{}]",
            list(&claims.aud),
            list(audiences)
        )));
    }
    Ok((claims.user(&registry.store, registry.now).map_err(told)?, common))
}

/// Whom the headers want the request to be made by.
fn wanted(headers: &HeaderMap) -> Result<Option<Wanted>, Failure> {
    const EXTRA: &str = "impersonate-extra-";
    let texts = |name: &str| -> Vec<String> {
        headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).map(str::to_owned).collect()
    };
    let first = |name: &str| texts(name).into_iter().next().unwrap_or_default();
    let mut wanted = User::named(&first("impersonate-user"));
    wanted.uid = first("impersonate-uid");
    wanted.groups = texts("impersonate-group");
    for name in headers.keys() {
        if let Some(key) = name.as_str().strip_prefix(EXTRA) {
            // What cannot be unescaped is meant literally.
            let key = decode(&key.replace('+', "%2B")).unwrap_or_else(|_| key.to_owned());
            wanted.extra.entry(key).or_default().extend(texts(name.as_str()));
        }
    }
    if !wanted.name.is_empty() {
        return Ok(Some(wanted));
    }
    if wanted.uid.is_empty() && wanted.groups.is_empty() && wanted.extra.is_empty() {
        return Ok(None);
    }
    let told = go_user(&wanted);
    let why = format!("requested {told} without impersonating a user name");
    Err(Failure::bad_request(why))
}

/// The wish as the server prints it.
fn go_user(wanted: &User) -> String {
    let list = |all: &[String]| {
        let all: Vec<String> = all.iter().map(|one| format!("{one:?}")).collect();
        format!("[]string{{{}}}", all.join(", "))
    };
    let groups =
        if wanted.groups.is_empty() { "[]string(nil)".into() } else { list(&wanted.groups) };
    let mut extra = String::from("map[string][]string");
    if wanted.extra.is_empty() {
        extra.push_str("(nil)");
    } else {
        let pairs: Vec<String> =
            wanted.extra.iter().map(|(key, values)| format!("{key:?}:{}", list(values))).collect();
        let _ = write!(extra, "{{{}}}", pairs.join(", "));
    }
    format!("&user.DefaultInfo{{Name:\"\", UID:{:?}, Groups:{groups}, Extra:{extra}}}", wanted.uid)
}

/// What the path and the method ask for. This does not know which resources there are: who may
/// not ask is not told that either.
fn attributes(request: &Request, query: &Query) -> Result<Attributes, Failure> {
    let path = decode(&request.path.replace('+', "%2B"))?;
    let method = request.method.as_str();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let resource = match parts.as_slice() {
        ["api", _version, rest @ ..] if !rest.is_empty() => Some(("", rest)),
        ["apis", group, _version, rest @ ..] if !rest.is_empty() => Some((*group, rest)),
        _ => None,
    };
    let Some((group, rest)) = resource else {
        let verb = method.to_lowercase();
        return Ok(Attributes { verb, path: Some(path), ..Attributes::default() });
    };
    let (special, rest) = match rest {
        [word @ ("watch" | "proxy"), rest @ ..] if !rest.is_empty() => (Some(*word), rest),
        _ => (None, rest),
    };
    let mut verb = special.unwrap_or(match method {
        "POST" => "create",
        "GET" | "HEAD" => "get",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    });
    let (namespace, rest) = match rest {
        ["namespaces", namespace] => (*namespace, rest),
        ["namespaces", namespace, "status" | "finalize", ..] => (*namespace, rest),
        ["namespaces", namespace, inner @ ..] => (*namespace, inner),
        _ => ("", rest),
    };
    let at = |index: usize| rest.get(index).copied().unwrap_or_default();
    let mut name = at(1).to_owned();
    if name.is_empty() && verb == "get" {
        verb = if asks_to_watch(query) { "watch" } else { "list" };
        name = query.get("fieldSelector").and_then(exact_name).unwrap_or_default().to_owned();
    } else if name.is_empty() && verb == "delete" {
        verb = "deletecollection";
    }
    let subresource = if verb == "proxy" { "" } else { at(2) };
    let asked = Attributes::on(verb, (group, at(0)), namespace, &name);
    Ok(Attributes { subresource: subresource.to_owned(), ..asked })
}

fn asks_to_watch(query: &Query) -> bool {
    let value = query.all("watch").first().map(|value| value.to_lowercase());
    value.is_some_and(|value| !matches!(value.as_str(), "false" | "0"))
}

/// The only name that a field selector lets through.
fn exact_name(selector: &str) -> Option<&str> {
    let terms = selector.split(',').filter_map(|term| term.strip_prefix("metadata.name"));
    let mut names = terms.filter_map(|rest| {
        let exact = rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?;
        Some(exact).filter(|name| !matches!(*name, "" | "." | "..") && !name.contains(['/', '%']))
    });
    names.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, url: &str) -> Attributes {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let request = Request {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            ..Request::default()
        };
        attributes(&request, &Query::parse(query)).unwrap()
    }

    #[test]
    fn paths_become_attributes() {
        let check = |method: &str, url: &str, want: &str| {
            let a = asked(method, url);
            let (full, path) = (a.full_resource(), a.path.unwrap_or_default());
            let got = [a.verb, a.group, full, a.namespace, a.name, path].join(" ");
            assert_eq!(got, want, "{method} {url}");
        };
        check("GET", "/api/v1/pods", "list  pods   ");
        check("GET", "/api/v1/pods?watch=1", "watch  pods   ");
        check("GET", "/api/v1/pods?watch=false", "list  pods   ");
        check("GET", "/api/v1/namespaces/n", "get  namespaces n n ");
        check("PUT", "/api/v1/namespaces/n/finalize", "update  namespaces/finalize n n ");
        check("GET", "/api/v1/namespaces/n/pods/p/log", "get  pods/log n p ");
        check(
            "DELETE",
            "/apis/apps/v1/namespaces/n/deployments",
            "deletecollection apps deployments n  ",
        );
        check("GET", "/api/v1/watch/namespaces/n/pods/p", "watch  pods n p ");
        let named = "/api/v1/namespaces/n/pods?fieldSelector=metadata.name%3Dx";
        check("GET", named, "list  pods n x ");
        check("GET", "/apis/apps/v1", "get     /apis/apps/v1");
        check("POST", "/metrics", "post     /metrics");
    }
}

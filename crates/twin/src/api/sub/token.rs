//! `token`: a signed token of a service account, for a time, an audience and an object.

use serde_json::{Value, json};

use super::super::body::Strictness;
use super::super::query::Query;
use super::super::route::Target;
use super::super::{Reply, Request, body, write};
use crate::access::{Bound, Claims, ISSUER, Reference, User};
use crate::field;
use crate::kinds::{Kind, NODE, POD, SECRET, SERVICE_ACCOUNT, TOKEN_REQUEST};
use crate::ownership::Manager;
use crate::registry::{Cause, Failure, Registry};

use crate::store::Object;

const GROUP: &str = "authentication.k8s.io";
const SHORTEST_SECONDS: i64 = 600;
const DEFAULT_SECONDS: i64 = 3600;
/// What kubelets ask for; such a token lives a year, and its use is told after an hour.
const KUBELET_SECONDS: i64 = 3607;
const EXTENDED_SECONDS: i64 = 365 * 24 * 3600;

pub(super) fn answer(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    request: &Request,
) -> Result<Reply, Failure> {
    let name = target.name.as_deref().ok_or_else(Failure::method_not_allowed)?;
    let namespace = target.home();
    let strictness = Strictness::of(query, "CreateOptions")?;
    let (mut asked, remarks) = body::object(&TOKEN_REQUEST, request, strictness)?;
    write::check_namespace(namespace, &asked)?;
    field::default(field::child(&mut asked, "spec"), "expirationSeconds", DEFAULT_SECONDS);
    let given = field::name(&asked);
    if !given.is_empty() && given != name {
        let why = "must match the service account name if specified";
        let cause = Cause::invalid("metadata.name", &given.into(), why);
        return Err(Failure::invalid_of((GROUP, "TokenRequest"), name, &[cause]));
    }
    let account = registry.get(&SERVICE_ACCOUNT, namespace, name)?.clone();
    let (uid, own) = (field::uid(&asked), field::uid(&account));
    if !uid.is_empty() && uid != own {
        let why = format!(
            "the UID in the token request ({uid}) does not match the UID of the service account \
             ({own})"
        );
        return Err(conflict((GROUP, "TokenRequest"), name, &why));
    }
    let manager = write::manager(target, query, request, false)?;
    let manager = Manager { api_version: TOKEN_REQUEST.api_version(), ..manager };
    let before = json!({"spec": {"boundObjectRef": null}, "status": {}});
    registry.note_of(&TOKEN_REQUEST, &before, &mut asked, &manager);
    check_time(field::number(&asked, "/spec/expirationSeconds"))?;
    complete(registry, &mut asked, &account);
    let claims = claims(registry, &asked, &account)?;
    let token = claims.sign(&registry.access.key);
    let token = token.ok_or_else(|| Failure::new(500, "InternalError", "failed to sign"))?;
    let until = registry.now.plus_seconds(field::number(&asked, "/spec/expirationSeconds"));
    let until = until.to_string();
    asked["status"] = json!({"token": token, "expirationTimestamp": until});
    Ok(Reply::json(201, &asked).warning(&remarks))
}

fn complete(registry: &Registry, asked: &mut Value, account: &Object) {
    asked["kind"] = TOKEN_REQUEST.kind.into();
    asked["apiVersion"] = TOKEN_REQUEST.api_version().into();
    let meta = field::child(asked, "metadata");
    for key in ["name", "namespace", "uid"] {
        meta.insert(key.into(), account["metadata"][key].clone());
    }
    meta.insert("creationTimestamp".into(), registry.now.to_string().into());
    let spec = field::child(asked, "spec");
    if spec.get("audiences").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        spec.insert("audiences".into(), json!([ISSUER]));
    }
    spec.entry("boundObjectRef").or_insert(Value::Null);
}

fn check_time(seconds: i64) -> Result<(), Failure> {
    let why = if seconds < SHORTEST_SECONDS {
        "may not specify a duration less than 10 minutes"
    } else if seconds > 1 << 32 {
        "may not specify a duration larger than 2^32 seconds"
    } else {
        return Ok(());
    };
    let cause = Cause::invalid("spec.expirationSeconds", &seconds.into(), why);
    Err(Failure::invalid_of((GROUP, "TokenRequest"), "", &[cause]))
}

fn claims(registry: &mut Registry, asked: &Value, account: &Object) -> Result<Claims, Failure> {
    let seconds = field::number(asked, "/spec/expirationSeconds");
    let audiences: Vec<String> = field::list(asked, "/spec/audiences")
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let (namespace, name) = (field::namespace(account), field::name(account));
    let mut bound = Bound {
        namespace: namespace.to_owned(),
        serviceaccount: Reference::to(account),
        ..Bound::default()
    };
    let reference = &asked["spec"]["boundObjectRef"];
    if reference.is_object() {
        bind(registry, (namespace, name), reference, &mut bound)?;
    }
    let now = registry.now.seconds();
    let own = audiences.iter().all(|audience| audience == ISSUER);
    let extended = bound.pod.is_some() && seconds == KUBELET_SECONDS && own;
    bound.warnafter = extended.then_some(now + seconds);
    Ok(Claims {
        aud: audiences,
        exp: now + if extended { EXTENDED_SECONDS } else { seconds },
        iat: now,
        iss: ISSUER.to_owned(),
        jti: registry.uuid(),
        bound,
        nbf: now,
        sub: User::account_name(namespace, name),
    })
}

/// Ties the token to an object.
fn bind(
    registry: &Registry,
    (namespace, account): (&str, &str),
    reference: &Value,
    bound: &mut Bound,
) -> Result<(), Failure> {
    let text = |pointer: &str| field::text(reference, pointer);
    let (version, kind, name) = (text("/apiVersion"), text("/kind"), text("/name"));
    let of = |kind: &Kind, home: &str| -> Result<(Object, Reference), Failure> {
        let found = registry.get(kind, home, name)?;
        let asked = text("/uid");
        if !asked.is_empty() && asked != field::uid(found) {
            let why = format!(
                "the UID in the bound object reference ({asked}) does not match the UID in \
                 record. The object might have been deleted and then recreated"
            );
            return Err(conflict(("", kind.kind), name, &why));
        }
        Ok((found.clone(), Reference::to(found)))
    };
    match (version, kind) {
        ("v1", "Pod") => {
            let pod = registry.get(&POD, namespace, name)?;
            if field::text(pod, "/spec/serviceAccountName") != account {
                return Err(Failure::bad_request(format!(
                    "cannot bind token for serviceaccount {account:?} to pod running with \
                     different serviceaccount name."
                )));
            }
            let (pod, reference) = of(&POD, namespace)?;
            bound.pod = Some(reference);
            let node = field::text(&pod, "/spec/nodeName");
            if !node.is_empty() {
                let found = registry.get(&NODE, "", node);
                let bare = || Reference { name: node.to_owned(), uid: String::new() };
                bound.node = Some(found.map_or_else(|_| bare(), Reference::to));
            }
        }
        ("v1", "Secret") => bound.secret = Some(of(&SECRET, namespace)?.1),
        ("v1", "Node") => bound.node = Some(of(&NODE, "")?.1),
        _ => {
            let (group, version) = version.split_once('/').unwrap_or(("", version));
            let told = format!("{group}/{version}, Kind={kind}");
            let why = format!("cannot bind token to object of type {told}");
            return Err(Failure::bad_request(why));
        }
    }
    Ok(())
}

fn conflict((group, kind): (&str, &str), name: &str, why: &str) -> Failure {
    let full = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
    let message = format!("Operation cannot be fulfilled on {full} {name:?}: {why}");
    let mut details = json!({"name": name, "kind": kind});
    if !group.is_empty() {
        details["group"] = group.into();
    }
    Failure { details: Some(details), ..Failure::new(409, "Conflict", message) }
}

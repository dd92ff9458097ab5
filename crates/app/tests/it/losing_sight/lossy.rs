//! A client of the twin that loses one list.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use model::Kind;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use twin::Twin;

/// How a list is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// We may not see it.
    Refused,
    /// The server fails.
    Failed,
    /// No answer ever comes.
    Hangs,
    /// The answer ends in its middle.
    Cut,
    /// An answer that is no list, as from a proxy.
    NoList,
    /// The half of it is told, and the rest has expired whenever it is asked for.
    Expires,
    /// The half of it is told, and then told again for ever.
    Repeats,
}

impl Loss {
    pub(super) const ALL: [Loss; 7] = [
        Loss::Refused,
        Loss::Failed,
        Loss::Hangs,
        Loss::Cut,
        Loss::NoList,
        Loss::Expires,
        Loss::Repeats,
    ];
}

/// Where a kind is listed.
pub(super) fn path(kind: Kind) -> String {
    let api = kind.api_version();
    let root = if api.contains('/') { "/apis" } else { "/api" };
    format!("{root}/{api}/{}", kind.plural())
}

/// What was answered, by path; of several pages the last.
pub(super) type Asked = Arc<Mutex<BTreeMap<String, String>>>;

/// A client that loses this list.
pub(super) fn client(twin: &Twin, loss: Option<(Kind, Loss)>, asked: &Asked) -> Client {
    let loss = loss.map(|(kind, loss)| (path(kind), loss));
    through(twin, asked, move |path| {
        loss.as_ref().filter(|(lost, _)| lost == path).map(|(_, loss)| *loss)
    })
}

/// A client that loses all lists.
pub(super) fn client_without_lists(twin: &Twin, loss: Loss) -> Client {
    through(twin, &Asked::default(), move |path| (path != "/version").then_some(loss))
}

fn through(
    twin: &Twin,
    asked: &Asked,
    loses: impl Fn(&str) -> Option<Loss> + Send + Sync + 'static,
) -> Client {
    let (service, log, loses) = (twin.service(), Arc::clone(asked), Arc::new(loses));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (service, log) = (service.clone(), Arc::clone(&log));
        let path = request.uri().path().to_owned();
        let loss = loses(&path);
        let goes_on = request.uri().query().is_some_and(|q| q.contains("continue="));
        async move {
            if loss == Some(Loss::Hangs) {
                std::future::pending::<()>().await;
            }
            let (mut parts, body) = service.oneshot(request).await?.into_parts();
            let body = body.collect().await.expect("the twin answers").to_bytes();
            if parts.status == 200 {
                let text = String::from_utf8_lossy(&body).into_owned();
                log.lock().unwrap().insert(path, text);
            }
            let Some(loss) = loss else {
                return Ok(Response::from_parts(parts, Body::from(body.to_vec())));
            };
            let (status, text) = lost(loss, goes_on, &body);
            parts.status = status.try_into().expect("a status");
            Ok::<_, std::convert::Infallible>(Response::from_parts(parts, Body::from(text)))
        }
    });
    Client::new(service, "default")
}

fn lost(loss: Loss, goes_on: bool, body: &[u8]) -> (u16, Vec<u8>) {
    let status = |code: u16| {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
            "message": "lost", "code": code});
        (code, status.to_string().into_bytes())
    };
    let half = || {
        // What the twin does not serve is no list either.
        let Ok(mut list) = serde_json::from_slice::<Value>(body) else { return status(404) };
        list["metadata"]["continue"] = json!("more");
        if let Some(items) = list["items"].as_array_mut() {
            items.truncate(items.len() / 2);
        }
        (200, list.to_string().into_bytes())
    };
    match loss {
        Loss::Refused => status(403),
        Loss::Failed => status(500),
        Loss::Hangs | Loss::NoList => (200, b"{}".to_vec()),
        Loss::Cut => (200, body[..body.len() / 2].to_vec()),
        Loss::Expires if goes_on => status(410),
        Loss::Expires | Loss::Repeats => half(),
    }
}

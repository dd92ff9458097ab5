//! The API as a tower service.

use std::convert::Infallible;
use std::future::Future;
use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, DATE, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::body::TwinBody;
use super::date::http_date;
use super::twin::Twin;
use crate::api::{self, Reply, Request, Watch};
use crate::registry::{Failure, MOST_BODY_BYTES};

/// The twin's API: `Service<http::Request<B>>` for any body. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct TwinService {
    twin: Twin,
    /// Whether watches end by the wall clock instead of virtual time.
    wall_clock: bool,
}

impl TwinService {
    pub(super) fn new(twin: Twin, wall_clock: bool) -> Self {
        Self { twin, wall_clock }
    }

    async fn answer<B>(self, request: http::Request<B>) -> http::Response<TwinBody>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let twin = self.twin.clone();
        let mut response = self.answer_undated(request).await;
        stamp(&mut response, &twin);
        response
    }

    async fn answer_undated<B>(self, request: http::Request<B>) -> http::Response<TwinBody>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let body = match Limited::new(body, MOST_BODY_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                let failure = unreadable(error.as_ref());
                if failure.code == 413 {
                    self.twin.shared.cluster().registry.meters.bodies_refused += 1;
                }
                return respond(Reply::failure(&failure));
            }
        };
        let request = Request {
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            accept: header(&parts.headers, &ACCEPT),
            content_type: header(&parts.headers, &CONTENT_TYPE),
            user_agent: header(&parts.headers, &USER_AGENT),
            method: parts.method,
            headers: parts.headers,
            in_process: !self.wall_clock,
            body,
            ..Request::default()
        };
        let packs = accepts_gzip(&request.headers);
        let before = self.twin.shared.ticks.subscribe();
        let reply = {
            let mut cluster = self.twin.shared.cluster();
            let version = cluster.registry.store.rv();
            let reply = api::handle(&mut cluster.registry, request, self.wall_clock);
            if cluster.registry.store.rv() != version {
                cluster.hand_out();
                self.twin.shared.tick();
            }
            reply
        };
        match reply {
            Reply::Watch(watch) => self.stream(*watch, before),
            full @ Reply::Full { .. } if packs => respond(packed(full)),
            full @ Reply::Full { .. } => respond(full),
        }
    }

    fn stream(self, watch: Watch, ticks: watch::Receiver<u64>) -> http::Response<TwinBody> {
        let lasting = Duration::from_secs(watch.timeout_seconds);
        let kind = match watch.binary {
            true => "application/vnd.kubernetes.protobuf;stream=watch",
            false => "application/json",
        };
        let deadline = self.wall_clock.then(|| Instant::now() + lasting);
        if !self.twin.shared.cluster().registry.meters.open_watch() {
            let why = "too many watches are open, please try again later";
            return respond(Reply::failure(&Failure::new(429, "TooManyRequests", why)));
        }
        let counted = Counted(self.twin.clone());
        let open = Open { service: self, watch, ticks, deadline, ended: false, _counted: counted };
        let lines: BoxStream<'static, Bytes> = stream::unfold(open, |open| open.next()).boxed();
        let mut response = http::Response::new(TwinBody::lines(lines));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}

/// A watch that is being written out.
struct Open {
    service: TwinService,
    watch: Watch,
    ticks: watch::Receiver<u64>,
    deadline: Option<Instant>,
    ended: bool,
    _counted: Counted,
}

/// Counts one watch less when it ends, however that is.
struct Counted(Twin);

impl Drop for Counted {
    fn drop(&mut self) {
        let mut cluster = self.0.shared.cluster();
        let open = &mut cluster.registry.meters.watches_open;
        *open = open.saturating_sub(1);
    }
}

impl Open {
    /// The next lines, as soon as there are any; `None` at the end.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        while !self.ended {
            self.ticks.mark_unchanged();
            let (lines, ended) = {
                let cluster = self.service.twin.shared.cluster();
                self.watch.next(&cluster.registry)
            };
            self.ended = ended;
            if !lines.is_empty() {
                return Some((lines.concat().into(), self));
            }
            if ended {
                return None;
            }
            let deadline = self.deadline;
            let over = async {
                match deadline {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                changed = self.ticks.changed() => changed.ok()?,
                () = over => {
                    self.ended = true;
                    let lines = {
                        let cluster = self.service.twin.shared.cluster();
                        self.watch.finish(&cluster.registry)
                    };
                    return (!lines.is_empty()).then(|| (lines.concat().into(), self));
                }
            }
        }
        None
    }
}

impl<B> tower::Service<http::Request<B>> for TwinService
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = http::Response<TwinBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.answer(request).await) })
    }
}

/// Smaller answers are not worth packing.
const PACKED_FROM_BYTES: usize = 128 << 10;

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let listed = header(headers, &ACCEPT_ENCODING);
    listed.split(',').any(|one| one.split(';').next().is_some_and(|name| name.trim() == "gzip"))
}

/// A large answer, packed.
fn packed(reply: Reply) -> Reply {
    match reply {
        Reply::Full { code: 200, content_type, mut headers, body }
            if body.len() >= PACKED_FROM_BYTES =>
        {
            let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
            let written = writer.write_all(&body).and_then(|()| writer.finish());
            // Writing to memory does not fail; if it did, the plain answer is right as well.
            let Ok(small) = written else {
                return Reply::Full { code: 200, content_type, headers, body };
            };
            headers.push(("content-encoding", "gzip".into()));
            headers.push(("vary", "Accept-Encoding".into()));
            Reply::Full { code: 200, content_type, headers, body: small.into() }
        }
        other => other,
    }
}

/// Clients count ages by the clock of the server, which is virtual here.
pub(super) fn stamp(response: &mut http::Response<TwinBody>, twin: &Twin) {
    if let Ok(date) = HeaderValue::from_str(&http_date(twin.now())) {
        response.headers_mut().insert(DATE, date);
    }
}

fn header(headers: &HeaderMap, name: &http::HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> Failure {
    if error.is::<http_body_util::LengthLimitError>() {
        let why = format!("Request entity too large: limit is {MOST_BODY_BYTES}");
        return Failure::new(413, "RequestEntityTooLarge", why);
    }
    Failure::bad_request(format!("the body could not be read: {error}"))
}

pub(super) fn respond(reply: Reply) -> http::Response<TwinBody> {
    let Reply::Full { code, content_type, headers, body } = reply else {
        return http::Response::new(TwinBody::full(Bytes::new()));
    };
    let mut response = http::Response::new(TwinBody::full(body));
    *response.status_mut() =
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !content_type.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

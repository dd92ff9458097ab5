//! One question over HTTP, with a bound on time and size.

use futures::TryFutureExt as _;
use http::{Request, header};
use http_body_util::BodyExt as _;
use kube::client::Body;

use crate::{Source, Trouble};

/// More of one answer is not taken.
pub(crate) const ANSWER_MIB: usize = 32;
/// What is kept of what the other side says, in characters.
const SAID_CHARS: usize = 200;

/// Asks for this path; the body of a success.
pub(crate) async fn get(source: &Source, path: &str) -> Result<Vec<u8>, Trouble> {
    let answer = tokio::time::timeout(source.patience, answered(source, path)).await;
    answer.unwrap_or(Err(Trouble::Late(source.patience.as_secs())))
}

async fn answered(source: &Source, path: &str) -> Result<Vec<u8>, Trouble> {
    let request = Request::get(path).header(header::ACCEPT, "application/json");
    let request = request.body(Body::empty());
    let request = request.map_err(|e| Trouble::Unreadable(e.to_string()))?;
    let response = source.client.send(request).map_err(|e| unreachable(&e)).await?;
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    match status {
        401 | 403 => return Err(Trouble::Refused(status)),
        300..=399 => return Err(Trouble::Elsewhere(status)),
        _ => {}
    }
    let body = match bounded(body).await {
        // What stands beside an error is only of use when it can be read.
        Err(_) if status != 200 => Vec::new(),
        body => body?,
    };
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let is_page = kind.is_some_and(|k| k.contains("html")) || starts_as_page(&body);
    match status {
        200 if is_page => Err(Trouble::Page),
        200 => Ok(body),
        _ => Err(Trouble::Status(status, said(&body, is_page))),
    }
}

async fn bounded(mut body: Body) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Trouble::Unreadable(innermost(&e)))?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > ANSWER_MIB << 20 {
                return Err(Trouble::Large(ANSWER_MIB));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

fn starts_as_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    start.first() == Some(&b'<')
}

/// What Prometheus says of an error, or the first words of what anybody else says.
fn said(body: &[u8], is_page: bool) -> String {
    #[derive(serde::Deserialize)]
    struct Wrong {
        error: String,
    }
    let text = match serde_json::from_slice::<Wrong>(body) {
        Ok(wrong) => wrong.error,
        Err(_) if is_page => return String::new(),
        Err(_) => String::from_utf8_lossy(body.get(..SAID_CHARS).unwrap_or(body)).into_owned(),
    };
    let text: String = text.trim().chars().take(SAID_CHARS).collect();
    if text.is_empty() { text } else { format!(": {text}") }
}

fn unreachable(error: &kube::Error) -> Trouble {
    Trouble::Unreachable(innermost(error))
}

/// The reason at the end of the chain: what stands before it only says that something failed.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string().chars().take(SAID_CHARS).collect()
}

/// Percent-encoded for a query.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

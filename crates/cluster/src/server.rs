//! Who answers: its version, and its clock.

use http::header;
use jiff::fmt::rfc2822::DateTimeParser;
use kube::Client;
use model::Timestamp;

use crate::refusal::UNAUTHORISED;
use crate::{Error, request};

/// The API server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// Its version, e.g. `v1.31.2`, where it says.
    pub version: Option<String>,
    /// Its time, from the `Date` of its answer: ages must be counted by the clock that wrote
    /// them, not by that of the machine we happen to run on.
    pub time: Option<Timestamp>,
}

/// Asks for the version. It also tells at once whether anybody is there.
pub(crate) async fn ask(client: &Client) -> Result<Server, Error> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        git_version: String,
    }
    let unreachable = |e: kube::Error| Error::Unreachable {
        what: "the server's version".to_owned(),
        reason: Box::new(e),
    };
    let request = request::version().map(kube::client::Body::from);
    let answer = client.send(request).await.map_err(unreachable)?;
    let date = answer.headers().get(header::DATE).and_then(|d| d.to_str().ok());
    let time = date.and_then(http_time);
    let code = answer.status().as_u16();
    let body = answer.into_body().collect_bytes().await.map_err(unreachable)?;
    if code == UNAUTHORISED {
        return Err(Error::Unauthorised { message: message(&body) });
    }
    let version = serde_json::from_slice::<Version>(&body).ok().map(|v| v.git_version);
    Ok(Server { version, time })
}

/// The message of a `Status`.
fn message(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Status {
        message: String,
    }
    let status = serde_json::from_slice::<Status>(body);
    status.map_or_else(|_| "status 401".to_owned(), |s| s.message.chars().take(300).collect())
}

/// A time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_time(text: &str) -> Option<Timestamp> {
    let time = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Timestamp::from_seconds(time.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_http_writes_them() {
        let time = http_time("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(time.to_string(), "1994-11-06T08:49:37Z");
        assert_eq!(http_time("yesterday"), None);
    }
}

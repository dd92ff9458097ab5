//! `log`: what a container has written, from a kubelet that can be reached.

use bytes::Bytes;
use model::Timestamp;

use super::super::super::query::Query;
use super::super::super::{Reply, TEXT};
use super::{container, kubelet};
use crate::field;
use crate::kinds::POD;
use crate::registry::{Cause, Failure, Registry};
use crate::world::{Line, NoOutput, output};

/// Which lines are wanted, and how.
struct Options {
    previous: bool,
    timestamps: bool,
    since: Option<Timestamp>,
    tail: Option<usize>,
    limit_bytes: Option<usize>,
}

pub(super) fn answer(
    registry: &Registry,
    namespace: &str,
    name: &str,
    query: &Query,
) -> Result<Reply, Failure> {
    let options = options(registry.now, name, query)?;
    let pod = registry.get(&POD, namespace, name)?;
    let container = container(pod, query.get("container"))?;
    let node = field::text(pod, "/spec/nodeName");
    if node.is_empty() {
        return Ok(Reply::bytes(204, "", Bytes::new()));
    }
    let kubelet = kubelet::of(registry, node, &POD)?;
    if !kubelet.answers {
        let path = format!("/containerLogs/{namespace}/{name}/{container}{}", passed_on(query));
        return Err(kubelet.refused(&path));
    }
    let lines = output(pod, container, options.previous).map_err(|none| match none {
        NoOutput::NotStarted(reason) => Failure::bad_request(format!(
            "container {container:?} in pod {name:?} is waiting to start: {reason}"
        )),
        NoOutput::NoPrevious => Failure::bad_request(format!(
            "previous terminated container {container:?} in pod {name:?} not found"
        )),
    })?;
    Ok(Reply::bytes(200, TEXT, options.told(&lines).into()))
}

impl Options {
    fn told(&self, lines: &[Line]) -> String {
        let wanted: Vec<&Line> =
            lines.iter().filter(|line| self.since.is_none_or(|since| line.at >= since)).collect();
        let skipped = self.tail.map_or(0, |tail| wanted.len().saturating_sub(tail));
        let mut text = String::new();
        for line in wanted.into_iter().skip(skipped) {
            if self.timestamps {
                text.push_str(&format!("{} ", line.at));
            }
            text.push_str(&line.text);
            text.push('\n');
        }
        // What containers write is plain ASCII, so any byte may be the last one.
        text.truncate(self.limit_bytes.unwrap_or(usize::MAX).min(text.len()));
        text
    }
}

fn options(now: Timestamp, name: &str, query: &Query) -> Result<Options, Failure> {
    let (tail, limit) = (query.number("tailLines")?, query.number("limitBytes")?);
    let seconds = query.number("sinceSeconds")?;
    let time = query.get("sinceTime").map(read_time).transpose()?;
    let mut causes = Vec::new();
    if let Some(tail) = tail.filter(|tail| *tail < 0) {
        let why = "must be greater than or equal to 0";
        causes.push(Cause::invalid("tailLines", &tail.into(), why));
    }
    if let Some(limit) = limit.filter(|limit| *limit < 1) {
        causes.push(Cause::invalid("limitBytes", &limit.into(), "must be greater than 0"));
    }
    match (seconds, time) {
        (Some(_), Some(_)) => {
            let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
            causes.push(Cause::forbidden("[]", why));
        }
        (Some(seconds), None) if seconds < 1 => {
            causes.push(Cause::invalid("sinceSeconds", &seconds.into(), "must be greater than 0"));
        }
        _ => {}
    }
    if query.get("stream").is_some() {
        causes.push(Cause::forbidden("stream", "may not be specified"));
    }
    if !causes.is_empty() {
        return Err(Failure::invalid_of(("", "PodLogOptions"), name, &causes));
    }
    let size = |n: Option<i64>| n.and_then(|n| usize::try_from(n).ok());
    Ok(Options {
        previous: query.flag("previous"),
        timestamps: query.flag("timestamps"),
        since: time.or(seconds.map(|seconds| now.minus_seconds(seconds))),
        tail: size(tail),
        limit_bytes: size(limit),
    })
}

fn read_time(text: &str) -> Result<Timestamp, Failure> {
    text.parse().map_err(|_| {
        Failure::bad_request(format!(
            "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \
             \"2006\""
        ))
    })
}

/// The options as they are handed to a kubelet.
fn passed_on(query: &Query) -> String {
    let flag = |key: &str| query.flag(key).then(|| "true".to_owned());
    let text = |key: &str| query.get(key).map(str::to_owned);
    let all = [
        ("follow", flag("follow")),
        ("limitBytes", text("limitBytes")),
        ("previous", flag("previous")),
        ("sinceSeconds", text("sinceSeconds")),
        ("sinceTime", text("sinceTime").map(|time| time.replace(':', "%3A"))),
        ("tailLines", text("tailLines")),
        ("timestamps", flag("timestamps")),
    ];
    let given = all.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?)));
    let given = given.collect::<Vec<_>>().join("&");
    if given.is_empty() { given } else { format!("?{given}") }
}

//! Watches one kind from a version on: each change as a value.

use futures::stream::{self, BoxStream, StreamExt as _};
use kube::Client;
use kube::core::WatchEvent;
use model::{Kind, Object, Text, decode_value};
use serde_json::Value;

use crate::page::{is_named_apart, marked};
use crate::request;

/// What a watch showed.
#[derive(Debug)]
pub(crate) enum Seen {
    /// An object is new or was changed: its name, the version of the list, the object.
    Is((Text, Text), String, Box<Object>),
    /// An object was deleted.
    Gone((Text, Text), String),
    /// Nothing happened up to this version.
    Mark(String),
    /// The watch ended and can be begun again.
    End,
    /// Nobody answered.
    Lost,
    /// The server refused it with this status.
    Refused(u16),
}

/// Watches a kind, of one namespace or of all. The last value says how it ended.
pub(crate) fn kind(
    client: Client,
    kind: Kind,
    namespace: Option<Text>,
    version: String,
) -> BoxStream<'static, (Kind, Seen)> {
    let request = request::watch(kind, namespace.as_deref(), &version);
    let opened = async move { client.request_events::<Value>(request).await };
    let all = stream::once(opened).flat_map(move |opened| match opened {
        Ok(events) => {
            let seen = events.map(move |event| match event {
                Ok(event) => seen(kind, event),
                Err(e) => ended(&e, Seen::End),
            });
            seen.chain(stream::once(async { Seen::End })).boxed()
        }
        Err(e) => stream::once(async move { ended(&e, Seen::Lost) }).boxed(),
    });
    // Whatever follows an end belongs to nobody.
    let all = all.scan(false, |over, seen| {
        let was_over = *over;
        *over = matches!(seen, Seen::End | Seen::Lost | Seen::Refused(_));
        std::future::ready((!was_over).then_some(seen))
    });
    all.map(move |seen| (kind, seen)).boxed()
}

fn ended(error: &kube::Error, otherwise: Seen) -> Seen {
    match error {
        kube::Error::Api(status) => Seen::Refused(status.code),
        _ => otherwise,
    }
}

fn seen(kind: Kind, event: WatchEvent<Value>) -> Seen {
    let version = |value: &Value| text(value, "/metadata/resourceVersion").to_owned();
    match event {
        WatchEvent::Added(value) | WatchEvent::Modified(value) => {
            let (name, version) = (name_of(kind, &value), version(&value));
            match decode_value(kind, &value, false) {
                Ok(object) => Seen::Is(name, version, Box::new(marked(kind, object))),
                // What cannot be read is not known: better gone than old.
                Err(_) => Seen::Gone(name, version),
            }
        }
        WatchEvent::Deleted(value) => Seen::Gone(name_of(kind, &value), version(&value)),
        WatchEvent::Bookmark(mark) => Seen::Mark(mark.metadata.resource_version),
        WatchEvent::Error(status) => Seen::Refused(status.code),
    }
}

/// The key of an object in its list.
fn name_of(kind: Kind, value: &Value) -> (Text, Text) {
    let namespace = text(value, "/metadata/namespace");
    let name = text(value, "/metadata/name");
    if is_named_apart(kind) {
        return (Text::default(), format!("{namespace}/{name}").into());
    }
    (namespace.into(), name.into())
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

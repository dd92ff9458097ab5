//! Columns of events.

use model::Timestamp;
use serde_json::Value;

use super::{Column, Columns, name, since, text, text_or, wide};
use crate::field;

const NAME_WIDE: Column = Column { name: "Name", kind: "string", format: "name", priority: 1 };

pub(crate) const EVENT: Columns = Columns::new(
    &[
        text("Last Seen"),
        text("Type"),
        text("Reason"),
        text("Object"),
        wide("Subobject"),
        wide("Source"),
        text("Message"),
        wide("First Seen"),
        wide("Count"),
        NAME_WIDE,
    ],
    cells,
);

fn cells(event: &Value, now: Timestamp) -> Vec<Value> {
    let of = |core: &str, new: &str| match field::text(event, core) {
        "" => field::text(event, new).to_owned(),
        told => told.to_owned(),
    };
    let place = |key: &str| of(&format!("/involvedObject/{key}"), &format!("/regarding/{key}"));
    let kind = place("kind").to_lowercase();
    let object = match place("name").as_str() {
        "" => kind,
        named => format!("{kind}/{named}"),
    };
    let mut component = of("/source/component", "/deprecatedSource/component");
    if component.is_empty() {
        component = of("/reportingComponent", "/reportingController");
    }
    let mut host = of("/source/host", "/deprecatedSource/host");
    if host.is_empty() {
        host = field::text(event, "/reportingInstance").to_owned();
    }
    let source = if host.is_empty() { component } else { format!("{component}, {host}") };
    let first = age_of(event, ["/firstTimestamp", "/deprecatedFirstTimestamp", "/eventTime"], now);
    let last = ["/lastTimestamp", "/deprecatedLastTimestamp", "/eventTime"];
    let (last, count) = match field::number(event, "/series/count") {
        0 => {
            let count = ["/count", "/deprecatedCount"].map(|key| field::number(event, key));
            (age_of(event, last, now), count.into_iter().max().unwrap_or_default().max(1))
        }
        count => (since(event, "/series/lastObservedTime", now), count),
    };
    vec![
        last.into(),
        text_or(event, "/type", ""),
        text_or(event, "/reason", ""),
        object.into(),
        place("fieldPath").into(),
        source.into(),
        of("/message", "/note").trim().into(),
        first.into(),
        count.into(),
        name(event),
    ]
}

/// How long ago the first of these times was that is told.
fn age_of(event: &Value, pointers: [&str; 3], now: Timestamp) -> String {
    let told = pointers.into_iter().find(|pointer| field::time(event, pointer).is_some());
    since(event, told.unwrap_or("/eventTime"), now)
}

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
    let kind = field::text(event, "/involvedObject/kind").to_lowercase();
    let object = match field::text(event, "/involvedObject/name") {
        "" => kind,
        named => format!("{kind}/{named}"),
    };
    let source = match field::text(event, "/source/host") {
        "" => field::text(event, "/source/component").to_owned(),
        host => format!("{}, {host}", field::text(event, "/source/component")),
    };
    vec![
        since(event, "/lastTimestamp", now).into(),
        text_or(event, "/type", ""),
        text_or(event, "/reason", ""),
        object.into(),
        text_or(event, "/involvedObject/fieldPath", ""),
        source.into(),
        field::text(event, "/message").trim().into(),
        since(event, "/firstTimestamp", now).into(),
        field::number(event, "/count").max(1).into(),
        name(event),
    ]
}

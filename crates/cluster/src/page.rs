//! One page of a list: its objects decoded straight from the bytes into records.

use model::record::Known;
use model::{Kind, Object, Text, decode};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::request::is_metadata_only;

/// One page of a list.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Its objects.
    pub(crate) objects: Vec<Object>,
    /// Names of objects that keep none themselves, in the same order; empty for other kinds.
    pub(crate) names: Vec<Text>,
    /// Which version of the list it is.
    pub(crate) version: String,
    /// Asks for the next page; `None` on the last one.
    pub(crate) next: Option<String>,
    /// Objects on the pages that follow, where the server says.
    pub(crate) remaining: Option<u64>,
    /// Why objects could not be decoded.
    pub(crate) unreadable: Vec<String>,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default)]
    metadata: Option<ListMeta>,
    /// It must be there, though the API writes `null` for none: what has no items is no list.
    #[serde(borrow)]
    items: &'a RawValue,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ListMeta {
    #[serde(rename = "continue")]
    token: Option<String>,
    remaining_item_count: Option<u64>,
    resource_version: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    metadata: Name,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Name {
    name: Text,
    namespace: Text,
}

/// Whether records of a kind do not keep the name of the object: events are about another.
pub(crate) fn is_named_apart(kind: Kind) -> bool {
    kind == Kind::Event
}

impl Page {
    /// Decodes the body of an answer.
    ///
    /// # Errors
    /// When the body is no list at all.
    pub(crate) fn decode(kind: Kind, body: &str) -> Result<Page, serde_json::Error> {
        let wire: Wire<'_> = serde_json::from_str(body)?;
        let meta = wire.metadata.unwrap_or_default();
        let mut page = Page {
            next: meta.token.filter(|t| !t.is_empty()),
            remaining: meta.remaining_item_count,
            version: meta.resource_version.unwrap_or_default(),
            ..Page::default()
        };
        let items: Option<Vec<&RawValue>> = serde_json::from_str(wire.items.get())?;
        for item in items.unwrap_or_default() {
            match decode(kind, &mut serde_json::Deserializer::from_str(item.get())) {
                Ok(object) => {
                    if is_named_apart(kind) {
                        let named: Named = serde_json::from_str(item.get()).unwrap_or_default();
                        let Name { name, namespace } = named.metadata;
                        page.names.push(format!("{namespace}/{name}").into());
                    }
                    page.objects.push(marked(kind, object));
                }
                Err(e) => page.unreadable.push(e.to_string()),
            }
        }
        Ok(page)
    }
}

/// Of metadata alone nothing else is known; an absent key must not look like a missing one.
pub(crate) fn marked(kind: Kind, mut object: Object) -> Object {
    if let Some(meta) = object.meta_mut().filter(|_| is_metadata_only(kind)) {
        let known = Known::ALL.without(Known::SUMMARY).without(Known::SPEC).without(Known::STATUS);
        (meta.known, meta.live) = (known, known);
    }
    object
}

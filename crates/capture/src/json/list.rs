//! Lists of objects, and the events of a watch.

use super::buffer::More;
use super::decode::decode_front;
use super::walk::{Inside, Stop, Walk};
use super::{Objects, scan};
use serde::Deserialize;
use std::io::Read;

/// How many bytes of items without a kind are held until the list has named its kind.
const STASH_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// Items whose kind is not known yet.
#[derive(Default)]
pub struct Stash {
    items: Vec<(u32, Vec<u8>)>,
    bytes: usize,
    refused: u64,
}

/// What a list says about itself.
#[derive(Deserialize)]
struct ListMeta {
    #[serde(default, rename = "continue")]
    more: Option<String>,
}

impl<R: Read, O: Objects> Walk<'_, R, O> {
    /// The list at the front: its items one by one, whatever the order of its keys.
    pub(super) fn list(&mut self, inside: Inside<'_>) -> Result<(), Stop> {
        if Self::too_deep(inside) {
            return self.skip();
        }
        self.outcome.lists += 1;
        let line = self.buffer.line();
        let (mut kind, mut api_version) = (String::new(), String::new());
        let (mut stash, mut found, mut rest) = (Stash::default(), false, false);
        let result = self.keys(|walk, key, first| {
            match (key, first) {
                ("kind", b'"') => kind = walk.small::<String>()?.unwrap_or_default(),
                ("apiVersion", b'"') => api_version = walk.small::<String>()?.unwrap_or_default(),
                ("metadata", b'{') => {
                    let meta = walk.small::<ListMeta>()?;
                    rest = meta.and_then(|m| m.more).is_some_and(|m| !m.is_empty());
                }
                ("items", b'[') => {
                    found = true;
                    let of = item_kind(&kind).unwrap_or(inside.kind);
                    let version =
                        if of.is_empty() || of == inside.kind { "" } else { &api_version };
                    let item = Inside { kind: of, api_version: version, items: true, ..inside };
                    walk.items(item, &mut stash)?;
                }
                ("items", b'n') => {
                    found = true;
                    return Ok(false);
                }
                _ => return Ok(false),
            }
            Ok(true)
        });
        self.unstash(&stash, &kind, &api_version, inside);
        result?;
        if rest {
            let why = "the list is one page of several: more objects exist".to_owned();
            self.skipped(line, why);
        }
        if !found {
            self.skipped(line, format!("{kind} has no items"));
        }
        Ok(())
    }

    fn items(&mut self, inside: Inside<'_>, stash: &mut Stash) -> Result<(), Stop> {
        self.buffer.consume(1);
        let mut alone_until = self.alone_until();
        loop {
            match self.buffer.peek() {
                Some(b']') => {
                    self.buffer.consume(1);
                    return Ok(());
                }
                Some(b',') => self.buffer.consume(1),
                Some(b'{') if self.buffer.taken() >= alone_until => {
                    self.fan_out(inside);
                    alone_until = self.alone_until();
                }
                Some(b'{') => self.item(inside, stash)?,
                Some(b'}') => return Err(Stop::Broken("the items end with a brace")),
                Some(_) => {
                    let line = self.buffer.line();
                    self.skip()?;
                    self.skipped(line, "an item is not an object".to_owned());
                }
                None => return Err(self.ended()),
            }
        }
    }

    /// One item; those without a kind wait for the list's.
    fn item(&mut self, inside: Inside<'_>, stash: &mut Stash) -> Result<(), Stop> {
        if !inside.kind.is_empty() {
            return self.object(inside);
        }
        let kindless = loop {
            let short = match scan::shape(self.buffer.window()) {
                Ok(scan::Shape::Other(keys)) => break keys.metadata,
                Err(scan::Unclear::Short) => true,
                _ => false,
            };
            if !short || self.buffer.more() != More::Got {
                break false;
            }
        };
        if !kindless {
            return self.object(inside);
        }
        let line = self.buffer.line();
        let window = self.buffer.window();
        let end = scan::value_end(window).unwrap_or(window.len());
        if stash.bytes + end > STASH_LIMIT_BYTES {
            stash.refused += 1;
        } else {
            stash.bytes += end;
            stash.items.push((line, window.get(..end).unwrap_or_default().to_vec()));
        }
        self.buffer.consume(end);
        Ok(())
    }

    /// The list is read: decode what waited for its kind.
    fn unstash(&mut self, stash: &Stash, kind: &str, api_version: &str, inside: Inside<'_>) {
        let Some((first, _)) = stash.items.first() else { return };
        let Some(kind) = item_kind(kind) else {
            let why = format!("{} objects name no kind, nor does their list", stash.items.len());
            self.skipped(*first, why);
            return;
        };
        let inside = Inside { kind, api_version, items: true, ..inside };
        for (line, bytes) in &stash.items {
            match decode_front(&self.decoder, bytes, inside) {
                Ok((object, _)) => {
                    self.outcome.objects += 1;
                    self.out.object(object, *line, inside.gone);
                }
                Err(e) => self.skipped(*line, format!("a {kind} cannot be read: {e}")),
            }
        }
        if stash.refused > 0 {
            let why = format!("{} more objects name no kind", stash.refused);
            self.skipped(*first, why);
        }
    }

    /// `{"type": "ADDED", "object": {...}}`
    pub(super) fn watch_event(&mut self, inside: Inside<'_>) -> Result<(), Stop> {
        self.keys(|walk, key, first| match (key, first) {
            ("object", b'{') => {
                walk.object(Inside { items: true, ..inside })?;
                Ok(true)
            }
            _ => Ok(false),
        })
    }
}

/// `Pod` for `PodList`; nothing for a list of mixed kinds.
fn item_kind(list: &str) -> Option<&str> {
    list.strip_suffix("List").filter(|k| !k.is_empty())
}

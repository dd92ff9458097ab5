//! Decodes a part of a list's items: what one thread does at a time.
//!
//! It goes on as long as items are what nearly all are, objects that decode, and reports nothing:
//! the first item that is anything else is left to the reader of single items.

use super::decode::decode_as;
use super::scan::{self, Shape};
use super::walk::{Inside, begins_with_metadata};
use super::{Decode, Head, buffer};

/// What was read of a segment.
pub struct Segment<T> {
    /// Objects, each with the number of lines that end before it.
    pub objects: Vec<(u32, T)>,
    /// How many bytes were read: all, or up to the first item that is not simply an object.
    pub used: usize,
    /// How many lines end in these bytes.
    pub lines: u32,
}

impl<T> Default for Segment<T> {
    fn default() -> Self {
        Segment { objects: Vec::new(), used: 0, lines: 0 }
    }
}

/// Decodes items, separated by commas, from the start of `bytes`.
pub fn decode<D: Decode>(decoder: &D, bytes: &[u8], inside: Inside<'_>) -> Segment<D::Object> {
    let mut read = Segment::default();
    while let Some(rest) = bytes.get(read.used..).filter(|rest| !rest.is_empty()) {
        let between = rest.iter().take_while(|b| b.is_ascii_whitespace() || **b == b',').count();
        let (between, item) = rest.split_at(between);
        read.used += between.len();
        read.lines = read.lines.saturating_add(buffer::line_ends(between));
        let Some(head) = head_of(item, inside) else { break };
        let Ok((object, used)) = decode_as(decoder, head, item) else { break };
        read.objects.push((read.lines, object));
        read.used += used;
        let item = item.get(..used).unwrap_or_default();
        read.lines = read.lines.saturating_add(buffer::line_ends(item));
    }
    read
}

/// What is known of an item that is an object for certain.
fn head_of<'a>(item: &'a [u8], inside: Inside<'a>) -> Option<Head<'a>> {
    if item.first() != Some(&b'{') {
        return None;
    }
    if !inside.kind.is_empty() && begins_with_metadata(item) {
        return Some(Head { kind: inside.kind, api_version: inside.api_version });
    }
    match scan::shape(item) {
        Ok(Shape::Object { kind, api_version }) if kind != "Status" => {
            Some(Head { kind, api_version })
        }
        _ => None,
    }
}

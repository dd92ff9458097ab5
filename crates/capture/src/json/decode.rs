//! Hands one object to the decoder, and recovers when it cannot be decoded.

use super::buffer::More;
use super::scan::{self, Shape};
use super::walk::{Inside, Stop, Walk, begins_with_metadata};
use super::{Decode, Head, Json, OBJECT_LIMIT_BYTES, Objects};
use std::io::Read;

impl<R: Read, O: Objects> Walk<'_, R, O> {
    /// Decodes the object at the front. Bytes are looked at once, but for the last object of a
    /// window, which is decoded again when the rest of it has come.
    pub(super) fn decode(&mut self, inside: Inside<'_>) -> Result<(), Stop> {
        let line = self.buffer.line();
        loop {
            let window = self.buffer.window();
            match decode_front(&self.decoder, window, inside) {
                Ok((object, used)) => {
                    self.buffer.consume(used);
                    self.outcome.objects += 1;
                    self.out.object(object, line, inside.gone);
                    return Ok(());
                }
                Err(e) if e.is_eof() => match self.buffer.more() {
                    More::Got => {}
                    More::End => {
                        let what = name_of(self.buffer.window(), inside);
                        let why = format!("{what} is cut off at the end of the document");
                        self.skipped(line, why);
                        return Err(Stop::Ended);
                    }
                    More::Full => {
                        let limit = OBJECT_LIMIT_BYTES / (1024 * 1024);
                        let what = name_of(self.buffer.window(), inside);
                        self.skipped(line, format!("{what} is longer than {limit} MiB"));
                        return self.skip();
                    }
                },
                Err(e) => return self.undecodable(inside, line, &e),
            }
        }
    }

    /// Finds the end of an object the decoder refused, tries again without bytes that are not
    /// UTF-8, and else reports it.
    fn undecodable(
        &mut self,
        inside: Inside<'_>,
        line: u32,
        error: &serde_json::Error,
    ) -> Result<(), Stop> {
        let end = loop {
            if let Some(end) = scan::value_end(self.buffer.window()) {
                break end;
            }
            if self.buffer.more() != More::Got {
                let what = name_of(self.buffer.window(), inside);
                self.skipped(line, format!("{what} has no end: {}", reason(error)));
                return Err(self.ended());
            }
        };
        let bytes = self.buffer.window().get(..end).unwrap_or_default();
        let what = name_of(bytes, inside);
        let lossy = match String::from_utf8_lossy(bytes) {
            std::borrow::Cow::Owned(text) => Some(text),
            std::borrow::Cow::Borrowed(_) => None,
        };
        self.buffer.consume(end);
        if let Some(text) = lossy
            && let Ok((object, _)) = decode_front(&self.decoder, text.as_bytes(), inside)
        {
            self.outcome.objects += 1;
            self.out.object(object, line, inside.gone);
            self.skipped(line, format!("bytes of {what} are not UTF-8 and were replaced"));
            return Ok(());
        }
        self.skipped(line, format!("{what} cannot be read: {}", reason(error)));
        Ok(())
    }
}

/// Decodes what is at the front of `bytes`, and how many of them it took.
pub fn decode_front<D: Decode>(
    decoder: &D,
    bytes: &[u8],
    inside: Inside<'_>,
) -> serde_json::Result<(D::Object, usize)> {
    let mut head = Head { kind: inside.kind, api_version: inside.api_version };
    // The shape was clear a moment ago, except for items that begin with their metadata.
    let kindless = inside.items && !inside.kind.is_empty() && begins_with_metadata(bytes);
    if !kindless && let Ok(Shape::Object { kind, api_version }) = scan::shape(bytes) {
        head = Head { kind, api_version };
    }
    decode_as(decoder, head, bytes)
}

/// Decodes what is at the front of `bytes` as what it is known to be.
pub fn decode_as<D: Decode>(
    decoder: &D,
    head: Head<'_>,
    bytes: &[u8],
) -> serde_json::Result<(D::Object, usize)> {
    let mut json = Json::from_slice(bytes);
    let object = decoder.decode(head, &mut json)?;
    // The stream of further values is never read: it only tells where it would begin.
    let used = json.into_iter::<serde::de::IgnoredAny>().byte_offset();
    Ok((object, used))
}

/// The decoder's words without its line and column, which count our window's lines, not the
/// document's.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}

/// `Pod shop/cart` as far as the bytes say.
fn name_of(bytes: &[u8], inside: Inside<'_>) -> String {
    let kind = match scan::shape(bytes) {
        Ok(Shape::Object { kind, .. }) => kind,
        _ if inside.kind.is_empty() => "an object",
        _ => inside.kind,
    };
    let Some(at) = memchr::memmem::find(bytes, b"\"metadata\"") else { return kind.to_owned() };
    let rest = bytes.get(at..).unwrap_or_default();
    let rest = rest.get(..rest.len().min(4096)).unwrap_or_default();
    match (text_after(rest, b"\"namespace\""), text_after(rest, b"\"name\"")) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        _ => kind.to_owned(),
    }
}

/// The string that follows a key, when it is one a name can be.
fn text_after(bytes: &[u8], key: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(bytes, key)?;
    let rest = bytes.get(at + key.len()..)?.trim_ascii_start();
    let rest = rest.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let name = rest.get(..rest.iter().position(|b| *b == b'"')?)?;
    let plain = name.iter().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(b));
    (plain && name.len() <= 253).then(|| String::from_utf8_lossy(name).into_owned())
}

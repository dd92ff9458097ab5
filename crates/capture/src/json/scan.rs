//! Looks at JSON bytes without decoding them: where a value ends, and what kind of thing an
//! object is, from as few of its bytes as will tell.
//!
//! It checks no grammar beyond strings and nesting; the decoder does. It never recurses, so
//! nesting costs no stack.

/// Finds the end of one value; can be fed piece by piece.
#[derive(Clone, Copy, Debug, Default)]
pub struct Skipper {
    depth: u32,
    in_string: bool,
    escaped: bool,
    in_scalar: bool,
}

impl Skipper {
    /// Takes the next bytes. `Some(n)`: the value ended with the first `n` of them.
    pub fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.in_string {
                match self.string(bytes, at) {
                    Some(after) => at = after,
                    None => return None,
                }
                if self.depth == 0 {
                    return Some(at);
                }
            }
            let byte = *bytes.get(at)?;
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    if self.depth <= 1 {
                        // A scalar ends before the bracket of what holds it.
                        return Some(if self.depth == 0 { at } else { at + 1 });
                    }
                    self.depth -= 1;
                }
                _ if self.depth > 0 => {}
                b',' | b':' => return Some(at),
                _ if byte.is_ascii_whitespace() => {
                    if self.in_scalar {
                        return Some(at);
                    }
                }
                _ => self.in_scalar = true,
            }
            at += 1;
        }
    }

    /// Inside a string at `at`: the place after its closing quote.
    fn string(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        if self.escaped {
            bytes.get(at)?;
            self.escaped = false;
            at += 1;
        }
        loop {
            let rest = bytes.get(at..)?;
            let found = memchr::memchr2(b'"', b'\\', rest)?;
            at += found + 1;
            if rest.get(found) == Some(&b'"') {
                self.in_string = false;
                return Some(at);
            }
            if bytes.get(at).is_none() {
                self.escaped = true;
                return None;
            }
            at += 1;
        }
    }
}

/// Where the value that begins at the start of `bytes` (after white space) ends.
pub fn value_end(bytes: &[u8]) -> Option<usize> {
    Skipper::default().feed(bytes)
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// A Kubernetes object of this kind.
    Object {
        /// `kind`.
        kind: &'a str,
        /// `apiVersion`, where it stands before `kind`; else empty.
        api_version: &'a str,
    },
    /// A list; its kind where it stands before the items.
    List {
        /// `kind`, e.g. `PodList`; empty when not seen yet.
        kind: &'a str,
        /// `apiVersion` where seen.
        api_version: &'a str,
    },
    /// A server-side table.
    Table,
    /// An event of a watch: the object is inside.
    Watch {
        /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK`, `ERROR`.
        change: &'a str,
    },
    /// None of these; its end was seen, and these were among its keys.
    Other(Keys),
}

/// Which telling keys an object without `kind` has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// `metadata` with a value that is an object.
    pub metadata: bool,
    /// `labels`, or `name`.
    pub labels: bool,
    /// `startsAt`, `activeAt`.
    pub starts: bool,
    /// `msg`, `message`, `log`.
    pub message: bool,
    /// `level`, `time` and the like.
    pub level: bool,
    /// `metric` (Prometheus).
    pub metric: bool,
    /// `value`, `values` (Prometheus).
    pub values: bool,
}

/// Why there is no shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// The bytes end before it is clear.
    Short,
    /// These bytes are not an object.
    Broken,
}

/// Looks at the object that begins at `bytes[0]`, which must be `{`.
pub fn shape(bytes: &[u8]) -> Result<Shape<'_>, Unclear> {
    let mut seen = Seen::default();
    let mut at = 1;
    loop {
        let Some((next, byte)) = skip_blank(bytes, at) else { return Err(Unclear::Short) };
        match byte {
            b'}' => return Ok(seen.at_end()),
            b',' => {
                at = next + 1;
                continue;
            }
            b'"' => {}
            _ => return Err(Unclear::Broken),
        }
        let (key, after) = raw_string(bytes, next).ok_or(Unclear::Short)?;
        let (colon, byte) = skip_blank(bytes, after).ok_or(Unclear::Short)?;
        if byte != b':' {
            return Err(Unclear::Broken);
        }
        let (value, first) = skip_blank(bytes, colon + 1).ok_or(Unclear::Short)?;
        if first == b'"' {
            let (text, after) = raw_string(bytes, value).ok_or(Unclear::Short)?;
            if let Some(shape) = seen.text(key, text) {
                return Ok(shape);
            }
            at = after;
            continue;
        }
        if let Some(shape) = seen.other(key, first) {
            return Ok(shape);
        }
        let rest = bytes.get(value..).unwrap_or_default();
        at = value + value_end(rest).ok_or(Unclear::Short)?;
    }
}

/// What was seen so far of an object's own keys.
#[derive(Default)]
struct Seen<'a> {
    api_version: &'a str,
    kind: &'a str,
    change: &'a str,
    wrapped: bool,
    keys: Keys,
}

impl<'a> Seen<'a> {
    fn text(&mut self, key: &str, value: &'a str) -> Option<Shape<'a>> {
        match key {
            "apiVersion" => self.api_version = value,
            "kind" if is_kind(value) => {
                self.kind = value;
                return self.of_kind();
            }
            "type" => self.change = value,
            "name" => self.keys.labels = true,
            "startsAt" | "activeAt" => self.keys.starts = true,
            "msg" | "message" | "log" => self.keys.message = true,
            "level" | "severity" | "lvl" | "time" | "ts" | "timestamp" => self.keys.level = true,
            _ => {}
        }
        self.watch()
    }

    fn of_kind(&self) -> Option<Shape<'a>> {
        let (kind, api_version) = (self.kind, self.api_version);
        match kind {
            "Table" if self.api_version.is_empty() || api_version.starts_with("meta.k8s.io/") => {
                Some(Shape::Table)
            }
            // A list of descriptions of kinds, not of objects.
            "APIResourceList" | "APIGroupList" => Some(Shape::Object { kind, api_version }),
            _ if kind.ends_with("List") => Some(Shape::List { kind, api_version }),
            _ => Some(Shape::Object { kind, api_version }),
        }
    }

    fn other(&mut self, key: &str, first: u8) -> Option<Shape<'a>> {
        match (key, first) {
            ("items", b'[') => {
                return Some(Shape::List { kind: self.kind, api_version: self.api_version });
            }
            ("object", b'{') => self.wrapped = true,
            ("metadata", b'{') => self.keys.metadata = true,
            ("labels", b'{') => self.keys.labels = true,
            ("metric", b'{') => self.keys.metric = true,
            ("value" | "values", b'[') => self.keys.values = true,
            ("level" | "time" | "ts" | "timestamp", _) => self.keys.level = true,
            ("columnDefinitions", b'[') => return Some(Shape::Table),
            _ => {}
        }
        self.watch()
    }

    fn watch(&self) -> Option<Shape<'a>> {
        let known = matches!(self.change, "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR");
        (self.wrapped && known).then_some(Shape::Watch { change: self.change })
    }

    fn at_end(&self) -> Shape<'a> {
        Shape::Other(self.keys)
    }
}

/// Kinds begin with a capital and are plain letters and digits.
fn is_kind(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The first byte from `from` on that is not white space, and where it is.
pub fn skip_blank(bytes: &[u8], from: usize) -> Option<(usize, u8)> {
    let rest = bytes.get(from..)?;
    let blank = rest.iter().position(|b| !b.is_ascii_whitespace())?;
    Some((from + blank, *rest.get(blank)?))
}

/// The string whose opening quote is at `at`, as written, and the place after it. Text with
/// escapes or that is not UTF-8 comes out empty: no key or kind that matters here has any.
pub fn raw_string(bytes: &[u8], at: usize) -> Option<(&str, usize)> {
    let rest = bytes.get(at..)?;
    let len = value_end(rest)?;
    let text = rest.get(1..len.saturating_sub(1)).unwrap_or_default();
    let text = std::str::from_utf8(text).unwrap_or_default();
    Some((if text.contains('\\') { "" } else { text }, at + len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        for (text, want) in [
            (r#"{"a":"}"} x"#, Some(9)),
            (r#"  "a\"b" ,"#, Some(8)),
            (r#"[[],{"x":[1]}],"#, Some(14)),
            ("12, 3", Some(2)),
            ("true}", Some(4)),
            (" null\n", Some(5)),
            (r#"{"a": "\\"#, None),
            ("12", None),
            ("[[[[", None),
        ] {
            assert_eq!(value_end(text.as_bytes()), want, "{text}");
            let mut skipper = Skipper::default();
            let fed = text.bytes().position(|b| skipper.feed(&[b]).is_some());
            // A scalar is known to have ended only at the byte after it.
            let scalar = !text.trim_start().starts_with(['{', '[', '"']);
            assert_eq!(fed.map(|n| n + usize::from(!scalar)), want, "{text} byte by byte");
        }
    }

    #[test]
    fn shapes() {
        let pod = Shape::Object { kind: "Pod", api_version: "v1" };
        let list = |kind| Shape::List { kind, api_version: "v1" };
        for (text, want) in [
            (r#"{"apiVersion":"v1","kind":"Pod","#, Ok(pod)),
            (r#"{"kind":"Pod""#, Ok(Shape::Object { kind: "Pod", api_version: "" })),
            (r#"{"apiVersion":"v1", "items": ["#, Ok(list(""))),
            (r#"{"apiVersion":"v1","kind":"PodList","#, Ok(list("PodList"))),
            (r#"{"involvedObject":{"kind":"Pod"},"apiVersion":"v1","kind":"Pod""#, Ok(pod)),
            (r#"{"type":"DELETED","object":{"#, Ok(Shape::Watch { change: "DELETED" })),
            (r#"{"object":{"kind":"Pod"},"type":"ADDED"}"#, Ok(Shape::Watch { change: "ADDED" })),
            (r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","#, Ok(Shape::Table)),
            (r#"{"kind":"no"#, Err(Unclear::Short)),
            (r#"{"spec":{"kind":"Pod"}"#, Err(Unclear::Short)),
            (r#"{"a" 1}"#, Err(Unclear::Broken)),
            ("{}", Ok(Shape::Other(Keys::default()))),
            (
                r#"{"kind":"node","level":"x","message":"m"}"#,
                Ok(Shape::Other(Keys { message: true, level: true, ..Keys::default() })),
            ),
        ] {
            assert_eq!(shape(text.as_bytes()), want, "{text}");
        }
    }
}

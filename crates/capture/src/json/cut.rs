//! Finds a place between two items of a list without reading what is before it.
//!
//! It looks for what stands between items: `}`, a comma, `{` and the first key of the item that
//! was read last. None of it can be part of a string, whose quotes would be escaped, but it can
//! stand inside an item. A cut is a proposal: whoever uses it must make sure of it.

use super::scan;
use memchr::memmem::FinderRev;

/// How many places are looked at before there is no good one.
const TRIES: usize = 16;

/// Proposes cuts.
pub struct Cutter {
    key: FinderRev<'static>,
}

impl Cutter {
    /// Cuts before items that begin like this one. Nothing when its first key is not in sight.
    pub fn new(item: &[u8]) -> Option<Self> {
        let (at, _) = scan::skip_blank(item, 1)?;
        let (key, after) = scan::raw_string(item, at).filter(|(key, _)| !key.is_empty())?;
        let quoted = item.get(at..after).filter(|quoted| quoted.len() == key.len() + 2)?;
        Some(Cutter { key: FinderRev::new(quoted).into_owned() })
    }

    /// The start of the last item of `window`, where another one stands before it. That item
    /// must not end in the window: what does is more likely something small inside an item.
    pub fn cut(&self, window: &[u8]) -> Option<usize> {
        let mut before = window;
        for _ in 0..TRIES {
            let key = self.key.rfind(before)?;
            before = before.get(..key)?;
            if let Some(start) = start_of_item(before)
                && window.get(start..).is_some_and(|item| scan::value_end(item).is_none())
            {
                return Some(start);
            }
        }
        None
    }
}

/// Where the brace is, when these bytes end with `}`, a comma and `{`.
fn start_of_item(before_key: &[u8]) -> Option<usize> {
    let before_brace = before_key.trim_ascii_end().strip_suffix(b"{")?;
    let before_comma = before_brace.trim_ascii_end().strip_suffix(b",")?;
    before_comma.trim_ascii_end().ends_with(b"}").then_some(before_brace.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_item_that_is_not_whole() {
        for (text, want) in [
            (r#"{"k":1},{"k":[{"x":2}],"y"#, Some(8)),
            ("{\"k\":1},\n{\n\"k\":[{", Some(9)),
            (r#"{"k":1},{"x":0,"k":1,"#, None),
            // Whole in the window: perhaps something inside an item.
            (r#"{"k":1},{"k":2}"#, None),
            (r#"{"k":1},{"k":[{"k":1},{"k":2},{"k":3}],"#, Some(8)),
            (r#"{"k":"},{\"k\":","#, None),
            (r#"{"k"#, None),
        ] {
            let cutter = Cutter::new(br#"{ "k":1}"#).unwrap();
            assert_eq!(cutter.cut(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn no_first_key_no_cuts() {
        for item in ["{", "{}", r#"{"a"#, r#"{"":1}"#, r#"{"a\"b":1}"#, "{1"] {
            assert!(Cutter::new(item.as_bytes()).is_none(), "{item}");
        }
    }
}

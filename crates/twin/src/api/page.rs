//! Continue tokens: where the next page of a list begins, and in which version.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{GeneralPurpose, general_purpose::NO_PAD};
use serde::{Deserialize, Serialize};

use super::syntax;
use crate::registry::Failure;

const VERSION: &str = "meta.k8s.io/v1";
/// Bits that are left over at the end are not looked at.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// A token as clients carry it, base64 around it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Token {
    v: String,
    rv: i64,
    start: String,
}

/// The last place that was told, and the version of the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub rv: u64,
    /// Namespace and name.
    pub after: (String, String),
}

impl Page {
    /// The token; `home` is the namespace of a list within one.
    pub fn token(&self, home: Option<&str>) -> String {
        let (namespace, name) = &self.after;
        let place = match home {
            None if !namespace.is_empty() => format!("{namespace}/{name}"),
            None => name.clone(),
            Some(_) => format!("/{name}"),
        };
        let rv = i64::try_from(self.rv).unwrap_or(i64::MAX);
        let token = Token { v: VERSION.to_owned(), rv, start: format!("{place}\0") };
        BASE64.encode(serde_json::to_string(&token).unwrap_or_default())
    }

    pub fn read(token: &str, home: Option<&str>) -> Result<Self, Failure> {
        let read = Self::parse(token, home);
        read.map_err(|why| Failure::bad_request(format!("invalid continue token: {why}")))
    }

    fn parse(token: &str, home: Option<&str>) -> Result<Self, String> {
        let bad = |why: String| format!("continue key is not valid: {why}");
        let bytes = BASE64.decode(token).map_err(|error| {
            let at = match error {
                base64::DecodeError::InvalidByte(at, _)
                | base64::DecodeError::InvalidLastSymbol(at, _) => at,
                // What is left over of groups of four.
                _ => token.len() / 4 * 4,
            };
            bad(format!("illegal base64 data at input byte {at}"))
        })?;
        let read: Token = syntax::read(&bytes).map_err(bad)?;
        if read.v != VERSION {
            let why = "server does not recognize this encoded version";
            return Err(format!("continue key is not valid: {why} {}", read.v));
        }
        let rv = match u64::try_from(read.rv) {
            Ok(0) | Err(_) => {
                let why = "incorrect encoded start resourceVersion (version meta.k8s.io/v1)";
                return Err(bad(why.into()));
            }
            Ok(rv) => rv,
        };
        if read.start.is_empty() {
            return Err(bad("encoded start key empty (version meta.k8s.io/v1)".into()));
        }
        let path = read.start.strip_prefix('/').unwrap_or(&read.start);
        let strange = |part: &str| matches!(part, "" | "." | "..");
        if path.split('/').any(strange) {
            return Err(bad(read.start));
        }
        let place = path.trim_end_matches('\0');
        let after = match (home, place.split_once('/')) {
            (Some(home), _) => (home.to_owned(), place.to_owned()),
            (None, Some((namespace, name))) => (namespace.to_owned(), name.to_owned()),
            (None, None) => (String::new(), place.to_owned()),
        };
        Ok(Self { rv, after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back() {
        let page = || Page { rv: 7, after: ("a".into(), "b".into()) };
        for home in [None, Some("a")] {
            assert_eq!(Page::parse(&page().token(home), home), Ok(page()));
        }
        let wide = Page { rv: 7, after: (String::new(), "n".into()) };
        assert_eq!(Page::parse(&wide.token(None), None), Ok(wide));
    }

    #[test]
    fn what_is_no_token_is_refused_in_the_servers_words() {
        let check = |text: &str, why: &str| {
            let told = Page::parse(text, None).unwrap_err();
            assert_eq!(told, format!("continue key is not valid: {why}"));
        };
        check("garbage", "invalid character '\\u0081' looking for beginning of value");
        check("a!", "illegal base64 data at input byte 1");
        let encode = |text: &str| BASE64.encode(text);
        check(&encode("{}"), "server does not recognize this encoded version ");
        let rv = "incorrect encoded start resourceVersion (version meta.k8s.io/v1)";
        check(&encode(r#"{"v":"meta.k8s.io/v1"}"#), rv);
        check(&encode(r#"{"v":"meta.k8s.io/v1","rv":1,"start":"/../x"}"#), "/../x");
    }
}

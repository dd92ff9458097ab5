//! Query parameters.

use std::num::IntErrorKind;

use crate::registry::Failure;

/// Decoded parameters in the order given.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// What cannot be read is left out.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(key).ok()?, decode(value).ok()?))
        });
        Self(pairs.collect())
    }

    /// The first value of a parameter; `None` if missing or empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// Whether a parameter is there at all.
    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(k, _)| k == key)
    }

    /// All values of a parameter.
    pub fn all(&self, key: &str) -> Vec<&str> {
        self.0.iter().filter(|(k, _)| k == key).map(|(_, v)| v.as_str()).collect()
    }

    /// Whether a parameter is switched on.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Some("true" | "1" | "True" | "TRUE" | "t"))
    }

    /// A whole number.
    pub fn number(&self, key: &str) -> Result<Option<i64>, Failure> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let bad = |error: std::num::ParseIntError| {
            let what = match error.kind() {
                IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            Failure::bad_request(format!("strconv.ParseInt: parsing \"{text}\": {what}"))
        };
        text.parse().map(Some).map_err(bad)
    }

    /// How long the client waits must be a duration; no answer here takes long.
    pub fn check_timeout(&self) -> Result<(), Failure> {
        let Some(text) = self.get("timeout").filter(|text| *text != "0") else { return Ok(()) };
        let told = |why: String| {
            let why = format!("invalid timeout specified in the request URL - time: {why}");
            Err(Failure::bad_request(why))
        };
        let mut rest = text.trim_start_matches(['-', '+']);
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
            let (number, more) = rest.split_at(digits.unwrap_or(rest.len()));
            let end = more.find(|c: char| c.is_ascii_digit() || c == '.');
            let (unit, after) = more.split_at(end.unwrap_or(more.len()));
            if !number.contains(|c: char| c.is_ascii_digit()) {
                return told(format!("invalid duration {text:?}"));
            }
            match unit {
                "" => return told(format!("missing unit in duration {text:?}")),
                "ns" | "us" | "µs" | "ms" | "s" | "m" | "h" => rest = after,
                _ => return told(format!("unknown unit {unit:?} in duration {text:?}")),
            }
        }
        Ok(())
    }

    /// Whether the write is only to be checked.
    pub fn is_dry_run(&self, method: &http::Method) -> Result<bool, Failure> {
        let options = match method.as_str() {
            "PUT" => "UpdateOptions",
            "PATCH" => "PatchOptions",
            "DELETE" => "DeleteOptions",
            _ => "CreateOptions",
        };
        dry_run(options, &self.all("dryRun"))
    }
}

/// Whether these stages of a dry run are all of it.
pub(super) fn dry_run(options: &str, stages: &[&str]) -> Result<bool, Failure> {
    match stages {
        [] => Ok(false),
        all if all.iter().all(|stage| *stage == "All") => Ok(true),
        other => Err(Failure::bad_option(options, "dryRun", &(*other).into(), &["All"])),
    }
}

/// Undoes percent-encoding; `+` is a space.
pub(super) fn decode(text: &str) -> Result<String, Failure> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()];
                let hex = |d: Option<u8>| d.and_then(|d| char::from(d).to_digit(16));
                match digits.map(hex) {
                    [Some(high), Some(low)] => (high * 16 + low) as u8,
                    _ => return Err(Failure::bad_request(format!("bad escape in {text:?}"))),
                }
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::bad_request(format!("{text:?} does not decode to UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_durations() {
        let check = |text: &str, why: &str| {
            let told = Query::parse(&format!("timeout={text}")).check_timeout();
            let told = told.err().map(|failure| failure.message).unwrap_or_default();
            assert_eq!(told.rsplit("time: ").next(), Some(why), "{text}");
        };
        for good in ["1s", "1m30s", "1.5h", "0"] {
            check(good, "");
        }
        check("1x", "unknown unit \"x\" in duration \"1x\"");
        check("5", "missing unit in duration \"5\"");
        check("abc", "invalid duration \"abc\"");
    }

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse("labelSelector=app%3Da%2Cb+in+(x)&limit=5&watch=1");
        assert_eq!(query.get("labelSelector"), Some("app=a,b in (x)"));
        assert_eq!(query.number("limit").unwrap(), Some(5));
        assert!(query.flag("watch") && !query.flag("other"));
        assert!(Query::parse("limit=two").number("limit").is_err());
        assert_eq!(Query::parse("a=%4&b=%ff&c=1").all("c"), ["1"]);
        assert!(!Query::parse("a=%4&b=%ff").has("a"));
    }
}

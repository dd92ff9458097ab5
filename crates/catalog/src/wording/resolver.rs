//! How programs, resolvers and name servers say that looking up a name takes long.

use super::says;

/// Longest line that is looked at, in bytes.
const LINE_BYTES: usize = 2048;

/// A resolver got no answer in time: glibc, Go, Node, curl, Netty, Python.
const LOOKUP_TIMEOUT: &[&str] = &[
    "temporary failure in name resolution",
    "eai_again",
    ":53: i/o timeout",
    "resolving timed out",
    "dns operation timed out",
    "dns request timed out",
    "dnsnameresolvertimeout",
    "query via udp timed out",
    "timeout while contacting dns",
    "connection timed out; no servers",
];

/// What a line about a lookup says besides "lookup".
const ABOUT: &[&str] = &[
    "dns",
    "getaddrinfo",
    "name resolution",
    "namelookup",
    "name lookup",
    "host lookup",
    "hostname lookup",
    "resolving host",
    "resolve host",
    "resolved host",
    "lookup ",
];

/// Words beside a time that was measured.
const MEASURED: &[&str] =
    &["took", "slow", "latency", "duration", "elapsed", "time", "_ms", " in ", " after ", "delay"];

/// Words beside a time that was chosen, or that ended in nothing.
const CHOSEN: &[&str] =
    &["ttl", "interval", "refresh", "every ", "timeout", "timed out", "period", "cache for"];

/// A lookup that was answered, but late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowLookup<'a> {
    /// How long it took.
    pub milliseconds: u32,
    /// The name, where the line has it.
    pub name: Option<&'a str>,
}

/// Whether a resolver got no answer in time.
pub fn is_lookup_timeout(line: &str) -> bool {
    says(line, LOOKUP_TIMEOUT) || (says(line, &["lookup "]) && says(line, &["i/o timeout"]))
}

/// A lookup that a program measured and that took a second or longer.
pub fn slow_lookup(line: &str) -> Option<SlowLookup<'_>> {
    let line = line.get(..LINE_BYTES).unwrap_or(line);
    let lower = line.to_ascii_lowercase();
    let (at, word) = ABOUT.iter().find_map(|w| Some((lower.find(w)?, *w)))?;
    if !MEASURED.iter().any(|w| lower.contains(w)) || CHOSEN.iter().any(|w| lower.contains(w)) {
        return None;
    }
    // ASCII letters alone change their case, so places are the same in both.
    let (before, after) = (line.get(..at)?, line.get(at..)?);
    let name = host(after.get(word.len()..)?);
    if word == "lookup " && name.is_none() {
        return None;
    }
    let seconds = seconds(after).next().or_else(|| seconds(before).last())?;
    let milliseconds = (seconds * 1000.0).round() as u32;
    (1.0..=120.0).contains(&seconds).then_some(SlowLookup { milliseconds, name })
}

/// The times in a text: `5.01s`, `5003 ms`, `time_namelookup: 5.01`, `"dns_ms":5003`.
fn seconds(text: &str) -> impl Iterator<Item = f64> {
    let apart = |c: char| c.is_whitespace() || "=,;:()[]{}\"'".contains(c);
    let words: Vec<&str> = text.split(apart).filter(|w| !w.is_empty()).collect();
    let of = |at: usize| -> Option<f64> {
        let word = words.get(at)?;
        let end = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let value: f64 = word.get(..end)?.parse().ok()?;
        let unit = word.get(end..).filter(|u| !u.is_empty());
        let key = at.checked_sub(1).and_then(|at| words.get(at)).map(|k| k.to_ascii_lowercase());
        let key = key.unwrap_or_default();
        match unit.or(words.get(at + 1).copied()).unwrap_or_default() {
            "s" | "sec" | "secs" | "seconds" | "second" => Some(value),
            "ms" | "msec" | "millis" | "milliseconds" => Some(value / 1000.0),
            _ if unit.is_some() => None,
            _ if key.ends_with("_ms") || key.ends_with("millis") => Some(value / 1000.0),
            _ if key.ends_with("namelookup") => Some(value),
            _ => None,
        }
    };
    (0..words.len()).filter_map(of).collect::<Vec<f64>>().into_iter()
}

/// The first name of a host in a text.
fn host(text: &str) -> Option<&str> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let words = text.split(|c: char| !part(c)).map(|w| w.trim_matches(['.', '-']));
    let is_name = |w: &&str| {
        let last = w.rsplit('.').next().unwrap_or_default();
        w.contains('.') && last.len() > 1 && last.bytes().all(|c| c.is_ascii_alphabetic())
    };
    words.into_iter().find(is_name)
}

/// The cluster's name server waited in vain for the servers it asks itself, or had to turn
/// questions away because too many of them waited. CoreDNS before and since 1.4, dnsmasq.
pub fn is_upstream_timeout(line: &str) -> bool {
    let waited = ["i/o timeout", "unreachable backend", "no healthy upstream"];
    let full = ["concurrent queries exceeded maximum", "maximum number of concurrent dns queries"];
    (says(line, &["[error]"]) && says(line, &waited)) || says(line, &full)
}

/// A question that the cluster's name server logged with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The name as asked for.
    pub name: &'a str,
    /// Whether there is no such name.
    pub is_unknown: bool,
}

/// A line of CoreDNS's plugin `log`.
pub fn question(line: &str) -> Option<Question<'_>> {
    let (_, rest) = line.split_once('"')?;
    let (asked, answer) = rest.split_once('"')?;
    let mut words = asked.split_whitespace();
    let (_, class, name) = (words.next()?, words.next()?, words.next()?);
    let code = answer.split_whitespace().next()?;
    (class == "IN").then_some(Question { name, is_unknown: code == "NXDOMAIN" })
}

/// A node lists more name servers than a pod can be given.
pub const SERVERS_OMITTED: &[&str] =
    &["nameserver limits were exceeded", "nameservers have been omitted"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_lookups_are_told_from_settings_and_failures() {
        for (line, milliseconds, name) in [
            ("WARN dns lookup for api.pay.example took 5003ms", 5003, Some("api.pay.example")),
            ("slow request 5.2s (dns 5.0s, connect 2ms)", 5000, None),
            ("time_namelookup:  5.015 time_connect: 5.020", 5015, None),
            ("5.01s spent in getaddrinfo, elapsed", 5010, None),
            ("{\"msg\":\"slow call\",\"dns_ms\":10012}", 10_012, None),
            ("lookup mail.example.com took 2.5 seconds", 2500, Some("mail.example.com")),
            ("Name resolution of ledger.bank.svc took 5 s", 5000, Some("ledger.bank.svc")),
        ] {
            let want = SlowLookup { milliseconds, name };
            assert_eq!(slow_lookup(line), Some(want), "{line}");
        }
        for line in [
            "dns lookup for api.pay.example took 12ms, request took 5.1s",
            "dns cache ttl 30s, lookups took 1ms",
            "dns timeout set to 5s in settings",
            "cache lookup took 5s",
            "lookup a.example on 10.0.0.10:53: read udp: i/o timeout after 5s",
            "promise resolved after 5s",
        ] {
            assert_eq!(slow_lookup(line), None, "{line}");
        }
    }

    #[test]
    fn resolvers_that_got_no_answer() {
        for line in [
            "dial tcp: lookup a.example on 10.0.0.10:53: read udp 10.1.0.5:3->10.0.0.10:53: i/o \
             timeout",
            "curl: (28) Resolving timed out after 5000 milliseconds",
            "Error: getaddrinfo EAI_AGAIN a.example",
            "io.netty.resolver.dns.DnsNameResolverTimeoutException: [/10.0.0.10:53] query via UDP \
             timed out after 5000 milliseconds",
        ] {
            assert!(is_lookup_timeout(line), "{line}");
        }
        assert!(!is_lookup_timeout("getaddrinfo ENOTFOUND a.example"));
    }

    #[test]
    fn name_servers_of_all_times() {
        for line in [
            "[ERROR] plugin/errors: 2 a.example. A: read udp 10.1.0.4:3->10.9.0.2:53: i/o timeout",
            "[ERROR] 2 a.example. A: unreachable backend: read udp 10.1.0.4:3->10.9.0.2:53: i/o \
             timeout",
            "[ERROR] plugin/errors: 2 a.example. A: concurrent queries exceeded maximum 1000",
            "dnsmasq[12]: Maximum number of concurrent DNS queries reached (max: 150)",
        ] {
            assert!(is_upstream_timeout(line), "{line}");
        }
        assert!(!is_upstream_timeout("[INFO] plugin/ready: i/o timeout"));
        let line = "[INFO] 10.1.0.7:4 - 3 \"AAAA IN a.example.shop.svc.cluster.local. udp 62 \
                    false 512\" NXDOMAIN qr,aa,rd 155 0.0001s";
        let asked = question(line).expect("a question");
        assert_eq!((asked.name, asked.is_unknown), ("a.example.shop.svc.cluster.local.", true));
        let old = "10.1.0.7:4 - [11/Sep/2018:10:00:00 +0000] 3 \"A IN a.example. udp 30 false \
                   512\" NOERROR qr,rd 60 0.01s";
        assert_eq!(question(old).map(|q| q.is_unknown), Some(false));
        assert_eq!(question("say \"hello\" NXDOMAIN"), None);
    }
}

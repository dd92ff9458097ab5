//! A Corefile, compared with the Services it shall answer for. It is read as lines and braces;
//! what a plugin does beyond the few that matter here is not known.

use model::Snapshot;

/// What is wrong with a Corefile.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line, or a word for what is missing.
    pub(super) line: String,
    /// What it should be.
    pub(super) expected: String,
    /// Why it matters.
    pub(super) why: String,
}

/// The domain of nearly all clusters.
const DOMAIN: &str = "cluster.local";

/// The first thing that keeps names of Services from being answered.
pub(super) fn fault(corefile: &str, now: &Snapshot) -> Option<Fault> {
    let lines: Vec<&str> = corefile
        .lines()
        .map(|l| l.split_once('#').map_or(l, |(code, _)| code).trim())
        .filter(|l| !l.is_empty())
        .collect();
    braces(&lines)
        .or_else(|| templates(&lines, now))
        .or_else(|| rewrites(&lines, now))
        .or_else(|| zones(&lines, now))
}

/// An open block: the name server does not start.
fn braces(lines: &[&str]) -> Option<Fault> {
    let count = |c: char| lines.iter().map(|l| l.matches(c).count()).sum::<usize>();
    let (open, closed) = (count('{'), count('}'));
    (open != closed).then(|| Fault {
        line: format!("{open} opening and {closed} closing braces"),
        expected: "as many closing braces as opening ones".into(),
        why: "it cannot be read, because its braces do not match".into(),
    })
}

/// `template ANY ANY zone { match ...; rcode NXDOMAIN }` answers "no such name" by itself.
fn templates(lines: &[&str], now: &Snapshot) -> Option<Fault> {
    let starts = lines.iter().enumerate().filter(|(_, l)| l.starts_with("template "));
    starts.into_iter().find_map(|(at, head)| {
        let body: Vec<&str> =
            lines.iter().skip(at + 1).take_while(|l| **l != "}").copied().collect();
        let rcode = body.iter().find_map(|l| l.strip_prefix("rcode "))?.trim();
        if rcode.eq_ignore_ascii_case("NOERROR") {
            return None;
        }
        let zones: Vec<&str> =
            head.split_whitespace().skip(3).map(|z| z.trim_end_matches('{')).collect();
        let matches: Vec<String> =
            body.iter().filter_map(|l| l.strip_prefix("match ")).map(plain).collect();
        let name = name_refused(&zones, &matches, now)?;
        Some(Fault {
            line: format!("{head} rcode {rcode}"),
            expected: "no template for names of the cluster".into(),
            why: format!("a template answers {rcode} for {name}"),
        })
    })
}

/// A regular expression without its marks: good enough to see whether a name is in it.
fn plain(pattern: &str) -> String {
    pattern.chars().filter(|c| !matches!(c, '\\' | '^' | '$' | '(' | ')' | '"')).collect()
}

/// A Service whose name a template takes.
fn name_refused(zones: &[&str], matches: &[String], now: &Snapshot) -> Option<String> {
    let in_zone = |name: &str| {
        let zone = |z: &&str| {
            let z = z.trim_end_matches('.');
            z.is_empty() || name == z || name.ends_with(&format!(".{z}"))
        };
        zones.iter().all(|z| z.is_empty()) || zones.iter().any(zone)
    };
    if matches.is_empty() {
        let example = format!("kubernetes.default.svc.{DOMAIN}");
        return in_zone(&example).then(|| format!("all names of {DOMAIN}"));
    }
    now.services.iter().find_map(|s| {
        let short = format!("{}.{}", s.meta.name, s.meta.namespace);
        let full = format!("{short}.svc.{DOMAIN}");
        let taken = |m: &String| m.as_str() == ".*" || m.contains(&short) || full.contains(&m[..]);
        (in_zone(&full) && matches.iter().any(taken)).then_some(short)
    })
}

/// `rewrite name a.shop.svc.cluster.local b.shop.svc.cluster.local` to a Service that is not
/// there.
fn rewrites(lines: &[&str], now: &Snapshot) -> Option<Fault> {
    let there = |name: &str| {
        let rest = name.trim_end_matches('.').strip_suffix(&format!(".svc.{DOMAIN}"))?;
        let (service, namespace) = rest.split_once('.')?;
        Some((now.services.get(namespace, service).is_some(), namespace.to_owned()))
    };
    lines.iter().find_map(|line| {
        let rest = line.strip_prefix("rewrite ")?;
        let words = rest.split_whitespace();
        let skip = ["stop", "continue", "name", "exact"];
        let mut names = words.filter(|w| !skip.contains(w));
        let (from, to) = (names.next()?, names.next()?);
        let (from_is, _) = there(from)?;
        let (to_is, namespace) = there(to)?;
        let listed = now.coverage.lists(model::Kind::Service, &namespace);
        (from_is && !to_is && listed).then(|| Fault {
            line: (*line).to_owned(),
            expected: format!("no rewrite of {from}"),
            why: format!("{from} is turned into {to}, which does not exist"),
        })
    })
}

/// The plugin that knows the Services must be there, for the cluster's domain.
fn zones(lines: &[&str], now: &Snapshot) -> Option<Fault> {
    let plugin = lines.iter().find(|l| {
        l.strip_prefix("kubernetes").is_some_and(|r| r.is_empty() || r.starts_with([' ', '{']))
    });
    if lines.iter().any(|l| l.starts_with("import ")) {
        return None;
    }
    let Some(line) = plugin else {
        return Some(Fault {
            line: "no kubernetes plugin".into(),
            expected: format!("kubernetes {DOMAIN} in-addr.arpa ip6.arpa"),
            why: "without the kubernetes plugin it knows no Service".into(),
        });
    };
    // Which domain the pods ask for is seen in their settings.
    let asked = now
        .apps
        .iter()
        .any(|a| now.peers_of(a).iter().any(|p| p.host.ends_with(&format!(".svc.{DOMAIN}"))));
    let words: Vec<&str> = line.trim_end_matches('{').split_whitespace().skip(1).collect();
    let forward = |z: &&&str| !z.ends_with(".arpa");
    let given: Vec<&&str> = words.iter().filter(forward).collect();
    let holds = |z: &&&str| {
        let z = z.trim_end_matches('.');
        z.is_empty() || DOMAIN == z || DOMAIN.ends_with(&format!(".{z}"))
    };
    if !asked || given.is_empty() || given.iter().any(holds) {
        return None;
    }
    Some(Fault {
        line: (*line).to_owned(),
        expected: format!("kubernetes {DOMAIN} in-addr.arpa ip6.arpa"),
        why: format!("programs ask for names in {DOMAIN}, which it does not answer for"),
    })
}

#[cfg(test)]
mod tests {
    use super::fault;
    use crate::testing::snapshot;

    const GOOD: &str = "\
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
    }
    forward . /etc/resolv.conf
    cache 30
    loop
}
";

    fn why(corefile: &str) -> Option<String> {
        let now = snapshot(
            "kind: Service\nmetadata: {name: ledger, namespace: bank, creationTimestamp: \
             2026-01-01T00:00:00Z}\nspec: {ports: [{port: 80}]}",
        );
        fault(corefile, &now).map(|f| f.why)
    }

    #[test]
    fn the_usual_settings_are_good() {
        assert_eq!(why(GOOD), None);
        let harmless = "template ANY AAAA . {\n  rcode NOERROR\n}\nready\n";
        assert_eq!(why(&GOOD.replace("ready\n", harmless)), None);
        let other = "template IN A corp.example {\n  match \"^old\\.corp\"\n  rcode NXDOMAIN\n}\n";
        assert_eq!(why(&GOOD.replace("ready\n", other)), None);
        let comment = "# template ANY ANY . { }}}\n";
        assert_eq!(why(&GOOD.replace("ready\n", comment)), None);
    }

    #[test]
    fn settings_that_keep_services_from_being_answered() {
        let template = "template ANY ANY bank.svc.cluster.local {\n match \
            \"^ledger\\.bank\\.svc\\.cluster\\.local\\.$\"\n rcode NXDOMAIN\n}\n";
        let all = "template ANY ANY cluster.local {\n rcode NXDOMAIN\n}\n";
        let rewrite = "rewrite name ledger.bank.svc.cluster.local gone.bank.svc.cluster.local\n";
        for (text, want) in [
            (GOOD.replace("kubernetes cluster.local", "#"), "it cannot be read"),
            (GOOD.replace("    }\n    ready", "    ready"), "it cannot be read"),
            (
                GOOD.replace(
                    "kubernetes cluster.local in-addr.arpa ip6.arpa {\n       pods insecure\n    }",
                    "log",
                ),
                "without the kubernetes plugin",
            ),
            (GOOD.replace("ready\n", template), "a template answers NXDOMAIN for ledger.bank"),
            (GOOD.replace("ready\n", all), "a template answers NXDOMAIN for all names"),
            (GOOD.replace("ready\n", rewrite), "is turned into gone.bank"),
        ] {
            let why = why(&text).unwrap_or_default();
            assert!(why.contains(want), "{why} for\n{text}");
        }
    }
}

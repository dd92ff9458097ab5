//! How programs say that a certificate is past its date.

use model::Timestamp;

/// A certificate that is not valid now.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ended {
    /// Host that was asked, as written; empty when none was named.
    pub host: String,
    /// Its last day, where it was told.
    pub not_after: Option<Timestamp>,
    /// Its first day, where that is to come.
    pub not_before: Option<Timestamp>,
}

/// Fragments of which one says that a certificate is over.
const OVER: &[&str] = &[
    "certificate has expired",
    "certificate_expired",
    "certificate is expired",
    "cert_has_expired",
    "certificate expired",
    "certificate is not yet valid",
    "certificateexpiredexception",
];

/// The certificate that a text says is over. What speaks of its own future is not meant.
pub fn ended_certificate(text: &str) -> Option<Ended> {
    if !super::says(text, OVER) {
        return None;
    }
    Some(Ended {
        host: host(text).unwrap_or_default().to_owned(),
        not_after: date(text, " is after "),
        not_before: date(text, " is before "),
    })
}

/// `current time 2026-01-02T03:04:05Z is after 2026-01-01T00:00:00Z`.
fn date(text: &str, mark: &str) -> Option<Timestamp> {
    let (_, rest) = text.split_once("current time ")?;
    let (_, rest) = rest.split_once(mark)?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-:.+".contains(c)));
    let word = rest.get(..end.unwrap_or(rest.len()))?;
    word.trim_end_matches(['.', ':']).parse().ok()
}

/// The host of the last address before the complaint.
fn host(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let at = OVER.iter().find_map(|o| lower.find(o)).filter(|_| lower.len() == text.len())?;
    let before = text.get(..at)?;
    let (_, rest) = before.rsplit_once("https://").or_else(|| before.rsplit_once("grpcs://"))?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'));
    rest.get(..end.unwrap_or(rest.len())).filter(|h| !h.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_date_are_read() {
        let text = "Get \"https://vault.bank.svc:8200/v1\": tls: failed to verify certificate: \
                    x509: certificate has expired or is not yet valid: current time \
                    2026-01-02T03:04:05Z is after 2026-01-01T00:00:00Z";
        let told = ended_certificate(text).expect("a certificate");
        assert_eq!(told.host, "vault.bank.svc");
        assert_eq!(told.not_after.map(|t| t.to_string()).as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(told.not_before, None);
        let early = text.replace(" is after ", " is before ");
        assert!(ended_certificate(&early).expect("a certificate").not_before.is_some());
        let bare = "Error: certificate has expired (CERT_HAS_EXPIRED)";
        assert_eq!(ended_certificate(bare).expect("a certificate"), Ended::default());
        assert_eq!(ended_certificate("x509: certificate signed by unknown authority"), None);
    }
}

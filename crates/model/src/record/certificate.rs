//! Certificates as the API shows them openly: their dates, never a key.

use serde::Deserialize;

use super::meta::common_parts;
use super::{Known, Meta, Record};
use crate::{Condition, Kind, List, Text, Timestamp};

/// A cert-manager Certificate or a CertificateSigningRequest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateState {
    /// Metadata.
    pub meta: Meta,
    /// `Certificate` or `CertificateSigningRequest`.
    pub kind: Kind,
    /// Secret it is written to (Certificate).
    pub secret: Text,
    /// Issuer or signer.
    pub issuer: Text,
    /// Who asked (CertificateSigningRequest).
    pub requestor: Text,
    /// From when and until when it is valid, once it is issued.
    pub not_before: Option<Timestamp>,
    /// The end of its validity.
    pub not_after: Option<Timestamp>,
    /// When it is to be renewed.
    pub renewal: Option<Timestamp>,
    /// Conditions.
    pub conditions: List<Condition>,
}

#[derive(Deserialize)]
struct Wire {
    metadata: Meta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    secret_name: Text,
    issuer_ref: Option<Issuer>,
    signer_name: Text,
    username: Text,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Issuer {
    name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    renewal_time: Option<Timestamp>,
    certificate: Option<Text>,
    conditions: List<Condition>,
}

impl CertificateState {
    /// Decodes a Certificate or a CertificateSigningRequest. Of an issued certificate only the
    /// dates are kept.
    ///
    /// # Errors
    /// When the object is not shaped as the API shapes it.
    pub fn read<'de, D: serde::Deserializer<'de>>(kind: Kind, d: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(d)?;
        let spec = wire.spec.unwrap_or_default();
        let status = wire.status.unwrap_or_default();
        let issued = status.certificate.as_deref().and_then(validity);
        let issuer = spec.issuer_ref.map(|i| i.name).unwrap_or(spec.signer_name);
        Ok(CertificateState {
            meta: wire.metadata,
            kind,
            secret: spec.secret_name,
            issuer,
            requestor: spec.username,
            not_before: status.not_before.or(issued.map(|(from, _)| from)),
            not_after: status.not_after.or(issued.map(|(_, until)| until)),
            renewal: status.renewal_time,
            conditions: status.conditions,
        })
    }

    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }
}

impl Record for CertificateState {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SPEC, &["/spec/secretName", "/spec/signerName"]),
        (Known::CONDITIONS, &["/status/conditions"]),
        (Known::STATUS, &["/status/notAfter", "/status/certificate"]),
        (Known::EVENTS, &["/eventsShown"]),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::SPEC => {
                self.secret.clone_from(&other.secret);
                self.issuer.clone_from(&other.issuer);
                self.requestor.clone_from(&other.requestor);
            }
            Known::CONDITIONS => self.conditions.clone_from(&other.conditions),
            Known::STATUS => {
                (self.not_before, self.not_after) = (other.not_before, other.not_after);
                self.renewal = other.renewal;
            }
            _ => {}
        }
    }
}

/// Longest text that is looked at, in bytes: bundles of authorities are long.
const MOST_BYTES: usize = 64 * 1024;

/// From when until when the first certificate in a PEM text, itself perhaps in base64, is
/// valid. Nothing else of it is read.
pub fn validity(text: &str) -> Option<(Timestamp, Timestamp)> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let text = text.get(..text.len().min(MOST_BYTES))?;
    let inner;
    let pem = if text.contains(BEGIN) {
        text
    } else {
        inner = String::from_utf8(base64(text)?).ok()?;
        &inner
    };
    let (_, rest) = pem.split_once(BEGIN)?;
    let body = rest.split_once("-----END").map_or(rest, |(body, _)| body);
    dates(&base64(body)?)
}

/// Decodes base64; blanks and line ends are passed over.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut filled) = (0u32, 0u32);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' | b' ' | b'\n' | b'\r' | b'\t' => continue,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        filled += 6;
        if filled >= 8 {
            filled -= 8;
            bytes.push(u8::try_from((bits >> filled) & 0xff).unwrap_or_default());
        }
    }
    Some(bytes)
}

/// One element of DER: its tag and content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, first) = (*der.first()?, *der.get(1)?);
    let (length, start) = if first < 0x80 {
        (usize::from(first), 2)
    } else {
        let count = usize::from(first & 0x7f);
        let bytes = der.get(2..2 + count).filter(|b| (1..=3).contains(&b.len()))?;
        (bytes.iter().fold(0, |sum, b| (sum << 8) | usize::from(*b)), 2 + count)
    };
    Some((tag, der.get(start..start + length)?, der.get(start + length..)?))
}

/// Certificate > TBSCertificate > version, serial number, algorithm, issuer, validity.
fn dates(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    const VERSION: u8 = 0xa0;
    let mut to_pass = if rest.first() == Some(&VERSION) { 4 } else { 3 };
    while to_pass > 0 {
        (_, _, rest) = element(rest)?;
        to_pass -= 1;
    }
    let (_, validity, _) = element(rest)?;
    let (from_tag, from, after) = element(validity)?;
    let (until_tag, until, _) = element(after)?;
    Some((time(from_tag, from)?, time(until_tag, until)?))
}

/// `260301120000Z` (UTCTime) or `20260301120000Z` (GeneralizedTime).
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    const UTC_TIME: u8 = 0x17;
    let text = std::str::from_utf8(text).ok()?;
    let long = if tag == UTC_TIME {
        let century = if text.get(..2)?.parse::<u8>().ok()? >= 50 { "19" } else { "20" };
        format!("{century}{text}")
    } else {
        text.to_owned()
    };
    let part = |from: usize, to: usize| long.get(from..to);
    let (date, clock) = (
        format!("{}-{}-{}", part(0, 4)?, part(4, 6)?, part(6, 8)?),
        format!("{}:{}:{}", part(8, 10)?, part(10, 12)?, part(12, 14)?),
    );
    format!("{date}T{clock}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An outline of a certificate: only what stands before its dates, and the dates.
    fn der() -> Vec<u8> {
        let wrap = |tag: u8, body: &[u8]| {
            let mut out = vec![tag, u8::try_from(body.len()).unwrap()];
            out.extend(body);
            out
        };
        let validity = [wrap(0x17, b"260301120000Z"), wrap(0x18, b"20560301120000Z")].concat();
        let tbs = [
            wrap(0xa0, &wrap(0x02, &[2])),
            wrap(0x02, &[1]),
            wrap(0x30, &[]),
            wrap(0x30, &[]),
            wrap(0x30, &validity),
        ]
        .concat();
        wrap(0x30, &wrap(0x30, &tbs))
    }

    fn encoded(bytes: &[u8]) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut text = String::new();
        for chunk in bytes.chunks(3) {
            let sum = chunk.iter().fold(0u32, |s, b| (s << 8) | u32::from(*b));
            let sum = sum << (8 * (3 - chunk.len()));
            for i in 0..=chunk.len() {
                text.push(char::from(LETTERS[(sum >> (18 - 6 * i)) as usize & 63]));
            }
        }
        text
    }

    #[test]
    fn dates_are_read_and_nothing_else() {
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            encoded(&der())
        );
        for text in [pem.clone(), encoded(pem.as_bytes())] {
            let (from, until) = validity(&text).expect("dates");
            assert_eq!(from.to_string(), "2026-03-01T12:00:00Z");
            assert_eq!(until.to_string(), "2056-03-01T12:00:00Z");
        }
    }

    #[test]
    fn other_bytes_are_no_certificate() {
        for text in ["", "LS0t", "-----BEGIN CERTIFICATE-----\nMIIB", "é", "%%%%"] {
            assert_eq!(validity(text), None, "{text}");
        }
        let mut cut = der();
        cut.truncate(12);
        assert_eq!(dates(&cut), None);
    }
}

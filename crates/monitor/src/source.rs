//! Whom to ask: an address, and what one logs in with, which is never shown.

use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use kube::{Client, Config};
use model::Blind;

use crate::{Error, Trouble};

/// Whoever does not take a connection in this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// How a source is reached.
#[derive(Clone, Default)]
pub struct Access {
    /// Its address, as the user gave it; it may hold a name and a password.
    pub url: String,
    /// A file with a bearer token.
    pub token_file: Option<PathBuf>,
    /// Certificates of who may vouch for it, in PEM; those of the system where none is given.
    pub ca_file: Option<PathBuf>,
}

/// Somebody who can be asked.
#[derive(Clone)]
pub struct Source {
    pub(crate) client: Client,
    /// The address without what one logs in with.
    pub(crate) place: String,
    pub(crate) token_option: &'static str,
    /// Longer than this nobody waits for one answer.
    pub(crate) patience: Duration,
}

impl Source {
    /// Nothing is sent yet; it must be made inside an event loop. `option` and `token_option`
    /// are what the user would have to mend.
    ///
    /// # Errors
    /// When the address is none, or a file cannot be read.
    pub fn new(
        access: &Access,
        option: &'static str,
        token_option: &'static str,
    ) -> Result<Self, Error> {
        let (login, place) = split(&access.url);
        let wrong = || Error::Address { option, given: place.clone() };
        let uri: Uri = place.parse().map_err(|_| wrong())?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(wrong());
        }
        let setup = |reason| Error::Setup { place: place.clone(), reason };
        let mut config = Config::new(uri);
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = None;
        config.default_retry = false;
        config.root_cert_file = access.ca_file.clone();
        if let Some((user, password)) = login {
            config.auth_info.username = Some(user);
            config.auth_info.password = Some(password.into());
        }
        if let Some(file) = &access.token_file {
            let named =
                |e: std::io::Error| setup(format!("cannot read {}: {e}", file.display()).into());
            let token = std::fs::read_to_string(file).map_err(named)?;
            config.auth_info.token = Some(token.trim().to_owned().into());
        }
        let client = Client::try_from(config).map_err(|e| setup(Box::new(e)))?;
        let place = place.trim_end_matches('/').to_owned();
        Ok(Source { client, place, token_option, patience: ANSWER_TIMEOUT })
    }

    /// The address, without what one logs in with.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What was not told: `path` was asked for.
    pub(crate) fn blind(&self, what: String, trouble: &Trouble, path: &str) -> Blind {
        let place = &self.place;
        let why = format!("{place}: {trouble}{}", trouble.advice(self.token_option));
        Blind { what, why, ask: format!("curl -sS -i -m 20 '{place}{path}'") }
    }
}

/// Name and password of an address, and the address without them.
fn split(url: &str) -> (Option<(String, String)>, String) {
    let Some((scheme, rest)) = url.split_once("://") else { return (None, without_login(url)) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // A question or a fragment is no part of where an API is.
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let Some((login, host)) = authority.rsplit_once('@') else {
        return (None, format!("{scheme}://{authority}{path}"));
    };
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    (Some((decoded(user), decoded(password))), format!("{scheme}://{host}{path}"))
}

/// What is shown of something that is no address.
fn without_login(text: &str) -> String {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest).to_owned()
}

/// Without percent-encoding.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_logs_in_with_is_taken_out_of_an_address() {
        for (url, login, place) in [
            ("http://p:9090", None, "http://p:9090"),
            ("https://me:s%40x@p/prom/?a=b#c", Some(("me", "s@x")), "https://p/prom/"),
            ("https://me@p", Some(("me", "")), "https://p"),
            ("https://a@b:c@p", Some(("a@b", "c")), "https://p"),
            ("me:secret@p:9090", None, "p:9090"),
        ] {
            let login = login.map(|(u, p): (&str, &str)| (u.to_owned(), p.to_owned()));
            assert_eq!(split(url), (login, place.to_owned()), "{url}");
        }
        assert_eq!(decoded("100%"), "100%");
    }

    #[tokio::test]
    async fn what_is_no_address_is_told_without_the_password() {
        for url in ["me:secret@p:9090", "ftp://me:secret@p/", "http://", "p 9090"] {
            let access = Access { url: url.to_owned(), ..Access::default() };
            let error = Source::new(&access, "--prometheus", "--prometheus-token-file");
            let error = error.err().map(|e| e.to_string()).unwrap_or_default();
            assert!(error.starts_with("--prometheus wants an address"), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}

//! What the API server says instead of an answer.

use crate::Error;

/// The status codes that are told apart.
pub(crate) const UNAUTHORISED: u16 = 401;
pub(crate) const FORBIDDEN: u16 = 403;
pub(crate) const NOT_FOUND: u16 = 404;
pub(crate) const EXPIRED: u16 = 410;

/// Longest message kept, in characters.
const MESSAGE_CHARS: usize = 300;

/// What the API server said instead of an answer.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// HTTP status, 0 when there was none.
    pub(crate) code: u16,
    /// What it said.
    pub(crate) message: String,
}

impl Refusal {
    /// There was no answer, or not all of one.
    pub(crate) fn unanswered(error: &kube::Error) -> Self {
        let mut reason: &(dyn std::error::Error + 'static) = error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        let reason: String = reason.to_string().chars().take(MESSAGE_CHARS).collect();
        Refusal { code: 0, message: format!("no whole answer came: {reason}") }
    }

    /// An answer of the server is a refusal; no answer is an error.
    pub(crate) fn of(error: kube::Error, what: &str) -> Result<Self, Error> {
        match error {
            kube::Error::Api(status) => {
                let message = if status.message.is_empty() {
                    format!("status {} {}", status.code, status.reason)
                } else {
                    status.message.chars().take(MESSAGE_CHARS).collect()
                };
                Ok(Refusal { code: status.code, message })
            }
            other => {
                let reason = Box::new(other);
                Err(Error::Unreachable { what: what.to_owned(), reason })
            }
        }
    }
}

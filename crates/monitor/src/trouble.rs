//! What came instead of an answer, and what to do about it.

/// Why a source cannot be asked at all: the user named it wrongly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("{option} wants an address like http://prometheus.example:9090, not {given:?}")]
    Address {
        /// The option of the command line.
        option: &'static str,
        /// What was given, without what one logs in with.
        given: String,
    },
    /// The token or the certificate file cannot be used.
    #[error("cannot set up the connection to {place}")]
    Setup {
        /// Whom we wanted to ask.
        place: String,
        /// Why.
        #[source]
        reason: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What came instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Trouble {
    /// Nobody is there.
    #[error("nobody answers: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("no answer within {0} s")]
    Late(u64),
    /// It wants to know who we are, or does not want us.
    #[error("it refuses us (HTTP {0})")]
    Refused(u16),
    /// It is elsewhere.
    #[error("it sends us elsewhere (HTTP {0}), as a login page does")]
    Elsewhere(u16),
    /// Another status than success.
    #[error("HTTP {0}{1}")]
    Status(u16, String),
    /// A web page.
    #[error("it answers with a web page, not with JSON")]
    Page,
    /// Not what was asked for.
    #[error("the answer is cut off or no answer to the question: {0}")]
    Unreadable(String),
    /// More than we take.
    #[error("the answer is larger than {0} MiB")]
    Large(usize),
    /// It says itself that something is missing.
    #[error("it says that the answer is not whole: {0}")]
    Partial(String),
    /// It answers and knows nothing of this time.
    #[error("it has nothing of this time")]
    Empty,
}

impl Trouble {
    /// Whether the next question would fare the same.
    pub(crate) fn is_of_the_source(&self) -> bool {
        use Trouble::{Elsewhere, Page, Refused, Unreachable};
        matches!(self, Unreachable(_) | Refused(_) | Elsewhere(_) | Page)
    }

    /// What to do so that it answers, where that is known.
    pub(crate) fn advice(&self, token_option: &str) -> String {
        match self {
            Trouble::Refused(_) => {
                format!("; give {token_option} FILE, or USER:PASSWORD@ in the address")
            }
            Trouble::Elsewhere(_) | Trouble::Page | Trouble::Status(404, _) => {
                "; is it the address of the API, with its path?".to_owned()
            }
            _ => String::new(),
        }
    }
}

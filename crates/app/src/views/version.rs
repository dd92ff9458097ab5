//! The program's version as views show it.

use serde::Serialize;

/// The program's version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// `seaworthy.dev/v1`.
    pub api_version: &'static str,
    /// `Version`.
    pub kind: &'static str,
    /// Version of the program.
    pub version: &'static str,
    /// Failure kinds it knows.
    pub failure_kinds: usize,
}

impl Version {
    /// Of this program.
    pub fn current() -> Self {
        Version {
            api_version: super::API_VERSION,
            kind: "Version",
            version: env!("CARGO_PKG_VERSION"),
            failure_kinds: catalog::ALL.len(),
        }
    }
}

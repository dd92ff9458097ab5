//! Who writes an object, and what is noted about it.

use serde_json::Value;

use super::Failure;
use crate::access::User;
use crate::kinds::Kind;
use crate::ownership::{Manager, Set, Step};
use crate::schema::{self, Raw, View};

/// Which part of an object a write may touch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// Everything but the status.
    Spec,
    /// The status only.
    Status,
    /// Another subresource that is written as the whole object: `ephemeralcontainers`, `resize`,
    /// `finalize`, `approval`.
    Other(&'static str),
}

impl Part {
    /// As field managers note it.
    pub fn subresource(self) -> &'static str {
        match self {
            Self::Spec => "",
            Self::Status => "status",
            Self::Other(name) => name,
        }
    }

    /// Fields that a write of this part cannot own.
    pub fn ignored(self, kind: &Kind) -> Set {
        let mut set = Set::default();
        let field = |name: &str| Step::Field(name.to_owned());
        // Who asks for a certificate, and for what, is nobody's field.
        if kind.kind == "CertificateSigningRequest" {
            set.insert(&[field("spec")]);
            set.insert(&[field("status")]);
        }
        match self {
            Self::Spec if kind.has_status() => set.insert(&[field("status")]),
            Self::Spec => {}
            Self::Status => {
                set.insert(&[field("spec")]);
                set.insert(&[field("metadata"), field("deletionTimestamp")]);
                set.insert(&[field("metadata"), field("ownerReferences")]);
            }
            Self::Other(_) => set.insert(&[field("status")]),
        }
        set
    }
}

/// How a write is noted in `managedFields`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Noted<'a> {
    /// Not at all: components of the cluster itself.
    Not,
    /// As an update by this manager.
    Update(&'a Manager),
    /// It already is: the result of an apply.
    Done,
}

/// How a client writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write<'a> {
    pub part: Part,
    pub noted: Noted<'a>,
    /// Everything is checked and nothing stored.
    pub dry: bool,
    /// Whether the object was sent as a patch: some refusals differ.
    pub patch: bool,
    /// The client; `None` for components of the cluster itself.
    pub user: Option<&'a User>,
}

impl Write<'_> {
    /// A write by a component of the cluster itself.
    pub const fn own(part: Part) -> Self {
        Self { part, noted: Noted::Not, dry: false, patch: false, user: None }
    }
}

/// The type of a kind's objects.
pub(crate) fn view(kind: &Kind) -> Option<View<'static>> {
    match kind.custom {
        Some(custom) => custom.view(),
        None => schema::of_kind(&kind.api_version(), kind.kind),
    }
}

/// The kind as whose objects it is stored: some kinds are views of others.
pub(super) fn stored_as(kind: &'static Kind) -> &'static Kind {
    crate::kinds::of_storage(kind.storage).filter(|_| kind.custom.is_none()).unwrap_or(kind)
}

/// The object in its stored form with the API's defaults.
pub(crate) fn complete(kind: &Kind, value: Value) -> Result<Value, Failure> {
    let cannot = |why: String| {
        Failure::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: {why}",
            kind = kind.kind,
            version = kind.version
        ))
    };
    if let Some(custom) = kind.custom {
        return custom.complete(value).map_err(cannot);
    }
    let Some(view) = view(kind) else { return Ok(value) };
    let mut value = schema::decode(view, Raw::from(value)).map_err(cannot)?.value;
    crate::kinds::fill(view, &mut value);
    Ok(value)
}

//! The table of kinds: one row per resource, from which storage, validation, selectors and
//! `kubectl get` columns follow. Types, defaults and discovery come from derived tables.
//!
//! A new kind is a new row in `table`, never a new code path.

pub(crate) mod columns;
mod defaults;
pub(crate) mod prepare;
mod table;
pub(crate) mod validate;
pub(crate) mod versions;
mod warn;

use model::Timestamp;
use serde_json::Value;

pub(crate) use columns::Columns;
pub(crate) use defaults::fill;
pub(crate) use table::*;
pub(crate) use warn::warnings;

use crate::custom::Custom;
use crate::registry::Cause;

/// A resource of the API.
#[derive(Debug)]
pub(crate) struct Kind {
    /// "" for the core group.
    pub group: &'static str,
    pub version: &'static str,
    pub plural: &'static str,
    pub kind: &'static str,
    pub namespaced: bool,
    /// Where its objects are stored; kinds that share a name are views of the same objects.
    pub storage: &'static str,
    /// Verbs other than get, list and watch.
    pub verbs: &'static [&'static str],
    pub subresources: &'static [&'static str],
    /// Fields beyond `metadata.name` and `metadata.namespace` that field selectors may use.
    pub fields: &'static [&'static str],
    pub columns: Columns,
    /// What the server itself writes into a new object, after admission.
    pub prepare: fn(&mut Value, Timestamp),
    /// The same for a changed one.
    pub prepare_update: fn(&Value, &mut Value),
    /// What objects must fulfil even if the cluster itself writes them; clients' objects have
    /// further rules.
    pub validate: fn(&Value) -> Vec<Cause>,
    /// Whether a replacement must say which version it replaces.
    pub needs_version: bool,
    /// What clients are told whenever they use the kind.
    pub warning: &'static str,
    /// Whether the generation stays what it was at first.
    pub generation_is_fixed: bool,
    /// Whether replacing what is not there creates it.
    pub creates_on_update: bool,
    /// Whether `metadata.generation` counts changes of the specification.
    pub has_generation: bool,
    /// Whether names must be DNS subdomains.
    pub names_are_dns: bool,
    /// Whether a deletion answers with the object instead of a Status.
    pub deletion_shows_object: bool,
    /// What a definition says about it; none for built-in kinds.
    pub custom: Option<&'static Custom>,
}

const EVERY_VERB: &[&str] = &["create", "delete", "deletecollection", "patch", "update"];

impl Kind {
    /// A namespaced row with nothing special; the others differ from it by struct update.
    pub(crate) const fn of(
        group: &'static str,
        version: &'static str,
        plural: &'static str,
        kind: &'static str,
        storage: &'static str,
    ) -> Self {
        Self {
            group,
            version,
            plural,
            kind,
            namespaced: true,
            storage,
            verbs: EVERY_VERB,
            subresources: &[],
            fields: &[],
            columns: columns::NAME_AND_AGE,
            prepare: |_, _| {},
            prepare_update: |_, _| {},
            validate: validate::nothing,
            needs_version: false,
            warning: "",
            generation_is_fixed: false,
            creates_on_update: false,
            has_generation: false,
            names_are_dns: true,
            deletion_shows_object: false,
            custom: None,
        }
    }

    /// `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `pods`, `deployments.apps`.
    pub fn qualified(&self) -> String {
        match self.group {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// Whether its objects are stored; the others are questions that are answered at once.
    pub fn is_stored(&self) -> bool {
        !self.storage.is_empty()
    }

    /// Whether the status is written apart from the rest.
    pub fn has_status(&self) -> bool {
        self.subresources.contains(&"status")
    }

    /// Whether quotas count its objects under this row: views of the same objects count once.
    pub fn counts(&self) -> bool {
        of_storage(self.storage).is_some_and(|row| std::ptr::eq(row, self))
    }

    /// Whether the generation counts a change.
    pub fn desire_differs(&self, old: &Value, new: &Value) -> bool {
        let desired = |value: &Value| -> Vec<(String, Value)> {
            let fields = value.as_object().into_iter().flatten();
            fields
                .filter(|(k, _)| match k.as_str() {
                    "metadata" => false,
                    // A custom resource whose status is not apart counts it too.
                    "status" => self.custom.is_some() && !self.has_status(),
                    _ => true,
                })
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect()
        };
        let counted: &[&str] = match self.kind {
            "Deployment" => &["annotations"],
            "EndpointSlice" => &["annotations", "labels"],
            _ => &[],
        };
        let differs = |key: &&str| old["metadata"][*key] != new["metadata"][*key];
        desired(old) != desired(new) || counted.iter().any(differs)
    }

    /// Whether a request may use this verb.
    pub fn allows(&self, verb: &str) -> bool {
        matches!(verb, "get" | "list" | "watch") || self.verbs.contains(&verb)
    }
}

/// The row of a resource.
pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    let is = |k: &&&Kind| k.group == group && k.version == version && k.plural == plural;
    TABLE.iter().find(is).copied()
}

/// The row of a kind that is answered and not stored.
pub(crate) fn find_review(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    let is = |k: &&&Kind| k.group == group && k.version == version && k.plural == plural;
    REVIEWS.iter().find(is).copied()
}

/// The row of an object, by its apiVersion and kind.
pub(crate) fn of_object(api_version: &str, kind: &str) -> Option<&'static Kind> {
    TABLE.iter().find(|k| k.kind == kind && k.api_version() == api_version).copied()
}

/// The row under whose names objects of this storage are kept.
pub(crate) fn of_storage(storage: &str) -> Option<&'static Kind> {
    TABLE.iter().find(|k| k.storage == storage).copied()
}

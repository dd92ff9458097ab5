//! Refusals, as the API tells them: every one becomes a `Status` object.

use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::ownership::Conflict;

/// Why a request was refused. `Display` is the Status message.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// HTTP status code.
    pub code: u16,
    /// Machine-readable reason, "" if the API gives none.
    pub reason: &'static str,
    pub message: String,
    pub details: Option<Value>,
}

const MUST_SAY: &str = "must be specified for an update";

impl Failure {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None }
    }

    fn with(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.qualified());
        Self::new(404, "NotFound", message).with(details(kind, kind.plural, name))
    }

    /// The path names no resource of this server.
    pub fn no_such_resource() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(404, "NotFound", message).with(json!({}))
    }

    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message).with(json!({}))
    }

    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.qualified());
        Self::new(409, "AlreadyExists", message).with(details(kind, kind.plural, name))
    }

    /// A write on an object that changed in the meantime.
    pub fn conflict(kind: &Kind, name: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; \
             please apply your changes to the latest version and try again",
            kind.qualified()
        );
        Self::new(409, "Conflict", message).with(details(kind, kind.plural, name))
    }

    /// A replacement of an object that has been made anew.
    pub fn other_uid(kind: &Kind, old: &Value, asked: &str) -> Self {
        let text = |key: &str| old["metadata"][key].as_str().unwrap_or_default();
        let (name, uid) = (text("name"), text("uid"));
        let place = match text("namespace") {
            "" => name.to_owned(),
            namespace => format!("{namespace}/{name}"),
        };
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": StorageError: invalid object, \
             Code: 4, Key: /registry/{}/{place}, ResourceVersion: 0, AdditionalErrorMsg: \
             Precondition failed: UID in precondition: {asked}, UID in object meta: {uid}",
            kind.qualified(),
            kind.plural
        );
        Self::new(409, "Conflict", message).with(details(kind, kind.plural, name))
    }

    /// The same refusal with these causes in its details.
    pub fn with_causes(mut self, causes: &[Cause]) -> Self {
        let told: Vec<_> = causes.iter().map(Cause::to_value).collect();
        if let Some(details) = &mut self.details {
            details["causes"] = told.into();
        }
        self
    }

    /// A precondition on `what` (UID or ResourceVersion) that does not hold.
    pub fn precondition(kind: &Kind, name: &str, what: &str, asked: &str, found: &str) -> Self {
        let hint = match what {
            "UID" => "The object might have been deleted and then recreated",
            _ => "The object might have been modified",
        };
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": the {what} in the precondition \
             ({asked}) does not match the {what} in record ({found}). {hint}",
            kind.kind
        );
        Self::new(409, "Conflict", message).with(details(kind, kind.kind, name))
    }

    /// An admission plugin says no.
    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("{} \"{name}\" is forbidden: {why}", kind.qualified());
        Self::new(403, "Forbidden", message).with(details(kind, kind.plural, name))
    }

    /// A write into a namespace that is being deleted.
    pub fn ending_namespace(kind: &Kind, namespace: &str, name: &str, message: String) -> Self {
        let mut details = details(kind, kind.plural, name);
        details["causes"] = json!([{
            "reason": "NamespaceTerminating", "field": "metadata.namespace",
            "message": format!("namespace {namespace} is being terminated"),
        }]);
        Self::new(403, "Forbidden", message).with(details)
    }

    /// Whether the namespace is being removed.
    pub fn is_ending_namespace(&self) -> bool {
        let details = self.details.as_ref();
        let cause = details.and_then(|details| details.pointer("/causes/0/reason"));
        cause.is_some_and(|reason| reason == "NamespaceTerminating")
    }

    /// The same for a type that is no kind of its own.
    pub fn invalid_of((group, kind): (&str, &str), name: &str, causes: &[Cause]) -> Self {
        let told: Vec<_> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
        let told = if told.len() == 1 { told.concat() } else { format!("[{}]", told.join(", ")) };
        let dot = if group.is_empty() { "" } else { "." };
        let message = format!("{kind}{dot}{group} \"{name}\" is invalid: {told}");
        let mut details = json!({});
        for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
            if !value.is_empty() {
                details[key] = value.into();
            }
        }
        Self::new(422, "Invalid", message).with(details).with_causes(causes)
    }

    /// An option of a request that has no such value.
    pub fn bad_option(options: &str, field: &str, given: &Value, known: &[&str]) -> Self {
        Self::option(options, &[Cause::unsupported(field, given, known)])
    }

    /// Options that do not go together.
    pub fn bad_options(options: &str, causes: &[Cause]) -> Self {
        Self::option(options, causes)
    }

    /// An option that is longer than it may be.
    pub fn option_too_long(field: &str, most: usize) -> Self {
        Self::option("CreateOptions", &[Cause::too_long(field, most)])
    }

    /// An option that may not be given.
    pub fn option_forbidden(field: &str, why: &str) -> Self {
        Self::option("PatchOptions", &[Cause::forbidden(field, why)])
    }

    /// An option that must be given.
    pub fn option_required(field: &str, why: &str) -> Self {
        Self::option("PatchOptions", &[Cause::required_because(field, why)])
    }

    fn option(options: &str, causes: &[Cause]) -> Self {
        let told: Vec<_> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
        let told = match told.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{options}.meta.k8s.io \"\" is invalid: {told}");
        let details = json!({"group": "meta.k8s.io", "kind": options});
        Self::new(422, "Invalid", message).with(details).with_causes(causes)
    }

    /// An apply that wants what others own.
    pub fn conflicts(conflicts: &[Conflict]) -> Self {
        let causes: Vec<_> = conflicts
            .iter()
            .map(|c| json!({"reason": "FieldManagerConflict", "message": c.told, "field": c.path}))
            .collect();
        let message = match conflicts {
            [one] => format!("Apply failed with 1 conflict: {}: {}", one.told, one.path),
            many => {
                let mut text = format!("Apply failed with {} conflicts: ", many.len());
                let mut last = "";
                let mut groups: Vec<String> = Vec::new();
                for conflict in many {
                    if conflict.told != last {
                        groups.push(format!(
                            "conflicts{}:",
                            conflict.told.trim_start_matches("conflict")
                        ));
                        last = &conflict.told;
                    }
                    groups.push(format!("- {}", conflict.path));
                }
                text.push_str(&groups.join("\n"));
                text
            }
        };
        let failure = Self::new(409, "Conflict", message);
        Self { details: Some(json!({"causes": causes})), ..failure }
    }

    /// A patch whose result does not read.
    pub fn bad_patch(patched: &str, why: &str) -> Self {
        let cause = Cause::invalid("patch", &patched.into(), why);
        let message = format!(" \"\" is invalid: patch: {}", cause.message);
        Self::new(422, "Invalid", message).with(json!({})).with_causes(&[cause])
    }

    /// A replacement that does not say which version it replaces.
    pub fn no_version(kind: &Kind, name: &str) -> Self {
        let cause = Cause::invalid("metadata.resourceVersion", &0.into(), MUST_SAY);
        let message = format!(
            "{} \"{name}\" is invalid: {}: {}",
            kind.qualified(),
            cause.field,
            cause.message
        );
        let details = details(kind, kind.plural, name);
        Self::new(422, "Invalid", message).with(details).with_causes(&[cause])
    }

    /// A page says which version it is of: nothing may be said about that, and still less
    /// without a version.
    pub fn match_with_continue(unversioned: bool) -> Self {
        const MATCH: &str = "resourceVersionMatch";
        let mut causes = Vec::new();
        if unversioned {
            let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
            causes.push(Cause::forbidden(MATCH, why));
        }
        let why = "resourceVersionMatch is forbidden when continue is provided";
        causes.push(Cause::forbidden(MATCH, why));
        Self::invalid_of(("meta.k8s.io", "ListOptions"), "", &causes)
    }

    /// List options that do not go together.
    pub fn bad_list_options(field: &str, why: &str) -> Self {
        let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {field}: Forbidden: {why}");
        let causes = json!([{
            "reason": "FieldValueForbidden", "message": format!("Forbidden: {why}"), "field": field,
        }]);
        let details = json!({"group": "meta.k8s.io", "kind": "ListOptions", "causes": causes});
        Self::new(422, "Invalid", message).with(details)
    }

    /// The object breaks rules; `causes` say which fields.
    pub fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        let mut told: Vec<String> = Vec::new();
        for cause in causes {
            let text = format!("{}: {}", cause.field, cause.message);
            if !told.contains(&text) {
                told.push(text);
            }
        }
        let told = if told.len() == 1 { told.concat() } else { format!("[{}]", told.join(", ")) };
        let full = if kind.group.is_empty() {
            kind.kind.to_owned()
        } else {
            format!("{}.{}", kind.kind, kind.group)
        };
        let failure = Self::new(422, "Invalid", format!("{full} \"{name}\" is invalid: {told}"));
        failure.with(details(kind, kind.kind, name)).with_causes(causes)
    }

    /// The version that a list should be read at is yet to come.
    pub fn version_too_large(asked: u64, current: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
        let causes = json!([{
            "reason": "ResourceVersionTooLarge", "message": "Too large resource version",
        }]);
        Self::new(504, "Timeout", message).with(json!({"causes": causes, "retryAfterSeconds": 1}))
    }

    /// The `Status` object.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }
}

/// One broken rule.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    /// `FieldValueRequired`, `FieldValueInvalid`, ...
    pub reason: &'static str,
    pub field: String,
    pub message: String,
}

impl Cause {
    /// A refusal in these very words.
    pub fn plain(reason: &'static str, field: &str, message: String) -> Self {
        Self::of(reason, field, message)
    }

    fn of(reason: &'static str, field: &str, message: String) -> Self {
        Self { reason, field: field.to_owned(), message }
    }

    fn to_value(&self) -> Value {
        json!({"reason": self.reason, "message": self.message, "field": self.field})
    }

    /// Required, and why.
    pub fn required_because(field: &str, why: &str) -> Self {
        Self::of("FieldValueRequired", field, format!("Required value: {why}"))
    }

    pub fn forbidden(field: &str, why: &str) -> Self {
        Self::of("FieldValueForbidden", field, format!("Forbidden: {why}"))
    }

    pub fn duplicate(field: &str, value: &Value) -> Self {
        Self::of("FieldValueDuplicate", field, format!("Duplicate value: {value}"))
    }

    pub fn missing(field: &str, value: &Value) -> Self {
        Self::of("FieldValueNotFound", field, format!("Not found: {value}"))
    }

    pub fn too_long(field: &str, most: usize) -> Self {
        Self::of("FieldValueTooLong", field, format!("Too long: may not be more than {most} bytes"))
    }

    pub fn too_many(field: &str, count: u64, most: u64) -> Self {
        let items = if most == 1 { "item" } else { "items" };
        let message = format!("Too many: {count}: must have at most {most} {items}");
        Self::of("FieldValueTooMany", field, message)
    }

    pub fn unsupported(field: &str, value: &Value, supported: &[&str]) -> Self {
        let listed: Vec<_> = supported.iter().map(|word| format!("{word:?}")).collect();
        let listed = listed.join(", ");
        let message = format!("Unsupported value: {value}: supported values: {listed}");
        Self::of("FieldValueNotSupported", field, message)
    }

    pub fn required(field: &str) -> Self {
        let (field, message) = (field.to_owned(), "Required value".to_owned());
        Self { reason: "FieldValueRequired", field, message }
    }

    /// The value as this text.
    pub fn quoted(field: &str, value: &str, why: &str) -> Self {
        Self::of("FieldValueInvalid", field, format!("Invalid value: {value}: {why}"))
    }

    /// `value` as JSON, so that texts appear in quotes.
    pub fn invalid(field: &str, value: &Value, why: &str) -> Self {
        let message = format!("Invalid value: {value}: {why}");
        Self { reason: "FieldValueInvalid", field: field.to_owned(), message }
    }
}

fn details(kind: &Kind, word: &str, name: &str) -> Value {
    let mut details = json!({"kind": word});
    if !name.is_empty() {
        details["name"] = name.into();
    }
    if !kind.group.is_empty() {
        details["group"] = kind.group.into();
    }
    details
}

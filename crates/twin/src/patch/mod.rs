//! Patches: JSON patch and merge patch from the library, strategic merge by the types' keys.
//!
//! Must never know what a patched field means.

mod strategic;

use serde_json::{Value, json};

use crate::registry::Failure;
use crate::schema::View;
pub(crate) use strategic::{shown, strategic};

/// The forms a patch may have, by media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl Form {
    /// The form that a media type names.
    pub fn of(media: &str) -> Option<Self> {
        match media {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            "application/apply-patch+yaml" => Some(Self::Apply),
            _ => None,
        }
    }
}

/// The refusal of a JSON patch that cannot be carried out: the server says no more.
fn rejected() -> Failure {
    let why = "the server rejected our request due to an error in our request";
    let failure = Failure::new(422, "Invalid", why);
    Failure { details: Some(json!({})), ..failure }
}

/// Carries out a JSON patch.
pub(crate) fn json(value: &mut Value, patch: Value) -> Result<(), Failure> {
    // Replacing what is not there adds it, unlike the standard.
    if !patch.is_array() && !patch.is_null() {
        let word = crate::schema::Raw::from(patch).word();
        return Err(Failure::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {word} into Go value of type \
             []handlers.jsonPatchOp"
        )));
    }
    let operations = patch.as_array().cloned().unwrap_or_default();
    for mut operation in operations {
        let path = operation["path"].as_str().unwrap_or_default().to_owned();
        if operation["op"] == "replace" && value.pointer(&path).is_none() {
            operation["op"] = "add".into();
        }
        let one = serde_json::from_value(json!([operation])).map_err(|_| rejected())?;
        let one: json_patch::Patch = one;
        json_patch::patch(value, &one).map_err(|_| rejected())?;
    }
    Ok(())
}

/// The parts of an object that a patch opens: a member for each.
pub(crate) fn opened(form: Form, patch: &Value) -> Value {
    if form != Form::Json {
        return patch.clone();
    }
    let mut all = json!({});
    for operation in patch.as_array().into_iter().flatten() {
        for key in ["path", "from"] {
            let path = operation[key].as_str().unwrap_or_default();
            let steps: Vec<_> = path.split('/').skip(1).collect();
            let mut at = &mut all;
            for step in steps.iter().take(steps.len().saturating_sub(1)) {
                let step = step.replace("~1", "/").replace("~0", "~");
                let Some(map) = at.as_object_mut() else { break };
                at = map.entry(step).or_insert_with(|| json!({}));
            }
        }
    }
    all
}

/// Carries out a merge patch.
pub(crate) fn merge(value: &mut Value, patch: &Value) -> Result<(), Failure> {
    if patch.is_null() {
        return Err(Failure::bad_request("Invalid JSON Patch"));
    }
    if !patch.is_object() {
        return Err(not_a_map("error decoding patch: ", patch));
    }
    json_patch::merge(value, patch);
    Ok(())
}

/// Refuses a patch that is no object.
fn not_a_map(before: &str, patch: &Value) -> Failure {
    let word = crate::schema::Raw::from(patch.clone()).word();
    Failure::bad_request(format!(
        "{before}json: cannot unmarshal {word} into Go value of type map[string]interface {{}}"
    ))
}

/// Carries out a strategic merge patch on an object of this type.
pub(crate) fn merge_by_type(
    view: View<'_>,
    value: &mut Value,
    patch: Value,
) -> Result<(), Failure> {
    if patch.is_null() {
        return Ok(());
    }
    if !patch.is_object() {
        return Err(not_a_map("", &patch));
    }
    let merged = strategic(view, value.take(), patch);
    *value = merged.map_err(|why| Failure::new(500, "", why))?;
    Ok(())
}

//! Stored objects in the words of the API version that is asked for.

use std::sync::Arc;

use serde_json::Value;

use crate::kinds::{Kind, versions};
use crate::store::{Object, sealed};

/// The object as `kind` calls it.
pub(super) fn of(kind: &Kind, object: &Object) -> Object {
    if object["apiVersion"].as_str() == Some(kind.api_version().as_str()) {
        return Arc::clone(object);
    }
    sealed(versions::told_as(kind, Value::clone(object)))
}

//! The rough shape of an object: the fields that every actor walks through must be of the type
//! that the API gives them, or the object is refused before anybody reads it.

use serde_json::Value;

use super::Failure;
use crate::kinds::Kind;

/// What a field must be, if it is there.
#[derive(Clone, Copy)]
enum Shape {
    Object,
    /// An object whose values are texts.
    Texts,
    /// A list of objects.
    Objects,
    /// A list of texts.
    Names,
}

const FIELDS: [(&str, Shape); 29] = [
    ("/metadata", Shape::Object),
    ("/metadata/labels", Shape::Texts),
    ("/metadata/annotations", Shape::Texts),
    ("/metadata/ownerReferences", Shape::Objects),
    ("/metadata/finalizers", Shape::Names),
    ("/spec", Shape::Object),
    ("/spec/selector", Shape::Object),
    ("/spec/selector/matchLabels", Shape::Texts),
    ("/spec/strategy", Shape::Object),
    ("/spec/template", Shape::Object),
    ("/spec/template/metadata", Shape::Object),
    ("/spec/template/metadata/labels", Shape::Texts),
    ("/spec/template/metadata/annotations", Shape::Texts),
    ("/spec/template/spec", Shape::Object),
    ("/spec/template/spec/containers", Shape::Objects),
    ("/spec/template/spec/initContainers", Shape::Objects),
    ("/spec/template/spec/volumes", Shape::Objects),
    ("/spec/template/spec/tolerations", Shape::Objects),
    ("/spec/containers", Shape::Objects),
    ("/spec/initContainers", Shape::Objects),
    ("/spec/volumes", Shape::Objects),
    ("/spec/tolerations", Shape::Objects),
    ("/spec/taints", Shape::Objects),
    ("/spec/ports", Shape::Objects),
    ("/spec/nodeSelector", Shape::Texts),
    ("/status", Shape::Object),
    ("/status/conditions", Shape::Objects),
    ("/status/containerStatuses", Shape::Objects),
    ("/status/initContainerStatuses", Shape::Objects),
];

/// Refuses an object with a field of the wrong type.
pub(super) fn check(kind: &Kind, value: &Value) -> Result<(), Failure> {
    for (pointer, shape) in FIELDS {
        let found = value.pointer(pointer).unwrap_or(&Value::Null);
        if !found.is_null() && !fits(found, shape) {
            return Err(Failure::bad_request(format!(
                "{kind} in version \"{version}\" cannot be handled as a {kind}: {field} must be \
                 {wanted}",
                kind = kind.kind,
                version = kind.version,
                field = pointer.trim_start_matches('/').replace('/', "."),
                wanted = match shape {
                    Shape::Object => "an object",
                    Shape::Texts => "an object of texts",
                    Shape::Objects => "a list of objects",
                    Shape::Names => "a list of texts",
                }
            )));
        }
    }
    Ok(())
}

fn fits(value: &Value, shape: Shape) -> bool {
    let all =
        |wanted: fn(&Value) -> bool| value.as_array().is_some_and(|list| list.iter().all(wanted));
    match shape {
        Shape::Object => value.is_object(),
        Shape::Texts => value.as_object().is_some_and(|map| map.values().all(Value::is_string)),
        Shape::Objects => all(Value::is_object),
        Shape::Names => all(Value::is_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::POD;
    use serde_json::json;

    #[track_caller]
    fn check_shape(value: Value, message: &str) {
        let told = check(&POD, &value).err().map(|failure| failure.message).unwrap_or_default();
        assert!(told.ends_with(message) && told.is_empty() == message.is_empty(), "{told}");
    }

    #[test]
    fn fields_of_the_wrong_type_are_named() {
        check_shape(json!({"metadata": {"labels": {"a": "b"}}, "spec": null}), "");
        check_shape(json!({"spec": "x"}), "spec must be an object");
        check_shape(json!({"metadata": {"labels": "x"}}), "labels must be an object of texts");
        check_shape(json!({"metadata": {"labels": {"a": 1}}}), "labels must be an object of texts");
        check_shape(
            json!({"spec": {"containers": ["a"]}}),
            "spec.containers must be a list of objects",
        );
        check_shape(
            json!({"metadata": {"finalizers": "a"}}),
            "metadata.finalizers must be a list of texts",
        );
    }
}

//! A stored object, and the forms in which it was told: it never changes, so that a form that
//! was made once serves every list and every watch.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

/// A stored object; cloning it is cheap.
pub(crate) type Object = Arc<Stored>;

/// What is stored. It reads like the value.
#[derive(Debug)]
pub(crate) struct Stored {
    value: Value,
    text: OnceLock<Bytes>,
    message: OnceLock<Option<Bytes>>,
}

/// The value as an object that is told.
pub(crate) fn sealed(value: Value) -> Object {
    Arc::new(Stored { value, text: OnceLock::new(), message: OnceLock::new() })
}

impl Stored {
    /// Its JSON text without the type, as it stands in a list.
    pub fn text(&self, make: impl FnOnce(&Value) -> Bytes) -> &Bytes {
        self.text.get_or_init(|| make(&self.value))
    }

    /// Its message, if there is one.
    pub fn message(&self, make: impl FnOnce(&Value) -> Option<Bytes>) -> Option<&Bytes> {
        self.message.get_or_init(|| make(&self.value)).as_ref()
    }
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Deref for Stored {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

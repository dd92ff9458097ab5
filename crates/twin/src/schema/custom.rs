//! The types of a custom resource, made from its structural schema: what ownership walks.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{BUILT_IN, Field, List, Relation, Schema, Struct, Type, View, of_metadata};

/// Deeper schemas are open below.
const DEEPEST: usize = 64;

impl Schema {
    /// The types of the objects that a structural schema describes.
    pub fn custom(structural: &Value) -> Self {
        let mut schema = Self::default();
        let metadata = of_metadata().map_or(Type::Open, |view| schema.import(view.of, 0));
        let mut root = schema.structure(structural, 0);
        for (key, of) in
            [("apiVersion", Type::String), ("kind", Type::String), ("metadata", metadata)]
        {
            root.fields.insert(key.to_owned(), field(of, None));
        }
        root.open |= structural.is_null();
        let at = schema.add(root);
        schema.kinds.insert(String::new(), at);
        schema
    }

    /// The objects' own type.
    pub fn root(&self) -> Option<View<'_>> {
        let at = *self.kinds.get("")?;
        self.places.get(at).map(|of| View { schema: self, of })
    }

    fn add(&mut self, structure: Struct) -> usize {
        let at = self.structs.len();
        self.structs.push(structure);
        self.places.push(Type::Struct { at, atomic: None, retain_keys: false });
        at
    }

    /// A built-in type and everything in it.
    fn import(&mut self, of: &Type, depth: usize) -> Type {
        match of {
            _ if depth > DEEPEST => Type::Any,
            Type::Struct { at, atomic, retain_keys } => {
                let Some(known) = BUILT_IN.structs.get(*at) else { return Type::Any };
                let mut copy = known.clone();
                for field in copy.fields.values_mut() {
                    field.of = self.import(&field.of, depth + 1);
                }
                let at = self.add(copy);
                Type::Struct { at, atomic: *atomic, retain_keys: *retain_keys }
            }
            Type::List(list) => {
                let of = self.import(&list.of, depth + 1);
                Type::List(Box::new(List { of, ..List::clone(list) }))
            }
            Type::Map { of, atomic } => {
                Type::Map { of: Box::new(self.import(of, depth + 1)), atomic: *atomic }
            }
            other => other.clone(),
        }
    }

    fn structure(&mut self, schema: &Value, depth: usize) -> Struct {
        let mut fields = BTreeMap::new();
        for (key, of) in schema["properties"].as_object().into_iter().flatten() {
            let default = of.get("default").cloned();
            let of = self.typed(of, depth + 1);
            fields.insert(key.clone(), field(of, default));
        }
        Struct {
            name: String::new(),
            path: String::new(),
            fields,
            atomic: schema["x-kubernetes-map-type"] == "atomic",
            open: preserves(schema),
        }
    }

    fn typed(&mut self, schema: &Value, depth: usize) -> Type {
        if depth > DEEPEST {
            return Type::Open;
        }
        if schema["x-kubernetes-int-or-string"] == true {
            return Type::IntOrString;
        }
        match schema["type"].as_str() {
            Some("object") if schema["additionalProperties"].is_object() => Type::Map {
                of: Box::new(self.typed(&schema["additionalProperties"], depth + 1)),
                atomic: schema["x-kubernetes-map-type"] == "atomic",
            },
            Some("object") if schema["properties"].is_object() || !preserves(schema) => {
                let structure = self.structure(schema, depth);
                Type::Struct { at: self.add(structure), atomic: None, retain_keys: false }
            }
            Some("array") => Type::List(Box::new(List {
                of: self.typed(&schema["items"], depth + 1),
                relation: match schema["x-kubernetes-list-type"].as_str() {
                    Some("set") => Relation::Set,
                    Some("map") => {
                        Relation::Keyed(super::load::texts(&schema["x-kubernetes-list-map-keys"]))
                    }
                    _ => Relation::Atomic,
                },
                merges: false,
                merge_key: String::new(),
            })),
            Some("string") => Type::String,
            Some("integer") => Type::Int64,
            Some("number") => Type::Double,
            Some("boolean") => Type::Bool,
            _ => Type::Open,
        }
    }
}

fn preserves(schema: &Value) -> bool {
    schema["x-kubernetes-preserve-unknown-fields"] == true
}

fn field(of: Type, default: Option<Value>) -> Field {
    Field { of, required: false, default, pointer: true }
}

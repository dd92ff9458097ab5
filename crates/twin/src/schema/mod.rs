//! The types of the API as data: fields, what may be left out, how lists and maps merge.
//!
//! The built-in types come from a table that is derived from Kubernetes' own OpenAPI document
//! (`cargo xtask derive`). Everything that must know a field's type walks a [`View`]: decoding,
//! patches, field ownership. Must never know what a field means to the cluster.

mod custom;
pub(crate) mod decode;
pub(crate) mod envelope;
mod load;
mod ordered;
pub(crate) mod protobuf;
mod quantity;
mod raw;
mod restore;
mod scalar;
mod wire;
mod zero;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub(crate) use decode::{Decoded, decode, normal};
pub(crate) use load::unpacked;
pub(crate) use ordered::patched;
pub(crate) use quantity::at_least_milli;
pub(crate) use raw::Raw;
pub(crate) use restore::check as restorable;
pub(crate) use zero::{empty, settle};

use serde_json::Value;

/// All types of a set, referring to each other by place.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    structs: Vec<Struct>,
    /// One type per structure, to look at.
    places: Vec<Type>,
    /// Places of the objects' types by `group/version/Kind` (`v1/Pod` in the core group).
    kinds: BTreeMap<String, usize>,
}

/// A type with named fields.
#[derive(Debug, Default, Clone)]
pub(crate) struct Struct {
    /// As programs name it, such as `v1.PodSpec`.
    pub name: String,
    /// As schemas name it, such as `io.k8s.api.core.v1.PodSpec`.
    pub path: String,
    pub fields: BTreeMap<String, Field>,
    /// Whether it has one owner as a whole.
    atomic: bool,
    /// Whether it may have members that it does not name.
    open: bool,
}

/// A field of a type.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub of: Type,
    /// Whether it is written even when it is empty.
    pub required: bool,
    /// What stands there when nothing was said.
    pub default: Option<Value>,
    /// Whether "empty" and "not said" differ, as for pointers.
    pub pointer: bool,
}

/// The type of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    String,
    Bytes,
    Int32,
    Int64,
    Double,
    Bool,
    Time,
    MicroTime,
    Quantity,
    IntOrString,
    /// A document without a schema, owned as a whole.
    Any,
    /// A document without a schema whose objects are owned member by member.
    Open,
    Struct {
        at: usize,
        /// Owned as a whole, or member by member whatever its own type says.
        atomic: Option<bool>,
        /// Patches name the keys that stay.
        retain_keys: bool,
    },
    List(Box<List>),
    Map {
        of: Box<Type>,
        atomic: bool,
    },
}

/// A list and how two of them merge.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct List {
    pub of: Type,
    pub relation: Relation,
    /// Whether strategic merge patches merge it instead of replacing it.
    pub merges: bool,
    /// The field that tells elements apart in strategic merge patches, "" for plain values.
    pub merge_key: String,
}

/// Who owns what of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Relation {
    /// The whole list has one owner.
    Atomic,
    /// Each value has its owners.
    Set,
    /// Each element has its owners; these fields tell elements apart.
    Keyed(Vec<String>),
}

/// A type within its set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub schema: &'a Schema,
    pub of: &'a Type,
}

static OPEN: Type = Type::Open;
static BUILT_IN: LazyLock<Schema> = LazyLock::new(load::built_in);

/// The type of the objects of a kind; `None` for kinds that are no built-in ones.
pub(crate) fn of_kind(api_version: &str, kind: &str) -> Option<View<'static>> {
    let schema: &'static Schema = &BUILT_IN;
    let at = *schema.kinds.get(&format!("{api_version}/{kind}"))?;
    schema.places.get(at).map(|of| View { schema, of })
}

/// The metadata of every object.
pub(crate) fn of_metadata() -> Option<View<'static>> {
    of_name("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
}

/// A built-in type by its full name.
pub(crate) fn of_name(name: &str) -> Option<View<'static>> {
    let schema: &'static Schema = &BUILT_IN;
    let at = schema.structs.iter().position(|s| s.path == name)?;
    schema.places.get(at).map(|of| View { schema, of })
}

impl<'a> View<'a> {
    /// The same set, another type of it.
    pub fn to(self, of: &'a Type) -> Self {
        Self { schema: self.schema, of }
    }

    /// The structure, if it is one.
    pub fn structure(self) -> Option<&'a Struct> {
        match self.of {
            Type::Struct { at, .. } => self.schema.structs.get(*at),
            _ => None,
        }
    }

    /// Whether it has one owner as a whole.
    pub fn is_atomic(self) -> bool {
        match self.of {
            Type::Struct { atomic, .. } => {
                atomic.unwrap_or_else(|| self.structure().is_none_or(|s| s.atomic))
            }
            Type::Map { atomic, .. } => *atomic,
            Type::List(list) => list.relation == Relation::Atomic,
            Type::Open => false,
            _ => true,
        }
    }

    /// The type of a member of a structure or map; `None` if it has no such field.
    pub fn member(self, key: &str) -> Option<Self> {
        match self.of {
            Type::Struct { .. } => {
                let structure = self.structure()?;
                let known = structure.fields.get(key).map(|f| self.to(&f.of));
                known.or_else(|| structure.open.then(|| self.to(&OPEN)))
            }
            Type::Map { of, .. } => Some(self.to(of)),
            Type::Open => Some(self),
            _ => None,
        }
    }

    /// The type of a list's elements.
    pub fn element(self) -> Option<Self> {
        match self.of {
            Type::List(list) => Some(self.to(&list.of)),
            _ => None,
        }
    }

    /// Its name as the server's messages tell it: `v1.PodSpec`, `[]v1.Container`, `int32`.
    pub fn name(self) -> String {
        match self.of {
            Type::String | Type::Quantity => "string".into(),
            Type::Bytes => "[]uint8".into(),
            Type::Int32 | Type::IntOrString => "int32".into(),
            Type::Int64 => "int64".into(),
            Type::Double => "float64".into(),
            Type::Bool => "bool".into(),
            Type::Time => "string".into(),
            Type::MicroTime => "string".into(),
            Type::Any | Type::Open => "interface {}".into(),
            Type::Struct { .. } => self.structure().map(|s| s.name.clone()).unwrap_or_default(),
            Type::List(list) => format!("[]{}", self.to(&list.of).name()),
            Type::Map { of, .. } => format!("map[string]{}", self.to(of).name()),
        }
    }
}

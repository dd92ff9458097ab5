//! Columns of cluster furniture: namespaces, configuration, leases, roles.

use model::Timestamp;
use serde_json::Value;

use super::{AGE, Column, Columns, NAME, age, name, text, text_or, typed, wide};
use crate::field;

pub(crate) const NAMESPACE: Columns = Columns::new(&[NAME, text("Status"), AGE], |o, now| {
    vec![name(o), text_or(o, "/status/phase", ""), age(o, now)]
});

pub(crate) const CONFIG_MAP: Columns = Columns::new(&[NAME, text("Data"), AGE], |o, now| {
    vec![name(o), entries(o).into(), age(o, now)]
});

pub(crate) const SECRET: Columns =
    Columns::new(&[NAME, text("Type"), text("Data"), AGE], |o, now| {
        vec![name(o), text_or(o, "/type", ""), entries(o).into(), age(o, now)]
    });

fn entries(object: &Value) -> usize {
    let size = |pointer| field::map(object, pointer).map_or(0, serde_json::Map::len);
    size("/data") + size("/binaryData")
}

pub(crate) const LEASE: Columns = Columns::new(&[NAME, text("Holder"), AGE], |o, now| {
    vec![name(o), text_or(o, "/spec/holderIdentity", ""), age(o, now)]
});

const CREATED_AT: Column = typed("Created At", "date");

/// Kinds that show when they were made instead of their age.
pub(crate) const NAME_AND_CREATION: Columns = Columns::new(&[NAME, CREATED_AT], created);

fn created(object: &Value, _: Timestamp) -> Vec<Value> {
    vec![name(object), text_or(object, "/metadata/creationTimestamp", "<unknown>")]
}

pub(crate) const ROLE_BINDING: Columns = Columns::new(
    &[NAME, text("Role"), AGE, wide("Users"), wide("Groups"), wide("ServiceAccounts")],
    |o, now| {
        let subjects = |kind: &str| -> Value {
            let all = field::list(o, "/subjects").iter();
            let told = all.filter(|s| field::text(s, "/kind") == kind).map(|s| {
                match field::text(s, "/namespace") {
                    "" => field::text(s, "/name").to_owned(),
                    namespace => format!("{namespace}/{}", field::text(s, "/name")),
                }
            });
            told.collect::<Vec<_>>().join(", ").into()
        };
        let role =
            format!("{}/{}", field::text(o, "/roleRef/kind"), field::text(o, "/roleRef/name"));
        vec![
            name(o),
            role.into(),
            age(o, now),
            subjects("User"),
            subjects("Group"),
            subjects("ServiceAccount"),
        ]
    },
);

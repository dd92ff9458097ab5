use std::collections::BTreeMap;

use super::{Place, explain};
use crate::slow::calls::Calls;
use crate::testing::snapshot;

#[test]
fn nothing_is_explained_where_nobody_is_slow() {
    let now = snapshot("kind: Pod\nmetadata: {name: a, namespace: shop}");
    assert!(explain(&BTreeMap::new(), &Calls::default(), &now).is_none());
    assert!(Place::App(1) < Place::Node("n1".into()));
}

//! The roles and bindings that every server with RBAC makes for itself when it starts.

use serde_json::Value;

use crate::schema::unpacked;

const PACKED: &[u8] = include_bytes!("../../data/rbac.json.gz");

/// Each with its apiVersion, kind, name and namespace.
pub(crate) fn objects() -> Vec<Value> {
    match unpacked(PACKED) {
        Value::Array(all) => all,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field;

    #[test]
    fn the_roles_that_everybody_knows_are_among_them() {
        let all = objects();
        for name in ["cluster-admin", "view", "edit", "admin", "system:discovery"] {
            assert!(all.iter().any(|o| o["kind"] == "ClusterRole" && field::name(o) == name));
        }
        assert!(all.iter().any(|o| o["kind"] == "RoleBinding"));
    }
}

//! Which of our crates may depend on which: a crate exists only where it enforces an absence.

use serde_json::Value;

use super::Problem;

/// Crate, what its library may use of ours, what its tests may use besides.
const LAYERS: [(&str, &[&str], &[&str]); 9] = [
    ("model", &[], &[]),
    ("catalog", &["model"], &[]),
    ("engine", &["model"], &["capture", "catalog"]),
    ("capture", &["model"], &[]),
    ("cluster", &["model"], &["twin"]),
    ("monitor", &["model"], &[]),
    ("twin", &["model"], &[]),
    ("seaworthy", &["model", "catalog", "engine", "capture", "cluster", "monitor", "twin"], &[]),
    ("xtask", &[], &["catalog"]),
];

/// Crates that must not be linked into the pure ones, whose work is to compute.
const IMPURE: [&str; 8] =
    ["tokio", "kube", "k8s-openapi", "hyper", "axum", "reqwest", "rand", "clap"];
const PURE: [&str; 3] = ["model", "catalog", "engine"];

/// Checks the output of `cargo metadata --no-deps`.
pub fn check(metadata: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let packages = metadata["packages"].as_array();
    for package in packages.into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        let path = relative(manifest, metadata["workspace_root"].as_str().unwrap_or_default());
        let Some((_, library, tests)) = LAYERS.iter().find(|(own, _, _)| *own == name) else {
            let what = format!("crate `{name}` has no place in the layers of xtask/src/tidy");
            problems.push(Problem::new(path, 0, what));
            continue;
        };
        let dependencies = package["dependencies"].as_array();
        for dependency in dependencies.into_iter().flatten() {
            let other = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"].as_str() == Some("dev");
            let ours = LAYERS.iter().any(|(own, _, _)| *own == other);
            let allowed = library.contains(&other) || (for_tests && tests.contains(&other));
            if ours && !allowed {
                let what = format!("`{name}` must not depend on `{other}`");
                problems.push(Problem::new(path, 0, what));
            }
            if PURE.contains(&name) && !for_tests && IMPURE.contains(&other) {
                let what = format!("`{name}` is pure and must not depend on `{other}`");
                problems.push(Problem::new(path, 0, what));
            }
        }
    }
    problems
}

fn relative<'a>(path: &'a str, root: &str) -> &'a str {
    path.strip_prefix(root).unwrap_or(path).trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn found(name: &str, other: &str, kind: Option<&str>) -> Vec<String> {
        let metadata: Value = json!({
            "workspace_root": "/r",
            "packages": [{
                "name": name,
                "manifest_path": "/r/crates/x/Cargo.toml",
                "dependencies": [{"name": other, "kind": kind}],
            }],
        });
        super::check(&metadata).into_iter().map(|p| format!("{} {}", p.path, p.what)).collect()
    }

    #[test]
    fn dependencies_point_one_way() {
        for (name, other, kind) in [
            ("catalog", "model", None),
            ("engine", "catalog", Some("dev")),
            ("seaworthy", "twin", None),
            ("xtask", "catalog", Some("dev")),
            ("twin", "tokio", None),
            ("engine", "tokio", Some("dev")),
        ] {
            assert_eq!(found(name, other, kind), [""; 0], "{name} {other}");
        }
        for (name, other, kind) in [
            ("model", "catalog", Some("dev")),
            ("engine", "catalog", None),
            ("engine", "twin", Some("build")),
            ("twin", "engine", None),
            ("cluster", "catalog", None),
            ("xtask", "seaworthy", None),
            ("model", "tokio", None),
        ] {
            let [line] = <[String; 1]>::try_from(found(name, other, kind)).expect("one problem");
            assert!(line.starts_with("crates/x/Cargo.toml") && line.contains(other), "{line}");
        }
        assert!(found("utils", "serde", None).concat().contains("no place"));
    }
}

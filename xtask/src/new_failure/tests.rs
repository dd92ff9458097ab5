use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{filled, with_mod, write};
use crate::tidy::in_files;
use crate::workspace::{cargo, root, text_files};

/// A checkout of our own with the pure crates alone.
fn copy(name: &str) -> PathBuf {
    let to = std::env::temp_dir().join(format!("seaworthy-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&to);
    let wanted = ["crates/catalog/", "crates/model/", "docs/", "Cargo.toml", "Cargo.lock"];
    for file in text_files(&root()).expect("the repository") {
        if wanted.iter().any(|w| file.path.starts_with(w)) {
            let target = to.join(&file.path);
            fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
            fs::write(target, file.text).expect("a copy");
        }
    }
    let manifest = fs::read_to_string(to.join("Cargo.toml")).expect("the manifest");
    let alone = manifest.lines().filter_map(|line| match line.split_once(" = ") {
        Some(("members", _)) => {
            Some("members = [\"crates/model\", \"crates/catalog\"]\n".to_owned())
        }
        Some(("default-members", _)) => None,
        _ => Some(format!("{line}\n")),
    });
    let alone: String = alone.collect();
    fs::write(to.join("Cargo.toml"), alone).expect("the manifest");
    let git = Command::new("git").args(["init", "-q"]).current_dir(&to).status();
    assert!(git.expect("git").success());
    to
}

fn problems(root: &Path) -> Vec<String> {
    let found = in_files(&text_files(root).expect("the copy")).into_iter();
    found.filter(|p| !p.warning).map(|p| format!("{}: {}", p.path, p.what)).collect()
}

#[test]
fn a_started_kind_compiles_and_tidy_asks_only_for_its_answers() {
    let root = copy("new-failure");
    let before = problems(&root);
    for (id, folder, stem) in [
        ("node-aardvark-met", "node", "aardvark_met"),
        ("zebra-crossing", "wildlife", "zebra_crossing"),
        ("service-zebra-served", "service", "zebra_served"),
        ("control-plane-zebra", "control_plane", "zebra"),
    ] {
        let written = write(&root, id, folder).expect("a new kind");
        let path = format!("crates/catalog/src/{folder}/{stem}.rs");
        assert_eq!(written.first(), Some(&path));
        assert!(write(&root, id, folder).is_err(), "{id} is not written twice");
    }
    let after = problems(&root);
    for problem in after.iter().filter(|p| !before.contains(p)) {
        let expected = [
            "as the template left it",
            "its tests find it in",
            "no test shows a look-alike",
            "docs/failures.md: out of date",
        ];
        assert!(expected.iter().any(|e| problem.contains(e)), "{problem}");
    }
    for stem in ["aardvark_met", "zebra_crossing", "zebra_served", "control_plane/zebra"] {
        let untested = |p: &&String| p.contains(stem) && p.contains("no test shows a look-alike");
        assert_eq!(after.iter().filter(untested).count(), 1, "{stem}");
    }
    assert!(after.iter().any(|p| p.contains("node/aardvark_met.rs: still as the template")));

    let target = std::env::current_exe().expect("this test");
    let target = target.ancestors().nth(2).expect("target/debug").join("new-failure");
    let mut check = cargo();
    check.args(["check", "--quiet", "--offline", "--package", "catalog"]).current_dir(&root);
    let out = check.env("CARGO_TARGET_DIR", target).output().expect("cargo");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    fs::remove_dir_all(root).expect("cleaned up");
}

#[test]
fn names_that_are_no_ids_are_refused() {
    for (id, folder) in
        [("Node-Lost", "node"), ("lost", "node"), ("a-b/../c", "node"), ("node-x", "../node")]
    {
        assert!(write(Path::new("."), id, folder).is_err(), "{id} {folder}");
    }
}

#[test]
fn modules_stay_sorted() {
    let text = "//! Head.\n\nmod b;\npub(crate) mod d;\n\nuse x;\n";
    let with = |name| with_mod(text, "mod ", name);
    assert!(with("a").contains("\nmod a;\nmod b;\n"));
    assert!(with("c").contains("mod b;\nmod c;\npub(crate) mod d;\n"));
    assert!(with("e").contains("mod d;\nmod e;\n\nuse x;"));
    assert_eq!(with_mod("//! Head.\n", "mod ", "a"), "//! Head.\n\nmod a;\n");
}

#[test]
fn each_folder_gets_the_scope_that_fits_it() {
    assert!(filled("a-b", "node").contains("fn detect(_node: &Node, _now: &Snapshot,"));
    assert!(filled("a-b", "pod").contains("fn detect(_app: &App, _now: &Snapshot,"));
    assert!(filled("a-b", "cloud").contains("fn detect(_now: &Snapshot,"));
}

//! Where the checkout is, which files belong to it, and what cargo says of its crates.
//!
//! It must never judge: rules are in `tidy`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The folder of the checkout.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The cargo that runs us, or the one in `PATH`.
pub fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    // `cargo run` tells us about our own package; build scripts that look at it would take that
    // for a change and be built again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// A text file of the repository.
#[derive(Clone, Debug)]
pub struct TextFile {
    /// Relative to the checkout, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// Text files that are tracked or would be: what git ignores is left out, and so is what is
/// not UTF-8.
pub fn text_files(root: &Path) -> Result<Vec<TextFile>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let out = Command::new("git").args(list).current_dir(root).output();
    let out = out.context("cannot start git to list the files of the repository")?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    ensure!(out.status.success(), "git cannot list the files of {}: {said}", root.display());
    let names = String::from_utf8(out.stdout).context("git names a file that is not UTF-8")?;
    let mut files = Vec::new();
    for path in names.split('\0').filter(|n| !n.is_empty()) {
        // A file that is deleted but still in the index is no longer there to be read.
        let Ok(bytes) = std::fs::read(root.join(path)) else { continue };
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(TextFile { path: path.to_owned(), text });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

/// What `cargo metadata` prints.
pub fn metadata(args: &[&str]) -> Result<Value> {
    let mut command = cargo();
    command.args(["metadata", "--format-version", "1"]).args(args);
    let out = command.output().context("cannot start cargo metadata")?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    ensure!(out.status.success(), "cargo metadata failed: {said}");
    serde_json::from_slice(&out.stdout).context("cargo metadata printed no JSON")
}

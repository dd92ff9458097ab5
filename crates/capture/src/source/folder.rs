//! Files and folders: in the order of their names, links followed as files, loops impossible.

use super::Walker;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Opens a path the user named.
pub fn open(walker: &mut Walker<'_>, path: &Path) {
    let name = path.to_string_lossy().into_owned();
    match path.metadata() {
        Ok(meta) if meta.is_dir() => {
            let root = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            let mut seen = BTreeSet::new();
            seen.insert(root.clone());
            folder(walker, path, &mut Walked { root, seen, depth: 0 });
        }
        Ok(_) => file(walker, path),
        Err(e) => walker.skipped(&name, format!("cannot be opened: {e}")),
    }
}

/// Where a walk through a folder has been.
struct Walked {
    /// The folder the user named.
    root: PathBuf,
    /// Real paths of what was opened: nothing is read twice.
    seen: BTreeSet<PathBuf>,
    depth: u16,
}

fn folder(walker: &mut Walker<'_>, path: &Path, walked: &mut Walked) {
    let name = path.to_string_lossy().into_owned();
    if walked.depth > walker.limits.folder_depth {
        return walker.skipped(&name, "folders are nested too deep".to_owned());
    }
    let entries = match path.read_dir() {
        Ok(entries) => entries,
        Err(e) => return walker.skipped(&name, format!("cannot be opened: {e}")),
    };
    let mut paths = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => paths.push(entry.path()),
            Err(e) => walker.skipped(&name, format!("an entry cannot be read: {e}")),
        }
    }
    paths.sort();
    for path in paths {
        member(walker, &path, walked);
    }
}

fn member(walker: &mut Walker<'_>, path: &Path, walked: &mut Walked) {
    let name = path.to_string_lossy().into_owned();
    let (real, meta) = match (path.canonicalize(), path.metadata()) {
        (Ok(real), Ok(meta)) => (real, meta),
        (Err(e), _) | (_, Err(e)) => {
            return walker.skipped(&name, format!("cannot be opened: {e}"));
        }
    };
    // What a link inside the folder points to is read in its own place, under its own name.
    let link = path.symlink_metadata().is_ok_and(|m| m.is_symlink());
    if link && real.starts_with(&walked.root) {
        return;
    }
    if !meta.is_dir() && !meta.is_file() {
        return walker.skipped(&name, "is neither a file nor a folder".to_owned());
    }
    if !walked.seen.insert(real) {
        return;
    }
    if meta.is_dir() {
        walked.depth += 1;
        folder(walker, path, walked);
        walked.depth -= 1;
    } else {
        file(walker, path);
    }
}

fn file(walker: &mut Walker<'_>, path: &Path) {
    let name = path.to_string_lossy().into_owned();
    match File::open(path) {
        Ok(mut file) => walker.stream(&name, &mut file, 0),
        Err(e) => walker.skipped(&name, format!("cannot be opened: {e}")),
    }
}

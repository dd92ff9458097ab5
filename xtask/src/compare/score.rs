//! Holds what the tools said against what was planted.
//!
//! Ours is held to the letter: an incident counts when its cause is on the planted object and has
//! the right mechanism, once. The others are read kindly: any text about the object, or about
//! what belongs to it by its name, counts, and any word for the cause.

use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;

use super::faults::{self, Fault};
use super::lines::{Line, Tool};

/// One planted fault.
pub struct Planted {
    pub fault: &'static Fault,
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

/// Reads all lists of what was planted: `truth*.json`.
pub fn planted(folder: &Path) -> Result<Vec<Planted>> {
    let files = std::fs::read_dir(folder);
    let files = files.with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = Vec::new();
    for file in files {
        let path = file.with_context(|| format!("cannot read {}", folder.display()))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name.starts_with("truth") && name.ends_with(".json") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let say = || format!("{} is no list of planted faults", path.display());
        let list: Value = serde_json::from_str(&std::fs::read_to_string(&path).with_context(say)?)
            .with_context(say)?;
        for row in list.as_array().with_context(say)? {
            all.push(Planted::of(row).with_context(say)?);
        }
    }
    Ok(all)
}

impl Planted {
    fn of(row: &Value) -> Result<Self> {
        let word = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = word("fault");
        let fault = faults::named(&id).with_context(|| format!("{id} is no known fault"))?;
        Ok(Planted { fault, kind: word("kind"), namespace: word("namespace"), name: word("name") })
    }

    /// Whether a line of that tool is about it.
    fn concerns(&self, line: &Line, tool: Tool) -> bool {
        if tool == Tool::Seaworthy {
            let own = line.namespace == self.namespace
                && line.kind == self.kind
                && line.name == self.name;
            let also = format!("{} {}", line.kind, line.name);
            return own || self.fault.objects.contains(&also.as_str());
        }
        // A claim is named after its workload, pods and what owns them too.
        let app = self.name.strip_suffix("-data").unwrap_or(&self.name);
        let rest = line.name.strip_prefix(app);
        line.namespace == self.namespace
            && rest.is_some_and(|r| r.is_empty() || r.starts_with(['-', ':']))
    }

    /// Whether a line about it names the cause.
    fn explained_by(&self, line: &Line, tool: Tool) -> bool {
        match tool {
            Tool::Seaworthy => self.fault.causes.contains(&line.cause.as_str()),
            _ => self.fault.words.iter().any(|w| line.text.contains(w)),
        }
    }
}

/// What a tool said of one fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Lines about its object that are no mere advice.
    pub errors: usize,
    /// Lines about its object.
    pub lines: usize,
    /// Whether one of them names the cause.
    pub cause: bool,
}

impl Said {
    /// Named by one error among advice, or by one line that is no error.
    pub fn is_once(&self) -> bool {
        self.errors == 1 || (self.errors == 0 && self.lines == 1)
    }
}

/// What a tool said of everything.
pub struct Score {
    pub errors: usize,
    pub lines: usize,
    /// In the order of the planted faults.
    pub of: Vec<Said>,
    /// Errors that name no planted fault; of ours every line that does not, or names one again or
    /// wrongly.
    pub beside: Vec<Line>,
}

impl Score {
    /// How many faults are named at all, by one error or one line, and with their cause.
    pub fn named(&self) -> [usize; 3] {
        let count = |holds: fn(&Said) -> bool| self.of.iter().filter(|s| holds(s)).count();
        [count(|s| s.lines > 0), count(Said::is_once), count(|s| s.cause)]
    }
}

/// Holds the lines of a tool against what was planted.
pub fn score(tool: Tool, lines: &[Line], planted: &[Planted]) -> Score {
    let mut of = vec![Said::default(); planted.len()];
    let mut beside = Vec::new();
    for line in lines {
        let mut useful = false;
        for (fault, said) in planted.iter().zip(&mut of) {
            if !fault.concerns(line, tool) {
                continue;
            }
            let explains = fault.explained_by(line, tool);
            useful |= tool != Tool::Seaworthy || (explains && !said.cause);
            said.lines += 1;
            said.errors += usize::from(line.loud);
            said.cause |= explains;
        }
        if !useful && (line.loud || tool == Tool::Seaworthy) {
            beside.push(line.clone());
        }
    }
    let errors = lines.iter().filter(|l| l.loud).count();
    Score { errors, lines: lines.len(), of, beside }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(kind: &str, name: &str, said: &str, loud: bool) -> Line {
        Line {
            kind: kind.to_owned(),
            namespace: "lab".to_owned(),
            name: name.to_owned(),
            text: said.to_owned(),
            cause: said.to_owned(),
            loud,
        }
    }

    #[test]
    fn ours_is_held_to_the_letter_and_the_others_are_read_kindly() {
        let row = json!({"fault": "pvc-pending", "kind": "PersistentVolumeClaim",
            "namespace": "lab", "name": "silo-data"});
        let planted = [Planted::of(&row).unwrap()];
        let right = "claim-pending/storage-class-missing";
        let claim = "PersistentVolumeClaim";
        let ours = [
            line(claim, "silo-data", right, true),
            line("Deployment", "silo", right, true),
            line(claim, "silo-data", right, true),
            line("Deployment", "wheel", "x/y", false),
        ];
        let got = score(Tool::Seaworthy, &ours, &planted);
        assert_eq!(got.of, [Said { errors: 2, lines: 2, cause: true }]);
        assert_eq!((got.errors, got.lines, got.beside.len()), (3, 4, 3));
        assert_eq!(got.named(), [1, 0, 1]);
        let others = [
            line("Pod", "silo-5d4f8c7b9-x2x4z", "is pending", true),
            line("", "silo-data", "storageclass x not found", false),
            line("", "silos", "is pending", true),
        ];
        let got = score(Tool::Popeye, &others, &planted);
        assert_eq!(got.of, [Said { errors: 1, lines: 2, cause: true }]);
        assert_eq!((got.beside.len(), got.named()), (1, [1, 1, 1]));
        assert!(Planted::of(&json!({"fault": "unknown"})).is_err());
    }
}

//! What each tool printed, as lines about objects. It must not know what was planted.

use anyhow::{Context, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A tool whose output is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Seaworthy,
    Popeye,
    K8sgpt,
}

/// All tools, in the order of the table.
pub const TOOLS: [Tool; 3] = [Tool::Seaworthy, Tool::Popeye, Tool::K8sgpt];

impl Tool {
    /// Its name, and that of its recorded output: `NAME.json`, `NAME.time`.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Seaworthy => "seaworthy",
            Tool::Popeye => "popeye",
            Tool::K8sgpt => "k8sgpt",
        }
    }
}

/// Something a person is told about one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Empty where the tool does not say it in the API's words.
    pub kind: String,
    pub namespace: String,
    pub name: String,
    /// In lower case.
    pub text: String,
    /// `failure/mechanism`, of ours.
    pub cause: String,
    /// An error, as opposed to a warning or a piece of advice.
    pub loud: bool,
}

fn output(tool: Tool, folder: &Path) -> PathBuf {
    folder.join(format!("{}.json", tool.name()))
}

/// Whether the folder holds an output of the tool.
pub fn is_recorded(tool: Tool, folder: &Path) -> bool {
    output(tool, folder).is_file()
}

/// Reads the recorded output of a tool.
pub fn read(tool: Tool, folder: &Path) -> Result<Vec<Line>> {
    let path = output(tool, folder);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let value: Value =
        serde_json::from_str(&text).with_context(|| format!("{}: no JSON", path.display()))?;
    let lines = match tool {
        Tool::Seaworthy => seaworthy(&value),
        Tool::Popeye => popeye(&value),
        Tool::K8sgpt => k8sgpt(&value),
    };
    lines.with_context(|| format!("{} is not what {} prints", path.display(), tool.name()))
}

fn word(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// One line an incident: who reads it reads headlines.
fn seaworthy(value: &Value) -> Option<Vec<Line>> {
    let incidents = value.get("incidents")?.as_array()?.iter();
    let line = |incident: &Value| Line {
        kind: word(incident, "/cause/object/kind"),
        namespace: word(incident, "/cause/object/namespace"),
        name: word(incident, "/cause/object/name"),
        text: word(incident, "/headline").to_lowercase(),
        cause: format!(
            "{}/{}",
            word(incident, "/cause/failure"),
            word(incident, "/cause/mechanism")
        ),
        loud: word(incident, "/severity") != "note",
    };
    Some(incidents.map(line).collect())
}

/// `section > object > issues`, each issue with a level of 0 to 3.
fn popeye(value: &Value) -> Option<Vec<Line>> {
    const ERROR: u64 = 3;
    let mut lines = Vec::new();
    for section in value.pointer("/popeye/sections")?.as_array()? {
        let Some(objects) = section.get("issues").and_then(Value::as_object) else { continue };
        for (object, issues) in objects {
            let (namespace, name) = object.split_once('/').unwrap_or(("", object));
            for issue in issues.as_array().into_iter().flatten() {
                lines.push(Line {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    text: word(issue, "/message").to_lowercase(),
                    loud: issue.get("level").and_then(Value::as_u64) == Some(ERROR),
                    ..Line::default()
                });
            }
        }
    }
    Some(lines)
}

/// Results with texts; all are problems.
fn k8sgpt(value: &Value) -> Option<Vec<Line>> {
    let mut lines = Vec::new();
    // Without any problem the list is null.
    for result in value.get("results")?.as_array().into_iter().flatten() {
        let object = word(result, "/name");
        let (namespace, name) = object.split_once('/').unwrap_or(("", &object));
        for error in result.get("error").and_then(Value::as_array).into_iter().flatten() {
            lines.push(Line {
                kind: word(result, "/kind"),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                text: word(error, "/Text").to_lowercase(),
                loud: true,
                ..Line::default()
            });
        }
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_tool_is_read() {
        let ours = json!({"incidents": [{"severity": "page", "headline": "A", "cause": {
            "failure": "f", "mechanism": "m",
            "object": {"kind": "Service", "namespace": "n", "name": "s"}}}]});
        let line = &seaworthy(&ours).unwrap()[0];
        assert_eq!((line.cause.as_str(), line.kind.as_str(), line.loud), ("f/m", "Service", true));
        let popeye_says = json!({"popeye": {"sections": [{"linter": "pods"}, {"issues": {
            "n/p": [{"level": 3, "message": "[POP-1] A"}, {"level": 1, "message": "b"}],
            "node-1": [{"level": 2, "message": "c"}]}}]}});
        let lines = popeye(&popeye_says).unwrap();
        let got: Vec<_> = lines.iter().map(|l| (l.name.as_str(), l.loud)).collect();
        assert_eq!(got, [("p", true), ("p", false), ("node-1", false)]);
        let others = json!({"results": [{"kind": "Pod", "name": "n/p",
            "error": [{"Text": "A"}, {"Text": "B"}]}]});
        assert_eq!(k8sgpt(&others).unwrap().len(), 2);
        assert_eq!(k8sgpt(&json!({"results": null})).unwrap(), []);
        assert_eq!(k8sgpt(&json!({})), None);
    }
}

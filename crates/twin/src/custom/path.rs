//! JSON paths as definitions use them: `.spec.a`, `['b']`, `[0]`, `[*]`, `[?(@.type=="Ready")]`.

use serde_json::{Map, Value};

/// Longer paths find nothing.
const MOST_STEPS: usize = 64;

/// A path from the root of an object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path(Vec<Step>);

#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Index(i64),
    All,
    Where { key: Vec<String>, equals: String },
}

impl Path {
    /// `None` where it does not read.
    pub fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        while !rest.is_empty() {
            if steps.len() > MOST_STEPS {
                return None;
            }
            let (step, tail) = match rest.strip_prefix('.') {
                Some(tail) if tail.starts_with('[') => bracket(tail)?,
                Some(tail) => name(tail)?,
                None => bracket(rest)?,
            };
            steps.push(step);
            rest = tail;
        }
        Some(Self(steps))
    }

    /// Whether it only names fields.
    pub fn is_simple(&self) -> bool {
        self.0.iter().all(|step| matches!(step, Step::Key(_)))
    }

    /// What it finds.
    pub fn find<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![root];
        for step in &self.0 {
            found = found.into_iter().flat_map(|value| step.within(value)).collect();
        }
        found
    }

    /// Sets a field by a path of names.
    pub fn set(&self, root: &mut Value, value: Value) {
        let mut at = root;
        for step in &self.0 {
            let Step::Key(key) = step else { return };
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[key.as_str()];
        }
        *at = value;
    }
}

impl Step {
    fn within<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match self {
            Self::Key(key) => value.get(key).into_iter().collect(),
            Self::Index(index) => {
                let Some(list) = value.as_array() else { return Vec::new() };
                let length = i64::try_from(list.len()).unwrap_or(i64::MAX);
                let at = if *index < 0 { length.saturating_add(*index) } else { *index };
                usize::try_from(at).ok().and_then(|at| list.get(at)).into_iter().collect()
            }
            Self::All => match value {
                Value::Array(list) => list.iter().collect(),
                Value::Object(map) => map.values().collect(),
                _ => Vec::new(),
            },
            Self::Where { key, equals } => {
                let list = value.as_array().into_iter().flatten();
                let is = |item: &&Value| {
                    let found = key.iter().try_fold(*item, |at, key| at.get(key));
                    found.is_some_and(|found| match found {
                        Value::String(text) => text == equals,
                        other => format!("{other}") == *equals,
                    })
                };
                list.filter(is).collect()
            }
        }
    }
}

/// A field's name up to the next dot or bracket; a backslash takes the next sign as it is.
fn name(text: &str) -> Option<(Step, &str)> {
    let mut key = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\\' => key.push(signs.next()?.1),
            '.' | '[' => return (!key.is_empty()).then_some((keyed(key), text.get(at..)?)),
            _ => key.push(sign),
        }
    }
    (!key.is_empty()).then_some((keyed(key), ""))
}

fn keyed(key: String) -> Step {
    if key == "*" { Step::All } else { Step::Key(key) }
}

fn bracket(text: &str) -> Option<(Step, &str)> {
    let (inside, rest) = text.strip_prefix('[')?.split_once(']')?;
    let inside = inside.trim();
    if inside == "*" {
        return Some((Step::All, rest));
    }
    if let Some(quoted) = unquoted(inside) {
        return Some((Step::Key(quoted.to_owned()), rest));
    }
    if let Some(filter) = inside.strip_prefix("?(").and_then(|f| f.strip_suffix(')')) {
        let (left, right) = filter.split_once("==")?;
        let key = left.trim().strip_prefix("@.")?;
        let key = key.split('.').map(str::to_owned).collect();
        let right = right.trim();
        let equals = unquoted(right).unwrap_or(right).to_owned();
        return Some((Step::Where { key, equals }, rest));
    }
    Some((Step::Index(inside.parse().ok()?), rest))
}

fn unquoted(text: &str) -> Option<&str> {
    let of = |quote: char| text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote));
    of('\'').or_else(|| of('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(path: &str, found: Value) {
        let object = json!({
            "spec": {"a": 1, "b.c": [5, 6, 7]},
            "status": {"conditions": [
                {"type": "Ready", "status": "True"}, {"type": "Old", "status": "False"},
            ]},
        });
        let parsed = Path::parse(path).unwrap();
        let all: Value = parsed.find(&object).into_iter().cloned().collect();
        assert_eq!(all, found, "{path}");
    }

    #[test]
    fn paths_find_what_they_name() {
        check(".spec.a", json!([1]));
        check(".spec.b\\.c[0]", json!([5]));
        check(".spec['b.c'][-1]", json!([7]));
        check(".spec.b\\.c[*]", json!([5, 6, 7]));
        check(".status.conditions[?(@.type==\"Ready\")].status", json!(["True"]));
        check(".spec.none.deep", json!([]));
    }

    #[test]
    fn broken_paths_do_not_read() {
        for path in ["spec", ".", "..a", ".a[", ".a[x]", ".a[?(@.b)]"] {
            assert!(Path::parse(path).is_none(), "{path}");
        }
    }
}

//! Label selectors as kubectl takes them: `app=web,tier!=db,zone in (a,b),!canary`.

use model::{Labels, List, Requirement, Selector, Text};

/// Reads a selector.
///
/// # Errors
/// A sentence that names the part that is none.
pub(super) fn parse(text: &str) -> Result<Selector, String> {
    let requirements: Vec<Requirement> =
        parts(text).into_iter().map(requirement).collect::<Result<_, _>>()?;
    Ok(Selector { match_labels: Labels::default(), match_expressions: requirements.into() })
}

/// Splits at commas outside parentheses.
fn parts(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let split = text.split(move |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    split.map(str::trim).filter(|p| !p.is_empty()).collect()
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let make = |key: &str, operator: &str, values: Vec<&str>| {
        let key = key.trim();
        let good = !key.is_empty() && !key.contains([' ', '(', ')', '=', '!', ',']);
        let values: List<Text> = values.into_iter().map(|v| Text::from(v.trim())).collect();
        good.then(|| Requirement { key: key.into(), operator: operator.into(), values })
    };
    let set = |operator: &str| {
        let (key, rest) = part.split_once(&format!(" {operator} "))?;
        let values = rest.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some((key, values.split(',').collect::<Vec<_>>()))
    };
    let made = if let Some((key, values)) = set("in") {
        make(key, "In", values)
    } else if let Some((key, values)) = set("notin") {
        make(key, "NotIn", values)
    } else if let Some((key, value)) = part.split_once("!=") {
        make(key, "NotIn", vec![value])
    } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        make(key, "In", vec![value])
    } else if let Some(key) = part.strip_prefix('!') {
        make(key, "DoesNotExist", Vec::new())
    } else {
        make(part, "Exists", Vec::new())
    };
    made.ok_or_else(|| format!("`{part}` is not a label selector such as app=web"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read_as_kubectl_reads_them() {
        let labels: Labels = [("app", "web"), ("zone", "a")].into_iter().collect();
        for (text, want) in [
            ("app=web", true),
            ("app==web,zone=a", true),
            ("app=db", false),
            ("app!=db", true),
            ("zone in (a, b),app", true),
            ("zone notin (a,b)", false),
            ("!canary", true),
            ("canary", false),
            ("", true),
        ] {
            assert_eq!(parse(text).unwrap().matches(&labels), want, "{text}");
        }
        for text in ["=web", "a b", "zone in a", "(a)"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

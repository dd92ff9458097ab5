//! Tells the form of a document from its first bytes, never from its name.
//!
//! It only chooses the reader. A wrong choice must cost no evidence: the JSON reader hands text
//! it meets to the text reader, and a YAML file without any object is read as text.

/// The reader a document needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JSON of any shape, also several values.
    Json,
    /// YAML documents.
    Yaml,
    /// A table of measurements with commas, semicolons or tabs.
    Csv,
    /// Text for people.
    Text,
    /// Bytes that are no text.
    Binary,
    /// Nothing but white space.
    Empty,
}

impl Form {
    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Form::Json => "json",
            Form::Yaml => "yaml",
            Form::Csv => "csv",
            Form::Text => "text",
            Form::Binary => "binary",
            Form::Empty => "empty",
        }
    }
}

/// The form of a document that begins with `head` (UTF-8, without byte order mark).
pub fn form(head: &[u8]) -> Form {
    let trimmed = head.trim_ascii_start();
    if trimmed.is_empty() {
        return Form::Empty;
    }
    if is_json(trimmed) {
        return Form::Json;
    }
    if is_binary(head) {
        return Form::Binary;
    }
    let text = String::from_utf8_lossy(head);
    if is_yaml(&text) {
        Form::Yaml
    } else if is_csv(&text) {
        Form::Csv
    } else {
        Form::Text
    }
}

/// `[` may also begin a log line (`[INFO] ...`), so what follows must fit too.
fn is_json(bytes: &[u8]) -> bool {
    let second = bytes.get(1..).unwrap_or_default().trim_ascii_start().first();
    match bytes.first() {
        Some(b'{') => matches!(second, Some(b'"' | b'}')),
        Some(b'[') => matches!(second, Some(b'{' | b'"' | b'[' | b']')),
        _ => false,
    }
}

/// Some NULs are seen in logs of crashed machines; a text of them is no text.
fn is_binary(head: &[u8]) -> bool {
    let odd = head.iter().filter(|b| **b < 7 || (14..27).contains(*b)).count();
    odd * 10 > head.len()
}

/// YAML with objects: the first line that says something is a key or a list of mappings, and
/// `apiVersion` or `kind` stands where keys of an object stand.
fn is_yaml(text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with('%'));
    let marked = text.trim_start().starts_with("---");
    let Some(first) = lines.clone().find(|line| !line.starts_with("---")) else {
        return marked;
    };
    if first.starts_with("{") && marked {
        return true;
    }
    let first = first.strip_prefix("- ").unwrap_or(first).trim_start();
    if !is_key(first) {
        return false;
    }
    lines.any(|line| {
        let line = line.trim_start_matches([' ', '-']);
        (line.starts_with("apiVersion:") || line.starts_with("kind:")) && is_key(line)
    })
}

/// `name:` or `name: value`; not `Name:         cart`, as `describe` prints it.
fn is_key(line: &str) -> bool {
    let Some((key, rest)) = line.split_once(':') else { return false };
    let key = key.trim_matches(['"', '\'']);
    let plain = key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b));
    plain && (rest.is_empty() || rest.starts_with(' ')) && !rest.starts_with("   ")
}

/// A header of several names and rows of as many cells, with numbers in them.
fn is_csv(text: &str) -> bool {
    let mut lines = text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#'));
    let Some(header) = lines.next() else { return false };
    for separator in [',', ';', '\t'] {
        let cells: Vec<&str> = header.split(separator).collect();
        let named = |c: &&str| {
            let c = c.trim().trim_matches('"');
            c.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '@') && c.len() < 256
        };
        if cells.len() < 2 || !cells.iter().all(named) {
            continue;
        }
        let Some(row) = lines.clone().next() else { return false };
        let row: Vec<&str> = row.split(separator).collect();
        let number = |c: &&str| c.trim().trim_matches('"').parse::<f64>().is_ok();
        // The head may end inside the first row.
        if row.len() <= cells.len() && row.len() >= 2 && row.iter().any(number) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (head, want) in [
            ("", Form::Empty),
            (" \r\n\t", Form::Empty),
            ("{\"kind\":", Form::Json),
            ("\n [ {\"a\"", Form::Json),
            ("{}", Form::Json),
            ("[INFO] starting", Form::Text),
            ("[2026-03-01] up", Form::Text),
            ("{app=\"x\"} 3", Form::Text),
            ("---\napiVersion: v1\nitems: []\nkind: PodList\n", Form::Yaml),
            ("# made by x\n\nkind: Pod\n", Form::Yaml),
            ("- apiVersion: v1\n  kind: Pod\n", Form::Yaml),
            ("action: Scheduling\napiVersion: v1\n", Form::Yaml),
            ("---\n{\"kind\": \"Pod\"}\n", Form::Yaml),
            ("Name:         web\nNamespace:    shop\nkind: x\n", Form::Text),
            ("name: web\nport: 80\n", Form::Text),
            ("$ kubectl get pod -o yaml\napiVersion: v1\nkind: Pod\n", Form::Text),
            ("time,a-cpu,b-cpu\n2026-03-01 10:00:00,1,2\n", Form::Csv),
            ("time\tcpu\n1\t2\n", Form::Csv),
            ("hello, world\nit is, 3\n", Form::Csv),
            ("hello, world\nno numbers, here\n", Form::Text),
            ("NAME   READY\nweb    1/1\n", Form::Text),
            ("\0\u{1}\u{2}\u{3}", Form::Binary),
        ] {
            assert_eq!(form(head.as_bytes()), want, "{head:?}");
        }
    }
}

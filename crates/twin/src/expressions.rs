//! The Common Expression Language as policies speak it: its functions, values and errors.
//!
//! Must never know what an expression is about. Expressions come from clients: what is too large
//! or too deep is refused before it is read.

use std::sync::{Arc, LazyLock};

use cel::{Context, Env, ExecutionError, Program, extensions};
use serde_json::Value;

/// Longer expressions are not read.
const MOST_BYTES: usize = 16 << 10;
/// Nor those with more brackets or operators inside each other.
const DEEPEST: usize = 64;

static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    for extension in [extensions::strings, extensions::lists, extensions::math] {
        // What is declared twice stays as it was declared first.
        drop(env.add_extension(extension));
    }
    Arc::new(env)
});

/// An expression that has been read.
#[derive(Debug)]
pub(crate) struct Expression {
    text: String,
    program: Program,
}

impl Expression {
    pub fn read(text: &str) -> Result<Self, String> {
        let program = compile(text)?;
        Ok(Self { text: text.trim().to_owned(), program })
    }

    /// Its value where these names are known.
    pub fn value(&self, known: &Context<'_, '_>) -> Result<cel::Value, String> {
        self.program.execute(known).map_err(|error| {
            let why = told(&error);
            format!("expression '{}' resulted in error: {why}", self.text)
        })
    }

    /// The type of its value, if it is the same whatever is known.
    pub fn literal_type(&self) -> Option<&'static str> {
        // What could take long is not tried.
        let is_plain = !self.text.contains(['(', '[', '{']);
        if !is_plain || !self.program.references().variables().is_empty() {
            return None;
        }
        Some(match self.program.execute(&context()).ok()? {
            cel::Value::Bool(_) => "bool",
            cel::Value::Int(_) => "int",
            cel::Value::UInt(_) => "uint",
            cel::Value::Float(_) => "double",
            cel::Value::String(_) => "string",
            cel::Value::Null => "null_type",
            _ => return None,
        })
    }

    /// The names that it uses and nobody declares, in the words of the reader.
    pub fn undeclared(&self, known: &[&str]) -> Option<String> {
        let references = self.program.references();
        let mut names: Vec<&str> = references.variables();
        names.retain(|name| !known.contains(name) && !binds(&self.text, name));
        let mut places: Vec<(usize, &str)> =
            names.iter().filter_map(|name| Some((place(&self.text, name)?, *name))).collect();
        places.sort_unstable();
        let told: Vec<String> =
            places.iter().map(|(at, name)| error(&self.text, *at, name)).collect();
        (!told.is_empty()).then(|| told.join("\n"))
    }

    /// Whether it uses a name.
    pub fn uses(&self, name: &str) -> bool {
        self.program.references().has_variable(name)
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Reads an expression.
pub(crate) fn compile(text: &str) -> Result<Program, String> {
    if text.len() > MOST_BYTES || depth(text) > DEEPEST {
        return Err("the expression is too large".into());
    }
    // The excerpt of the source stands a little to the right in the server's words.
    let told = |errors: cel::ParseErrors| errors.to_string().replace("\n|", "\n |");
    ENV.compile(text).map_err(told)
}

/// Whether a macro such as `all(x, ...)` makes the name known where it is used.
fn binds(text: &str, name: &str) -> bool {
    let mut openings = text.split('(').skip(1);
    openings.any(|rest| {
        let rest = rest.trim_start().strip_prefix(name);
        rest.is_some_and(|rest| rest.trim_start().starts_with(','))
    })
}

/// Where a name stands by itself.
fn place(text: &str, name: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let alone = |(at, found): &(usize, &str)| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
        !before.is_some_and(|c| part(c) || c == '.') && !after.is_some_and(part)
    };
    text.match_indices(name).find(alone).map(|(at, _)| at)
}

fn error(text: &str, at: usize, name: &str) -> String {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count());
    let shown = text.lines().nth(line).unwrap_or_default();
    let dots = ".".repeat(column);
    let place = format!("{}:{}", line + 1, column + 1);
    let why = format!("undeclared reference to '{name}' (in container '')");
    format!("ERROR: <input>:{place}: {why}\n | {shown}\n | {dots}^")
}

/// A context that knows the functions and no names yet.
pub(crate) fn context<'v>() -> Context<'v, 'v> {
    Context::with_env(Arc::clone(&ENV))
}

/// A value of the API as expressions see it.
pub(crate) fn value_of(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(flag) => cel::Value::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => cel::Value::Int(whole),
            None => cel::Value::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(list) => cel::Value::List(Arc::new(list.iter().map(value_of).collect())),
        Value::Object(map) => {
            let members =
                map.iter().map(|(key, of)| (cel::objects::Key::from(key.clone()), value_of(of)));
            cel::Value::Map(cel::objects::Map { map: Arc::new(members.collect()) })
        }
    }
}

/// The words of the API server for what went wrong.
fn told(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::DivisionByZero(_) => "division by zero".into(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".into(),
        ExecutionError::IndexOutOfBounds(index) => match index {
            cel::Value::Int(index) => format!("index out of bounds: {index}"),
            other => format!("index out of bounds: {other:?}"),
        },
        ExecutionError::NoSuchOverload(_) => "no such overload".into(),
        other => other.to_string(),
    }
}

/// How deep brackets stand inside each other, at least.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '(' | '[' | '{' | '!' | '-' | '?' => now += 1,
            ')' | ']' | '}' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ask(text: &str) -> Result<cel::Value, String> {
        let mut known = context();
        let object = json!({"spec": {"replicas": 3, "names": ["a", "b"]}, "x": null});
        known.add_variable_from_value("object", value_of(&object));
        Expression::read(text)?.value(&known)
    }

    #[test]
    fn expressions_are_answered() {
        for text in [
            "object.spec.replicas == 3",
            "has(object.spec.replicas) && !has(object.spec.other)",
            "object.spec.names.all(n, n.startsWith('a') || n == 'b')",
            "object.spec.names.join(',') == 'a,b'",
            "'%s-%d'.format(['a', 1]) == 'a-1'",
            "'Ab'.lowerAscii().matches('^a')",
            "object.x == null",
        ] {
            assert_eq!(ask(text), Ok(cel::Value::Bool(true)), "{text}");
        }
    }

    #[test]
    fn errors_are_told_in_the_servers_words() {
        let missing = "expression 'object.spec.other' resulted in error: no such key: other";
        assert_eq!(ask("object.spec.other").unwrap_err(), missing);
        let read = |text: &str| Expression::read(text).unwrap().undeclared(&["object"]);
        let told = "ERROR: <input>:1:11: undeclared reference to 'foo' (in container '')\n | \
             object == foo.a\n | ..........^";
        assert_eq!(read("object == foo.a").as_deref(), Some(told));
        assert_eq!(read("object.foo.all(x, x > 0)"), None);
        assert!(ask("object.").is_err());
        assert!(ask(&"(".repeat(100)).is_err());
    }
}

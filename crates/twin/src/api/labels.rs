//! Label selectors as text: read word by word, refused in the words of the server's reader.

use crate::kinds::validate;
use crate::registry::Failure;

use serde_json::Value;

use super::selector::Rule;

/// A word of a selector.
#[derive(Debug, Clone, PartialEq)]
enum Word {
    Name(String),
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 9] = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"];

impl Word {
    fn text(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Sign(sign) => sign,
            Self::End => "",
        }
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self, Self::Sign(own) if *own == sign)
    }

    /// Whether a requirement begins with it.
    fn begins(&self) -> bool {
        matches!(self, Self::Name(_)) || self.is("!")
    }
}

fn words(text: &str) -> Vec<Word> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let word = match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => {
                rest = rest.get(sign.len()..).unwrap_or_default();
                Word::Sign(sign)
            }
            None => {
                let ends = |c: char| c.is_whitespace() || "=!(),<>".contains(c);
                let (name, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                rest = after;
                Word::Name(name.to_owned())
            }
        };
        all.push(word);
        rest = rest.trim_start();
    }
    all
}

/// The terms of a label selector.
pub(super) fn parse(text: &str) -> Result<Vec<Rule>, Failure> {
    let words = words(text);
    let mut reader = Reader { words: &words, at: 0 };
    let mut rules = Vec::new();
    loop {
        let first = reader.peek();
        if first == Word::End {
            return Ok(rules);
        }
        if !first.begins() {
            return Err(found(&first, ", expected: !, identifier, or 'end of string'"));
        }
        let rule = reader.requirement().and_then(checked);
        let told = |why| Failure::bad_request(format!("unable to parse requirement: {why}"));
        rules.push(rule.map_err(told)?);
        match reader.take() {
            Word::End => return Ok(rules),
            comma if comma.is(",") => {
                let next = reader.peek();
                if !next.begins() {
                    return Err(found(&next, ", expected: identifier after ','"));
                }
            }
            other => return Err(found(&other, ", expected: ',' or 'end of string'")),
        }
    }
}

fn found(word: &Word, expected: &str) -> Failure {
    Failure::bad_request(told(word, expected))
}

fn told(word: &Word, expected: &str) -> String {
    format!("found '{}'{expected}", word.text())
}

struct Reader<'a> {
    words: &'a [Word],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Word {
        self.words.get(self.at).cloned().unwrap_or(Word::End)
    }

    fn take(&mut self) -> Word {
        let word = self.peek();
        self.at += 1;
        word
    }

    fn requirement(&mut self) -> Result<Rule, String> {
        let mut word = self.take();
        let absent = word.is("!");
        if absent {
            word = self.take();
        }
        let Word::Name(key) = word else { return Err(told(&word, ", expected: identifier")) };
        if let [first, ..] = validate::qualified(&key).as_slice() {
            return Err(invalid("<nil>", &key, first));
        }
        let next = self.peek();
        if next == Word::End || next.is(",") {
            return Ok(if absent { Rule::Absent(key) } else { Rule::Exists(key) });
        }
        let operator = self.take();
        match operator.text() {
            "in" => Ok(Rule::In(key, self.values()?)),
            "notin" => Ok(Rule::NotIn(key, self.values()?)),
            "=" | "==" => Ok(Rule::In(key, vec![self.value()?])),
            "!=" => Ok(Rule::NotIn(key, vec![self.value()?])),
            sign @ (">" | "<") => {
                let value = self.value()?;
                let why = "for 'Gt', 'Lt' operators, the value must be an integer";
                let number = value.parse().map_err(|_| invalid("values[0]", &value, why))?;
                Ok(Rule::Bound(key, sign == ">", number))
            }
            _ => Err(told(&operator, ", expected: in, notin, =, ==, !=, gt, lt")),
        }
    }

    /// One value; "" where nothing stands.
    fn value(&mut self) -> Result<String, String> {
        let next = self.peek();
        if next == Word::End || next.is(",") {
            return Ok(String::new());
        }
        match self.take() {
            Word::Name(value) => Ok(value),
            other => Err(told(&other, ", expected: identifier")),
        }
    }

    /// Values in parentheses.
    fn values(&mut self) -> Result<Vec<String>, String> {
        let open = self.take();
        if !open.is("(") {
            return Err(told(&open, " expected: '('"));
        }
        let mut values = Vec::new();
        loop {
            match self.take() {
                Word::Name(value) => {
                    values.push(value);
                    let next = self.take();
                    if next.is(")") {
                        break;
                    }
                    if !next.is(",") {
                        return Err(told(&next, ", expected: ',' or ')'"));
                    }
                    if self.peek().is(")") {
                        values.push(String::new());
                    }
                }
                close if close.is(")") => {
                    if values.is_empty() {
                        values.push(String::new());
                    }
                    break;
                }
                comma if comma.is(",") => values.push(String::new()),
                other if values.is_empty() => {
                    return Err(told(&other, ", expected: ',', ')' or identifier"));
                }
                other => return Err(told(&other, ", expected: ',', or identifier")),
            }
        }
        values.sort();
        values.dedup();
        Ok(values)
    }
}

/// A rule whose values labels can have.
fn checked(rule: Rule) -> Result<Rule, String> {
    let (Rule::In(key, values) | Rule::NotIn(key, values)) = &rule else { return Ok(rule) };
    for (index, value) in values.iter().enumerate() {
        if let [first, ..] = validate::label_value(value).as_slice() {
            return Err(invalid(&format!("values[{index}][{key}]"), value, first));
        }
    }
    Ok(rule)
}

fn invalid(place: &str, value: &str, why: &str) -> String {
    format!("{place}: Invalid value: {}: {why}", Value::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_in_the_servers_words() {
        for (text, why) in [
            (
                "a>x",
                "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' \
                operators, the value must be an integer",
            ),
            ("=x", "found '=', expected: !, identifier, or 'end of string'"),
            (",", "found ',', expected: !, identifier, or 'end of string'"),
            (
                "a b",
                "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
            ),
            ("a in x", "unable to parse requirement: found 'x' expected: '('"),
            ("a in (x", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("a,", "found '', expected: identifier after ','"),
            ("!", "unable to parse requirement: found '', expected: identifier"),
            ("a===b", "unable to parse requirement: found '=', expected: identifier"),
            ("a=b!c", "found '!', expected: ',' or 'end of string'"),
        ] {
            assert_eq!(parse(text).unwrap_err().message, why, "{text}");
        }
        for text in ["", " ", "a", "!a,b=", "a in (x, y),b notin ()", "a>5", "in in (in)", "a!=b"] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}

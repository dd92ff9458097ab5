//! An OpenAPI v2 document in the protobuf form that old clients read.

use serde_json::Value;

/// A message that is being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn bytes(&mut self, tag: u64, bytes: &[u8]) {
        self.varint(tag << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A text, or each of a list of texts; nothing where there is none.
    fn text(mut self, tag: u64, value: &Value) -> Self {
        match value {
            Value::String(text) => self.bytes(tag, text.as_bytes()),
            Value::Array(list) => {
                let texts = list.iter().filter_map(Value::as_str);
                texts.for_each(|text| self.bytes(tag, text.as_bytes()));
            }
            _ => {}
        }
        self
    }

    fn flag(mut self, tag: u64, value: &Value) -> Self {
        if value == true {
            self.varint(tag << 3);
            self.varint(1);
        }
        self
    }

    fn number(mut self, tag: u64, value: &Value) -> Self {
        if let Some(number) = value.as_f64() {
            self.varint(tag << 3 | 1);
            self.0.extend_from_slice(&number.to_le_bytes());
        }
        self
    }

    fn part(mut self, tag: u64, part: Self) -> Self {
        self.bytes(tag, &part.0);
        self
    }

    /// What is made of the value, if there is one.
    fn maybe(self, tag: u64, value: &Value, make: impl Fn(&Value) -> Self) -> Self {
        if value.is_null() { self } else { self.part(tag, make(value)) }
    }

    fn each(self, tag: u64, list: &Value, make: impl Fn(&Value) -> Self) -> Self {
        let list = list.as_array().into_iter().flatten();
        list.fold(self, |message, item| message.part(tag, make(item)))
    }

    /// Members of a map, each a message of name and value.
    fn named(self, tag: u64, map: &Value, make: impl Fn(&Value) -> Self) -> Self {
        let map = map.as_object().into_iter().flatten();
        map.fold(self, |message, (name, value)| message.named_one(tag, name, make(value)))
    }

    fn named_one(self, tag: u64, name: &str, value: Self) -> Self {
        let mut pair = Self::default();
        pair.bytes(1, name.as_bytes());
        self.part(tag, pair.part(2, value))
    }

    /// The members whose names begin with `x-`.
    fn extensions(self, tag: u64, of: &Value) -> Self {
        let map = of.as_object().into_iter().flatten();
        let own = map.filter(|(name, _)| name.starts_with("x-"));
        own.fold(self, |message, (name, value)| message.named_one(tag, name, any(value)))
    }
}

/// Anything, as text: every JSON text is a YAML text.
fn any(value: &Value) -> Message {
    let mut message = Message::default();
    message.bytes(2, format!("{value}\n").as_bytes());
    message
}

pub(super) fn document(of: &Value) -> Vec<u8> {
    let info = |info: &Value| {
        Message::default().text(1, &info["title"]).text(2, &info["version"]).extensions(7, info)
    };
    let paths = |paths: &Value| Message::default().named(2, paths, path_item);
    let schemas = |all: &Value| Message::default().named(1, all, schema);
    let parameters = |all: &Value| Message::default().named(1, all, parameter);
    let security =
        |one: &Value| Message::default().named(1, one, |names| Message::default().text(1, names));
    let key = |key: &Value| {
        let key = Message::default()
            .text(1, &key["type"])
            .text(2, &key["name"])
            .text(3, &key["in"])
            .text(4, &key["description"]);
        Message::default().part(2, key)
    };
    let written = Message::default()
        .text(1, &of["swagger"])
        .maybe(2, &of["info"], info)
        .maybe(8, &of["paths"], paths)
        .maybe(9, &of["definitions"], schemas)
        .maybe(10, &of["parameters"], parameters)
        .each(12, &of["security"], security)
        .maybe(13, &of["securityDefinitions"], |all| Message::default().named(1, all, key))
        .extensions(16, of);
    written.0
}

fn path_item(of: &Value) -> Message {
    let verbs = ["get", "put", "post", "delete", "options", "head", "patch"];
    let written = (2..)
        .zip(verbs)
        .fold(Message::default(), |message, (tag, verb)| message.maybe(tag, &of[verb], operation));
    written.each(9, &of["parameters"], parameters_item).extensions(10, of)
}

fn operation(of: &Value) -> Message {
    let response = |response: &Value| {
        let schema_item = |of: &Value| Message::default().part(1, schema(of));
        let told = Message::default()
            .text(1, &response["description"])
            .maybe(2, &response["schema"], schema_item)
            .extensions(5, response);
        Message::default().part(1, told)
    };
    Message::default()
        .text(1, &of["tags"])
        .text(2, &of["summary"])
        .text(3, &of["description"])
        .text(5, &of["operationId"])
        .text(6, &of["produces"])
        .text(7, &of["consumes"])
        .each(8, &of["parameters"], parameters_item)
        .maybe(9, &of["responses"], |all| Message::default().named(1, all, response))
        .text(10, &of["schemes"])
        .flag(11, &of["deprecated"])
        .extensions(13, of)
}

fn parameters_item(of: &Value) -> Message {
    match of.get("$ref") {
        Some(path) => Message::default().part(2, Message::default().text(1, path)),
        None => Message::default().part(1, parameter(of)),
    }
}

fn parameter(of: &Value) -> Message {
    if of["in"] == "body" {
        let body = Message::default()
            .text(1, &of["description"])
            .text(2, &of["name"])
            .text(3, &of["in"])
            .flag(4, &of["required"])
            .maybe(5, &of["schema"], schema)
            .extensions(6, of);
        return Message::default().part(1, body);
    }
    let common = Message::default()
        .flag(1, &of["required"])
        .text(2, &of["in"])
        .text(3, &of["description"])
        .text(4, &of["name"]);
    let (place, own) = match of["in"].as_str() {
        Some("query") => {
            let own = common.text(6, &of["type"]).text(7, &of["format"]);
            (3, own.flag(20, &of["uniqueItems"]).extensions(23, of))
        }
        other => {
            let own = common.text(5, &of["type"]).text(6, &of["format"]);
            let place = if other == Some("header") { 1 } else { 4 };
            (place, own.flag(19, &of["uniqueItems"]).extensions(22, of))
        }
    };
    Message::default().part(2, Message::default().part(place, own))
}

fn schema(of: &Value) -> Message {
    let additional = |of: &Value| match of {
        Value::Bool(_) => Message::default().flag(2, of),
        of => Message::default().part(1, schema(of)),
    };
    Message::default()
        .text(1, &of["$ref"])
        .text(2, &of["format"])
        .text(3, &of["title"])
        .text(4, &of["description"])
        .maybe(5, &of["default"], any)
        .number(7, &of["maximum"])
        .number(9, &of["minimum"])
        .text(13, &of["pattern"])
        .flag(16, &of["uniqueItems"])
        .text(19, &of["required"])
        .each(20, &of["enum"], any)
        .maybe(21, &of["additionalProperties"], additional)
        .maybe(22, &of["type"], |kinds| Message::default().text(1, kinds))
        .maybe(23, &of["items"], |of| Message::default().part(1, schema(of)))
        .each(24, &of["allOf"], schema)
        .maybe(25, &of["properties"], |all| Message::default().named(1, all, schema))
        .flag(27, &of["readOnly"])
        .extensions(31, of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_smallest_document_is_as_clients_know_it() {
        assert_eq!(document(&json!({"swagger": "2.0"})), b"\x0a\x032.0");
    }

    #[test]
    fn a_definition_is_named_and_typed() {
        let definitions = json!({"A": {
            "type": "object", "x-kubernetes-patch-strategy": "merge",
            "properties": {"b": {"$ref": "#/definitions/B"}},
        }});
        let written = document(&json!({"definitions": definitions}));
        let kind = b"\xb2\x01\x08\x0a\x06object";
        let member = b"\xca\x01\x18\x0a\x16\x0a\x01b\x12\x11\x0a\x0f#/definitions/B";
        let extension =
            b"\xfa\x01\x29\x0a\x1bx-kubernetes-patch-strategy\x12\x0a\x12\x08\"merge\"\n";
        let own = [&kind[..], &member[..], &extension[..]].concat();
        let length = u8::try_from(own.len()).unwrap();
        let named = [b"\x0a\x01A\x12", &[length][..], &own].concat();
        let named_length = u8::try_from(named.len()).unwrap();
        let all = [&[0x0a, named_length][..], &named].concat();
        let wanted = [&[0x4a, u8::try_from(all.len()).unwrap()][..], &all].concat();
        assert_eq!(written, wanted);
    }
}

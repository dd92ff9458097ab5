//! What the store of a real server does not take, because it is too large for one request.

use serde_json::Value;

use super::{Failure, Write};

/// The most that is sent to the store, in bytes.
const MOST_SENT: usize = 2 << 20;
/// The most that the store takes, in bytes.
const MOST_TAKEN: usize = 3 << 19;

/// Refuses an object of a client that is too large.
pub(super) fn check(value: &Value, write: Write<'_>) -> Result<(), Failure> {
    if write.user.is_none() || weight(value) < MOST_TAKEN / 2 {
        return Ok(());
    }
    let length = value.to_string().len();
    let why = if length > MOST_SENT {
        format!(
            "rpc error: code = ResourceExhausted desc = trying to send message larger than max \
             ({length} vs. {MOST_SENT})"
        )
    } else if length > MOST_TAKEN {
        "etcdserver: request is too large".to_owned()
    } else {
        return Ok(());
    };
    Err(Failure::new(500, "", why))
}

/// Roughly how large a value is, at little cost.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(weight).sum::<usize>() + list.len(),
        Value::Object(map) => map.iter().map(|(key, of)| key.len() + weight(of)).sum(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::User;
    use crate::registry::Part;
    use serde_json::json;

    #[test]
    fn only_what_is_too_large_is_refused() {
        let user = User::admin();
        let ask = |length: usize, user| {
            let write = Write { user, ..Write::own(Part::Spec) };
            check(&json!({"data": "a".repeat(length)}), write).map_err(|failure| failure.message)
        };
        assert_eq!(ask(1 << 20, Some(&user)), Ok(()));
        assert_eq!(ask(4 << 20, None), Ok(()));
        let taken = Err("etcdserver: request is too large".to_owned());
        assert_eq!(ask(MOST_TAKEN + 1, Some(&user)), taken);
        assert!(ask(MOST_SENT + 1, Some(&user)).unwrap_err().contains("larger than max"));
    }
}

//! Single values: which JSON a field of a type takes and how it is written.

use model::Timestamp;
use serde_json::{Number, Value};

use super::decode::Refused;
use super::quantity;
use super::{Raw, Type};

/// Why a value is refused: it has the wrong type, or its text does not read.
pub(super) fn scalar(of: &Type, raw: Raw) -> Result<Value, Refused> {
    match (of, raw) {
        (Type::String, Raw::String(text)) => Ok(text.into()),
        (Type::Bool, Raw::Bool(flag)) => Ok(flag.into()),
        (Type::Int32, Raw::Number(n)) => whole(&n, i64::from(i32::MIN), i64::from(i32::MAX)),
        (Type::Int64, Raw::Number(n)) => whole(&n, i64::MIN, i64::MAX),
        (Type::Double, Raw::Number(n)) => Ok(Value::Number(n)),
        (Type::IntOrString, Raw::String(text)) => Ok(text.into()),
        (Type::IntOrString, Raw::Number(n)) => whole(&n, i64::from(i32::MIN), i64::from(i32::MAX)),
        (Type::Quantity, Raw::String(text)) => amount(&text),
        (Type::Quantity, Raw::Number(n)) => amount(&n.to_string()),
        (Type::Bytes, Raw::String(text)) => {
            base64(&text)?;
            Ok(text.into())
        }
        (Type::Time, Raw::String(text)) => {
            let at = time(&text)?;
            Ok(Timestamp::from_seconds(at.seconds()).to_string().into())
        }
        (Type::MicroTime, Raw::String(text)) => {
            let at = time(&text)?;
            exact(&text)?;
            Ok(crate::field::micro_time(at).into())
        }
        (Type::Any, raw) => Ok(raw.into()),
        (_, raw) => Err(Refused::Type(raw.word())),
    }
}

fn whole(number: &Number, low: i64, high: i64) -> Result<Value, Refused> {
    let exact = number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|f| f.fract() == 0.0)?;
        (float.abs() < 9e15).then_some(float as i64)
    });
    match exact {
        Some(n) if (low..=high).contains(&n) => Ok(n.into()),
        _ => Err(Refused::Type(format!("number {number}"))),
    }
}

fn amount(text: &str) -> Result<Value, Refused> {
    let told = quantity::canonical(text.trim_matches(' '));
    told.map(Value::from).ok_or_else(|| Refused::Text(quantity::RULE.to_owned()))
}

fn time(text: &str) -> Result<Timestamp, Refused> {
    const LAYOUT: &str = "2006-01-02T15:04:05Z07:00";
    text.parse().map_err(|_| {
        Refused::Text(format!(
            "parsing time {text:?} as {LAYOUT:?}: cannot parse {text:?} as \"2006\""
        ))
    })
}

/// Refuses a time that is not told to the microsecond.
fn exact(text: &str) -> Result<(), Refused> {
    const LAYOUT: &str = "2006-01-02T15:04:05.000000Z07:00";
    let rest = text.get("2006-01-02T15:04:05".len()..).unwrap_or_default();
    let digits = rest.strip_prefix('.').unwrap_or_default();
    if digits.bytes().take_while(u8::is_ascii_digit).count() == 6 {
        return Ok(());
    }
    Err(Refused::Text(format!(
        "parsing time {text:?} as {LAYOUT:?}: cannot parse {rest:?} as \".000000\""
    )))
}

/// Refuses text that is no base64.
fn base64(text: &str) -> Result<(), Refused> {
    let bytes: Vec<(usize, u8)> =
        text.bytes().enumerate().filter(|(_, b)| !matches!(b, b'\n' | b'\r')).collect();
    let solid = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    let wrong = |at: usize| Err(Refused::Text(format!("illegal base64 data at input byte {at}")));
    let padding = bytes.iter().rev().take_while(|(_, b)| *b == b'=').count();
    let body = bytes.len() - padding;
    if let Some((at, _)) = bytes.iter().take(body).find(|(_, b)| !solid(*b)) {
        return wrong(*at);
    }
    if !bytes.len().is_multiple_of(4) || padding > 2 {
        // The reader stops at the end of the last whole group that it could begin.
        return wrong(bytes.len() / 4 * 4);
    }
    Ok(())
}

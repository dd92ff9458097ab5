//! Amounts in the one form in which the API writes them: `1000m` is `1`, `1024Mi` is `1Gi`.

/// Powers of ten (decimal) by suffix.
const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];
const BINARY: [(&str, u32); 7] =
    [("", 0), ("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

pub(super) const RULE: &str = "quantities must match the regular expression \
     '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

enum Form {
    Decimal,
    Exponent,
    Binary,
}

/// The canonical form, or nothing if the text is no amount.
pub(super) fn canonical(text: &str) -> Option<String> {
    let (negative, rest) = match text.split_at_checked(1)? {
        ("-", rest) => (true, rest),
        ("+", rest) => (false, rest),
        _ => (false, text),
    };
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (digits, suffix) = rest.split_at_checked(end)?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') {
        return None;
    }
    let (form, scale) = scale(suffix)?;
    let mantissa: u128 = format!("{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let told = match (&form, scale) {
        (Form::Binary, power) => binary(mantissa, places, u32::try_from(power).ok()?)?,
        (_, power) => decimal(mantissa, power - places, matches!(form, Form::Exponent))?,
    };
    Some(if negative && told != "0" { format!("-{told}") } else { told })
}

/// The amount in its canonical form, rounded up to thousandths.
pub(crate) fn at_least_milli(text: &str) -> Option<String> {
    let told = canonical(text)?;
    let (sign, amount) = match told.strip_prefix('-') {
        Some(amount) => ("-", amount),
        None => ("", told.as_str()),
    };
    let parts = [("u", 1_000_u128), ("n", 1_000_000)];
    let part = parts.iter().find_map(|(suffix, of)| Some((amount.strip_suffix(suffix)?, of)));
    match part {
        Some((number, of)) => {
            let thousandths = number.parse::<u128>().ok()?.div_ceil(*of);
            canonical(&format!("{sign}{thousandths}m"))
        }
        None => Some(told),
    }
}

fn scale(suffix: &str) -> Option<(Form, i32)> {
    if let Some((_, power)) = DECIMAL.iter().find(|(s, _)| *s == suffix) {
        return Some((Form::Decimal, *power));
    }
    if let Some((_, power)) = BINARY.iter().find(|(s, _)| *s == suffix) {
        return Some((Form::Binary, i32::try_from(*power).ok()?));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    Some((Form::Exponent, exponent.parse().ok()?))
}

/// `mantissa * 10^power`, rounded up to billionths.
fn decimal(mut mantissa: u128, mut power: i32, exponent: bool) -> Option<String> {
    if mantissa == 0 {
        return Some("0".into());
    }
    while power < -9 {
        mantissa = mantissa.div_ceil(10);
        power += 1;
    }
    while mantissa.is_multiple_of(10) {
        mantissa /= 10;
        power += 1;
    }
    while power.rem_euclid(3) != 0 || power > 18 && !exponent {
        mantissa = mantissa.checked_mul(10)?;
        power -= 1;
    }
    if exponent {
        return Some(if power == 0 { mantissa.to_string() } else { format!("{mantissa}e{power}") });
    }
    let (suffix, _) = DECIMAL.iter().find(|(_, p)| *p == power)?;
    Some(format!("{mantissa}{suffix}"))
}

/// `mantissa / 10^places * 2^power`; what is no whole number is told in decimal.
fn binary(mantissa: u128, places: i32, power: u32) -> Option<String> {
    let scaled = mantissa.checked_mul(1_u128.checked_shl(power)?)?;
    let tens = 10_u128.checked_pow(places.unsigned_abs())?;
    if !scaled.is_multiple_of(tens) || scaled / tens < 1024 {
        return decimal(scaled, -places, false);
    }
    let mut value = scaled / tens;
    let mut at = 0;
    while value.is_multiple_of(1024) && at + 1 < BINARY.len() {
        value /= 1024;
        at += 1;
    }
    BINARY.get(at).map(|(suffix, _)| format!("{value}{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::{at_least_milli, canonical};

    #[test]
    fn amounts_have_one_form() {
        for (text, told) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1G", "1G"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("100Ki", "100Ki"),
            ("1e3", "1e3"),
            ("1500", "1500"),
            ("2000000000", "2G"),
            ("-5", "-5"),
            ("0", "0"),
            ("0.0000000001", "1n"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(told), "{text}");
        }
        for (text, told) in [("100u", "1m"), ("1500u", "2m"), ("-1n", "-1m"), ("5m", "5m")] {
            assert_eq!(at_least_milli(text).as_deref(), Some(told), "{text}");
        }
        for text in ["", "x", "1.2.3", "1Zi", "-", "5 Mi"] {
            assert_eq!(canonical(text), None, "{text}");
        }
    }
}

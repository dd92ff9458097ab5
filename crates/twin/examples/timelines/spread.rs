//! Whether a value of the twin lies within what several runs of a recording gave, widened by
//! two seconds or ten percent, whichever is more.

use serde_json::Value;

/// Seconds by which a time may always differ, and the share of it.
const SECONDS: f64 = 2.0;
const SHARE: f64 = 0.1;

/// The values that were recorded for a milestone.
pub struct Spread<'a> {
    /// Whether it counts things instead of telling a time.
    pub exact: bool,
    recorded: &'a Value,
    repeat: &'a Value,
}

impl<'a> Spread<'a> {
    pub fn of(trace: &'a Value, name: &str) -> Self {
        let exact = name.ends_with("_count")
            || ["kubectl_exit", "fewest_available"].contains(&name)
            || name.contains("pods_on_lost_nodes");
        let recorded = &trace["milestones"][name];
        Self { exact, recorded, repeat: &trace["repeat"]["milestones"][name] }
    }

    /// Whether a value is among those that were recorded.
    pub fn holds(&self, value: &Value) -> bool {
        if let (Some(min), Some(max)) = (self.repeat["min"].as_f64(), self.repeat["max"].as_f64()) {
            let Some(value) = value.as_f64() else { return false };
            let wider = if self.exact { 0.0 } else { widening(max) };
            return min - wider <= value && value <= max + wider;
        }
        let runs = self.repeat["values"].as_array();
        let alone = std::slice::from_ref(self.recorded);
        let runs = runs.map_or(alone, Vec::as_slice);
        if runs.iter().any(|run| self.alike(run, value)) {
            return true;
        }
        // Between two runs lies what a third could give.
        let numbers: Vec<f64> = runs.iter().filter_map(Value::as_f64).collect();
        let (low, high) = (fold(&numbers, f64::min), fold(&numbers, f64::max));
        match (value.as_f64(), low, high) {
            (Some(value), Some(low), Some(high)) => {
                let wider = widening(high);
                low - wider <= value && value <= high + wider
            }
            _ => false,
        }
    }

    fn alike(&self, one: &Value, other: &Value) -> bool {
        match (one, other) {
            (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) if self.exact => a == b,
                (Some(a), Some(b)) => (a - b).abs() <= widening(a),
                _ => false,
            },
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.alike(a, b))
            }
            (Value::String(a), Value::String(b)) => {
                crate::texts::normal(a) == crate::texts::normal(b)
            }
            (a, b) => a == b,
        }
    }

    /// The recorded values, for a reader.
    pub fn told(&self) -> String {
        let all = if self.repeat.is_null() { self.recorded } else { self.repeat };
        all.to_string()
    }
}

fn widening(value: f64) -> f64 {
    SECONDS.max(value.abs() * SHARE)
}

fn fold(numbers: &[f64], choose: fn(f64, f64) -> f64) -> Option<f64> {
    numbers.iter().copied().reduce(choose)
}

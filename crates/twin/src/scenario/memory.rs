//! Memory use as a function of a container's age.

use crate::kernel::SECOND;

/// How much memory a container holds, by its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Always the same.
    Const {
        /// Held, in bytes.
        bytes: i64,
    },
    /// Flat at first, then growing without end.
    Ramp {
        /// Held at first, in bytes.
        bytes: i64,
        /// Growth begins at this age, in seconds.
        after_seconds: i64,
        /// Growth, in bytes per second.
        bytes_per_second: i64,
    },
}

impl Memory {
    /// Held at an age, in bytes.
    pub(crate) fn at(self, age_micros: i64) -> i64 {
        match self {
            Self::Const { bytes } => bytes,
            Self::Ramp { bytes, after_seconds, bytes_per_second } => {
                let grown = age_micros.saturating_sub(after_seconds.saturating_mul(SECOND)).max(0);
                let more = i128::from(grown) * i128::from(bytes_per_second) / i128::from(SECOND);
                bytes.saturating_add(i64::try_from(more).unwrap_or(i64::MAX))
            }
        }
    }

    /// Growth at an age, in bytes per second.
    pub(crate) fn slope(self, age_micros: i64) -> i64 {
        match self {
            Self::Ramp { after_seconds, bytes_per_second, .. }
                if age_micros >= after_seconds.saturating_mul(SECOND) =>
            {
                bytes_per_second
            }
            _ => 0,
        }
    }

    /// The age at which the slope changes, if it does.
    pub(crate) fn bend(self) -> Option<i64> {
        match self {
            Self::Const { .. } => None,
            Self::Ramp { after_seconds, .. } => Some(after_seconds.saturating_mul(SECOND)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_is_flat_and_then_grows() {
        let ramp = Memory::Ramp { bytes: 100, after_seconds: 10, bytes_per_second: 8 };
        let at = |seconds: i64| (ramp.at(seconds * SECOND), ramp.slope(seconds * SECOND));
        assert_eq!([at(0), at(9), at(10), at(12)], [(100, 0), (100, 0), (100, 8), (116, 8)]);
        assert_eq!(ramp.at(10 * SECOND + SECOND / 2), 104);
        assert_eq!(ramp.at(i64::MAX), 100 + (i64::MAX - 10 * SECOND) / SECOND * 8 + 6);
    }
}

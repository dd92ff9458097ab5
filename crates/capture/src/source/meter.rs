//! Counts bytes on their way through an unpacker, and stops what unpacks to absurd sizes.

use std::cell::Cell;
use std::io::{Error, Read};

/// Below this, a high ratio is no sign of anything: an empty log packs very well.
const RATIO_FROM_BYTES: u64 = 64 << 20;

/// Counts what passes.
pub struct Counted<'c, R> {
    pub input: R,
    pub count: &'c Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(into)?;
        self.count.set(self.count.get().saturating_add(count as u64));
        Ok(count)
    }
}

/// Ends with an error when more comes out than the limits allow.
pub struct Metered<'c, R> {
    pub input: R,
    pub packed: &'c Cell<u64>,
    pub unpacked: u64,
    pub limit: u64,
    pub ratio: u64,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(into)?;
        self.unpacked = self.unpacked.saturating_add(count as u64);
        if self.unpacked > self.limit {
            return Err(Error::other(format!("it unpacks to more than {} bytes", self.limit)));
        }
        let most = self.packed.get().saturating_mul(self.ratio);
        if self.unpacked > RATIO_FROM_BYTES && self.unpacked > most {
            let ratio = self.ratio;
            return Err(Error::other(format!("it unpacks to more than {ratio} times its size")));
        }
        Ok(count)
    }
}

//! The wire form of protobuf: numbered fields of three shapes. Must never know a message.

pub(super) fn utf8(bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "a text is not UTF-8".into())
}

/// What a field holds on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'a> {
    Number(u64),
    Fixed(u64),
    Bytes(&'a [u8]),
}

/// Bytes that are read from their beginning.
pub(super) struct Wire<'a>(pub &'a [u8]);

impl<'a> Wire<'a> {
    pub fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or("unexpected EOF")?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("proto: integer overflow".into())
    }

    pub fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let length = usize::try_from(length).map_err(|_| "unexpected EOF")?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or("unexpected EOF")?;
        self.0 = rest;
        Ok(taken)
    }

    /// All fields with their numbers, in order.
    pub fn fields(mut self) -> Result<Vec<(u64, Item<'a>)>, String> {
        let mut all = Vec::new();
        let little = |bytes: &[u8]| {
            bytes.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte))
        };
        while !self.0.is_empty() {
            let key = self.varint()?;
            let item = match key & 7 {
                0 => Item::Number(self.varint()?),
                1 => Item::Fixed(little(self.take(8)?)),
                2 => {
                    let length = self.varint()?;
                    Item::Bytes(self.take(length)?)
                }
                5 => Item::Fixed(little(self.take(4)?)),
                other => return Err(format!("proto: illegal wireType {other}")),
            };
            all.push((key >> 3, item));
        }
        Ok(all)
    }
}

//! Whose responses are whose.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt::{self, Write};

/// Who asks: a keyed hash of the header that says so. The header's value, which is usually a secret, cannot be told from
/// it. Requests without the header have one owner in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner([u8; 32]);

/// Every Envoy must find the records of every other, so the key is part of the format. It keeps the hash apart from any
/// other SHA-256 of the same header.
const KEY: &[u8] = b"transponder owner 1";

impl Owner {
    /// The owner whom these values of the header name.
    pub fn of<'v>(values: impl Iterator<Item = &'v [u8]>) -> Self {
        // A key of any length is valid.
        let Ok(mut hash) = <Hmac<Sha256>>::new_from_slice(KEY) else { return Self([0; 32]) };
        for value in values {
            hash.update(value.trim_ascii());
            // No value contains it, so two values are not one.
            hash.update(b"\n");
        }
        Self(hash.finalize().into_bytes().into())
    }

    /// 64 hexadecimal digits.
    pub fn digits(&self) -> String {
        self.0.iter().fold(String::with_capacity(64), |mut digits, byte| {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        })
    }
}

/// Not even the hash is shown: the same header always gives the same one.
impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_header_is_an_owner_and_none_shows_it() {
        let values: [&[&[u8]]; 8] = [
            &[],
            &[b""],
            &[b"Bearer a"],
            &[b"Bearer b"],
            &[b"Bearer a", b"Bearer b"],
            &[b"Bearer aBearer b"],
            &[b"J\xf6rg"],
            &[b"\xff\xfe"],
        ];
        let owners: Vec<_> = values.iter().map(|values| Owner::of(values.iter().copied())).collect();
        for (at, owner) in owners.iter().enumerate() {
            assert!(owners.iter().skip(at + 1).all(|other| other != owner), "{:?}", values[at]);
            assert_eq!(owner.digits().len(), 64);
        }
        assert_eq!(Owner::of([&b" Bearer a "[..]].into_iter()), owners[2]);
        assert_eq!(format!("{:?}", owners[2]), "Owner");
    }
}

//! The ids of responses. They and the ids of items derive from one number, so an item names its response.

use std::fmt;

/// The id of a response that was made here: `resp_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResponseId(u128);

impl ResponseId {
    /// The length of an id.
    pub const BYTES: usize = "resp_".len() + SEED_DIGITS;

    /// The id of the response whose ids all derive from this seed.
    pub fn of_seed(seed: u128) -> Self {
        Self(seed)
    }

    /// Reads an id. `None`: no response that was made here has it.
    pub fn parse(id: &str) -> Option<Self> {
        let digits = id.strip_prefix("resp_").filter(|digits| digits.len() == SEED_DIGITS)?;
        seed(digits).map(Self)
    }

    /// The response that made an item with this id. `None` if the item was not made here.
    pub fn of_item(item_id: &str) -> Option<Self> {
        let (_, digits) = item_id.split_once('_')?;
        let (response, item) = digits.split_at_checked(SEED_DIGITS)?;
        (item.len() >= ITEM_DIGITS && is_hex(item)).then(|| seed(response).map(Self))?
    }

    /// An id for the item of the request at this position. The items of the reply count from 0, and there are never
    /// as many that they reach these.
    pub fn input_item(self, prefix: &str, position: usize) -> String {
        format!("{prefix}_{:032x}{:04x}", self.0, FIRST_INPUT_ITEM + position)
    }

    /// The digits alone, for places that take few characters.
    pub fn digits(self) -> String {
        format!("{:032x}", self.0)
    }
}

const SEED_DIGITS: usize = 32;
const ITEM_DIGITS: usize = 4;
const FIRST_INPUT_ITEM: usize = 0x8000;

/// Ids are written in lower case. Another spelling is another id, or two keys would name one record.
fn is_hex(digits: &str) -> bool {
    digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

fn seed(digits: &str) -> Option<u128> {
    u128::from_str_radix(digits, 16).ok().filter(|_| is_hex(digits))
}

impl fmt::Display for ResponseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "resp_{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = ResponseId::of_seed(0xabc);
        assert_eq!(ResponseId::parse(&id.to_string()), Some(id));
        assert_eq!(id.to_string(), format!("resp_{}", id.digits()));
        for other in [
            "",
            "resp_",
            "resp_abc",
            &id.to_string().to_uppercase(),
            &id.to_string().replace("abc", "ABC"),
            &format!("{id}0"),
            &id.to_string().replace("resp_0", "resp_+"),
            &id.to_string().replace("resp", "msg"),
        ] {
            assert_eq!(ResponseId::parse(other), None, "{other}");
        }
    }

    #[test]
    fn an_item_names_its_response() {
        let id = ResponseId::of_seed(u128::MAX);
        let digits = id.digits();
        for item in [id.input_item("msg", 0), id.input_item("fc", 500_000), format!("rs_{digits}0001")] {
            assert_eq!(ResponseId::of_item(&item), Some(id), "{item}");
        }
        for other in ["", "msg", "msg_1", "rs_68af4030baa48193b0b43b4c2a176a1a0e6967589f080e78", "fc_é"] {
            assert_eq!(ResponseId::of_item(other).filter(|other| *other == id), None, "{other}");
        }
        for other in [format!("msg_{digits}"), format!("msg_{digits}000"), format!("msg_{digits}000g")] {
            assert_eq!(ResponseId::of_item(&other), None, "{other}");
        }
    }
}

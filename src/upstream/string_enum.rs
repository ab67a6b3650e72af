//! Options that are a choice between words.

use serde::de::{Error, Visitor};
use std::fmt;

/// Declares a choice between words, each with what it means.
macro_rules! string_enum {
    ($(#[$about:meta])* $name:ident { $($(#[$means:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
        pub enum $name { $($(#[$means])* #[cfg_attr(test, serde(rename = $word))] $variant,)+ }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = deserializer.deserialize_str($crate::upstream::OneOf(&[$($word),+]))?;
                let chosen = [$(Self::$variant),+].get(number).copied();
                chosen.ok_or_else(|| serde::de::Error::custom("there is no such word"))
            }
        }
    };
}
pub(crate) use string_enum;

/// Reads one of these words: its number. One reader for all choices, since each that serde derives is a kilobyte of code.
pub(crate) struct OneOf(pub(crate) &'static [&'static str]);

impl Visitor<'_> for OneOf {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of `{}`", self.0.join("`, `"))
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<usize, E> {
        let number = self.0.iter().position(|known| *known == word);
        number.ok_or_else(|| E::unknown_variant(word, self.0))
    }
}

//! Options whose value is one of a fixed set of words.

use serde::de::{Error, Visitor};
use std::fmt;

/// Declares an enum of words. The doc comment of each variant is published in the configuration reference.
macro_rules! string_enum {
    ($(#[$about:meta])* $name:ident { $($(#[$means:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
        pub enum $name { $($(#[$means])* #[cfg_attr(test, serde(rename = $word))] $variant,)+ }

        impl $name {
            /// The word in a configuration.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

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

/// Reads one of these words and returns its index. All such options share this visitor, because each visitor that serde
/// derives adds a kilobyte to the module.
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

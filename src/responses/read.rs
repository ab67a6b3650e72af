//! Reading what a client wrote: each value as what the API says it is, or the 400 that names where it is not.
//!
//! serde's derived readers are too generous for it, an array passes for an object there, and their errors
//! speak of Rust's types and of the object around a missing field. So the types of a request are declared
//! with [`objects!`], and their fields are read by [`Read`]. By the API's rule an explicit `null` means absent.

use super::ApiError;
use crate::json::{self, Text};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Where a value stands in the request, e.g. `input[3].call_id`.
#[derive(Debug, Clone, Copy)]
pub enum Path<'p> {
    /// The body itself.
    Root,
    /// A field of an object.
    Field(&'p Path<'p>, &'p str),
    /// An element of an array.
    Element(&'p Path<'p>, usize),
}

impl Path<'static> {
    /// A field of the body.
    pub const fn top(field: &'static str) -> Self {
        Self::Field(&Path::Root, field)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Path::Root, field) => f.write_str(field),
            Self::Field(parent, field) => write!(f, "{parent}.{field}"),
            Self::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A value of the request, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Site<'p, 'a> {
    /// The JSON text.
    pub raw: &'a RawValue,
    /// Its place.
    pub path: Path<'p>,
}

impl<'p, 'a> Site<'p, 'a> {
    /// A value at a place.
    pub fn new(raw: &'a RawValue, path: Path<'p>) -> Self {
        Self { raw, path }
    }

    /// Its fields.
    ///
    /// # Errors
    /// 400 if it is no object.
    pub fn object(self) -> Result<Object<'p, 'a>, ApiError> {
        let fields = serde_json::from_str(self.raw.get()).map_err(|_| self.wrong_type("an object"))?;
        Ok(Object { path: self.path, fields })
    }

    /// Its elements, each of which should be an object. They are read in one pass over the text; only if
    /// that fails one by one, to find out which of them is none.
    ///
    /// # Errors
    /// As [`Self::elements`].
    pub fn objects(&self, expected: &str) -> Result<Vec<Result<Object<'_, 'a>, ApiError>>, ApiError> {
        let path = &self.path;
        Ok(match serde_json::from_str::<Vec<Fields<'a>>>(self.raw.get()) {
            Ok(all) => {
                let at = |(index, fields)| Ok(Object { path: Path::Element(path, index), fields });
                all.into_iter().enumerate().map(at).collect()
            }
            Err(_) => self.elements(expected)?.map(Site::object).collect(),
        })
    }

    /// Its elements, and where they stand.
    ///
    /// # Errors
    /// 400 if it is no array; `expected` is what it should have been.
    pub fn elements(
        &self,
        expected: &str,
    ) -> Result<impl Iterator<Item = Site<'_, 'a>> + use<'_, 'p, 'a>, ApiError> {
        let elements: Vec<&'a RawValue> =
            serde_json::from_str(self.raw.get()).map_err(|_| self.wrong_type(expected))?;
        let path = &self.path;
        Ok(elements
            .into_iter()
            .enumerate()
            .map(move |(index, raw)| Site::new(raw, Path::Element(path, index))))
    }

    /// The error that says so.
    pub fn wrong_type(&self, expected: &str) -> ApiError {
        ApiError::wrong_type(self.path, expected, json::kind_of(self.raw))
    }
}

/// An object of the request. Of fields with the same name the last counts, as in most JSON readers.
#[derive(Debug)]
pub struct Object<'p, 'a> {
    path: Path<'p>,
    fields: Fields<'a>,
}

/// Its fields. The names are bytes: JSON allows a lone surrogate in them, UTF-8 does not.
#[derive(Debug)]
struct Fields<'a>(Vec<(Cow<'a, [u8]>, &'a RawValue)>);

impl<'a> Object<'static, 'a> {
    /// A body that is one object; nothing if it is not, whatever it is.
    pub fn whole(body: &'a str) -> Option<Self> {
        let fields = serde_json::from_str(body).ok()?;
        Some(Self { path: Path::Root, fields })
    }
}

impl<'a> Object<'_, 'a> {
    /// The place of one of its fields.
    pub fn path_to<'s>(&'s self, field: &'s str) -> Path<'s> {
        Path::Field(&self.path, field)
    }

    /// The value of one of its fields, and where it stands; nothing if it is absent.
    pub fn site<'s>(&'s self, field: &'s str) -> Option<Site<'s, 'a>> {
        let (_, raw) = self.fields.0.iter().rev().find(|(name, _)| **name == *field.as_bytes())?;
        (raw.get() != "null").then(|| Site::new(raw, self.path_to(field)))
    }

    /// Reads one of its fields.
    ///
    /// # Errors
    /// 400 if it is something else than a `T`, or absent though needed.
    pub fn get<T: Read<'a>>(&self, field: &str) -> Result<T, ApiError> {
        match self.site(field) {
            Some(site) => T::read(site),
            None => T::absent().ok_or_else(|| ApiError::missing(self.path_to(field))),
        }
    }

    /// Its place.
    pub fn path(&self) -> Path<'_> {
        self.path
    }

    /// The names and values of the fields that are present.
    pub fn fields(&self) -> impl Iterator<Item = (Cow<'_, str>, &'a RawValue)> {
        let present = self.fields.0.iter().filter(|(_, raw)| raw.get() != "null");
        present.map(|(name, raw)| (String::from_utf8_lossy(name), *raw))
    }
}

impl<'de> serde::Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some(Name(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

struct Name<'de>(Cow<'de, [u8]>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_bytes<E: Error>(self, name: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_vec())))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

/// What can be read from a value.
pub trait Read<'a>: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// 400 if the value is something else.
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError>;

    /// What stands for an absent value, if it may be absent.
    fn absent() -> Option<Self> {
        None
    }
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError> {
        T::read(site).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<'a, T: Read<'a>> Read<'a> for Vec<T> {
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError> {
        site.elements("an array")?.map(T::read).collect()
    }
}

impl<'a> Read<'a> for Text<'a> {
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError> {
        Text::of(site.raw).ok_or_else(|| site.wrong_type("a string"))
    }
}

impl<'a> Read<'a> for Cow<'a, str> {
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError> {
        Text::read(site).map(Text::into_decoded)
    }
}

/// A value that is read later.
impl<'a> Read<'a> for &'a RawValue {
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError> {
        Ok(site.raw)
    }
}

/// A value that is only passed on.
impl<'a> Read<'a> for Cow<'a, RawValue> {
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError> {
        Ok(Cow::Borrowed(site.raw))
    }
}

/// An object that is only passed on.
#[derive(Debug, Clone)]
pub struct RawObject<'a>(pub Cow<'a, RawValue>);

impl<'a> Read<'a> for RawObject<'a> {
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError> {
        match site.raw.get().starts_with('{') {
            true => Ok(Self(Cow::Borrowed(site.raw))),
            false => Err(site.wrong_type("an object")),
        }
    }
}

impl<'a> Read<'a> for bool {
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError> {
        site.raw.get().parse().map_err(|_| site.wrong_type("a boolean"))
    }
}

impl<'a> Read<'a> for u64 {
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError> {
        let written = site.raw.get();
        match (written.parse(), json::kind_of(site.raw)) {
            (Ok(number), _) => Ok(number),
            (_, json::INTEGER) if written.starts_with('-') => {
                Err(ApiError::below_minimum(site.path, "integer", 0, written))
            }
            (_, json::INTEGER) => Err(ApiError::above_maximum(site.path, "integer", u64::MAX, written)),
            _ => Err(site.wrong_type("an integer")),
        }
    }
}

impl<'a> Read<'a> for f64 {
    fn read(site: Site<'_, 'a>) -> Result<Self, ApiError> {
        match (site.raw.get().parse::<f64>(), json::kind_of(site.raw)) {
            (Ok(number), json::INTEGER | json::DECIMAL) => Ok(number),
            _ => Err(site.wrong_type("a decimal")),
        }
    }
}

/// Declares objects of a request: the struct, and how its fields are read.
macro_rules! objects {
    ($($(#[$doc:meta])* pub struct $name:ident<'a> {
        $($(#[$field_doc:meta])* pub $field:ident: $type:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl<'a> $name<'a> {
            /// The names of its fields.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

            /// Reads it from an object whose type is known.
            ///
            /// # Errors
            /// 400 that names the field which is missing or has the wrong type.
            pub fn of(object: &$crate::responses::Object<'_, 'a>) -> Result<Self, $crate::responses::ApiError> {
                Ok(Self { $($field: object.get(stringify!($field))?,)* })
            }
        }

        impl<'a> $crate::responses::Read<'a> for $name<'a> {
            fn read(site: $crate::responses::Site<'_, 'a>) -> Result<Self, $crate::responses::ApiError> {
                Self::of(&site.object()?)
            }
        }
    )*};
}
pub(super) use objects;

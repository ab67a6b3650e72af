//! Reading what a client wrote: each value as what the API says it is, or the 400 that names where it is not.
//!
//! serde's derived readers are too generous for it, an array passes for an object there, and their errors
//! speak of Rust's types and of the object around a missing field. So the types of a request are declared
//! with [`objects!`], and their fields are read by [`Read`]. By the API's rule an explicit `null` means absent.

use crate::error::{ApiError, Path};
use crate::json::{JsonStr, Kind, RawJson, TapeValue};
use std::borrow::Cow;

/// A value of the request, and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Located<'p, 'a> {
    /// The value.
    pub value: TapeValue<'a>,
    /// Its place.
    pub path: Path<'p>,
}

impl<'p, 'a> Located<'p, 'a> {
    /// A value at a place.
    pub fn new(value: TapeValue<'a>, path: Path<'p>) -> Self {
        Self { value, path }
    }

    /// Its fields.
    ///
    /// # Errors
    /// 400 if it is no object.
    pub fn object(self) -> Result<Object<'p, 'a>, ApiError> {
        match self.value.kind() {
            Kind::Object => Ok(Object(self)),
            _ => Err(self.wrong_type("an object")),
        }
    }

    /// Its elements, and where they stand.
    ///
    /// # Errors
    /// 400 if it is no array; `expected` is what it should have been.
    pub fn elements(
        &self,
        expected: &str,
    ) -> Result<impl Iterator<Item = Located<'_, 'a>> + use<'_, 'p, 'a>, ApiError> {
        let elements = self.value.elements().ok_or_else(|| self.wrong_type(expected))?;
        let path = &self.path;
        Ok(elements.enumerate().map(move |(index, value)| Located::new(value, Path::Element(path, index))))
    }

    /// The error that says so.
    pub fn wrong_type(&self, expected: &str) -> ApiError {
        ApiError::wrong_type(self.path, expected, self.value.kind().name())
    }
}

/// An object of the request.
#[derive(Debug, Clone, Copy)]
pub struct Object<'p, 'a>(Located<'p, 'a>);

impl<'a> Object<'_, 'a> {
    /// The place of one of its fields.
    pub fn path_to<'s>(&'s self, field: &'s str) -> Path<'s> {
        Path::Field(&self.0.path, field)
    }

    /// The value of one of its fields, and where it stands; nothing if it is absent.
    pub fn site<'s>(&'s self, field: &'s str) -> Option<Located<'s, 'a>> {
        self.site_of(field, self.0.value.field(field))
    }

    /// Reads one of its fields.
    ///
    /// # Errors
    /// 400 if it is something else than a `T`, or absent though needed.
    pub fn get<T: Read<'a>>(&self, field: &str) -> Result<T, ApiError> {
        self.read(field, self.0.value.field(field))
    }

    /// Reads one of its fields, whose value was found.
    pub(crate) fn read<T: Read<'a>>(&self, field: &str, found: Option<TapeValue<'a>>) -> Result<T, ApiError> {
        match self.site_of(field, found) {
            Some(site) => T::read(site),
            None => T::absent().ok_or_else(|| ApiError::missing(self.path_to(field))),
        }
    }

    fn site_of<'s>(&'s self, field: &'s str, found: Option<TapeValue<'a>>) -> Option<Located<'s, 'a>> {
        found.filter(is_present).map(|value| Located::new(value, self.path_to(field)))
    }

    /// The names of all its fields, and their values.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Cow<'a, str>, TapeValue<'a>)> + use<'a> {
        self.0.value.fields().filter_map(|(name, value)| Some((name.string()?, value)))
    }

    /// Its text.
    pub fn json(&self) -> &'a str {
        self.0.value.get()
    }

    /// Its place.
    pub fn path(&self) -> Path<'_> {
        self.0.path
    }

    /// The names and values of the fields that are present.
    pub fn fields(&self) -> impl Iterator<Item = (Cow<'a, str>, TapeValue<'a>)> + use<'a> {
        self.all().filter(|(_, value)| is_present(value))
    }
}

fn is_present(value: &TapeValue<'_>) -> bool {
    value.kind() != Kind::Null
}

/// What can be read from a value.
pub trait Read<'a>: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// 400 if the value is something else.
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError>;

    /// What stands for an absent value, if it may be absent.
    fn absent() -> Option<Self> {
        None
    }
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError> {
        T::read(site).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<'a, T: Read<'a>> Read<'a> for Vec<T> {
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError> {
        site.elements("an array")?.map(T::read).collect()
    }
}

impl<'a> Read<'a> for JsonStr<'a> {
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError> {
        site.value.text().ok_or_else(|| site.wrong_type("a string"))
    }
}

impl<'a> Read<'a> for Cow<'a, str> {
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError> {
        site.value.string().ok_or_else(|| site.wrong_type("a string"))
    }
}

/// A value that is read later.
impl<'a> Read<'a> for TapeValue<'a> {
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError> {
        Ok(site.value)
    }
}

/// A value that is only passed on.
impl<'a> Read<'a> for RawJson<'a> {
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError> {
        Ok(site.value.raw())
    }
}

/// An object that is only passed on.
#[derive(Debug, Clone)]
pub struct RawObject<'a>(pub RawJson<'a>);

impl<'a> Read<'a> for RawObject<'a> {
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError> {
        site.object().map(|object| Self(object.0.value.raw()))
    }
}

impl<'a> Read<'a> for bool {
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError> {
        site.value.get().parse().map_err(|_| site.wrong_type("a boolean"))
    }
}

impl<'a> Read<'a> for u64 {
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError> {
        let written = site.value.get();
        match (written.parse(), site.value.kind()) {
            (Ok(number), _) => Ok(number),
            (_, Kind::Integer) if written.starts_with('-') => {
                Err(ApiError::below_minimum(site.path, "integer", 0, written))
            }
            (_, Kind::Integer) => Err(ApiError::above_maximum(site.path, "integer", u64::MAX, written)),
            _ => Err(site.wrong_type("an integer")),
        }
    }
}

impl<'a> Read<'a> for f64 {
    fn read(site: Located<'_, 'a>) -> Result<Self, ApiError> {
        match (site.value.get().parse::<f64>(), site.value.kind()) {
            (Ok(number), Kind::Integer | Kind::Decimal) => Ok(number),
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
            pub fn of(object: &$crate::wire::typed::Object<'_, 'a>) -> Result<Self, $crate::error::ApiError> {
                // In one pass. Of fields with the same name the last counts, as in most JSON readers.
                $(let mut $field = None;)*
                for (name, value) in object.all() {
                    match &*name {
                        $(stringify!($field) => $field = Some(value),)*
                        _ => {}
                    }
                }
                Ok(Self { $($field: object.read(stringify!($field), $field)?,)* })
            }
        }

        impl<'a> $crate::wire::typed::Read<'a> for $name<'a> {
            fn read(site: $crate::wire::typed::Located<'_, 'a>) -> Result<Self, $crate::error::ApiError> {
                Self::of(&site.object()?)
            }
        }
    )*};
}
pub(crate) use objects;

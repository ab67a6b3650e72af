//! Reads a client's request: each value has the type that the API reference states, or the client gets a 400 that names
//! the path.
//!
//! serde's derived readers are not suitable: they accept an array instead of an object, and their errors name Rust's
//! types. So the types of a request are declared with `objects!`, and their fields are read by [`Read`]. An explicit
//! `null` means absent, as in the API.

use crate::error::{ApiError, Number, Path};
use crate::json::{JsonStr, Kind, RawJson, TapeValue};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::marker::PhantomData;

/// A value of the request and its path.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Located<'p, 'a> {
    pub value: TapeValue<'a>,
    pub path: Path<'p>,
    unread: &'p UnreadKeys,
}

/// The paths of keys that are not read, without positions, e.g. `tools.defer_loading`.
#[derive(Debug, Default)]
pub struct UnreadKeys(RefCell<BTreeSet<String>>);

impl UnreadKeys {
    /// Removes and returns them.
    pub fn take(&self) -> BTreeSet<String> {
        self.0.take()
    }
}

/// Keys of items that have no meaning for the model. `id` and `status` belong to a server that stores items, the last
/// one to Codex.
const WITHOUT_MEANING: &[&str] =
    &["type", "id", "status", "created_by", "internal_chat_message_metadata_passthrough"];

impl<'p, 'a> Located<'p, 'a> {
    /// The body. Keys that are not read are recorded in `unread`.
    pub fn body(value: TapeValue<'a>, unread: &'p UnreadKeys) -> Self {
        Self { value, path: Path::Root, unread }
    }

    /// The value as an object.
    ///
    /// # Errors
    /// 400 if it is not an object.
    pub fn object(self) -> Result<Object<'p, 'a>, ApiError> {
        match self.value.kind() {
            Kind::Object => Ok(Object(self)),
            _ => Err(self.wrong_type("an object")),
        }
    }

    /// The elements of the array and their paths.
    ///
    /// # Errors
    /// 400 if the value is not an array; the message names the `expected` type, e.g. `an array`.
    pub fn elements(
        &self,
        expected: &str,
    ) -> Result<impl Iterator<Item = Located<'_, 'a>> + use<'_, 'p, 'a>, ApiError> {
        let elements = self.value.elements().ok_or_else(|| self.wrong_type(expected))?;
        let path = &self.path;
        Ok(elements.enumerate().map(move |(index, value)| Located {
            value,
            path: Path::Element(path, index),
            unread: self.unread,
        }))
    }

    /// The 400 for a value of another type than `expected`, e.g. `an object`.
    pub fn wrong_type(&self, expected: &str) -> ApiError {
        ApiError::wrong_type(self.path, expected, self.value.kind().name())
    }
}

/// An object of the request.
#[derive(Debug, Clone, Copy)]
pub struct Object<'p, 'a>(Located<'p, 'a>);

impl<'a> Object<'_, 'a> {
    /// The path of a field.
    pub fn path_to<'s>(&'s self, field: &'s str) -> Path<'s> {
        Path::Field(&self.0.path, field)
    }

    /// The value of a field and its path; `None` if it is absent.
    pub fn field<'s>(&'s self, field: &'s str) -> Option<Located<'s, 'a>> {
        self.located_if_present(field, self.0.value.field(field))
    }

    /// Reads a field.
    ///
    /// # Errors
    /// 400 if the field has another type, or is required and absent.
    pub fn get<T: Read<'a>>(&self, field: &str) -> Result<T, ApiError> {
        self.read(field, self.0.value.field(field))
    }

    /// Reads a field whose value was looked up.
    pub(crate) fn read<T: Read<'a>>(&self, field: &str, found: Option<TapeValue<'a>>) -> Result<T, ApiError> {
        match self.located_if_present(field, found) {
            Some(located) => T::read(located),
            None => T::absent().ok_or_else(|| ApiError::missing(self.path_to(field))),
        }
    }

    fn located_if_present<'s>(
        &'s self,
        field: &'s str,
        found: Option<TapeValue<'a>>,
    ) -> Option<Located<'s, 'a>> {
        found.filter(is_present).map(|value| self.located(field, value))
    }

    /// The value of a field, which was looked up, and its path.
    pub(crate) fn located<'s>(&'s self, field: &'s str, value: TapeValue<'a>) -> Located<'s, 'a> {
        Located { value, path: self.path_to(field), unread: self.0.unread }
    }

    /// The names and values of all fields, `null` included.
    pub(crate) fn all(&self) -> impl Iterator<Item = (TapeValue<'a>, TapeValue<'a>)> + use<'a> {
        self.0.value.fields()
    }

    /// Records a key that the type of the object does not have, unless it is one of `besides`: those are read
    /// elsewhere, or have no meaning. Fields of the body are not recorded, because the upstream's options decide about
    /// them. `bytes`: the name of the key.
    #[inline]
    pub(crate) fn note(&self, key: TapeValue<'_>, bytes: &[u8], value: TapeValue<'_>, besides: &[&str]) {
        let is_key = |name: &&str| *name.as_bytes() == *bytes;
        if !WITHOUT_MEANING.iter().any(is_key) && !besides.iter().any(is_key) && is_present(&value) {
            self.note_unread(key);
        }
    }

    #[cold]
    fn note_unread(&self, key: TapeValue<'_>) {
        let Self(Located { path, unread, .. }) = self;
        if let Some(key) = key.string().filter(|_| !matches!(path, Path::Root)) {
            unread.0.borrow_mut().insert(self.path_to(&key).without_positions());
        }
    }

    /// Records the keys of an object that has no Rust type.
    pub(crate) fn note_all_but(&self, besides: &[&str]) {
        self.all().for_each(|(key, value)| self.note(key, &key.bytes(), value, besides));
    }

    /// The keys that were not read, in all objects of the request.
    pub fn unread(&self) -> &UnreadKeys {
        self.0.unread
    }

    /// The JSON text of the object.
    pub fn json(&self) -> &'a str {
        self.0.value.get()
    }

    /// The path of the object.
    pub fn path(&self) -> Path<'_> {
        self.0.path
    }

    /// The names and values of the fields that are present.
    pub fn fields(&self) -> impl Iterator<Item = (Cow<'a, str>, TapeValue<'a>)> + use<'a> {
        let present = self.all().filter(|(_, value)| is_present(value));
        present.filter_map(|(name, value)| Some((name.string()?, value)))
    }
}

fn is_present(value: &TapeValue<'_>) -> bool {
    value.kind() != Kind::Null
}

/// A type that can be read from a value of the request.
pub trait Read<'a>: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// 400 if the value has another type.
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError>;

    /// The result for an absent value; `None` if the value is required.
    fn absent() -> Option<Self> {
        None
    }
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        T::read(located).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<'a, T: Read<'a>> Read<'a> for Vec<T> {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        located.elements("an array")?.map(T::read).collect()
    }
}

impl<'a> Read<'a> for JsonStr<'a> {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        located.value.text().ok_or_else(|| located.wrong_type("a string"))
    }
}

impl<'a> Read<'a> for Cow<'a, str> {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        located.value.string().ok_or_else(|| located.wrong_type("a string"))
    }
}

/// A value of any type, which is read later.
impl<'a> Read<'a> for TapeValue<'a> {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        Ok(located.value)
    }
}

/// A value of any type, which is passed on.
impl<'a> Read<'a> for RawJson<'a> {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        Ok(located.value.raw())
    }
}

/// An object that is passed on.
#[derive(Debug, Clone, Copy)]
pub struct RawObject<'a>(pub TapeValue<'a>);

impl<'a> Read<'a> for RawObject<'a> {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        located.object().map(|object| Self(object.0.value))
    }
}

/// An optional value whose type is checked and which is not used.
#[derive(Debug, Clone, Copy)]
pub struct Checked<T>(PhantomData<T>);

impl<'a, T: Read<'a>> Read<'a> for Checked<T> {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        T::read(located).map(|_| Self(PhantomData))
    }

    fn absent() -> Option<Self> {
        Some(Self(PhantomData))
    }
}

impl<'a> Read<'a> for bool {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        located.value.get().parse().map_err(|_| located.wrong_type("a boolean"))
    }
}

impl<'a> Read<'a> for u64 {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        let written = located.value.get();
        match (written.parse(), located.value.kind()) {
            (Ok(number), _) => Ok(number),
            (_, Kind::Integer) if written.starts_with('-') => {
                Err(ApiError::below_minimum(located.path, Number::Integer, 0, written))
            }
            (_, Kind::Integer) => {
                Err(ApiError::above_maximum(located.path, Number::Integer, u64::MAX, written))
            }
            _ => Err(located.wrong_type("an integer")),
        }
    }
}

impl<'a> Read<'a> for f64 {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        match (located.value.get().parse::<f64>(), located.value.kind()) {
            (Ok(number), Kind::Integer | Kind::Decimal) => Ok(number),
            _ => Err(located.wrong_type("a decimal")),
        }
    }
}

/// The name of a field in JSON, where Rust reserves some.
macro_rules! field_name {
    (r#async) => {
        "async"
    };
    (r#type) => {
        "type"
    };
    ($field:ident) => {
        stringify!($field)
    };
}
pub(crate) use field_name;

/// Declares the objects of a request: each struct, and how its fields are read. Other keys are recorded, unless they
/// are listed after `besides`: those are read elsewhere, or have no meaning.
macro_rules! objects {
    ($($(#[$doc:meta])* pub struct $name:ident<'a> {
        $($(#[$field_doc:meta])* pub $field:ident: $type:ty,)*
    } $(besides [$($besides:literal),*])?)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name<'a> {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl<'a> $name<'a> {
            /// The names of the fields.
            pub const FIELDS: &'static [&'static str] = &[$($crate::wire::typed::field_name!($field)),*];

            const BESIDES: &'static [&'static str] = &[$($($besides),*)?];

            /// Reads the fields of an object.
            ///
            /// # Errors
            /// 400 that names a field which is missing or has another type.
            pub fn of(object: &$crate::wire::typed::Object<'_, 'a>) -> Result<Self, $crate::error::ApiError> {
                // One pass. If several fields have the same name, the last one counts, as in most JSON readers.
                $(let mut $field = None;)*
                for (name, value) in object.all() {
                    let bytes = name.bytes();
                    $(if *bytes == *$crate::wire::typed::field_name!($field).as_bytes() {
                        $field = Some(value);
                    } else)* {
                        object.note(name, &bytes, value, Self::BESIDES);
                    }
                }
                Ok(Self { $($field: object.read($crate::wire::typed::field_name!($field), $field)?,)* })
            }
        }

        impl<'a> $crate::wire::typed::Read<'a> for $name<'a> {
            fn read(located: $crate::wire::typed::Located<'_, 'a>) -> Result<Self, $crate::error::ApiError> {
                Self::of(&located.object()?)
            }
        }
    )*};
}
pub(crate) use objects;

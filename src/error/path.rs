//! Paths into a request, as `param` of an error names them.

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

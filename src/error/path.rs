//! Paths into a request, as the `param` of an error names them.

use std::fmt;

/// The position of a value in the request, e.g. `input[3].call_id`.
#[derive(Debug, Clone, Copy)]
pub enum Path<'p> {
    /// The body.
    Root,
    /// A field of the object at a path.
    Field(&'p Path<'p>, &'p str),
    /// An element of the array at a path.
    Element(&'p Path<'p>, usize),
}

impl Path<'static> {
    /// A top-level field of the body.
    pub const fn top(field: &'static str) -> Self {
        Self::Field(&Path::Root, field)
    }
}

impl Path<'_> {
    /// The path without the positions in arrays, e.g. `input.call_id`: the same for all elements.
    pub fn without_positions(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Field(parent, field) => match parent.without_positions() {
                parent if parent.is_empty() => (*field).to_owned(),
                parent => format!("{parent}.{field}"),
            },
            Self::Element(parent, _) => parent.without_positions(),
        }
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

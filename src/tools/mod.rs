//! The tools of one request: their names and kinds, and the schemas of their arguments.

pub(crate) mod names;
pub(crate) mod registry;
pub(crate) mod schema;

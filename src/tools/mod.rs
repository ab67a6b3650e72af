//! Parts of tools that do not depend on their kinds: the spellings of their names, and their schemas.

pub(crate) mod call_id;
pub(crate) mod names;
pub(crate) mod schema;

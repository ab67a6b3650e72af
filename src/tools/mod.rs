//! What tools need that does not depend on their kinds: how their names may be written, and their schemas.

pub(crate) mod call_id;
pub(crate) mod names;
pub(crate) mod schema;

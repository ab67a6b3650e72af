//! Fields of an object that are serialised once and written often.

use super::raw::{self, RawJson};
use serde::ser::{Serialize, Serializer};

/// The fields of an object after the name of the first one: `1,"b":2` for `{"a":1,"b":2}`. Serialised as the value of
/// that name, it writes all of them, because no serializer takes several fields at once.
#[derive(Debug, Clone)]
pub struct RawFields(RawJson<'static>);

impl RawFields {
    /// Serialises an object whose first field has the name `first`, which needs no escape.
    pub fn of(first: &str, object: &impl Serialize) -> Self {
        let mut json = Vec::with_capacity(ROOM);
        raw::write(object, &mut json);
        let begin = "{\"\":".len() + first.len();
        let fields = json.get(begin..json.len() - "}".len()).unwrap_or(b"null");
        Self(RawJson::valid(super::utf8(fields).into_owned()))
    }
}

/// Enough for the fields of most requests, so that the text is not moved while it grows.
const ROOM: usize = 512;

impl Serialize for RawFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_fields_are_written_as_if_each_was() {
        for object in [json!({"a": 1}), json!({"a": {"c": []}, "b": "}"})] {
            let fields = RawFields::of("a", &object);
            let written = serde_json::to_string(&std::collections::BTreeMap::from([("a", &fields)])).unwrap();
            assert_eq!(written, object.to_string());
        }
    }
}

//! The objects of a command. The model may have given anything any type: what cannot be used is named.

use super::notes::{Notes, named};
use serde_json::{Map, Value};

/// One object of a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'v> {
    command: &'v str,
    object: &'v Map<String, Value>,
}

impl<'v> Fields<'v> {
    /// All objects of a command.
    pub(super) fn all(command: &'v str, wanted: &'v Value, notes: &mut Notes) -> Vec<Self> {
        let Some(list) = wanted.as_array() else {
            notes.add(format!("`{command}` was left out: it must be a list of objects."));
            return Vec::new();
        };
        let objects = list.iter().filter_map(Value::as_object);
        let all: Vec<_> = objects.map(|object| Self { command, object }).collect();
        if all.len() < list.len() {
            notes.add(format!("A part of `{command}` was left out: each must be an object."));
        }
        all
    }

    /// A field's value. `expected`: what `read` takes.
    pub(super) fn get<T>(
        self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&'v Value) -> Option<T>,
        notes: &mut Notes,
    ) -> Option<T> {
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            notes.add(format!("`{name}` of `{}` was ignored: it must be {expected}.", self.command));
        }
        read
    }

    /// Names the fields that nobody reads.
    pub(super) fn name_others(self, known: &[&str], notes: &mut Notes) {
        for (name, _) in self.object.iter().filter(|(_, value)| !value.is_null()) {
            if !known.contains(&name.as_str()) {
                notes.add(format!("{} of `{}` is not available here.", named(name), self.command));
            }
        }
    }
}

/// Text that is more than blanks.
pub(super) fn words(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.trim().is_empty())
}

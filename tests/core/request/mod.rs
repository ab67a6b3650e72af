//! The edges of a request, as tables: what is refused and where, what is mended, what goes up.

mod fields;
mod options;
mod parts;
mod presets;
mod refusals;
mod schemas;
mod tools;

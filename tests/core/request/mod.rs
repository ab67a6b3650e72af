//! Requests: what is sent upstream, what is omitted and reported, and what is rejected.

mod fields;
mod formats;
mod options;
mod parts;
mod presets;
mod refusals;
mod schemas;
mod tools;
mod unread_keys;

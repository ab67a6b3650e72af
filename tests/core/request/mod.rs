//! Requests: what is sent upstream, what is left out and reported, and what is refused.

mod fields;
mod formats;
mod options;
mod parts;
mod presets;
mod refusals;
mod schemas;
mod tools;
mod unread_keys;

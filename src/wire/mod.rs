//! The JSON types of the two APIs, with OpenAI's names. They have no behaviour except that they can be read and written.

pub mod chat;
pub mod responses;
pub mod typed;

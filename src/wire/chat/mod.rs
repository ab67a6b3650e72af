//! The types of Chat Completions, with OpenAI's names. They have no behaviour except that they can be read and written.

pub mod reply;
pub mod request;

//! The types of Chat Completions, with OpenAI's names. They have no behaviour.

pub mod reply;
pub mod request;

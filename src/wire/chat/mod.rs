//! Wire types of Chat Completions, as OpenAI names them. Nouns, no logic.

pub mod reply;
pub mod request;

//! Wire types of the two APIs, as OpenAI names them. Nouns, no logic but that of reading them.

pub mod chat;
pub mod responses;
pub mod typed;

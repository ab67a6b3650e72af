//! Wire types of the Responses API, as OpenAI names them. Nouns, no logic
//! but that of reading them.

mod code;
mod error;
mod event;
mod input;
mod output;
mod read;
mod request;
mod response;
mod tool;

pub use code::{Code, Phase};
pub use error::ApiError;
pub use event::{ErrorFields, Event};
pub use input::*;
pub use output::*;
pub use read::{Object, Path, RawObject, Read, Site};
pub use request::*;
pub use response::*;
pub use tool::*;

//! The types of the Responses API, with OpenAI's names. They have no behaviour except that they can be read and written.

mod delta_template;
mod echo;
mod event;
mod input;
mod output;
mod request;
mod response;
mod tool;

pub use delta_template::DeltaTemplate;
pub use echo::*;
pub use event::{ErrorFields, Event};
pub use input::*;
pub use output::*;
pub use request::*;
pub use response::*;
pub use tool::*;

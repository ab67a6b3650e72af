//! The pages of the documentation agree with the code.

mod errors;
mod readme;
mod responses;
mod symptoms;
mod troubleshooting;

//! The documentation agrees with the code.

mod errors;
mod readme;
mod responses;
mod symptoms;
mod troubleshooting;
mod upstreams;

//! The plugin configuration: parse, validate, one clear error with the JSON path.

/// The parsed plugin configuration.
#[derive(Debug, Default)]
pub struct Config {}

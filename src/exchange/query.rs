//! The query of a request's `:path`. Its values are taken as they are written: no parameter that the filter reads needs an escape.

/// Splits a `:path` into the path and the query, without the `?`.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.split_once('?').unwrap_or((path, ""))
}

/// The parameters that have a value.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter_map(|pair| pair.split_once('='))
}

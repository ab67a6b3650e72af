//! Makes texts from clients and upstreams safe for headers and logs, so that none of them can forge a line of a log.

/// The longest `x-transponder-dropped`, in bytes. Proxies limit a response's headers to some kilobytes in all.
pub(super) const DROPPED_CAP: usize = 1024;

/// The longest `x-transponder-model`, in bytes: longer than the name of any model.
pub(super) const MODEL_CAP: usize = 256;

/// The longest name in logs and filter state, in bytes: a model, a tool, or a JSON path with the client's own keys.
pub(super) const NAME_CAP: usize = 128;

/// The longest request id, in bytes. A UUID has 36; the header may come from the client.
pub(super) const REQUEST_ID_CAP: usize = 64;

/// Visible ASCII, of at most `cap` bytes: safe in a header or a log line.
pub(super) fn visible(text: &str, cap: usize) -> String {
    let shown = |char: char| if char.is_ascii_graphic() { char } else { '?' };
    text.chars().take(cap).map(shown).collect()
}

/// The same without quotes and backslashes: safe in any log format.
pub(super) fn loggable(text: &str, cap: usize) -> String {
    visible(text, cap).replace(['"', '\\', '\''], "?")
}

//! The targets that may be measured: whose they are, and how plots show them.

/// One target.
pub struct Known {
    pub name: &'static str,
    pub whose: &'static str,
    pub what: &'static str,
    /// The same in every plot. Variants of one thing have its colour with other dashes.
    pub color: &'static str,
    pub dashes: &'static str,
}

pub const UPSTREAM: &str = "upstream alone";
pub const ENVOY: &str = "Envoy alone";
pub const SAME_REPLY: &str = "Envoy alone, our reply";
pub const NOTHING: &str = "do-nothing filter";
pub const CALLS: &str = "calls alone";
pub const WASM: &str = "Transponder";
pub const HELD: &str = "Transponder, headers held";
pub const NATIVE: &str = "Transponder, native";
pub const BEFORE: &str = "Transponder before";
pub const CODEX_RELAY: &str = "codex-relay";
pub const LITELLM: &str = "LiteLLM";

/// Readers with colour blindness can distinguish these colours.
pub const TARGETS: &[Known] = &[
    Known {
        name: UPSTREAM,
        whose: "this benchmark",
        what: "the load generator's own upstream, with no proxy",
        color: "#7f7f7f",
        dashes: "",
    },
    Known { name: ENVOY, whose: "Envoy", what: "no filter", color: "#0072b2", dashes: "" },
    Known {
        name: SAME_REPLY,
        whose: "Envoy",
        what: "no filter, and an upstream that replies with the bytes that Transponder sends to the client",
        color: "#0072b2",
        dashes: "6 4",
    },
    Known {
        name: NOTHING,
        whose: "this benchmark",
        what: "a WebAssembly filter that reads each chunk of a body and sets the same bytes again: the minimum for any",
        color: "#56b4e9",
        dashes: "",
    },
    Known {
        name: CALLS,
        whose: "this benchmark",
        what: "a WebAssembly filter that makes Transponder's calls to Envoy and translates nothing: the minimum for any that edits \
               headers and reports metrics and access log fields",
        color: "#009e73",
        dashes: "",
    },
    Known { name: WASM, whose: "this project", what: "the WebAssembly filter", color: "#d55e00", dashes: "" },
    Known {
        name: HELD,
        whose: "this project",
        what: "the same with `hold_request_headers`",
        color: "#d55e00",
        dashes: "6 4",
    },
    Known { name: NATIVE, whose: "this project", what: "the native module", color: "#e69f00", dashes: "" },
    Known {
        name: BEFORE,
        whose: "this project",
        what: "the WebAssembly filter of an earlier commit, which shows what has changed since",
        color: "#d55e00",
        dashes: "2 3",
    },
    Known {
        name: CODEX_RELAY,
        whose: "its authors; from crates.io",
        what: "a translator in Rust",
        color: "#cc79a7",
        dashes: "",
    },
    Known {
        name: LITELLM,
        whose: "BerriAI; from PyPI",
        what: "a gateway in Python, with one worker",
        color: "#000000",
        dashes: "",
    },
];

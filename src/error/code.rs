//! The stable codes of our own errors: one table, from which `docs/errors.md` is made.
//!
//! Errors that the upstream words itself keep its code, or get the one on which clients act
//! (`translate::error`); those stand here too, as far as this filter gives them.

use std::borrow::Cow;

/// How far an exchange had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The request's headers alone say that it cannot be served. Nothing went up.
    Headers,
    /// The request's body says so. Nothing went up.
    Request,
    /// The upstream answered, or Envoy in its stead, with something that is no reply.
    Upstream,
    /// The reply had begun. In a stream: the events `error` and `response.failed`.
    Reply,
}

macro_rules! codes {
    ($($phase:ident { $($code:ident $name:literal $status:literal $when:literal $do:literal)* })*) => {
        /// A stable code, for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[doc = $when] $code,)*)* }

        impl Code {
            /// All of them, in the order in which an exchange can meet them.
            pub const ALL: &[Self] = &[$($(Self::$code,)*)*];

            /// As it is written.
            pub fn name(self) -> &'static str {
                match self { $($(Self::$code => $name,)*)* }
            }

            /// How far the exchange had come.
            pub fn phase(self) -> Phase {
                match self { $($(Self::$code => Phase::$phase,)*)* }
            }

            /// The status, where one can still be sent; 0: the upstream's own.
            pub fn status(self) -> u16 {
                match self { $($(Self::$code => $status,)*)* }
            }

            /// When it is given.
            pub fn when(self) -> &'static str {
                match self { $($(Self::$code => $when,)*)* }
            }

            /// What to do about it.
            pub fn remedy(self) -> &'static str {
                match self { $($(Self::$code => $do,)*)* }
            }
        }
    };
}

codes! {
    Headers {
        MethodNotAllowed "method_not_allowed" 405
            "Another method than POST, with `allow: POST`." "Send a POST."
        EndpointNotSupported "endpoint_not_supported" 404
            "A path below `/responses` that needs stored responses (404), a tokenizer (501), or another method (405)."
            "Send the whole conversation in `input`."
        WebsocketNotSupported "websocket_not_supported" 426
            "A WebSocket handshake." "Send a POST and read server-sent events; Codex does so by itself."
        UnsupportedContentEncoding "unsupported_content_encoding" 415
            "A compressed request body." "Send it uncompressed, or put Envoy's decompressor before this filter."
        MissingBody "missing_body" 400
            "No body." "Send a JSON object."
        RequestTooLarge "request_too_large" 413
            "The body is larger than `limits.request_bytes`." "Send less, or raise the limit."
        UnsupportedTrailers "unsupported_trailers" 400
            "Trailers after the request's body, while headers are not held." "Send none."
    }
    Request {
        InvalidJson "invalid_json" 400
            "The body is no JSON." "See the message for the place."
        JsonTooDeep "json_too_deep" 400
            "The body is nested more than 128 levels deep." "Flatten it."
        JsonTooManyValues "json_too_many_values" 400
            "The body holds more than 500000 values." "Compact the conversation."
        TooManyTools "too_many_tools" 400
            "More than 20000 tools are declared." "Declare fewer, or use tool search."
        MissingRequiredParameter "missing_required_parameter" 400
            "A field is missing; `param` names it." "Send it."
        InvalidType "invalid_type" 400
            "A field has another type than the API's; `param` names it." "See the message."
        InvalidValue "invalid_value" 400
            "A field has a value that the API does not know; `param` names it." "See the message for those it knows."
        IntegerBelowMinimum "integer_below_min_value" 400
            "A whole number is too small; `param` names it." "See the message for the smallest."
        IntegerAboveMaximum "integer_above_max_value" 400
            "A whole number is too large; `param` names it." "See the message for the largest."
        DecimalBelowMinimum "decimal_below_min_value" 400
            "A number is too small; `param` names it." "See the message for the smallest."
        DecimalAboveMaximum "decimal_above_max_value" 400
            "A number is too large; `param` names it." "See the message for the largest."
        UnsupportedValue "unsupported_value" 400
            "The upstream can have nothing like it, e.g. a hosted tool in `tool_choice`." "Choose another."
        UnsupportedParameter "unsupported_parameter" 400
            "A field needs stored state (`conversation`, `prompt`, `background`)." "See the message for what to send instead."
        PreviousResponseNotFound "previous_response_not_found" 400
            "`previous_response_id`: no responses are stored." "Send the whole conversation in `input`."
    }
    Upstream {
        ContextLengthExceeded "context_length_exceeded" 0
            "The upstream says, in whatever words, that the conversation is too long for the model." "Compact it; Codex does so by itself."
        ModelNotFound "model_not_found" 0
            "The upstream does not know the model, or the configuration refuses it (404)." "Correct `model`, or the `models` of the configuration."
        InsufficientQuota "insufficient_quota" 0
            "The upstream's account is exhausted." "Pay; waiting does not help."
        RateLimitExceeded "rate_limit_exceeded" 429
            "The upstream limits the rate." "Wait as long as `retry-after` says."
        UpstreamUnexpectedStatus "upstream_unexpected_status" 502
            "The upstream answered with a redirect or another status that is neither success nor error." "Configure its real address."
        UpstreamEncodingUnsupported "upstream_encoding_unsupported" 502
            "The upstream compressed its reply although nobody asked for it. An error keeps its status." "Switch that off there."
        UpstreamEmptyReply "upstream_empty_reply" 502
            "The upstream answered with success and nothing else." "Look into its log."
        UpstreamEarlyReply "upstream_early_reply" 502
            "The upstream answered with success before it had the request." "Look at its address: something else answers there."
    }
    Reply {
        ToolCallLost "tool_call_lost" 502
            "A tool call of the model cannot be handed over whole; the message names it." "Ask again."
        ReplyTooLarge "reply_too_large" 502
            "The reply is larger than `limits.reply_bytes`, one event than `limits.event_bytes`, or it has more than 10000 items." "Ask for less, or raise the limit."
    }
}

impl From<Code> for Cow<'static, str> {
    fn from(code: Code) -> Self {
        Cow::Borrowed(code.name())
    }
}

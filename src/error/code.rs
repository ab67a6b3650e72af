//! The stable error codes of the filter, in one table. `docs/errors.md` is generated from it.
//!
//! An error from the upstream keeps its own code, unless its words, its number or its status match a
//! condition on which clients act, such as a context overflow. The codes for those conditions are in
//! this table too.

use std::borrow::Cow;

/// The stage of an exchange at which an error occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The request is rejected by its headers. Nothing is sent upstream.
    Headers,
    /// The request is rejected by its body. Nothing is sent upstream.
    Request,
    /// The upstream, or Envoy on its behalf, answered with something other than a reply.
    Upstream,
    /// The reply has begun. In a stream, the client gets the events `error` and `response.failed`.
    Reply,
    /// Any: the filter itself failed.
    Any,
}

macro_rules! codes {
    ($($stage:ident { $($code:ident $name:literal $status:literal $when:literal $do:literal)* })*) => {
        /// A stable error code for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[doc = $when] $code,)*)* }

        impl Code {
            /// All codes, in the order of the stages of an exchange.
            pub const ALL: &[Self] = &[$($(Self::$code,)*)*];

            /// The code as written in an error body.
            pub const fn name(self) -> &'static str {
                match self { $($(Self::$code => $name,)*)* }
            }

            /// The stage at which the error occurs.
            pub fn stage(self) -> Stage {
                match self { $($(Self::$code => Stage::$stage,)*)* }
            }

            /// The HTTP status, if headers have not been sent yet; 0 means the status of the upstream.
            pub fn status(self) -> u16 {
                match self { $($(Self::$code => $status,)*)* }
            }

            /// When the error occurs, for `docs/errors.md`.
            pub fn when(self) -> &'static str {
                match self { $($(Self::$code => $when,)*)* }
            }

            /// What the reader can do about it, for `docs/errors.md`.
            pub fn remedy(self) -> &'static str {
                match self { $($(Self::$code => $do,)*)* }
            }
        }
    };
}

codes! {
    Headers {
        MethodNotAllowed "method_not_allowed" 405
            "The path does not take the method. The header `allow` of the response lists those that it takes." "Use one of them."
        EndpointNotSupported "endpoint_not_supported" 404
            "The path below `/responses` needs stored responses (404), a tokenizer (501) or a different method (405); or the query asks for the stream of a stored response (400)."
            "Send the whole conversation in `input`."
        WebsocketNotSupported "websocket_not_supported" 426
            "The request is a WebSocket handshake." "Send a POST and read server-sent events. Codex falls back to that by itself."
        UnsupportedContentEncoding "unsupported_content_encoding" 415
            "The request body is compressed." "Send it uncompressed, or decompress it in a [listener before](filter-order.md)."
        MissingBody "missing_body" 400
            "The request has no body." "Send a JSON object."
        RequestTooLarge "request_too_large" 413
            "The body is larger than `limits.request_bytes`." "Send a smaller request, or raise the limit."
        UnsupportedTrailers "unsupported_trailers" 400
            "The request has trailers." "Send no trailers."
    }
    Request {
        InvalidJson "invalid_json" 400
            "The body is not valid JSON." "The message gives the position."
        JsonTooDeep "json_too_deep" 400
            "The body is nested more than 128 levels deep." "Flatten the body."
        JsonTooManyValues "json_too_many_values" 400
            "The body holds more than 500000 values." "Compact the conversation."
        TooManyTools "too_many_tools" 400
            "More than 20000 tools are declared." "Declare fewer, or use tool search."
        MissingRequiredParameter "missing_required_parameter" 400
            "A required field is missing; `param` names it." "Send the field."
        InvalidType "invalid_type" 400
            "A field has the wrong type; `param` names it." "The message gives the expected type."
        InvalidValue "invalid_value" 400
            "A field has an unknown value; `param` names it." "The message lists the known values."
        IntegerBelowMinimum "integer_below_min_value" 400
            "An integer is too small; `param` names it." "The message gives the minimum."
        IntegerAboveMaximum "integer_above_max_value" 400
            "An integer is too large; `param` names it." "The message gives the maximum."
        DecimalBelowMinimum "decimal_below_min_value" 400
            "A number is too small; `param` names it." "The message gives the minimum."
        DecimalAboveMaximum "decimal_above_max_value" 400
            "A number is too large; `param` names it." "The message gives the maximum."
        UnsupportedValue "unsupported_value" 400
            "The value has no equivalent upstream, such as a hosted tool in `tool_choice`, or `input` has no item of a known type." "Send a different value."
        UnsupportedParameter "unsupported_parameter" 400
            "The field needs state that is never stored (`conversation`, `prompt`, `background`)." "The message says what to send instead."
        PreviousResponseNotFound "previous_response_not_found" 400
            "The response that `previous_response_id` names is not stored: responses are not stored at all, it has expired, or it is not this client's." "Send the whole conversation in `input`."
        ResponseNotFound "response_not_found" 404
            "No response with this id is stored for this client, or it has no item with this id." "Check the id. Stored responses expire."
        StoreUnavailable "store_unavailable" 503
            "The store of the responses cannot be read." "Send the request again. If it stays, check the store and Envoy's log."
    }
    Upstream {
        ContextLengthExceeded "context_length_exceeded" 0
            "The conversation is too long for the model. The wording of many upstreams is recognized." "Compact the conversation. Codex does so by itself."
        ModelNotFound "model_not_found" 0
            "The upstream does not know the model, or the plugin configuration refuses it (404)." "Correct `model`, or `models` in the plugin configuration."
        InsufficientQuota "insufficient_quota" 0
            "The quota of the upstream account is exhausted." "Add credit to the upstream account; retrying will not help."
        RateLimitExceeded "rate_limit_exceeded" 429
            "The upstream's rate limit is reached." "Wait for the time in `retry-after`."
        ServerIsOverloaded "server_is_overloaded" 0
            "The upstream reports this code itself." "Wait, then send the request again. Codex does so by itself."
        SlowDown "slow_down" 0
            "The upstream is overloaded or is still loading the model." "Wait, then send the request again. Codex does so by itself."
        UpstreamUnexpectedStatus "upstream_unexpected_status" 502
            "The upstream answered with a status that is neither success nor error, such as a redirect, or Envoy followed its redirect (`internal_redirect_policy`)." "Configure the final address of the upstream."
        UpstreamEncodingUnsupported "upstream_encoding_unsupported" 502
            "The upstream compressed its reply although the request did not allow it. An error keeps its status." "Turn compression off at the upstream."
        UpstreamEmptyReply "upstream_empty_reply" 502
            "The upstream answered with a success status and an empty body." "Check the log of the upstream."
        UpstreamEarlyReply "upstream_early_reply" 502
            "The upstream answered with a success status before it received the request." "Check the address: a different service probably answers there."
    }
    Reply {
        ToolCallLost "tool_call_lost" 502
            "A tool call of the model cannot be delivered complete; the message names it." "Send the request again."
        ReplyTooLarge "reply_too_large" 502
            "The reply exceeds `limits.reply_bytes`, an event exceeds `limits.event_bytes`, or the reply has more than 10000 items." "Request a shorter reply, or raise the limit."
    }
    Any {
        InternalError "internal_error" 500
            "A bug of the filter, in the [native module](quick-start/native.md) only. After the reply has begun, the stream ends without its last event." "Report it with the log line that names the place."
    }
}

impl From<Code> for Cow<'static, str> {
    fn from(code: Code) -> Self {
        Cow::Borrowed(code.name())
    }
}

//! The scenarios: the request, the upstream's reply, what the client must report, what the upstream must receive.

use serde_json::{Value, json};

pub struct Scenario {
    pub name: &'static str,
    /// The job for the client: `tools`, `schema`, `retries`, `handoff`, and fields of the `request`.
    pub job: fn() -> Value,
    pub replies: fn() -> Value,
    /// The result that the client must report, in the form that `clients` describes.
    pub outcome: fn() -> Value,
    pub upstream: fn(&[Value]),
    /// Only streams can have this.
    pub only_stream: bool,
}

const PLAIN: Scenario = Scenario {
    name: "",
    job: || json!({}),
    replies: || json!([]),
    outcome: || json!({}),
    upstream: |_| {},
    only_stream: false,
};

fn weather(id: &str, city: &str) -> Value {
    json!({"id": id, "name": "get_weather", "arguments": {"city": city}})
}

fn failure(status: u16, code: &str, message: &str) -> Value {
    let error = json!({"message": message, "type": "some_error", "param": null, "code": code});
    json!([{"error": {"status": status, "headers": {"retry-after": "1"}, "body": {"error": error}}}])
}

fn told(status: u16, code: &str, message: &str) -> Value {
    json!({"error": {"status": status, "code": code, "message": message}})
}

/// Agents add to the instructions.
fn asked_once(bodies: &[Value]) {
    assert_eq!(bodies.len(), 1);
    let [system, user] = bodies[0]["messages"].as_array().unwrap().as_slice() else {
        panic!("{}", bodies[0])
    };
    assert_eq!(system["role"], "system");
    assert!(system["content"].as_str().unwrap().starts_with("Be brief."), "{system}");
    assert_eq!(*user, json!({"role": "user", "content": "How is the weather?"}));
}

/// The calls in the second request, and their outputs. Some clients serialize the arguments again.
fn calls(bodies: &[Value]) -> Vec<(String, Value, String)> {
    assert_eq!(bodies.len(), 2);
    let messages = bodies[1]["messages"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let answer = |id: &Value| messages.iter().find(|m| m["tool_call_id"] == *id).map(|m| text(&m["content"]));
    let calls = messages.iter().flat_map(|message| message["tool_calls"].as_array().into_iter().flatten());
    calls
        .map(|call| {
            (
                text(&call["function"]["name"]),
                serde_json::from_str(&text(&call["function"]["arguments"])).unwrap(),
                answer(&call["id"]).unwrap(),
            )
        })
        .collect()
}

fn called(name: &str, arguments: Value, answer: &str) -> (String, Value, String) {
    (name.to_owned(), arguments, answer.to_owned())
}

pub const ALL: &[Scenario] = &[
    Scenario {
        name: "text",
        replies: || json!([{"text": "Grüße, 🦀!", "usage": {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}}]),
        outcome: || json!({"text": "Grüße, 🦀!", "finish": "completed"}),
        upstream: asked_once,
        ..PLAIN
    },
    Scenario {
        name: "reasoning",
        job: || json!({"request": {"reasoning": {"effort": "low", "summary": "auto"}}}),
        replies: || json!([{"reasoning": "Hm, ü.", "text": "Done."}]),
        outcome: || json!({"reasoning": "Hm, ü.", "text": "Done.", "finish": "completed"}),
        upstream: asked_once,
        ..PLAIN
    },
    Scenario {
        name: "text, reasoning and a call",
        job: || json!({"tools": true}),
        replies: || json!([{"reasoning": "Look.", "text": "Let me look.", "tool_calls": [weather("a", "Paris")]}, {"text": "Sunny."}]),
        outcome: || json!({"ran": [["get_weather", {"city": "Paris"}]], "text": "Sunny.", "finish": "completed"}),
        upstream: |bodies| {
            assert_eq!(calls(bodies), [called("get_weather", json!({"city": "Paris"}), "Paris: sunny")]);
        },
        ..PLAIN
    },
    Scenario {
        name: "interleaved calls",
        job: || json!({"tools": true}),
        replies: || {
            let chunking = json!({"arguments": 3, "interleave": true});
            json!([{"tool_calls": [weather("a", "Paris"), weather("b", "Oslo")], "chunking": chunking}, {"text": "Sunny."}])
        },
        outcome: || {
            let ran = json!([["get_weather", {"city": "Oslo"}], ["get_weather", {"city": "Paris"}]]);
            json!({"ran": ran, "text": "Sunny.", "finish": "completed"})
        },
        upstream: |bodies| {
            let [paris, oslo] = ["Paris", "Oslo"]
                .map(|city| called("get_weather", json!({"city": city}), &format!("{city}: sunny")));
            assert_eq!(calls(bodies), [paris, oslo]);
        },
        ..PLAIN
    },
    Scenario {
        name: "custom tool",
        // The AI SDK otherwise only refers to the call.
        job: || json!({"tools": true, "options": {"store": false}}),
        replies: || {
            let call = json!({"id": "a", "name": "run", "arguments": {"input": "echo \"ü\"\n"}});
            json!([{"tool_calls": [call], "chunking": {"arguments": 1}}, {"text": "Done."}])
        },
        outcome: || json!({"ran": [["run", "echo \"ü\"\n"]], "text": "Done.", "finish": "completed"}),
        upstream: |bodies| {
            assert_eq!(calls(bodies), [called("run", json!({"input": "echo \"ü\"\n"}), "done")])
        },
        ..PLAIN
    },
    Scenario {
        name: "handoff",
        job: || json!({"handoff": true}),
        replies: || json!([{"tool_calls": [{"id": "a", "name": "transfer_to_weather_agent"}]}, {"text": "Sunny."}]),
        outcome: || json!({"agent": "weather agent", "text": "Sunny."}),
        upstream: |bodies| {
            let calls = calls(bodies);
            let [(name, arguments, answer)] = calls.as_slice() else { panic!("{calls:?}") };
            assert_eq!((name.as_str(), arguments), ("transfer_to_weather_agent", &json!({})));
            assert_eq!(serde_json::from_str::<Value>(answer).unwrap(), json!({"assistant": "weather agent"}));
        },
        ..PLAIN
    },
    Scenario {
        name: "structured output",
        job: || json!({"schema": true}),
        replies: || json!([{"text": "{\"city\":\"Paris\",\"celsius\":21}"}]),
        outcome: || json!({"parsed": {"city": "Paris", "celsius": 21}, "finish": "completed"}),
        upstream: |bodies| {
            asked_once(bodies);
            let format = &bodies[0]["response_format"];
            assert_eq!(format["type"], "json_schema");
            assert!(format["json_schema"]["strict"].is_boolean(), "as the client said: {format}");
            let properties = format["json_schema"]["schema"]["properties"].as_object().unwrap();
            assert_eq!(properties.keys().collect::<Vec<_>>(), ["celsius", "city"]);
        },
        ..PLAIN
    },
    Scenario {
        name: "refusal",
        replies: || json!([{"refusal": "I cannot."}]),
        outcome: || json!({"refusal": "I cannot.", "finish": "completed"}),
        upstream: asked_once,
        ..PLAIN
    },
    Scenario {
        name: "truncated",
        job: || json!({"request": {"max_output_tokens": 16}}),
        replies: || json!([{"text": "Half a", "finish": "length"}]),
        outcome: || json!({"text": "Half a", "finish": "length"}),
        upstream: |bodies| assert_eq!(bodies[0]["max_tokens"], 16),
        ..PLAIN
    },
    Scenario {
        name: "filtered",
        replies: || json!([{"text": "Half a", "finish": "content_filter"}]),
        outcome: || json!({"text": "Half a", "finish": "filter"}),
        upstream: asked_once,
        ..PLAIN
    },
    Scenario {
        name: "a script is cut",
        job: || json!({"tools": true}),
        replies: || json!([{"tool_calls": [{"id": "a", "name": "run", "arguments": "{\"input\": \"rm -rf /tmp/"}], "finish": "length"}]),
        outcome: || json!({"finish": "length"}),
        ..PLAIN
    },
    Scenario {
        name: "a wrong request",
        replies: || failure(400, "invalid_value", "It is wrong."),
        outcome: || told(400, "invalid_value", "It is wrong."),
        ..PLAIN
    },
    Scenario {
        name: "the context is full",
        replies: || failure(400, "BadRequestError", "This model's maximum context length is 2048 tokens."),
        outcome: || {
            told(400, "context_length_exceeded", "This model's maximum context length is 2048 tokens.")
        },
        ..PLAIN
    },
    Scenario {
        name: "a wrong key",
        replies: || failure(401, "invalid_api_key", "Who are you?"),
        outcome: || told(401, "invalid_api_key", "Who are you?"),
        ..PLAIN
    },
    Scenario {
        name: "an unknown model",
        replies: || failure(404, "NotFoundError", "The model `m` does not exist."),
        outcome: || told(404, "model_not_found", "The model `m` does not exist."),
        ..PLAIN
    },
    Scenario {
        name: "too many requests",
        replies: || failure(429, "rate_limit_exceeded", "Slow down."),
        outcome: || told(429, "rate_limit_exceeded", "Slow down."),
        ..PLAIN
    },
    Scenario {
        name: "a broken upstream",
        replies: || failure(500, "internal_error", "It broke."),
        outcome: || told(500, "internal_error", "It broke."),
        ..PLAIN
    },
    Scenario {
        name: "a second try",
        job: || json!({"retries": 1}),
        replies: || json!([failure(429, "rate_limit_exceeded", "Slow down.")[0], {"text": "Hi."}]),
        outcome: || json!({"text": "Hi.", "finish": "completed"}),
        upstream: |bodies| assert_eq!(bodies[0], bodies[1]),
        ..PLAIN
    },
    Scenario {
        name: "error in the stream",
        replies: || json!([{"steps": [{"text": "Half"}, {"data": {"error": {"message": "It broke.", "code": 500}}}]}]),
        outcome: || json!({"error": {"class": "APIError", "message": "It broke."}}),
        only_stream: true,
        ..PLAIN
    },
];

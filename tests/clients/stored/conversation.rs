//! The conversation that every client has: five turns, in which the model calls tools and some words are said twice.

use serde_json::{Value, json};
use std::collections::BTreeMap;

pub struct Turn {
    pub question: &'static str,
    pub replies: &'static [Reply],
}

/// What the model says, and the cities whose weather it looks up then.
pub struct Reply {
    reasoning: Option<&'static str>,
    text: Option<&'static str>,
    cities: &'static [&'static str],
}

const fn says(text: &'static str) -> Reply {
    Reply { reasoning: None, text: Some(text), cities: &[] }
}

const fn calls(cities: &'static [&'static str]) -> Reply {
    Reply { reasoning: None, text: None, cities }
}

pub const WITH_TOOLS: &[Turn] = &[
    Turn {
        question: "How is the weather in Paris?",
        replies: &[
            Reply { reasoning: Some("Look."), text: Some("Let me look."), cities: &["Paris"] },
            says("It is sunny."),
        ],
    },
    Turn { question: "Thanks.", replies: &[says("You are welcome.")] },
    Turn {
        question: "And elsewhere?",
        replies: &[
            calls(&["Oslo", "Rome"]),
            Reply { reasoning: None, text: Some("One more."), cities: &["Bonn"] },
            says("Sunny."),
        ],
    },
    Turn { question: "Thanks.", replies: &[says("You are welcome.")] },
    Turn { question: "And in Paris now?", replies: &[calls(&["Paris"]), says("Still sunny.")] },
];

pub const WITHOUT_TOOLS: &[Turn] = &[
    Turn { question: "Who are you?", replies: &[says("A model.")] },
    Turn { question: "Thanks.", replies: &[says("You are welcome.")] },
    Turn { question: "Really?", replies: &[Reply { reasoning: Some("Hm."), ..says("Yes.") }] },
    Turn { question: "Thanks.", replies: &[says("You are welcome.")] },
    Turn { question: "Bye.", replies: &[says("Bye.")] },
];

fn replies(turns: &[Turn]) -> impl Iterator<Item = &Reply> {
    turns.iter().flat_map(|turn| turn.replies)
}

/// The replies of the upstream, which numbers the calls of each reply from 0, as some do.
pub fn script(turns: &[Turn]) -> Value {
    let call = |(number, city)| json!({"id": format!("call_{number}"), "name": "get_weather", "arguments": {"city": city}});
    let replies = replies(turns).map(|reply| {
        let calls: Vec<_> = reply.cities.iter().enumerate().map(call).collect();
        json!({"reasoning": reply.reasoning, "text": reply.text, "tool_calls": calls})
    });
    json!({"replies": replies.collect::<Vec<_>>()})
}

pub fn questions(turns: &[Turn]) -> Vec<&str> {
    turns.iter().map(|turn| turn.question).collect()
}

/// What the client must say that the model answered in each turn.
pub fn answers(turns: &[Turn]) -> Vec<&str> {
    turns.iter().filter_map(|turn| turn.replies.last()?.text).collect()
}

/// The cities whose weather the client must look up, sorted: it may run its tools side by side.
pub fn cities(turns: &[Turn]) -> Vec<&str> {
    let mut cities: Vec<_> = replies(turns).flat_map(|reply| reply.cities).copied().collect();
    cities.sort_unstable();
    cities
}

/// The types of the items before the last reply, as the client must find them.
pub fn items(turns: &[Turn]) -> Vec<&str> {
    let mut types = Vec::new();
    for turn in turns {
        types.push("message");
        for reply in turn.replies {
            types.extend(reply.reasoning.map(|_| "reasoning"));
            types.extend(reply.text.map(|_| "message"));
            types.extend(reply.cities.iter().map(|_| "function_call"));
            types.extend(reply.cities.iter().map(|_| "function_call_output"));
        }
    }
    // The last reply is a text.
    types.pop();
    types
}

/// The messages that the model must get before each of its replies, as `messages` writes them.
pub fn expected(turns: &[Turn]) -> Vec<Vec<String>> {
    let mut before = vec!["system: Be brief.".to_owned()];
    let mut all = Vec::new();
    for turn in turns {
        before.push(format!("user: {}", turn.question));
        for reply in turn.replies {
            all.push(before.clone());
            before.push(said(reply.text.unwrap_or_default(), reply.cities));
            before.extend(reply.cities.iter().map(|city| format!("tool for {city}: {city}: sunny")));
        }
    }
    all
}

fn said(text: &str, cities: &[&str]) -> String {
    format!("assistant: {text} {cities:?}")
}

/// The messages of a request, a line each.
pub fn messages(body: &Value) -> Vec<String> {
    let mut cities = BTreeMap::new();
    let messages = body["messages"].as_array().unwrap().iter();
    messages
        .map(|message| {
            let text = text(&message["content"]);
            match message["role"].as_str().unwrap() {
                "assistant" => {
                    let calls = message["tool_calls"].as_array().into_iter().flatten();
                    let looked_up: Vec<_> = calls.map(|call| (call["id"].clone(), city(call))).collect();
                    let line =
                        said(&text, &looked_up.iter().map(|(_, city)| city.as_str()).collect::<Vec<_>>());
                    cities.extend(looked_up.into_iter().map(|(id, city)| (id.to_string(), city)));
                    line
                }
                "tool" => format!("tool for {}: {text}", cities[&message["tool_call_id"].to_string()]),
                role => format!("{role}: {text}"),
            }
        })
        .collect()
}

fn city(call: &Value) -> String {
    assert_eq!(call["function"]["name"].as_str().unwrap().rsplit('-').next(), Some("get_weather"));
    let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
    arguments["city"].as_str().unwrap().to_owned()
}

fn text(content: &Value) -> String {
    let parts = content.as_array().into_iter().flatten().map(|part| part["text"].as_str().unwrap());
    content.as_str().into_iter().chain(parts).collect()
}

//! Content parts of messages and of tool outputs.

use crate::support::*;
use serde_json::{Value, json};

#[test]
fn parts_become_chat_content_parts() {
    let image = |detail: &str| json!({"type": "input_image", "image_url": "data:image/png;base64,x", "detail": detail});
    let content = json!([
        {"type": "input_text", "text": "see"}, image("original"), image("low"), image("strange"),
        {"type": "input_file", "file_data": "data:x", "filename": "f.pdf"},
    ]);
    let messages = messages(&json!({}), json!([{"role": "user", "content": content}]));
    let parts = messages[0]["content"].as_array().unwrap();
    let details: Vec<&Value> = parts[1..4].iter().map(|part| &part["image_url"]["detail"]).collect();
    assert_eq!(details, [&json!("high"), &json!("low"), &Value::Null]);
    assert_eq!(parts[4]["file"]["filename"], "f.pdf");
}

#[test]
fn tool_output_images_follow_in_a_user_message_or_are_dropped() {
    let image =
        json!([{"type": "input_text", "text": "a picture"}, {"type": "input_image", "image_url": "data:x"}]);
    let input = json!([user("hi"), function_call("a", "f", "{}"), function_call_output("a", image)]);
    let sent = messages(&json!({}), input.clone());
    assert!(sent[2]["content"].as_str().unwrap().starts_with("a picture\n"));
    assert_eq!(sent[3]["content"][1]["image_url"]["url"], "data:x");
    let (body, dropped) =
        ask(json!({ "input": input })).upstream(&json!({"tool_output_images": "drop"})).sent();
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
    assert_eq!(dropped, ["part:input_image"]);
}

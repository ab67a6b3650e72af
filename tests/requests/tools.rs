//! Tools and the choice among them.

use super::*;

#[test]
fn unknown_kinds_are_dropped_and_reported() {
    let (body, dropped) = up(
        &json!({}),
        json!({
            "input": [user("hi"), {"type": "web_search_call", "id": "ws_1"}, {"type": "novelty"}],
            "tools": [{"type": "web_search"}, {"type": "hologram"}, {"type": "function", "name": "f"}, {"type": "function", "name": "f"}],
        }),
    );
    assert_eq!(dropped, ["tool:web_search", "tool:hologram", "item:web_search_call", "item:novelty"]);
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    let (body, _) =
        up(&json!({}), json!({"input": "hi", "tools": [{"type": "web_search"}], "tool_choice": "auto"}));
    assert!(body.get("tools").is_none() && body.get("tool_choice").is_none());
}

#[test]
fn a_tool_choice_chooses_among_the_tools_that_go_up() {
    let tools = json!([
        {"type": "function", "name": "f"}, {"type": "custom", "name": "c"},
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "g"}]},
    ]);
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    let table: &[(Value, Value, &[&str])] = &[
        (json!("auto"), json!("auto"), &["f", "c", "n__g"]),
        (json!("none"), json!("none"), &["f", "c", "n__g"]),
        (json!({"type": "function", "name": "f"}), named("f"), &["f"]),
        (json!({"type": "custom", "name": "c"}), named("c"), &["c"]),
        (json!({"type": "function", "name": "g", "namespace": "n"}), named("n__g"), &["n__g"]),
        (
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "c"}]}),
            json!("required"),
            &["c"],
        ),
    ];
    for (choice, expected, offered) in table {
        let (body, _) = up(&json!({}), json!({"input": "hi", "tools": tools, "tool_choice": choice}));
        assert_eq!(body["tool_choice"], *expected, "{choice}");
        let names: Vec<&str> = body["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["function"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, *offered, "{choice}");
    }
}

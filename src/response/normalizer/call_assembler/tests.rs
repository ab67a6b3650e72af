//! Fragments that are hard to assign, and the resulting calls.

use super::*;
use crate::tools::names::ToolName;
use crate::wire::chat::reply::ToolCall;

/// Calls as `name(arguments)`, from fragments as JSON.
fn calls(fragments: &[&str]) -> Vec<String> {
    let mut tools = Names::default();
    for name in ["patch", "look", "look_up", "looklook"] {
        let name = Rc::from(name);
        tools.push(ToolName { namespace: None, upstream: Rc::clone(&name), name });
    }
    let mut assembler = CallAssembler::new(Rc::new(tools));
    let mut calls: Vec<(String, String, CallFormat)> = Vec::new();
    for fragment in fragments {
        let call: ToolCall<'_> = serde_json::from_str(fragment).unwrap();
        if let Some(delta) = assembler.add(&CallFragment::of(&call)) {
            if delta.call == calls.len() {
                calls.push((String::new(), String::new(), delta.format));
            }
            let (name, arguments, format) = &mut calls[delta.call];
            delta.name.clone_into(name);
            arguments.push_str(&delta.arguments.decode());
            *format = delta.format;
        }
    }
    while let Some(delta) = assembler.release() {
        calls[delta.call].1.push_str(&delta.arguments.decode());
    }
    let lines = calls.into_iter().map(|(name, arguments, format)| match format {
        CallFormat::Placeholder => format!("{name}({{}}{arguments})"),
        CallFormat::Json { .. } | CallFormat::Text => format!("{name}({arguments})"),
    });
    lines.collect()
}

#[test]
fn fragments_find_their_call() {
    let table: &[(&str, &[&str], &[&str])] = &[
        (
            "by index, interleaved",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
                r#"{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}"#,
                r#"{"index":0,"function":{"arguments":"{}"}}"#,
                r#"{"index":1,"function":{"arguments":"}"}}"#,
            ],
            &["f({})", "g({})"],
        ),
        (
            "all of the name so far in each piece",
            &[
                r#"{"index":0,"id":"a","function":{"name":"pat"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"patch"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"patch","arguments":"{}"}}"#,
            ],
            &["patch({})"],
        ),
        (
            "names in pieces, and an undeclared one whose second piece begins with the first",
            &[
                r#"{"index":0,"function":{"name":"look_"}}"#,
                r#"{"index":0,"function":{"name":"up","arguments":"{}"}}"#,
                r#"{"index":1,"function":{"name":"loo"}}"#,
                r#"{"index":1,"function":{"name":"klook","arguments":"{}"}}"#,
                r#"{"index":2,"function":{"name":"a"}}"#,
                r#"{"index":2,"function":{"name":"ab","arguments":"{}"}}"#,
            ],
            &["look_up({})", "looklook({})", "aab({})"],
        ),
        (
            "by an index with a decimal point, interleaved",
            &[
                r#"{"index":0.0,"id":"a","function":{"name":"f","arguments":""}}"#,
                r#"{"index":1.0,"id":"b","function":{"name":"g","arguments":""}}"#,
                r#"{"index":0.0,"function":{"arguments":"{}"}}"#,
                r#"{"index":1.00,"function":{"arguments":"{\"q\":1}"}}"#,
            ],
            &["f({})", r#"g({"q":1})"#],
        ),
        (
            "an index that only comes with the arguments",
            &[
                r#"{"id":"a","function":{"name":"f"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"arguments":"1}"}}"#,
                r#"{"id":"b","function":{"name":"g"}}"#,
                r#"{"index":1,"id":"b","function":{"arguments":"{}"}}"#,
            ],
            &[r#"f({"q":1})"#, "g({})"],
        ),
        (
            "an index that only comes when the call is repeated",
            &[
                r#"{"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"id":"b","function":{"name":"g","arguments":"{\"q\":1}"}}"#,
                r#"{"index":1,"id":"b","function":{"name":"g","arguments":"{\"q\":1}"}}"#,
            ],
            &["f({})", r#"g({"q":1})"#],
        ),
        (
            "an index that only comes when the arguments are repeated",
            &[
                r#"{"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"x\":1}"}}"#,
            ],
            &[r#"f({"x":1})"#],
        ),
        (
            "an index that only comes with the arguments, and may be that of two calls",
            &[
                r#"{"id":"a","function":{"name":"f"}}"#,
                r#"{"id":"b","function":{"name":"g"}}"#,
                r#"{"index":0,"function":{"arguments":"{}"}}"#,
            ],
            &["f()", "g()", "({})"],
        ),
        (
            "an index that only comes with the arguments, and ids",
            &[
                r#"{"id":"a","function":{"name":"f"}}"#,
                r#"{"id":"b","function":{"name":"g"}}"#,
                r#"{"index":0,"id":"a","function":{"arguments":"{\"q\":1}"}}"#,
                r#"{"index":1,"id":"b","function":{"arguments":"{\"q\":2}"}}"#,
            ],
            &[r#"f({"q":1})"#, r#"g({"q":2})"#],
        ),
        (
            "an index that only comes with the arguments, and the name again",
            &[
                r#"{"id":"a","function":{"name":"f"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":"1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "a placeholder, and an index that only comes with the arguments of the second call",
            &[
                r#"{"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"id":"b","function":{"name":"g"}}"#,
                r#"{"index":1,"function":{"arguments":"{\"q\":1}"}}"#,
            ],
            &["f({})", r#"g({"q":1})"#],
        ),
        (
            "a placeholder, and an index that may be that of either call",
            &[
                r#"{"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"id":"b","function":{"name":"g"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":1}"}}"#,
            ],
            &["f({})", "g()", r#"({"q":1})"#],
        ),
        (
            "constant index, new ids",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"f","arguments":"{}"}}"#,
            ],
            &["f({})", "f({})"],
        ),
        (
            "no index, no id, the same name again after complete arguments",
            &[
                r#"{"function":{"name":"f","arguments":"{}"}}"#,
                r#"{"function":{"name":"f","arguments":"{}"}}"#,
            ],
            &["f({})", "f({})"],
        ),
        (
            "no index, the id repeated in each fragment",
            &[
                r#"{"id":"a","function":{"name":"f","arguments":"{\"x\""}}"#,
                r#"{"id":"a","function":{"name":"f","arguments":":1}"}}"#,
            ],
            &[r#"f({"x":1})"#],
        ),
        (
            "a name in pieces, then empty",
            &[
                r#"{"index":1,"id":"a","function":{"name":"get_"}}"#,
                r#"{"index":1,"id":"","function":{"name":"weather"}}"#,
                r#"{"index":1,"function":{"name":"","arguments":"{}"}}"#,
            ],
            &["get_weather({})"],
        ),
        (
            "arguments as an object, and a last fragment of nulls",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":{"x":1}}}"#,
                r#"{"index":0,"id":null,"function":{"name":null,"arguments":null}}"#,
            ],
            &[r#"f({"x":1})"#],
        ),
        (
            "the name repeated after the arguments are complete",
            &[
                r#"{"index":0,"function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":""}}"#,
            ],
            &["f({})"],
        ),
        (
            "constant index, no id, the same name again, and then other arguments",
            &[
                r#"{"index":0,"function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#,
                r#"{"index":0,"function":{"arguments":"1}"}}"#,
            ],
            &["f({})", r#"f({"x":1})"#],
        ),
        (
            "index as a string, id as a number",
            &[
                r#"{"index":"0","id":1,"function":{"name":"f","arguments":"{"}}"#,
                r#"{"index":"1","id":2,"function":{"name":"g","arguments":"{}"}}"#,
                r#"{"index":"0","function":{"arguments":"}"}}"#,
            ],
            &["f({})", "g({})"],
        ),
        (
            "one id for all calls, each in one fragment",
            &[
                r#"{"index":0,"id":"0","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
                r#"{"index":0,"id":"0","function":{"name":"f","arguments":"{\"x\":2}"}}"#,
            ],
            &[r#"f({"x":1})"#, r#"f({"x":2})"#],
        ),
        (
            "one id for all calls, in pieces",
            &[
                r#"{"index":0,"id":"0","function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"id":"0","function":{"arguments":"{\"x\":"}}"#,
                r#"{"index":0,"id":"0","function":{"arguments":"1}"}}"#,
                r#"{"index":0,"id":"0","function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"id":"0","function":{"arguments":"{\"x\":"}}"#,
                r#"{"index":0,"id":"0","function":{"arguments":"2}"}}"#,
            ],
            &[r#"f({"x":1})"#, r#"f({"x":2})"#],
        ),
        (
            "one id for all calls, in pieces, and another name",
            &[
                r#"{"id":"0","function":{"name":"f"}}"#,
                r#"{"id":"0","function":{"arguments":"{\"x\":1}"}}"#,
                r#"{"id":"0","function":{"name":"g"}}"#,
                r#"{"id":"0","function":{"arguments":"{}"}}"#,
            ],
            &[r#"f({"x":1})"#, "g({})"],
        ),
        (
            "a complete call that is repeated at the end",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}"#,
                r#"{"index":0,"function":{"arguments":":1}"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}"#,
            ],
            &[r#"f({"x":1})"#],
        ),
        (
            "a custom tool in its own form",
            &[
                r#"{"index":0,"id":"a","type":"custom","custom":{"name":"f","input":"{x"}}"#,
                r#"{"index":0,"custom":{"input":"}y"}}"#,
            ],
            &["f({x}y)"],
        ),
        (
            "a placeholder, then the arguments",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"arguments":"1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "a placeholder with the name and the id in each fragment",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{ }"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "a placeholder as an object",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":{}}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "two placeholders, then the arguments in turns",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":1,"id":"b","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":1}"}}"#,
                r#"{"index":1,"function":{"arguments":"{\"q\":2}"}}"#,
            ],
            &[r#"f({"q":1})"#, r#"f({"q":2})"#],
        ),
        (
            "a placeholder alone, repeated, and white space",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"function":{"arguments":"{}"}}"#,
                r#"{"index":0,"function":{"arguments":" \n"}}"#,
            ],
            &[r#"f({})"#],
        ),
        (
            "no parameters, and another call",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
            ],
            &[r#"f({})"#, r#"f({"q":1})"#],
        ),
        (
            "no parameters, and another tool without ids",
            &[
                r#"{"function":{"name":"f","arguments":"{}"}}"#,
                r#"{"function":{"name":"g","arguments":"{\"q\":1}"}}"#,
            ],
            &[r#"f({})"#, r#"g({"q":1})"#],
        ),
        (
            "the arguments once more at the end, without an id",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"arguments":"1}"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "the arguments once more with the name",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":"{\"q\":1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "the arguments once more, white space aside",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\": 1}\n"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "all arguments so far in each fragment",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "all arguments so far of two calls in turns",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q"}}"#,
                r#"{"index":1,"id":"b","function":{"name":"f","arguments":"{\"q"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":1}"}}"#,
                r#"{"index":1,"function":{"arguments":"{\"q\":2}"}}"#,
            ],
            &[r#"f({"q":1})"#, r#"f({"q":2})"#],
        ),
        (
            "an object in the arguments that begins as they do",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":{}}}"}}"#,
            ],
            &[r#"f({"q":{"q":{}}})"#],
        ),
        (
            "an object in the arguments that begins as they do, in pieces",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":{"}}"#,
                r#"{"index":0,"function":{"arguments":"}}}"}}"#,
            ],
            &[r#"f({"q":{"q":{}}})"#],
        ),
        (
            "an object in the arguments that begins as they do and ends with its piece",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":{}}"}}"#,
                r#"{"index":0,"function":{"arguments":"}"}}"#,
            ],
            &[r#"f({"q":{"q":{}}})"#],
        ),
        (
            "all arguments so far, twice, and white space",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"function":{"arguments":" "}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "the name with each fragment, after a placeholder",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":"1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "the name with each fragment, after a placeholder and nothing",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":"{\"q\":1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "white space with the name, and another call whose name comes late",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":" "}}"#,
                r#"{"index":1,"id":"b","function":{"name":"","arguments":"{\"q\":"}}"#,
                r#"{"index":1,"function":{"name":"g","arguments":"2}"}}"#,
            ],
            &[r#"f({"q":1} )"#, r#"g({"q":2})"#],
        ),
        (
            "all calls once more, with the index 0",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"g","arguments":"{\"q\":2}"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"g","arguments":"{\"q\":2}"}}"#,
            ],
            &[r#"f({"q":1})"#, r#"g({"q":2})"#],
        ),
        (
            "the arguments twice in one fragment",
            &[r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":1}{\"q\":1}"}}"#],
            &[r#"f({"q":1})"#],
        ),
        (
            "equal pieces within a string",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":\""}}"#,
                r#"{"index":0,"function":{"arguments":"aa"}}"#,
                r#"{"index":0,"function":{"arguments":"aa"}}"#,
                r#"{"index":0,"function":{"arguments":"{"}}"#,
                r#"{"index":0,"function":{"arguments":"{"}}"#,
                r#"{"index":0,"function":{"arguments":"\"}"}}"#,
            ],
            &[r#"f({"q":"aaaa{{"})"#],
        ),
        (
            "equal arguments and an id of its own",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
                r#"{"index":1,"id":"b","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
            ],
            &[r#"f({"q":1})"#, r#"f({"q":1})"#],
        ),
        (
            "equal arguments of calls without an id",
            &[
                r#"{"index":0,"function":{"name":"f","arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":"{\"q\":1}"}}"#,
            ],
            &[r#"f({"q":1})"#, r#"f({"q":1})"#],
        ),
        (
            "a new id with each fragment",
            &[
                r#"{"index":0,"id":"r1","function":{"name":"f","arguments":"{\"q\""}}"#,
                r#"{"index":0,"id":"r2","function":{"name":"f","arguments":":"}}"#,
                r#"{"index":0,"id":"r3","function":{"arguments":"1}"}}"#,
                r#"{"index":0,"id":"r4","function":{"name":"f","arguments":""}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "a new id with each fragment, the first of which has no arguments",
            &[
                r#"{"index":0,"id":"r1","function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"id":"r2","function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"id":"r3","function":{"name":"f","arguments":"1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "two calls without arguments, the same index and new ids",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
                r#"{"index":0,"id":"b","function":{"name":"f","arguments":""}}"#,
            ],
            &["f()", "f()"],
        ),
        (
            "two calls with white space for arguments, the same index and new ids",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":" "}}"#,
                r#"{"index":0,"id":"b","function":{"name":"f","arguments":" "}}"#,
            ],
            &["f( )", "f( )"],
        ),
        (
            "white space for arguments, and another tool with the same index and no ids",
            &[
                r#"{"index":0,"function":{"name":"f","arguments":" "}}"#,
                r#"{"index":0,"function":{"name":"g","arguments":"{\"q\":2}"}}"#,
            ],
            &["f( )", r#"g({"q":2})"#],
        ),
        (
            "an object that begins as the arguments do, and a new id with each fragment",
            &[
                r#"{"index":0,"id":"r1","function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"id":"r2","function":{"name":"f","arguments":"{\"q\":{}}"}}"#,
                r#"{"index":0,"id":"r3","function":{"name":"f","arguments":"}"}}"#,
            ],
            &[r#"f({"q":{"q":{}}})"#],
        ),
        (
            "an object that begins as the arguments do, and the name with each fragment",
            &[
                r#"{"index":0,"function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":"{\"q\":{}}"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":",\"a\":1}"}}"#,
            ],
            &[r#"f({"q":{"q":{}},"a":1})"#],
        ),
        (
            "all arguments so far, and another call with a new id",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":"}}"#,
                r#"{"index":0,"function":{"arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"id":"b","function":{"name":"f","arguments":"{\"q\":2}"}}"#,
            ],
            &[r#"f({"q":1})"#, r#"f({"q":2})"#],
        ),
        (
            "a new id with each fragment of two calls",
            &[
                r#"{"index":0,"id":"r1","function":{"name":"f","arguments":"{\"q\""}}"#,
                r#"{"index":0,"id":"r2","function":{"name":"f","arguments":":1}"}}"#,
                r#"{"index":1,"id":"r3","function":{"name":"f","arguments":"{\"q\""}}"#,
                r#"{"index":1,"id":"r4","function":{"name":"f","arguments":":2}"}}"#,
            ],
            &[r#"f({"q":1})"#, r#"f({"q":2})"#],
        ),
        (
            "a name that comes after the arguments began",
            &[
                r#"{"index":0,"id":"a","function":{"name":"","arguments":"{\"q\""}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":":1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "a name that comes late, without an index",
            &[
                r#"{"id":"a","function":{"arguments":"{\"q\""}}"#,
                r#"{"id":"a","function":{"name":"f","arguments":":1}"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "a name that comes when the arguments are complete",
            &[
                r#"{"index":0,"id":"a","function":{"name":"","arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":""}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "a name that comes when the arguments are complete, and another call without a name yet",
            &[
                r#"{"index":0,"id":"a","function":{"name":"","arguments":"{}"}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":""}}"#,
                r#"{"index":1,"id":"b","function":{"name":"","arguments":"{\"q\""}}"#,
                r#"{"index":1,"function":{"name":"g","arguments":":2}"}}"#,
            ],
            &["f({})", r#"g({"q":2})"#],
        ),
        (
            "two calls of a custom tool with the same index",
            &[
                r#"{"index":0,"id":"a","custom":{"name":"f","input":"x"}}"#,
                r#"{"index":0,"id":"b","custom":{"name":"f","input":"y"}}"#,
            ],
            &["f(x)", "f(y)"],
        ),
        (
            "names that come late in two calls",
            &[
                r#"{"index":0,"id":"a","function":{"name":"","arguments":"{\"q\""}}"#,
                r#"{"index":1,"id":"b","function":{"name":"","arguments":"{\"q\""}}"#,
                r#"{"index":0,"function":{"name":"f","arguments":":1}"}}"#,
                r#"{"index":1,"function":{"name":"g","arguments":":2}"}}"#,
            ],
            &[r#"f({"q":1})"#, r#"g({"q":2})"#],
        ),
        (
            "white space after the arguments, with id and name",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":" "}}"#,
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"\n"}}"#,
            ],
            &["f({\"q\":1} \n)"],
        ),
        (
            "white space with a new index",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
                r#"{"index":1,"function":{"arguments":" \n"}}"#,
            ],
            &[r#"f({"q":1})"#],
        ),
        (
            "white space with a new id",
            &[
                r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"q\":1}"}}"#,
                r#"{"index":0,"id":"b","function":{"arguments":" "}}"#,
            ],
            &[r#"f({"q":1} )"#],
        ),
        (
            "strings that hold the arguments, without ids",
            &[
                r#"{"function":{"name":"f","arguments":"\"{}\""}}"#,
                r#"{"function":{"name":"f","arguments":"\"{}\""}}"#,
            ],
            &[r#"f("{}")"#, r#"f("{}")"#],
        ),
        (
            "a string whose pieces end in quotes, then another call without ids",
            &[
                r#"{"function":{"name":"f","arguments":"\""}}"#,
                r#"{"function":{"arguments":"{\\\""}}"#,
                r#"{"function":{"arguments":"q\\\":1}\""}}"#,
                r#"{"function":{"name":"f","arguments":"{\"q\":2}"}}"#,
            ],
            &[r#"f("{\"q\":1}")"#, r#"f({"q":2})"#],
        ),
        ("nothing but nulls", &[r#"{"index":0,"id":null,"function":{"name":null}}"#], &[]),
    ];
    for (what, fragments, expected) in table {
        assert_eq!(calls(fragments), *expected, "{what}");
    }
}

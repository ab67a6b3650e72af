//! The segments of texts, in one piece and cut anywhere.

use super::dialects::{Arguments, DIALECTS, FRAMES};
use super::offered_tools::tests::offered_tools;
use super::*;
use crate::json::RawJson;
use crate::tools::names::ToolName;
use ReplyStart::{Reasoning, Text};

/// All segments in one line: text as it is, `(reasoning)`, `«name{...}»`, `|` for a retraction.
fn segments(reasoning: Option<ReplyStart>, tools: OfferedTools, pieces: &[&str]) -> String {
    let mut scanner = Scanner::new(reasoning, tools, 1 << 20).unwrap();
    let mut all: Vec<Segment> = pieces.iter().flat_map(|piece| scanner.push(piece)).collect();
    all.extend(scanner.flush());
    all.iter()
        .map(|segment| match segment {
            Segment::Text(text) => text.clone(),
            Segment::Reasoning(reasoning) => format!("({reasoning})"),
            Segment::Unopened { text, .. } if text.trim().is_empty() => String::new(),
            Segment::Unopened { text, .. } => format!("({})", text.trim_matches('\n')),
            Segment::ToolCall { name, arguments } => format!("«{name}{arguments}»"),
            Segment::LostCall { name } => format!("†{name}†"),
            Segment::Retract => "|".to_owned(),
        })
        .collect::<String>()
        // Pieces of the same reasoning.
        .replace(")(", "")
}

/// In one piece, in single characters, and in two pieces cut at every position.
fn check(reasoning: Option<ReplyStart>, tools: fn() -> OfferedTools, text: &str, expected: &str) {
    assert_eq!(segments(reasoning, tools(), &[text]), expected, "{text}");
    let characters: Vec<&str> = text.split("").collect();
    assert_eq!(segments(reasoning, tools(), &characters), expected, "{text} in single characters");
    for (at, _) in text.char_indices() {
        let (first, second) = text.split_at(at);
        assert_eq!(segments(reasoning, tools(), &[first, second]), expected, "{text} cut at {at}");
    }
}

#[test]
fn reasoning_between_tags() {
    let table: &[(Option<ReplyStart>, &str, &str)] = &[
        (Some(Text), "<think>Hm.</think>Hi", "(Hm.)Hi"),
        (Some(Text), "\n<think>\nHm.\n\n</think>\n\nHi", "(Hm.)Hi"),
        (Some(Text), "<think>a\n\nb</think>c", "(a\n\nb)c"),
        (Some(Text), "<think>\n\n</think>\n\nHi", "Hi"),
        (Some(Text), "<thinking>Hm.</thinking>Hi", "(Hm.)Hi"),
        (Some(Text), "[THINK]Hm.[/THINK]Hi [1]", "(Hm.)Hi [1]"),
        (Some(Text), "<think>a</think>\n<think>b</think>c", "(ab)c"),
        (Some(Text), "<think>a <b> </thin </think>c", "(a <b> </thin )c"),
        (Some(Text), "<think>cut", "(cut)"),
        (Some(Text), "<think>cut</th", "(cut</th)"),
        (Some(Text), "</think>\n\nHi", "Hi"),
        (Some(Text), " Hi ", " Hi "),
        (Some(Text), "Say `<think>` and `</think>`.", "Say `<think>` and `</think>`."),
        (Some(Text), "<think>a</think>let x = \"<think>b</think>\";", "(a)let x = \"<think>b</think>\";"),
        (Some(Text), "a < b </t> <thinker>", "a < b </t> <thinker>"),
        (Some(Text), "<thi", "<thi"),
        (Some(Text), "", ""),
        (Some(Text), "  ", "  "),
        (Some(Text), "<reasoning>Hm.</reasoning>Hi", "(Hm.)Hi"),
        (Some(Text), "<reasoning>a</reasoning><reasoning> b</reasoning>c", "(a b)c"),
        (Some(Text), "<mm:think>Hm.</mm:think>Hi", "(Hm.)Hi"),
        (Some(Text), "◁think▷Hm.◁/think▷Hi “x”", "(Hm.)Hi “x”"),
        (Some(Text), "<THINK>Hm.</think>Hi", "(Hm.)Hi"),
        (Some(Text), "<Thinking>Hm. </THINKING>Hi", "(Hm. )Hi"),
        (Some(Text), "<|channel>thought\nHm.\n<channel|>Hi", "(Hm.)Hi"),
        (Some(Text), "<|channel>thought<channel|>Hi", "Hi"),
        (Some(Text), "<|open|>think<|sep|>Hm.<|close|>think<|sep|>Hi", "(Hm.)Hi"),
        (Some(Text), "b <reasoning>a</reasoning> </think>", "b <reasoning>a</reasoning> </think>"),
        (Some(Text), "<reason>a</reason> <REASONABLE>", "<reason>a</reason> <REASONABLE>"),
        (Some(Text), "Say <reasoning>.", "Say <reasoning>."),
        (Some(Reasoning), "Hm.<|close|>think<|sep|>Hi", "(Hm.)Hi"),
        (Some(Reasoning), "Hm.\n<channel|>Hi", "(Hm.)Hi"),
        (Some(Reasoning), "Hm.</think>Hi", "(Hm.)Hi"),
        (Some(Reasoning), "<think>\nHm.</think>Hi", "(Hm.)Hi"),
        (Some(Reasoning), "</think>Hi", "Hi"),
        (Some(Reasoning), "cut", "(cut)"),
    ];
    for (think, text, expected) in table {
        check(*think, OfferedTools::default, text, expected);
    }
}

/// A stream has already shown the reasoning when the closing tag comes; a document has not.
#[test]
fn a_closing_tag_without_an_opening_one() {
    let pieces = |pieces: &[&str]| segments(Some(Text), OfferedTools::default(), pieces);
    assert_eq!(pieces(&["Hm.</think>\n\nHi"]), "(Hm.)Hi");
    assert_eq!(pieces(&["Hm.", "</th", "ink>\n", "\nHi"]), "Hm.|Hi");
    assert_eq!(pieces(&["Hm.", "</think>Hi</think>"]), "Hm.|Hi</think>");
    assert_eq!(pieces(&["Say `", "</think>", "`"]), "Say `</think>`");
}

#[test]
fn calls_in_the_markup_of_every_family() {
    let table: &[(&str, &str)] = &[
        // Hermes, Qwen.
        (
            "Let me look.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>",
            "Let me look.\n«get_weather{\"city\": \"Paris\"}»",
        ),
        (
            "<tool_call>{\"name\":\"shell\",\"arguments\":{}}</tool_call>\n<tool_call>{\"arguments\":{\"a\":\"}\"},\"name\":\"get_time\"}</tool_call>\nDone.",
            "«shell{}»«get_time{\"a\":\"}\"}»\nDone.",
        ),
        ("<tool_call>{\"name\":\"shell\",\"arguments\":\"{\\\"a\\\":1}\"}", "«shell{\"a\":1}»"),
        // Within a string, closing tags close nothing.
        (
            r#"<tool_call>{"name":"shell","arguments":{"a":"</tool_call>\"</tool_call>\\","b":1}</tool_call>"#,
            r#"†shell†<tool_call>{"name":"shell","arguments":{"a":"</tool_call>\"</tool_call>\\","b":1}</tool_call>"#,
        ),
        (
            r#"<tool_call>{"name":"shell","arguments":{"a":"</tool_call>\"</tool_call>\\","b":1}}</tool_call>"#,
            r#"«shell{"a":"</tool_call>\"</tool_call>\\","b":1}»"#,
        ),
        (
            "<tool_call>{\"type\":\"function\",\"function\":{\"name\":\"shell\",\"arguments\":{}}}</tool_call>",
            "«shell{}»",
        ),
        // Granite, Mistral, Nemotron, Command.
        (
            "<|tool_call|>[{\"name\":\"shell\",\"arguments\":{}},{\"name\":\"get_time\"}]",
            "«shell{}»«get_time{}»",
        ),
        ("[TOOL_CALLS][{\"name\": \"shell\", \"arguments\": {\"a\": [1]}}]", "«shell{\"a\": [1]}»"),
        (
            "[TOOL_CALLS] [{\"name\":\"shell\",\"arguments\":{}}, {\"name\":\"shell\",\"arguments\":{}}]\nx",
            "«shell{}»«shell{}»\nx",
        ),
        ("[TOOL_CALLS]shell[ARGS]{\"a\": 1}[TOOL_CALLS]get_time[ARGS]{}", "«shell{\"a\": 1}»«get_time{}»"),
        ("[TOOL_CALLS]shell[CALL_ID]abc123456[ARGS]{\"a\": 1}", "«shell{\"a\": 1}»"),
        ("[TOOL_CALLS]shell{\"a\": 1}", "«shell{\"a\": 1}»"),
        ("<TOOLCALL>[{\"name\":\"shell\",\"arguments\":{}}]</TOOLCALL>", "«shell{}»"),
        (
            "<|START_ACTION|>[{\"tool_call_id\":\"0\",\"tool_name\":\"shell\",\"parameters\":{\"a\":1}}]<|END_ACTION|>",
            "«shell{\"a\":1}»",
        ),
        (
            "<tool_call>{\"name\":\"shell\",\"arguments\":{}}</tool_call>\n[1] see there",
            "«shell{}»\n[1] see there",
        ),
        ("<tool_call>{\"name\":\"shell\",\"arguments\":{}}</tool_call>, then", "«shell{}», then"),
        ("[{\"name\":\"shell\",\"arguments\":{}}] ] x", "«shell{}» ] x"),
        ("[TOOL_CALLS][{\"name\":\"shell\",\"arguments\":{}}, ", "«shell{}»"),
        // InternLM.
        (
            "Look:<|action_start|><|plugin|>\n{\"name\": \"shell\", \"parameters\": {\"a\": 1}}<|action_end|>",
            "Look:«shell{\"a\": 1}»",
        ),
        (
            "<|action_start|><|interpreter|>\nprint(1)<|action_end|>",
            "<|action_start|><|interpreter|>\nprint(1)<|action_end|>",
        ),
        // Step 3.
        (
            "<｜tool_calls_begin｜>\n<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name=\"get_weather\">\n<steptml:parameter name=\"city\">a < b</steptml:parameter>\n<steptml:parameter name=\"n\">2</steptml:parameter>\n</steptml:invoke><｜tool_call_end｜>\n<｜tool_call_begin｜>function<｜tool_sep｜><steptml:invoke name=\"get_time\"></steptml:invoke><｜tool_call_end｜>\n<｜tool_calls_end｜>",
            "«get_weather{\"city\":\"a < b\",\"n\":2}»«get_time{}»",
        ),
        // Qwen-Coder, Seed, Llama.
        (
            "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=n>\n2\n</parameter>\n</function>\n</tool_call>",
            "«get_weather{\"city\":\"Paris\",\"n\":2}»",
        ),
        (
            "<function=shell>\n<parameter=city>\na\n\n  </function> <b>\n</parameter>\n</function>\n</tool_call>\n\nDone.",
            "«shell{\"city\":\"a\\n\\n  </function> <b>\"}»\n\nDone.",
        ),
        ("<tool_call>\n<function=get_time>\n</function>\n</tool_call>", "«get_time{}»"),
        (
            "<seed:tool_call><function=shell><parameter=on>True</parameter></function></seed:tool_call>",
            "«shell{\"on\":true}»",
        ),
        ("<function=get_weather={\"city\": \"Paris\"}</function>", "«get_weather{\"city\": \"Paris\"}»"),
        ("<function=get_weather>{\"city\": \"Paris\"}</function>.", "«get_weather{\"city\": \"Paris\"}»."),
        ("<|python_tag|>{\"name\": \"shell\", \"parameters\": {\"a\": 1}}<|eom_id|>", "«shell{\"a\": 1}»"),
        (
            "<|python_tag|>{\"name\":\"shell\",\"parameters\":{}}; {\"name\":\"get_time\",\"parameters\":{}}",
            "«shell{}»«get_time{}»",
        ),
        (
            "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\"}}",
            "«get_weather{\"city\": \"Paris\"}»",
        ),
        (" {\"type\": \"function\", \"name\": \"shell\", \"parameters\": {}} ok", "«shell{}» ok"),
        ("[{\"name\": \"shell\", \"arguments\": {}}]", "«shell{}»"),
        (
            "{\"id\": \"c1\", \"name\": \"shell\", \"arguments\": \"{\\\"a\\\":1}\", \"result\": null}",
            "«shell{\"a\":1}»",
        ),
        ("{\"function\": {\"name\": \"shell\"}, \"arguments\": {\"a\": 1}}", "«shell{\"a\": 1}»"),
        ("<tool_call>{\"name\":\"shell\",\"input\":{\"a\":1},\"why\":\"x\"}</tool_call>", "«shell{\"a\":1}»"),
        // The closing tag of an argument is missing.
        (
            "<tool_call>\n<function=get_weather>\n<parameter=city>\nx\n<parameter=n>\n5\n</parameter>\n</function>\n</tool_call>",
            "«get_weather{\"city\":\"x\",\"n\":5}»",
        ),
        ("<function=shell><parameter=city>x</function>", "«shell{\"city\":\"x\"}»"),
        (
            "<tool_call><function=shell><parameter=city>x</function></tool_call>\n<tool_call><function=get_time></function></tool_call>",
            "«shell{\"city\":\"x\"}»«get_time{}»",
        ),
        (
            "<function=shell><parameter=city>\n<parameter=other></function></tool_call>.\n</parameter></function>",
            "«shell{\"city\":\"<parameter=other></function></tool_call>.\"}»",
        ),
        (
            "<tool_call>shell<arg_key>city</arg_key><arg_value>x<arg_key>n</arg_key><arg_value>1</arg_value></tool_call>",
            "«shell{\"city\":\"x\",\"n\":1}»",
        ),
        (
            "<tool_call><function=get_weather>\n<parameter name=\"city\">x</parameter>\n</function></tool_call>",
            "«get_weather{\"city\":\"x\"}»",
        ),
        (
            "<invoke name=\"get_weather\">\n<parameter=city>\nx\n</parameter>\n<parameter name=\"n\">1</parameter></invoke>",
            "«get_weather{\"city\":\"x\",\"n\":1}»",
        ),
        // GLM, Hunyuan.
        (
            "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n<arg_key>n</arg_key>\n<arg_value>2</arg_value>\n</tool_call>",
            "«get_weather{\"city\":\"Paris\",\"n\":2}»",
        ),
        ("<tool_call>get_time\n</tool_call>", "«get_time{}»"),
        (
            "<tool_call>shell<arg_key>city</arg_key><arg_value>{</arg_value></tool_call>",
            "«shell{\"city\":\"{\"}»",
        ),
        (
            "<tool_calls><tool_call>shell<tool_sep>\n<arg_key>n</arg_key>\n<arg_value>1</arg_value>\n</tool_call></tool_calls>",
            "«shell{\"n\":1}»",
        ),
        // MiniMax, DeepSeek from V3.2 on.
        (
            "<minimax:tool_call>\n<invoke name=\"get_weather\">\n<parameter name=\"city\">Paris</parameter>\n</invoke>\n<invoke name=\"get_time\">\n</invoke>\n</minimax:tool_call>",
            "«get_weather{\"city\":\"Paris\"}»«get_time{}»",
        ),
        (
            "<tool_calls>\n{\"name\": \"shell\", \"arguments\": {}}\n{\"name\": \"get_time\", \"arguments\": {}}\n</tool_calls>",
            "«shell{}»«get_time{}»",
        ),
        (
            "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"get_weather\">\n<｜DSML｜parameter name=\"city\" string=\"true\">Paris</｜DSML｜parameter>\n<｜DSML｜parameter name=\"n\" string=\"false\">5</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
            "«get_weather{\"city\":\"Paris\",\"n\":5}»",
        ),
        ("<|DSML|tool_calls><|DSML|invoke name=\"shell\"></|DSML|invoke></|DSML|tool_calls>", "«shell{}»"),
        // DeepSeek before that.
        (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>shell<｜tool▁sep｜>{\"a\":1}<｜tool▁call▁end｜><｜tool▁call▁begin｜>get_time<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "«shell{\"a\":1}»«get_time{}»",
        ),
        (
            "a<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>shell\n```json\n{\"a\": 1}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>b",
            "a«shell{\"a\": 1}»b",
        ),
        ("<|tool_call_begin|>shell<|tool_sep|>{}<|tool_call_end|>", "«shell{}»"),
        // Kimi.
        (
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{\"city\":\"Paris\"}<|tool_call_end|><|tool_call_begin|>functions.shell:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
            "«get_weather{\"city\":\"Paris\"}»«shell{}»",
        ),
        // Kimi K3.
        (
            "<|open|>response<|sep|>Look:<|close|>response<|sep|><|open|>tools<|sep|><|open|>call tool=\"get_weather\" index=\"1\"<|sep|><|open|>argument key=\"city\" type=\"string\"<|sep|> a \"b\"\n<|close|>argument<|sep|><|open|>argument key=\"n\" type=\"number\"<|sep|>2<|close|>argument<|sep|><|close|>call<|sep|><|open|>call tool=\"get_time\" index=\"2\"<|sep|><|close|>call<|sep|><|close|>tools<|sep|><|close|>message<|sep|><|end_of_msg|>",
            "Look:«get_weather{\"city\":\" a \\\"b\\\"\\n\",\"n\":2}»«get_time{}»",
        ),
        // Gemma.
        (
            "Look:<|tool_call>call:get_weather{city:<|\"|>Paris, {FR}<|\"|>,n:2}<tool_call|><|tool_call>call:get_time{}<tool_call|>",
            "Look:«get_weather{\"city\":\"Paris, {FR}\",\"n\":2}»«get_time{}»",
        ),
        (
            "<start_function_call>call:get_weather{city:<escape>Paris<escape>, o:{a:[true,null]}}<end_function_call>",
            "«get_weather{\"city\":\"Paris\",\"o\":{\"a\":[true,null]}}»",
        ),
        // LongCat.
        ("<longcat_tool_call>{\"name\": \"shell\", \"arguments\": {}}</longcat_tool_call>", "«shell{}»"),
        (
            "<longcat_tool_call>get_weather\n<longcat_arg_key>city</longcat_arg_key>\n<longcat_arg_value>Paris</longcat_arg_value>\n</longcat_tool_call>",
            "«get_weather{\"city\":\"Paris\"}»",
        ),
        // Apertus.
        (
            "Look:<|tools_prefix|>[{\"get_weather\": {\"city\": \"Paris\"}}, {\"get_time\": {}}]<|tools_suffix|>Hm.",
            "Look:«get_weather{\"city\": \"Paris\"}»«get_time{}»Hm.",
        ),
        // Phi, Firefunction.
        (
            "functools[{\"name\": \"shell\", \"arguments\": {\"a\": 1}}, {\"name\": \"get_time\", \"arguments\": {}}]",
            "«shell{\"a\": 1}»«get_time{}»",
        ),
        (" functools[{\"name\": \"shell\", \"arguments\": {}}] Done.", "«shell{}» Done."),
        // Llama, LFM2, OLMo 3, ToolACE.
        (
            "[get_weather(city='Paris', n=2), get_time()]",
            "«get_weather{\"city\":\"Paris\",\"n\":2}»«get_time{}»",
        ),
        ("\n[ shell( a = [True, None] ) ]\nDone.", "«shell{\"a\":[true,null]}»\nDone."),
        ("<|python_start|>[get_weather(city=\"a, b)\")]<|python_end|>", "«get_weather{\"city\":\"a, b)\"}»"),
        (
            "Look:<|tool_call_start|>[get_weather(city=\"Paris\"), get_time()]<|tool_call_end|>I ask.",
            "Look:«get_weather{\"city\":\"Paris\"}»«get_time{}»I ask.",
        ),
        ("<|tool_call_start|>get_time()<|tool_call_end|>", "«get_time{}»"),
        (
            "<function_calls>\nget_weather(city=\"Paris\", on=true)\nget_time()\n</function_calls>",
            "«get_weather{\"city\":\"Paris\",\"on\":true}»«get_time{}»",
        ),
        (
            "<|python_start|>{\"name\": \"shell\", \"parameters\": {\"a\": 1}}<|python_end|>",
            "«shell{\"a\": 1}»",
        ),
        ("<|tool_call_start|>[{\"name\": \"shell\", \"arguments\": {}}]<|tool_call_end|>", "«shell{}»"),
        (
            "<|tool_call_start|>[functions.shell(o={\"a\": true})]<|tool_call_end|>",
            "«shell{\"o\":{\"a\":true}}»",
        ),
        (
            "<|tool_call_start|>[shell(city='it's')]<|tool_call_end|>",
            "†shell†<|tool_call_start|>[shell(city='it's')]<|tool_call_end|>",
        ),
        (
            "<|tool_call_start|>[shell('Paris')]<|tool_call_end|>",
            "†shell†<|tool_call_start|>[shell('Paris')]<|tool_call_end|>",
        ),
        (
            "<function_calls>\nshell('Paris')\n</function_calls>",
            "†shell†<function_calls>\nshell('Paris')\n</function_calls>",
        ),
        (
            "<|tool_call_start|>shell(a=1<|tool_call_end|>",
            "†shell†<|tool_call_start|>shell(a=1<|tool_call_end|>",
        ),
        ("<|tool_call>call:shell{q:1,}<tool_call|>", "†shell†<|tool_call>call:shell{q:1,}<tool_call|>"),
        ("[get_time(), shell('x')]", "«get_time{}»†shell†, shell('x')]"),
        ("<function_calls>get_time()</function_calls>get_time() again", "«get_time{}»get_time() again"),
        ("[get_time()] shell(a=1)", "«get_time{}» shell(a=1)"),
        ("[get_time(), and more]", "«get_time{}», and more]"),
        // Harmony.
        (
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{\"city\":\"Paris\"}<|call|>",
            "(Hm.)«get_weather{\"city\":\"Paris\"}»",
        ),
        ("<|start|>assistant to=functions.shell<|channel|>commentary json<|message|>{}<|call|>", "«shell{}»"),
        (
            "<|channel|>commentary<|message|>Wait.<|end|><|start|>assistant<|channel|>final<|message|>Hi<|return|>",
            "Wait.Hi",
        ),
    ];
    for (text, expected) in table {
        check(None, offered_tools, text, expected);
    }
}

#[test]
fn other_text_stays_as_it_is() {
    for text in [
        "Use <tool_call> for this.",
        "<tool_call>{\"name\":\"unknown\",\"arguments\":{}}</tool_call>",
        "<tool_call>{\"name\":\"shell\",\"arguments\":{\"a\":",
        "<tool_call>{\"name\":\"shell\" broken}</tool_call>",
        "<tool_call>unknown\n<arg_key>a</arg_key>\n<arg_value>b</arg_value>\n</tool_call>",
        "<tool_call>shell",
        "<tool_call><function=shell><parameter=city>Par",
        "<function=unknown>{}</function>",
        "<function=shell",
        "<tool_call></tool_call> x",
        "<tool_c",
        "[TOOL_CALLS]",
        "[TOOL_CALLS] of the year",
        "[1] a citation",
        "[",
        "functools",
        "func",
        "functools is a module of Python",
        "functools[0]",
        "functools[{\"name\": \"unknown\", \"arguments\": {}}]",
        "use functools[{\"name\": \"shell\", \"arguments\": {}}]",
        "<|tools_prefix|>[{\"unknown\": {}}]<|tools_suffix|>",
        "<|tools_prefix|>[{\"shell\": ",
        "[shell](https://x)",
        "[shell(1) is a manual page]",
        "[shell(...)]",
        "[shell(a=...)]",
        "[shell(a=1",
        "[unknown(a=1)]",
        "[get_time]",
        "[get_time, shell]",
        "get_time()",
        "x [get_time()]",
        "<|tool_call_start|>[unknown(a=1)]<|tool_call_end|>",
        "<|tool_call_start|>[shell(...)]<|tool_call_end|>",
        "<function_calls>shell( <arguments> )</function_calls>",
        "<|tool_call_start|>[shell(a='x",
        "<function_calls>get_time</function_calls>",
        "`<|tool_call_start|>[get_time()]<|tool_call_end|>`",
        "{\"name\":\"Alice\",\"parameters\":{}}",
        "{\"city\":\"Paris\"}",
        "{\"name\":\"shell\"",
        "{",
        "x {\"name\":\"shell\",\"parameters\":{}}",
        "{\"name\": \"shell\", \"age\": 3}",
        "{\"id\": 5, \"name\": \"shell\", \"email\": \"x@y\"}",
        "{\"type\": \"object\", \"function\": \"shell\"}",
        "{\"name\": \"shell\"}",
        "{\"name\": \"shell\", \"arguments\": [1]}",
        "{\"name\": \"shell\", \"arguments\": \"none\"}",
        "{\"name\": \"shell\", \"parameters\": {}, \"description\": \"Runs it.\"}",
        "[{\"id\":1,\"name\":\"shell\"},{\"id\":2,\"name\":\"zed\"}]",
        "<|channel|>",
        "<invoke name=\"unknown\"></invoke>",
        "<|open|>tools<|sep|><|open|>call tool=\"unknown\" index=\"1\"<|sep|><|close|>call<|sep|>",
        "<|open|>call tool=\"shell\" index=\"1\"<|sep|><|open|>argument key=\"city\"",
        "<|tool_call>call:unknown{}<tool_call|>",
        "<|tool_call>call:shell{city:<|\"|>Par",
        "call:shell{}",
        "<｜tool▁call▁begin｜>unknown<｜tool▁sep｜>{}<｜tool▁call▁end｜>",
        "a < b && c <= d [0] <div>`<x>`</div>",
        "\u{3000}{\"no\": 1}",
        "<tool_call>\u{3000}é",
        "",
        "  ",
    ] {
        check(None, offered_tools, text, text);
    }
}

/// A tag and the name are certain, so the text is no answer.
#[test]
fn calls_whose_arguments_cannot_be_read_are_lost() {
    for text in [
        r#"<tool_call>{"name": "shell", "arguments": {"a": "\d+"}}</tool_call>"#,
        "<tool_call>{\"name\": \"shell\", \"arguments\": {\"a\": \"x\ny\"}}</tool_call>",
        r#"<tool_call>{"name": "shell", "arguments": {"a": 1,}}</tool_call>"#,
        r#"<tool_call>{"name": "shell", "arguments": {"a": "x"}</tool_call>"#,
        r#"<tool_call>{"name": "shell", "params": {"a": "x"}}</tool_call>"#,
        r#"[TOOL_CALLS]shell[ARGS]{"a": 1,}"#,
        "<tool_call>shell\na=x\n</tool_call>",
        "<invoke name=\"shell\">\n<a>x</a>\n</invoke>",
        "<function=shell>\n<a>x</a>\n<parameter=n>\n1\n</parameter>\n</function>",
        "<function=shell>\n<parameter=n>\n1\n</parameter>\n<a>x</a>\n</function>",
        "<|tool_call>call:shell{city:]}<tool_call|>",
    ] {
        check(None, offered_tools, text, &format!("†shell†{text}"));
    }
    let after_another =
        r#"<tool_call>{"name": "get_time"}</tool_call><tool_call>{"name": "shell", "arguments": {]}"#;
    check(
        None,
        offered_tools,
        after_another,
        r#"«get_time{}»†shell†<tool_call>{"name": "shell", "arguments": {]}"#,
    );
}

#[test]
fn markup_in_code_is_quoted() {
    for text in [
        "Doc: `<tool_call>{\"name\": \"shell\", \"arguments\": {\"a\": \"x\"}}</tool_call>` is the form.",
        "As in\n```\n<tool_call>\n{\"name\": \"shell\", \"arguments\": {\"a\": 1,}}\n</tool_call>\n```\n",
        "`<tool_call><function=shell></function></tool_call>`",
        "In harmony, `<|end|>` ends a message and `<|return|>` ends the reply.",
        "Write `<|channel|>analysis<|message|>` before the reasoning. Then",
    ] {
        check(None, offered_tools, text, text);
    }
    let call = "<tool_call>\n<function=shell>\n</function>\n</tool_call>";
    for text in [
        "As in\n~~~~ xml\nCALL\n```\n~~~~\nDone.",
        "> ```\n> CALL\n> ```\nDone.",
        "As in\n```\nCALL\nCALL\n```",
        "```\nCALL\n```\nis the form.",
        "```\nCALL\nx\n```",
        "The form is ` CALL `.",
        "The form (`x\nCALL\ny`).",
        "The form: ``CALL ` ``",
    ] {
        let text = text.replace("CALL", call);
        check(None, offered_tools, &text, &text);
    }
    for text in [
        "`x`CALL",
        "The ` key:\nCALL",
        "```\nx\n```\nCALL",
        "Do not use ``` here.\nCALL",
        "```bash\nls\n```\nNow:```\nCALL",
        "To list files I use ``ls``, ```` ``` ```` begins code.\nCALL",
        "The ` key.\n\nCALL and the ` key",
        "The ` key: CALL\n\nand the ` key",
        // A reply in a fence, and a fence that is not closed: an example would have more text around it.
        "```xml\nCALL\n```\n",
        "The file:\n```\nabc\nCALL",
    ] {
        let expected = text.replace("CALL", "«shell{}»");
        check(None, offered_tools, &text.replace("CALL", call), &expected);
    }
    let argument = "The ` key:\n<function=shell>{\"a\":\"`x`\"}</function>";
    check(None, offered_tools, argument, "The ` key:\n«shell{\"a\":\"`x`\"}»");
}

#[test]
fn text_about_calls_is_text() {
    for text in [
        "In Llama the tag <function=get_weather> is followed by {json}.",
        "The tag <invoke name=\"get_weather\"> replaces the {tool} form.",
        "Template: <function=get_weather>{{ args }}</function>",
        "Mistral writes [TOOL_CALLS]get_weather{\"city\": ...} in its text",
        "Emit <tool_call>{\"name\": \"get_weather\", \"arguments\": {...}}</tool_call> to call it.",
        "Emit:\n    <tool_call>\n    {\"name\": \"get_weather\", \"arguments\": <arguments>}\n    </tool_call>",
        "> <code><tool_call>{\"name\": \"get_weather\", \"arguments\": {\"city\": …}}</tool_call></code>",
        "A call opens with <function=get_time> and then ends with </function> again.",
        "A call opens with <function=get_weather>, and ends with </function>.",
        "<function=get_weather>\n...\n</function>",
        "<function=get_weather><arguments></function>",
        "[{\"name\":\"get_weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}}]",
        "{\"name\":\"get_time\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}",
    ] {
        check(None, editing_tools, text, text);
    }
    let gap = format!("The tag <invoke name=\"edit\"> {} </invoke> ends it.", "x".repeat(70));
    check(None, editing_tools, &gap, &gap);
}

#[test]
fn a_tool_without_arguments_cannot_lose_them() {
    for text in [
        "<tool_call>\n<function=get_time>\n(no arguments)\n</function>\n</tool_call>",
        "<tool_call>{\"name\":\"get_time\",\"description\":\"x\"}</tool_call>",
        "<tool_call>get_time\nnone\n</tool_call>",
    ] {
        check(None, editing_tools, text, "«get_time{}»");
    }
    let lines = "<function=edit>\r\n<parameter=path>\r\na\r\n</parameter>\r\n</function>";
    check(None, editing_tools, lines, "«edit{\"path\":\"a\"}»");
    let lines = format!("<function=edit>{}<parameter=path>a</parameter></function>", "\n".repeat(75));
    check(None, editing_tools, &lines, "«edit{\"path\":\"a\"}»");
}

#[test]
fn a_mistake_in_one_call_does_not_hide_the_next() {
    let broken = "<tool_call>{\"name\":\"edit\",\"arguments\":{\"path\":\"P}}</tool_call>";
    let good = "<tool_call>{\"name\":\"get_weather\",\"arguments\":{\"city\":\"P\"}}</tool_call>";
    for (text, expected) in [
        (broken.to_owned(), format!("†edit†{broken}")),
        (format!("{broken}\nSome \"quoted\" text."), format!("†edit†{broken}\nSome \"quoted\" text.")),
        (format!("{broken}\n{good}"), format!("†edit†{broken}\n«get_weather{{\"city\":\"P\"}}»")),
        (format!("{broken}\n{broken}"), format!("†edit†{broken}\n†edit†{broken}")),
        (
            format!("<function=edit>\nabout it\n{good}"),
            "<function=edit>\nabout it\n«get_weather{\"city\":\"P\"}»".to_owned(),
        ),
    ] {
        check(None, editing_tools, &text, &expected);
    }
    let long = format!("<invoke name=\"edit\">\n<command>{}</command>\n</invoke>", "x".repeat(200));
    check(None, editing_tools, &long, &format!("†edit†{long}"));
}

/// `edit(path, old, new)`, `get_time()` and `get_weather(city)`.
fn editing_tools() -> OfferedTools {
    let tool = |name: &str, keys: &[&str]| {
        let properties: serde_json::Map<_, _> =
            keys.iter().map(|key| ((*key).to_owned(), serde_json::json!({"type": "string"}))).collect();
        let schema = serde_json::json!({"type": "object", "properties": properties});
        let named = ToolName { namespace: None, name: name.into(), upstream: name.into() };
        (named, RawJson::new(&schema))
    };
    [tool("edit", &["path", "old", "new"]), tool("get_time", &[]), tool("get_weather", &["city"])]
        .into_iter()
        .collect()
}

/// A call of `edit` in the forms of several models, with these values.
fn edits(values: &[(&str, &str)]) -> [String; 4] {
    let write = |form: &dyn Fn(&str, &str) -> String| {
        values.iter().map(|(key, value)| form(key, value)).collect::<String>()
    };
    let qwen = write(&|key, value| format!("<parameter={key}>\n{value}\n</parameter>\n"));
    let in_line = write(&|key, value| format!("<parameter={key}>{value}</parameter>"));
    let invoke = write(&|key, value| format!("<parameter name=\"{key}\">{value}</parameter>\n"));
    let glm = write(&|key, value| format!("<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n"));
    [
        format!("<tool_call>\n<function=edit>\n{qwen}</function>\n</tool_call>"),
        format!("<function=edit>{in_line}</function>"),
        format!("<function_calls>\n<invoke name=\"edit\">\n{invoke}</invoke>\n</function_calls>"),
        format!("<tool_call>edit\n{glm}</tool_call>"),
    ]
}

#[test]
fn values_about_tags_arrive_as_they_are() {
    for values in [
        &[
            ("path", "parser.py"),
            ("old", "if s.startswith(\"<parameter=path>\"):"),
            ("new", "s == \"<parameter=path>\""),
        ][..],
        &[("path", "a"), ("new", "The tag <parameter=new> holds it")],
        &[("path", "a"), ("new", "see <parameter name=\"path\"> and <arg_key>path</arg_key> here")],
        &[("new", "# Qwen\n<parameter=path> is the path."), ("path", "a")],
        &[("path", "a"), ("new", "<parameter=other>, </parameter> and <b>")],
        &[("path", "a"), ("new", "End each call with </tool_call>\n<tool_call> begins the next.")],
        &[("path", "a"), ("new", "one </function> <function=get_time> two")],
        &[("path", "a"), ("new", "x </invoke>\n<invoke name=\"get_time\"> y")],
        &[("path", "a"), ("new", "doc: </function></tool_call>\n<tool_call>\n<function=get_time>")],
        &[
            ("path", "a"),
            (
                "new",
                "<tool_call>\n<function=get_time>\n</function>\n</tool_call>\n<tool_call>\n<function=get_time>\n</function>\n</tool_call>",
            ),
        ],
        &[
            (
                "new",
                "As:\n<tool_call>\n<function=f>\n<parameter=path>\n1\n</parameter>\n</function>\n</tool_call>",
            ),
            ("old", "x"),
        ],
        &[
            ("path", "a"),
            (
                "new",
                "<invoke name=\"f\"><parameter name=\"old\">1</parameter></invoke> and <tool_call>f<arg_key>old</arg_key><arg_value>1</arg_value></tool_call>.",
            ),
        ],
        &[("path", ""), ("old", "<"), ("new", "</parameter")],
        &[("path", "a"), ("new", "The tag <parameter=old> is optional.")],
        &[("path", "a"), ("new", "The tags:\n<parameter=old> is optional.")],
    ] {
        let members: Vec<String> =
            values.iter().map(|(key, value)| format!("{:?}:{}", key, serde_json::json!(value))).collect();
        let expected = format!("«edit{{{}}}»\nDone.", members.join(","));
        for call in edits(values) {
            check(None, editing_tools, &format!("{call}\nDone."), &expected);
        }
    }
}

#[test]
fn a_value_without_its_closing_tag() {
    for (text, expected) in [
        (
            "<tool_call>\n<function=edit>\n<parameter=path>\na\n<parameter=old>\nx\n<parameter=new>\ny\n</parameter>\n</function>\n</tool_call>.",
            r#"«edit{"path":"a","old":"x","new":"y"}»."#,
        ),
        // The next call has all of its tags.
        (
            "<tool_call><function=edit><parameter=path>a</function></tool_call>\n<tool_call><function=get_weather><parameter=city>P</parameter></function></tool_call>",
            r#"«edit{"path":"a"}»«get_weather{"city":"P"}»"#,
        ),
        ("<function=edit><parameter=path>a</function>", r#"«edit{"path":"a"}»"#),
        // The tag of the block is missing too.
        (
            "<tool_call><function=edit><parameter=path>a</parameter></function>\n<tool_call><function=get_time></function></tool_call>",
            r#"«edit{"path":"a"}»«get_time{}»"#,
        ),
    ] {
        check(None, editing_tools, text, expected);
    }
    for text in [
        "<tool_call>\n<function=edit>\n<parameter=path>\na\n</function>\n</tool_call>\nOkay.",
        "<tool_call>\n<function=edit>\n<parameter=path>\na\n</parameter>\nthe old text:\n<parameter=old>\nx\n</parameter>\n</function>\n</tool_call>",
        // The value quotes the beginning of a call, so its own end is not certain.
        "<function=edit><parameter=path>a</parameter><parameter=new><function=edit><parameter=path>b</parameter></function>",
        "<tool_call>\n<function=edit>\n<parameter=path>\n<function=f>\n<parameter=a>\n</parameter>\n</function>\n</tool_call>",
    ] {
        check(None, editing_tools, text, &format!("†edit†{text}"));
    }
    let repeated = "<function=edit><parameter=path>a</parameter><parameter=path>b</parameter></function>";
    check(None, editing_tools, repeated, &format!("†edit†{repeated}"));
}

#[test]
fn reasoning_and_calls_in_one_text() {
    check(
        Some(Text),
        offered_tools,
        "<think>\nI call <tool_call>.\n</think>\n\nLook:\n<tool_call>{\"name\":\"shell\",\"arguments\":{}}</tool_call>\n",
        "(I call <tool_call>.)Look:\n«shell{}»",
    );
    check(Some(Text), offered_tools, "<think>a</think>{\"name\":\"shell\",\"arguments\":{}}", "(a)«shell{}»");
}

/// Text that cannot be markup is passed on with the piece that brought it.
#[test]
fn only_possible_markup_is_held() {
    let mut scanner = Scanner::new(Some(Text), offered_tools(), 1 << 20).unwrap();
    let text = |text: &str| vec![Segment::Text(text.to_owned())];
    for (piece, shown) in [
        (" ", vec![]),
        ("Hi", text(" Hi")),
        (" a <", text(" a ")),
        (" b", text("< b")),
        ("<tool", vec![]),
        ("box>", text("<toolbox>")),
        ("<tool_call>", vec![]),
        ("{\"na", vec![]),
        ("me\":\"sh", vec![]),
        ("ort\"", text("<tool_call>{\"name\":\"short\"")),
        ("<tool_call>", vec![]),
        ("get_x", text("<tool_call>get_x")),
        ("<function=get_", vec![]),
        ("weather_of", text("<function=get_weather_of")),
    ] {
        assert_eq!(scanner.push(piece), shown, "{piece}");
    }
    assert!(scanner.lets_pass("plain") && !scanner.lets_pass("a < b"));
}

#[test]
fn held_text_has_a_limit() {
    let mut scanner = Scanner::new(None, offered_tools(), 64).unwrap();
    assert_eq!(scanner.push("<tool_call>{\"name\":\"shell\",\"arguments\":{\"a\":\""), []);
    let shown = scanner.push(&"x".repeat(64));
    assert!(matches!(&shown[..], [Segment::Text(text)] if text.ends_with("xx")));
    assert_eq!(scanner.push("y"), [Segment::Text("y".to_owned())]);
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    /// Texts made of all markup and of what resembles it.
    fn text() -> impl Strategy<Value = String> {
        let mut bits: Vec<&str> = DIALECTS
            .iter()
            .flat_map(|dialect| {
                let name = dialect.name.iter().flat_map(|name| name.after.iter().chain([&name.before]));
                let arguments = match &dialect.arguments {
                    Arguments::Json => vec![],
                    Arguments::Tagged(forms) => {
                        forms.iter().flat_map(|tags| [&tags.key, &tags.value_end, &tags.value]).collect()
                    }
                    Arguments::Quoted(quote) => vec![quote],
                    Arguments::Keywords => vec![&"=", &"'"],
                };
                dialect.open.iter().chain(dialect.close).chain(name).chain(arguments)
            })
            .copied()
            .collect();
        bits.extend([
            "shell",
            "get_weather",
            "unknown",
            "city",
            "{",
            "}",
            "{}",
            "\"",
            "\\",
            "\n",
            " ",
            "é",
            "🦀",
            "<",
            "`",
            "{\"name\":\"shell\",\"arguments\":{\"a\":\"b\"}}",
            "{\"name\":\"unknown\"}",
            "{\"name\":",
            "<think>",
            "</think>",
            "functions.shell:0",
            "[shell(city='x')]",
            "shell(city='x'),",
            "shell('x')\n",
            "(a=[1])\n",
            "x",
        ]);
        prop::collection::vec(prop::sample::select(bits), 0..12).prop_map(|bits| bits.concat())
    }

    #[test]
    fn a_name_with_a_tag_inside_is_not_a_name_however_it_arrives() {
        for text in [
            "<|open|>call tool=\"</function_call>get_weather\"<|end|>",
            "<tool_call>shell<</tool_call>",
            "<tool_call><|end|><",
        ] {
            for size in 1..7 {
                let pieces: Vec<&str> =
                    text.as_bytes().chunks(size).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
                let whole = segments(None, offered_tools(), &[text]);
                assert_eq!(segments(None, offered_tools(), &pieces), whole, "{text} in pieces of {size}");
            }
        }
    }

    proptest! {
        #[test]
        fn segments_do_not_depend_on_the_pieces(text in text(), size in 1usize..7) {
            let characters: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = characters.chunks(size).map(|piece| piece.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let whole = segments(None, offered_tools(), &[&text]);
            prop_assert_eq!(segments(None, offered_tools(), &pieces), whole);
        }

        #[test]
        fn text_without_calls_is_unchanged(text in text()) {
            let said = segments(None, offered_tools(), &[&text]);
            if !said.contains(['«', '(', '†']) && !FRAMES.iter().any(|frame| text.contains(frame)) {
                prop_assert_eq!(said, text);
            }
        }
    }
}

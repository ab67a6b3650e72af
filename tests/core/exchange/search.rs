//! Codex's web search: what the engine is asked, and what Codex gets.

use super::*;

/// What only the conversation has.
const SECRET: &str = "sk-in-the-conversation";

/// A request of Codex 0.171 with these commands.
fn commands(commands: Value) -> String {
    let request = json!({
        "id": "search_1", "model": "m", "commands": commands, "max_output_tokens": 10_000,
        "input": [{"role": "user", "content": [{"type": "input_text", "text": SECRET}]}],
        "settings": {"search_context_size": "medium", "external_web_access": true}
    });
    request.to_string()
}

fn query(q: &str) -> Value {
    json!({"search_query": [{"q": q}]})
}

fn config(engine: &str, held: bool) -> String {
    let search = json!({"engine": engine, "route": "search"});
    let ids = json!(["session-id", "x-conversation"]);
    json!({"search": search, "hold_request_headers": held, "owner_header": "x-user", "session_headers": ids})
        .to_string()
}

/// What Codex sends with it.
fn asked() -> Headers {
    headers(&[
        (":method", "POST"),
        (":path", "/v1/alpha/search"),
        ("authorization", "Bearer sk-of-the-upstream"),
        ("cookie", "session=1"),
        ("proxy-authorization", "Basic x"),
        ("x-goog-api-key", "k"),
        ("x-subscription-token", "k"),
        ("openai-organization", "org"),
        ("referer", "https://intranet.example"),
        ("x-user", "u"),
        ("x-conversation", "c"),
        ("content-type", "application/json"),
        ("originator", "codex_exec"),
        ("session-id", "s"),
        ("x-request-id", "r"),
    ])
}

/// The headers and the body that the engine gets, if it is asked.
struct Sent {
    headers: Vec<(String, String)>,
    body: String,
}

impl Sent {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn send(driven: &mut Driven, body: &str) -> Result<Sent, LocalReply> {
    let verdict = driven.exchange.on_request_headers(&asked(), false, NOW);
    let (HeadersVerdict::Continue(mut edits) | HeadersVerdict::Hold(mut edits)) = verdict else {
        panic!("{verdict:?}")
    };
    let body = match driven.exchange.on_request_body(body.as_bytes(), true, NOW) {
        BodyVerdict::Replace(body) => body,
        BodyVerdict::Release(more, body) => {
            edits.extend(more);
            body
        }
        BodyVerdict::Respond(reply) => return Err(reply),
        other => panic!("{other:?}"),
    };
    for name in [
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-goog-api-key",
        "x-subscription-token",
        "openai-organization",
        "referer",
        "originator",
        "session-id",
    ] {
        assert!(edits.contains(&remove(name)), "{name}");
    }
    let set = edits.into_iter().filter_map(|edit| match edit {
        Edit::Set(name, value) => Some((name.into_owned(), value)),
        Edit::Remove(_) => None,
    });
    let sent = Sent { headers: set.collect(), body: String::from_utf8(body).unwrap() };
    let all = format!("{:?} {}", sent.headers, sent.body);
    assert!(!all.contains(SECRET), "{all}");
    Ok(sent)
}

fn engine_is_sent(engine: &str, held: bool, body: &str) -> Sent {
    send(&mut Driven::new(&config(engine, held)), body).unwrap_or_else(|reply| panic!("{reply:?}"))
}

/// What Codex reads: the text for the model, and the results.
fn read(bytes: &[u8]) -> (String, Vec<Value>) {
    let answer: Value = serde_json::from_slice(bytes).unwrap();
    (answer["output"].as_str().unwrap().to_owned(), answer["results"].as_array().unwrap().clone())
}

/// What Codex gets when the engine answers with this document.
fn found(engine: &str, commands: &str, document: &Value) -> (String, Vec<Value>) {
    found_by(&mut Driven::new(&config(engine, true)), commands, document)
}

fn found_by(driven: &mut Driven, commands: &str, document: &Value) -> (String, Vec<Value>) {
    send(driven, commands).unwrap_or_else(|reply| panic!("{reply:?}"));
    let headers = response("200", &[("content-type", "text/json"), ("set-cookie", "a=b")]);
    let verdict = driven.exchange.on_response_headers(&headers, false, NOW);
    let expected = vec![remove("set-cookie"), set("content-type", "application/json")];
    assert_eq!(verdict, HeadersVerdict::Continue(expected));
    let (mut bytes, text) = (Vec::new(), document.to_string());
    // The document shows its own end: the end of the stream may come in trailers.
    for piece in text.as_bytes().chunks(7) {
        match driven.exchange.on_response_body(piece, false, NOW) {
            BodyVerdict::Replace(replaced) => bytes.extend(replaced),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(driven.exchange.on_response_trailers(NOW), TrailersVerdict::Pass);
    read(&bytes)
}

#[test]
fn each_engine_is_asked_in_its_own_way() {
    let body = commands(
        json!({"search_query": [{"q": "über & \"x\"", "recency": 5, "domains": ["a.org", "b.org"]}]}),
    );
    for held in [false, true] {
        let sent = engine_is_sent("searxng", held, &body);
        assert_eq!(
            sent.body,
            "format=json&q=%C3%BCber%20%26%20%22x%22%20site%3Aa.org%20OR%20site%3Ab.org&time_range=week"
        );
        assert_eq!(sent.header(":path"), Some("/search"));
        assert_eq!(sent.header("content-type"), Some("application/x-www-form-urlencoded"));
        let by_route = held.then_some("search");
        assert_eq!(sent.header("x-transponder-upstream"), by_route);

        let sent = engine_is_sent("tavily", held, &body);
        let body: Value = serde_json::from_str(&sent.body).unwrap();
        let expected =
            json!({"query": "über & \"x\"", "include_domains": ["a.org", "b.org"], "time_range": "week"});
        assert_eq!((body, sent.header(":path")), (expected, Some("/search")));
    }
    let sent = engine_is_sent("brave", true, &commands(query("a b")));
    assert_eq!(sent.header(":path"), Some("/res/v1/web/search?count=10&q=a%20b&text_decorations=false"));
    assert_eq!(
        (sent.header(":method"), sent.header("content-length"), &*sent.body),
        (Some("GET"), Some("0"), "")
    );
}

#[test]
fn the_path_can_be_another() {
    let config =
        json!({"search": {"engine": "brave", "path": "/proxy/brave?v=1"}, "hold_request_headers": true});
    let sent = send(&mut Driven::new(&config.to_string()), &commands(query("a"))).ok().unwrap();
    assert_eq!(sent.header(":path"), Some("/proxy/brave?v=1&count=10&q=a&text_decorations=false"));
}

#[test]
fn results_come_back_in_codex_form() {
    let result = |title: &str, snippet: &str| json!({"title": title, "url": "https://www.example.org/a?b", snippet: "Some text."});
    for (engine, document) in [
        (
            "searxng",
            json!({"query": "q", "results": [result("T", "content")], "unresponsive_engines": [["x", "timeout"]]}),
        ),
        ("brave", json!({"type": "search", "web": {"results": [result("T", "description")]}})),
        ("tavily", json!({"answer": null, "results": [result("T", "content")]})),
    ] {
        let (output, results) = found(engine, &commands(query("q")), &document);
        assert_eq!(output, "[1] T\nhttps://www.example.org/a?b\nSome text.", "{engine}");
        let expected = json!({
            "title": "T", "url": "https://www.example.org/a?b", "snippet": "Some text.",
            "ref_id": "https://www.example.org/a?b", "domain": "example.org", "type": "text_result"
        });
        assert_eq!(results, [expected], "{engine}");
    }
}

/// SearXNG has the summary of an encyclopedia, and what it knows itself, apart from the results.
#[test]
fn answers_and_infoboxes_are_shown_before_the_results() {
    let infobox = json!({"infobox": "Frob", "id": "https://en.wikipedia.org/wiki/Frob", "content": "A frob is a thing.", "urls": []});
    let answer = json!({"answer": "md5 hash digest: 5d41", "url": null, "engine": "plugin: hash_plugin"});
    let result = json!({"title": "T", "url": "https://a.org", "content": "c"});
    let document = json!({"answers": [answer], "infoboxes": [infobox], "results": [result]});
    let (output, results) = found("searxng", &commands(query("q")), &document);
    let expected = "md5 hash digest: 5d41\n\n[1] Frob\nhttps://en.wikipedia.org/wiki/Frob\nA frob is a thing.\n\n[2] T\n";
    assert!(output.starts_with(expected) && results.len() == 2, "{output}");
    let document = json!({"answers": [answer], "infoboxes": [], "results": []});
    assert_eq!(
        found("searxng", &commands(query("q")), &document),
        ("md5 hash digest: 5d41".to_owned(), vec![])
    );
}

#[test]
fn the_answer_is_as_long_as_codex_allows() {
    let results: Vec<Value> = (0..30)
        .map(|number| json!({"title": number.to_string(), "url": "u", "content": "x".repeat(400)}))
        .collect();
    let document = json!({"results": results});
    let (_, results) = found("tavily", &commands(query("q")), &document);
    assert_eq!(results.len(), 10);
    let short = commands(query("q")).replace("10000", "250");
    let (output, results) = found("tavily", &short, &document);
    assert!(results.len() == 2 && output.len() < 1000, "{output}");
}

#[test]
fn what_finds_nothing_is_told_in_a_sentence() {
    for (engine, document, sentence, outcome) in [
        (
            "searxng",
            json!({"results": [], "unresponsive_engines": []}),
            "The search found nothing.",
            "searched",
        ),
        (
            "searxng",
            json!({"results": [], "unresponsive_engines": [["a", "timeout"]]}),
            "own sources did not answer",
            "search_failed",
        ),
        ("brave", json!({"type": "search", "mixed": {}}), "The search found nothing.", "searched"),
        ("tavily", json!([]), "cannot be read", "search_failed"),
        ("tavily", json!({"results": [{"title": "no address"}, 5]}), "The search found nothing.", "searched"),
    ] {
        let mut driven = Driven::new(&config(engine, true));
        let (output, results) = found_by(&mut driven, &commands(query("q")), &document);
        assert!(output.contains(sentence) && results.is_empty(), "{engine}: {output}");
        assert_eq!(*driven.told.fields.borrow(), [("transponder.outcome", outcome.to_owned())], "{output}");
    }
}

/// Those that the configuration names, too: they say who asks.
#[test]
fn configured_headers_do_not_reach_the_engine() {
    let mut driven = Driven::new(&config("searxng", false));
    let HeadersVerdict::Continue(edits) = driven.exchange.on_request_headers(&asked(), false, NOW) else {
        panic!("they are not held")
    };
    for name in ["x-user", "x-conversation"] {
        assert!(edits.contains(&remove(name)), "{name}");
    }
}

#[test]
fn a_failing_engine_is_told_in_a_sentence() {
    for (status, sentence) in [
        ("401", "refused the gateway (status 401)"),
        ("429", "quota is used up"),
        ("503", "is not available"),
        ("504", "did not answer in time"),
        ("302", "refused the search"),
        ("200", "cannot be read"),
    ] {
        let mut driven = Driven::new(&config("searxng", false));
        assert!(send(&mut driven, &commands(query("q"))).is_ok());
        let reply = local(driven.exchange.on_response_headers(&response(status, &[]), true, NOW));
        let (output, results) = read(&reply.body);
        assert!(output.contains(sentence) && results.is_empty() && reply.status == 200, "{status}: {output}");
        assert_eq!(*driven.told.fields.borrow(), [("transponder.outcome", "search_failed".to_owned())]);
    }
    // Without a route or an endpoint, Envoy answers before the request is complete.
    let mut driven = Driven::new(&config("searxng", false));
    driven.exchange.on_request_headers(&asked(), false, NOW);
    let reply = local(driven.exchange.on_response_headers(&response("503", &[]), false, NOW));
    assert!(reply.status == 200 && read(&reply.body).0.contains("not available"));
}

/// The client already has the status when the length shows.
#[test]
fn an_answer_that_is_too_long_is_told_in_a_sentence() {
    let mut config: Value = serde_json::from_str(&config("searxng", false)).unwrap();
    config["limits"] = json!({"reply_bytes": 100_000});
    let mut driven = Driven::new(&config.to_string());
    assert!(send(&mut driven, &commands(query("q"))).is_ok());
    driven.exchange.on_response_headers(&response("200", &[]), false, NOW);
    let chunk = format!("{{\"results\": \"{}", "x".repeat(60_000));
    assert_eq!(driven.exchange.on_response_body(chunk.as_bytes(), false, NOW), BodyVerdict::Replace(vec![]));
    let BodyVerdict::Replace(body) = driven.exchange.on_response_body(chunk.as_bytes(), false, NOW) else {
        panic!("it is replaced")
    };
    let (output, results) = read(&body);
    assert!(output.contains("too long") && results.is_empty(), "{output}");
    assert_eq!(*driven.told.fields.borrow(), [("transponder.outcome", "search_failed".to_owned())]);
}

#[test]
fn what_cannot_be_served_is_told_in_a_sentence() {
    let several = json!({"search_query": [{"q": "one"}, {"q": "two"}, {"q": "three"}], "screenshot": [{"ref_id": "x", "pageno": 0}], "click": [], "response_length": "short"});
    let (output, results) = found(
        "tavily",
        &commands(several),
        &json!({"results": [{"title": "T", "url": "u", "content": "c"}]}),
    );
    assert_eq!(results.len(), 1);
    assert!(output.starts_with("[1] T"), "{output}");
    assert!(output.contains("with one call for each of: \"two\", \"three\"."), "{output}");
    assert!(output.contains("`screenshot` is not available") && !output.contains("click"), "{output}");
    for (unserved, sentence) in [
        (json!({"weather": [{"location": "x"}]}), "`weather` is not available here"),
        (json!({}), "nothing to search for"),
        (json!({"search_query": [{"q": " "}]}), "nothing to search for"),
    ] {
        let reply = send(&mut Driven::new(&config("tavily", true)), &commands(unserved)).err().unwrap();
        let (output, results) = read(&reply.body);
        assert!(reply.status == 200 && results.is_empty() && output.contains(sentence), "{output}");
    }
    let reply = send(&mut Driven::new(&config("tavily", true)), "{\"commands\": [").err().unwrap();
    assert_eq!(error(&reply), (400, "invalid_json".to_owned()));
}

/// Commands, with what the model is told after the engine answered with a page of eleven lines, one of them long.
#[test]
fn pages_are_opened_where_the_engine_reads_them() {
    let long = "word ".repeat(150);
    let lines: Vec<String> = (1..=9).map(|line| format!("Line {line} of the page.")).collect();
    let text = format!("\n{}\n\n{long}\n", lines.join("\n"));
    let document = json!({
        "results": [{"url": "https://a.org/", "raw_content": text}],
        "failed_results": [{"url": "https://b.org/x", "error": "timeout"}],
    });
    let open = |wanted: Value| json!({ "open": [wanted] });
    for (wanted, expected) in [
        (open(json!({"ref_id": "https://a.org"})), "https://a.org\nL1: Line 1 of the page.\nL2: "),
        (
            open(json!({"ref_id": "https://a.org", "lineno": 9})),
            "https://a.org\nL9: Line 9 of the page.\nL10: word ",
        ),
        (open(json!({"ref_id": "https://a.org", "lineno": 90})), "The page has 11 lines, and none there."),
        (open(json!({"ref_id": "https://b.org/x"})), "https://b.org/x\nThe page could not be read."),
        (
            json!({"find": [{"ref_id": "https://a.org/", "pattern": "LINE 7"}]}),
            "https://a.org/\nL7: Line 7 of the page.",
        ),
        (
            json!({"find": [{"ref_id": "https://a.org", "pattern": "x y"}]}),
            "None of the page's 11 lines has \"x y\".",
        ),
    ] {
        let (output, _) = found("tavily", &commands(wanted.clone()), &document);
        assert!(output.contains(expected), "{wanted}: {output}");
    }
    let short = commands(open(json!({"ref_id": "https://a.org"}))).replace("10000", "25");
    let (output, results) = found("tavily", &short, &document);
    assert!(output.contains("L3: ") && !output.contains("L4: "), "{output}");
    assert!(output.ends_with("The page has 11 lines. For more, open it with `lineno` 4."), "{output}");
    assert_eq!((results.len(), &results[0]["url"]), (1, &json!("https://a.org")));
}

#[test]
fn pages_are_asked_for_beside_the_search() {
    let two = json!({
        "open": [{"ref_id": "https://a.org", "lineno": 5}, {"ref_id": "turn0search0"}],
        "find": [{"ref_id": "https://a.org", "pattern": "x"}, {"ref_id": "http://b.org", "pattern": "y"}, {"pattern": "z"}],
    });
    for (path, expected) in
        [(None, "/extract"), (Some("/engines/tavily/search?v=1"), "/engines/tavily/extract?v=1")]
    {
        let search = json!({"engine": "tavily", "path": path});
        let config = json!({"search": search, "hold_request_headers": true}).to_string();
        let sent = send(&mut Driven::new(&config), &commands(two.clone())).ok().unwrap();
        assert_eq!((sent.header(":method"), sent.header(":path")), (Some("POST"), Some(expected)));
        assert_eq!(sent.body, r#"{"urls":["http://b.org","https://a.org"]}"#);
    }
    let (output, _) = found("tavily", &commands(two), &json!({"results": []}));
    assert!(output.contains("`open` did not find \"turn0search0\"."), "{output}");
    assert!(output.contains("A `find` has no `ref_id`"), "{output}");
}

/// Without held headers, the path is sent before the commands are known.
#[test]
fn pages_that_cannot_be_opened_are_told_in_a_sentence() {
    let open = || commands(json!({"open": [{"ref_id": "https://a.org"}]}));
    for (engine, held) in [("searxng", true), ("tavily", false), ("brave", true)] {
        let reply = send(&mut Driven::new(&config(engine, held)), &open()).err().unwrap();
        assert!(
            read(&reply.body).0.contains("`open` is not available: the gateway only searches."),
            "{engine}"
        );
    }
    let both = json!({"search_query": [{"q": "one"}], "open": [{"ref_id": "https://a.org"}], "click": [{"ref_id": "x", "id": 1}]});
    let (output, _) = found("tavily", &commands(both), &json!({"results": []}));
    assert!(output.contains("No page was opened. Do that in a call of its own."), "{output}");
    assert!(output.contains("`click` is not available. Open a page by its address."), "{output}");
}

#[test]
fn without_an_engine_the_request_passes() {
    let mut driven = Driven::new("{}");
    assert_eq!(driven.exchange.on_request_headers(&asked(), false, NOW), HeadersVerdict::Continue(vec![]));
    assert!(driven.exchange.passes_through());
}

#[test]
fn headers_that_the_watchdog_released_are_no_search() {
    let mut driven = Driven::new(&config("brave", true));
    driven.exchange.on_request_headers(&asked(), false, NOW);
    assert!(driven.exchange.on_watchdog());
    let verdict = driven.exchange.on_request_body(commands(query("q")).as_bytes(), true, NOW);
    let reply = local_body(verdict);
    assert!(reply.status == 200 && read(&reply.body).0.contains("not available"));
}

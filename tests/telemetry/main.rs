//! A real Prometheus with a real Envoy under load: every query of the dashboard and the alerts returns data.
//!
//! Envoy's configuration is the template that users start from. The load has exchanges with every outcome.

mod load;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use support::own_upstream::{OwnUpstream, json as json_reply};
use support::{Envoy, Process, Upstream, cluster, clusters, http_filters, project, routes};
use tempfile::TempDir;
use transponder::metrics::{ACCESS_LOG, METRICS};

/// Prometheus and promtool.
fn tool(name: &str) -> PathBuf {
    let setup = Command::new(project().join("tests/telemetry/setup")).output().unwrap();
    assert!(setup.status.success(), "{}", String::from_utf8_lossy(&setup.stderr));
    Path::new(String::from_utf8(setup.stdout).unwrap().trim()).join(name)
}

/// The template as `make run` fills it in, with free ports, and with histograms that are updated immediately.
fn bootstrap(upstream: &Upstream, engine: &OwnUpstream, files: &Path) -> Value {
    let config = files.join("plugin.json");
    let mut plugin: Value = serde_json::from_str(load::CONFIG).unwrap();
    // It needs the cluster that is added below.
    let search = plugin.as_object_mut().unwrap().remove("search").unwrap();
    std::fs::write(&config, plugin.to_string()).unwrap();
    let mut print = Command::new(project().join("envoy/run.py"));
    print.args(["--print", "--upstream", &upstream.base_url(), "--config"]).arg(&config);
    let printed = print.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let mut bootstrap: Value = serde_yaml_ng::from_slice(&printed.stdout).unwrap();
    bootstrap["stats_flush_interval"] = json!("1s");
    let clusters = clusters(&mut bootstrap);
    clusters.push(cluster("engine", engine.address));
    routes(&mut bootstrap).insert(0, json!({"match": {"path": "/search"}, "route": {"cluster": "engine"}}));
    let plugin =
        http_filters(&mut bootstrap)[0].pointer_mut("/typed_config/config/configuration/value").unwrap();
    let mut with_search: Value = serde_json::from_str(plugin.as_str().unwrap()).unwrap();
    with_search["search"] = search;
    *plugin = json!(with_search.to_string());
    bootstrap
}

struct Prometheus {
    url: String,
    _process: Process,
    _files: TempDir,
}

impl Prometheus {
    /// Starts Prometheus with the alert rules. It scrapes one Envoy every second.
    async fn start(envoy: &Envoy) -> Self {
        let files = TempDir::new().unwrap();
        let config = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [project().join("envoy/prometheus/alerts.yml")],
            "scrape_configs": [{
                "job_name": "transponder", "metrics_path": "/stats/prometheus",
                "static_configs": [{"targets": [envoy.admin_address().to_string()]}]
            }]
        });
        let path = files.path().join("prometheus.json");
        std::fs::write(&path, config.to_string()).unwrap();
        let mut command = Command::new(tool("prometheus"));
        command.arg("--config.file").arg(path).arg("--storage.tsdb.path").arg(files.path().join("data"));
        command.args(["--web.listen-address", "127.0.0.1:0"]);
        let mut process = Process::start(&mut command, files.path().join("log"));
        let log = process.log.clone();
        let port = process.until("Prometheus", async || {
            let said = std::fs::read_to_string(&log).ok()?;
            let line = said.lines().find(|line| line.contains("Listening on"))?;
            let port: String =
                line.rsplit_once("127.0.0.1:")?.1.chars().take_while(char::is_ascii_digit).collect();
            let url = format!("http://127.0.0.1:{port}");
            reqwest::get(format!("{url}/-/ready")).await.ok()?.status().is_success().then_some(url)
        });
        let url = port.await;
        Self { url, _process: process, _files: files }
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let mut url: reqwest::Url = format!("{}/api/v1/{path}", self.url).parse().unwrap();
        url.query_pairs_mut().extend_pairs(query);
        let answer: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        assert_eq!(answer["status"], "success", "{path} {query:?}: {answer}");
        answer["data"].clone()
    }

    /// The finite values that a query returns now.
    async fn values(&self, query: &str) -> Vec<f64> {
        let data = self.get("query", &[("query", query)]).await;
        let series = data["result"].as_array().unwrap().iter();
        let values = series.map(|series| series["value"][1].as_str().unwrap().parse::<f64>().unwrap());
        values.filter(|value| value.is_finite()).collect()
    }
}

fn promtool(arguments: &[&str]) -> String {
    let output = Command::new(tool("promtool")).args(arguments).current_dir(project()).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn promtool_takes_the_rules_and_the_configuration() {
    assert!(promtool(&["check", "rules", "envoy/prometheus/alerts.yml"]).contains("SUCCESS"));
    assert!(promtool(&["check", "config", "envoy/prometheus/prometheus.yml"]).contains("SUCCESS"));
    assert!(promtool(&["test", "rules", "tests/telemetry/alerts.yml"]).contains("SUCCESS"));
}

fn dashboard() -> Value {
    serde_json::from_str(include_str!("../../envoy/grafana/dashboard.json")).unwrap()
}

/// Title and query of every target, Grafana's variables filled in.
fn dashboard_queries() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row");
    let mut queries = Vec::new();
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let query =
                query.replace("$__rate_interval", "1m").replace("$__range", "5m").replace("$preset", ".*");
            assert!(!query.contains('$'), "{query}");
            queries.push((panel["title"].as_str().unwrap().to_owned(), query));
        }
    }
    queries
}

/// The name and expression of each alert, and whether it has a waiting time.
fn alerts() -> Vec<(String, String, bool)> {
    let rules: Value = serde_yaml_ng::from_str(include_str!("../../envoy/prometheus/alerts.yml")).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().trim().to_owned();
    rules.map(|rule| (text(&rule["alert"]), text(&rule["expr"]), rule.get("for").is_some())).collect()
}

/// Alerts without a waiting time whose condition the load fulfils.
const PROVOKED: &[&str] = &[
    "TransponderStoreFails",
    "TransponderToolCallsInText",
    "TransponderToolCallsLost",
    "TransponderUpstreamRefusesKey",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_the_dashboard_and_the_alerts_has_data_under_load() {
    let upstream = Upstream::start().await;
    let engine = OwnUpstream::start(|| json_reply(200, r#"{"results": []}"#)).await;
    let files = TempDir::new().unwrap();
    let mut envoy = Envoy::launch(&bootstrap(&upstream, &engine, files.path())).await;
    ["Paris", "sunny", "Begin Patch"].iter().for_each(|secret| envoy.plant_secret(secret));
    let prometheus = Prometheus::start(&envoy).await;

    // The load continues until every query has data: rates need two scrapes with changes between them.
    let begin = Instant::now();
    let mut unanswered: BTreeSet<(String, String)> = dashboard_queries().into_iter().collect();
    // An alert's expression without its threshold.
    let bare = |expression: &str| expression.rsplit_once(" > ").expect("a threshold").0.to_owned();
    unanswered.extend(alerts().into_iter().map(|(name, expression, _)| (name, bare(&expression))));
    let asked = unanswered.len();
    while !unanswered.is_empty() || begin.elapsed() < load::duration() {
        load::round(&upstream, &envoy).await;
        let mut left = BTreeSet::new();
        for (name, query) in unanswered {
            if prometheus.values(&query).await.is_empty() {
                left.insert((name, query));
            }
        }
        unanswered = left;
        assert!(begin.elapsed() < Duration::from_secs(90) + load::duration(), "no data: {unanswered:#?}");
    }
    assert!(asked > 30, "{asked} queries");

    let firing = async || -> BTreeSet<String> {
        let data = prometheus.get("alerts", &[]).await;
        let alerts = data["alerts"].as_array().unwrap().iter().filter(|alert| alert["state"] == "firing");
        alerts.map(|alert| alert["labels"]["alertname"].as_str().unwrap().to_owned()).collect()
    };
    let expected: BTreeSet<String> = PROVOKED.iter().map(|name| (*name).to_owned()).collect();
    while firing().await != expected {
        assert!(
            begin.elapsed() < Duration::from_secs(120) + load::duration(),
            "firing: {:?}",
            firing().await
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let rules = prometheus.get("rules", &[]).await;
    for rule in rules["groups"][0]["rules"].as_array().unwrap() {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    draw(&prometheus, begin.elapsed());
    check_access_log(&envoy).await;
    envoy.finish();
}

/// Checks that each request has a line of JSON, and that every field of the table is in one of them.
async fn check_access_log(envoy: &Envoy) {
    let mut lines: Vec<Value> = Vec::new();
    let has =
        |lines: &[Value], outcome: &str| lines.iter().any(|line| line["transponder.outcome"] == outcome);
    let outcomes = ["completed", "incomplete", "failed", "upstream_error", "refused", "cut"];
    let begin = Instant::now();
    while !outcomes.iter().all(|outcome| has(&lines, outcome)) {
        let log = envoy.logged();
        lines = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert!(begin.elapsed() < Duration::from_secs(30), "{outcomes:?} in:\n{log}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for field in ACCESS_LOG {
        assert!(lines.iter().any(|line| line[field.shown_as].is_string()), "{}", field.shown_as);
    }
    let good = lines.iter().find(|line| line["gen_ai.usage.reasoning.output_tokens"] == "50").unwrap();
    for (attribute, value) in [
        ("gen_ai.request.model", "big"),
        ("gen_ai.usage.input_tokens", "1200"),
        ("gen_ai.usage.cache_read.input_tokens", "900"),
        ("gen_ai.usage.output_tokens", "90"),
        ("transponder.tool_calls", "1"),
        ("transponder.preset", "vllm"),
    ] {
        assert_eq!(good[attribute], value, "{good}");
    }
    // With the id that the client received, a request can be found in both logs.
    let failed = lines.iter().find(|line| line["transponder.outcome"] == "failed").unwrap();
    let id = failed["request_id"].as_str().unwrap();
    let log = envoy.logged();
    let told = log.lines().find(|line| line.contains("reply failed: ") && line.contains(id));
    assert!(told.is_some_and(|line| line.contains("class=broken")), "{id} in:\n{log}");
    let cut = lines.iter().find(|line| line["transponder.outcome"] == "incomplete").unwrap();
    let id = cut["request_id"].as_str().unwrap();
    let told =
        log.lines().find(|line| line.contains("tool calls cut in an incomplete reply") && line.contains(id));
    assert!(told.is_some_and(|line| line.contains("calls=1 preset=generic")), "{id} in:\n{log}");
    let refused = lines.iter().find(|line| line["transponder.outcome"] == "refused").unwrap();
    assert_eq!(refused["gen_ai.request.model"], "big", "{refused}");
}

/// Draws the picture of `docs/operations.md` from the same data.
fn draw(prometheus: &Prometheus, back: Duration) {
    let back = format!("{}s", back.as_secs());
    let mut picture = Command::new(project().join("envoy/grafana/picture.py"));
    let drawn = picture.args([&prometheus.url, &back]).output().unwrap();
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let svg = String::from_utf8(drawn.stdout).unwrap();
    assert!(!svg.contains("No data"), "{svg}");
    for panel in dashboard()["panels"].as_array().unwrap() {
        assert!(svg.contains(panel["title"].as_str().unwrap()), "{}", panel["title"]);
    }
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("dashboard.svg"), svg).unwrap();
}

#[test]
fn the_dashboard_asks_for_every_metric_and_for_no_other() {
    let asked: String = dashboard_queries().into_iter().map(|(_, query)| query + "\n").collect();
    let alerted: String = alerts().into_iter().map(|(_, query, _)| query + "\n").collect();
    let words = |text: &str| -> BTreeSet<String> {
        let names = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
        let ours = names.filter(|name| name.starts_with("transponder_"));
        ours.map(|name| name.replace("_milliseconds_sum", "_milliseconds").replace("_bucket", "")).collect()
    };
    let known: BTreeSet<_> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    let named = words(&(asked + &alerted));
    assert_eq!(named, known);
}

/// Grafana identifies panels by their ids, and moves those that overlap.
#[test]
fn panels_have_ids_and_places_of_their_own() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    let mut taken = BTreeSet::new();
    for panel in panels {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(x + w <= 24, "{}", panel["title"]);
        for place in (x..x + w).flat_map(|column| (y..y + h).map(move |row| (column, row))) {
            assert!(taken.insert(place), "{} overlaps", panel["title"]);
        }
    }
}

#[test]
fn the_documentation_has_every_alert() {
    let page = include_str!("../../docs/operations.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `Transponder")?.split_once('`'));
    let documented: Vec<String> = rows.map(|(name, _)| format!("Transponder{name}")).collect();
    let known: Vec<String> = alerts().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(documented, known);
}

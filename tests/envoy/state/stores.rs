//! Real servers that keep responses: nginx with its DAV module, and one of S3's API that checks every signature.

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use support::{Process, cluster, project};
use tempfile::TempDir;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    S3,
}

/// The key with which Envoy signs requests to the S3 server.
const KEY: &str = "the-key";
const SECRET: &str = "the-secret-of-the-key";

/// A server. It keeps its port and its files when it is killed.
pub(super) struct StoreServer {
    kind: Kind,
    pub(super) address: SocketAddr,
    process: Option<Process>,
    files: TempDir,
}

impl StoreServer {
    pub(super) async fn start(kind: Kind) -> Self {
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let files = tempfile::tempdir().unwrap();
        // The S3 server's buckets are directories.
        std::fs::create_dir_all(files.path().join("data/responses")).unwrap();
        let mut server = Self { kind, address, process: None, files };
        server.start_again().await;
        server
    }

    pub(super) async fn start_again(&mut self) {
        let log = self.files.path().join("log");
        let mut process = Process::start(&mut self.command(), log);
        let address = self.address;
        process.until("the store", async || tokio::net::TcpStream::connect(address).await.ok()).await;
        self.process = Some(process);
    }

    pub(super) fn kill(&mut self) {
        self.process = None;
    }

    fn command(&self) -> Command {
        let [nginx, s3] = programs();
        let data = self.files.path().join("data");
        if self.kind == Kind::S3 {
            let mut command = Command::new(s3);
            command.args(["--host", "127.0.0.1", "--port", &self.address.port().to_string()]);
            command.args(["--access-key", KEY, "--secret-key", SECRET]).arg(data);
            return command;
        }
        let directory = self.files.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {directory}/{name};"));
        let configuration = format!(
            "daemon off; master_process off; pid {directory}/pid; error_log stderr warn; events {{}}
            http {{
                access_log off; {}
                server {{
                    listen {}; root {}; client_max_body_size 40m;
                    dav_methods PUT DELETE; create_full_put_path on;
                }}
            }}",
            temporary.concat(),
            self.address,
            data.display()
        );
        let file = self.files.path().join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let mut command = Command::new(nginx);
        command.args(["-e", "stderr", "-p"]).arg(self.files.path()).arg("-c").arg(file);
        command
    }

    /// Envoy's cluster for it. It signs requests with this secret, if the server wants signatures.
    pub(super) fn cluster_with_secret(&self, secret: &str) -> Value {
        let mut cluster = cluster("responses", self.address);
        if self.kind == Kind::S3 {
            cluster["typed_extension_protocol_options"] = json!({
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": {"http_protocol_options": {}},
                    "http_filters": [
                        {"name": "sign", "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.http.aws_request_signing.v3.AwsRequestSigning",
                            "service_name": "s3", "region": "us-east-1",
                            "credential_provider": {"inline_credential": {
                                "access_key_id": KEY, "secret_access_key": secret
                            }}
                        }},
                        {"name": "codec", "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
                        }}
                    ]
                }
            });
        }
        cluster
    }

    /// The file with its key.
    pub(super) fn credentials() -> String {
        format!("[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    }

    pub(super) fn cluster(&self) -> Value {
        self.cluster_with_secret(SECRET)
    }

    /// The plugin's settings for it.
    pub(super) fn settings(&self) -> Value {
        json!({"cluster": "responses", "path": "/responses/{owner}/{id}"})
    }

    /// The files of its records.
    pub(super) fn records(&self) -> Vec<PathBuf> {
        let owners = std::fs::read_dir(self.files.path().join("data/responses")).unwrap();
        let records = owners.flat_map(|owner| std::fs::read_dir(owner.unwrap().path()).unwrap());
        let paths = records.map(|record| record.unwrap().path());
        paths.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("resp_")).collect()
    }
}

/// nginx and the S3 server, which the setup installs.
fn programs() -> &'static [PathBuf; 2] {
    static PROGRAMS: OnceLock<[PathBuf; 2]> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let setup = Command::new(project().join("tests/stores/setup")).output().unwrap();
        assert!(setup.status.success(), "{}", String::from_utf8_lossy(&setup.stderr));
        let printed = String::from_utf8(setup.stdout).unwrap();
        let paths: Vec<_> = printed.lines().map(PathBuf::from).collect();
        paths.try_into().unwrap()
    })
}

/// How long a test waits for a record that nothing waits for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Polls until it is true.
pub(super) async fn eventually(what: &str, mut is: impl AsyncFnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !is().await {
        assert!(begin.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! What is around a proxy: the model servers, one of them outside and behind TLS, and the files of the proxy's pod.

use crate::envoy_config;
use crate::support::Upstream;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// The host outside, in every manifest.
pub const HOST: &str = "api.together.xyz";
/// The key that the Secrets hold.
pub const KEY: &str = "REPLACE-WITH-THE-KEY";

pub struct World {
    /// The Service `vllm`.
    pub vllm: Upstream,
    /// What answers as `HOST`.
    pub host: Upstream,
    authority: CertifiedIssuer<'static, KeyPair>,
    pod: TempDir,
}

impl World {
    pub async fn new() -> Self {
        let mut ca = CertificateParams::default();
        ca.distinguished_name.push(DnType::CommonName, "the authority");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let world = Self {
            vllm: Upstream::start().await,
            host: Upstream::start().await,
            authority: CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap(),
            pod: TempDir::new().unwrap(),
        };
        world.write("/etc/ssl/certs/ca-certificates.crt", &world.authority.pem());
        world
    }

    /// A file in the proxy's pod, by its path there.
    pub fn write(&self, path: &str, text: &str) {
        let file = self.in_pod(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn in_pod(&self, path: &str) -> PathBuf {
        self.pod.path().join(path.trim_start_matches('/'))
    }

    /// The configuration with the files of the pod where they are here.
    pub fn mounted(&self, bootstrap: &Value) -> Value {
        let here = format!("\"{}/etc/", self.pod.path().display());
        serde_json::from_str(&bootstrap.to_string().replace("\"/etc/", &here)).unwrap()
    }

    /// Certificate and key, in files of the pod, for a name that the world's authority vouches for.
    pub fn certify(&self, name: &str) -> Value {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.authority).unwrap();
        self.write(&format!("/etc/certificates/{name}.pem"), &certificate.pem());
        self.write(&format!("/etc/certificates/{name}.key"), &key.serialize_pem());
        json!({
            "certificate_chain": {"filename": self.in_pod(&format!("/etc/certificates/{name}.pem"))},
            "private_key": {"filename": self.in_pod(&format!("/etc/certificates/{name}.key"))}
        })
    }

    /// Where `HOST` is reached.
    pub fn host_address(&self) -> Value {
        json!({"pipe": {"path": self.in_pod("/host.sock")}})
    }

    /// `HOST` itself: it takes no connection that does not ask for it by its name, over TLS.
    pub fn host_listener(&self) -> Value {
        let routes = json!([{"name": "all", "domains": [HOST], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": "host", "timeout": "0s"}}
        ]}]);
        let mut listener = envoy_config::listener("host", &self.host_address(), &json!({}), &[], &routes);
        listener["listener_filters"] = json!([{"name": "tls_inspector", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
        }}]);
        listener["filter_chains"][0]["filter_chain_match"] = json!({"server_names": [HOST]});
        listener["filter_chains"][0]["transport_socket"] = json!({"name": "tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"tls_certificates": [self.certify(HOST)]}
        }});
        listener
    }

    pub fn host_cluster(&self) -> Value {
        envoy_config::cluster("host", &envoy_config::socket(self.host.address()))
    }
}

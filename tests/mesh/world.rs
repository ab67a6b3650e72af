//! The environment of a proxy: the model servers, one of them external and behind TLS, and the files of the pod.

use crate::envoy_config;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use std::path::PathBuf;
use support::Upstream;
use tempfile::TempDir;

/// The external server, in every manifest.
pub const PROVIDER: &str = "api.together.xyz";
/// The authority that the proxy trusts. Here it signs the servers' certificates too.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// The key in the Secrets.
pub const KEY: &str = "REPLACE-WITH-THE-KEY";

pub struct World {
    /// The Service `vllm`.
    pub vllm: Upstream,
    /// The server with the name `PROVIDER`.
    pub provider: Upstream,
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
            provider: Upstream::start().await,
            authority: CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap(),
            pod: TempDir::new().unwrap(),
        };
        world.write(BUNDLE, &world.authority.pem());
        world
    }

    /// A file in the proxy's pod, by its path there.
    pub fn write(&self, path: &str, text: &str) {
        let file = self.in_pod(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub fn in_pod(&self, path: &str) -> PathBuf {
        self.pod.path().join(path.trim_start_matches('/'))
    }

    /// The configuration, with the paths of the pod replaced by real ones.
    pub fn mounted(&self, bootstrap: &Value) -> Value {
        let here = format!("\"{}/etc/", self.pod.path().display());
        serde_json::from_str(&bootstrap.to_string().replace("\"/etc/", &here)).unwrap()
    }

    /// Writes a certificate for this name, and its key, to a directory of the pod.
    pub fn certify(&self, directory: &str, name: &str) -> Value {
        let key = KeyPair::generate().unwrap();
        let mut certificate = CertificateParams::new([name.to_owned()]).unwrap();
        certificate.distinguished_name.push(DnType::CommonName, name);
        let certificate = certificate.signed_by(&key, &self.authority).unwrap();
        let (chain, private) = (format!("{directory}/tls.crt"), format!("{directory}/tls.key"));
        self.write(&chain, &certificate.pem());
        self.write(&private, &key.serialize_pem());
        json!({"certificate_chain": {"filename": chain}, "private_key": {"filename": private}})
    }

    /// The certificate of the authority.
    pub fn authority(&self) -> String {
        self.authority.pem()
    }

    pub fn trusted(&self) -> Value {
        json!({"filename": BUNDLE})
    }

    /// The address of the server with this name: a socket in the file system, so that no port has to be chosen.
    pub fn address_of(&self, name: &str) -> Value {
        json!({"pipe": {"path": self.in_pod(&format!("/{name}.sock"))}})
    }

    /// A model server behind TLS. It only accepts connections with its name as the server name (SNI) and, if `mutual`,
    /// with a certificate of the authority.
    pub fn server(&self, name: &str, mutual: bool) -> Value {
        let routes = json!([{"name": "all", "domains": [name], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": format!("behind {name}"), "timeout": "0s"}}
        ]}]);
        let mut listener = envoy_config::listener(name, &self.address_of(name), &json!({}), &[], &routes);
        listener["listener_filters"] = json!([{"name": "tls_inspector", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
        }}]);
        listener["filter_chains"][0]["filter_chain_match"] = json!({"server_names": [name]});
        listener["filter_chains"][0]["transport_socket"] = json!({"name": "tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "require_client_certificate": mutual,
            "common_tls_context": {
                "tls_certificates": [self.certify(&format!("/etc/servers/{name}"), name)],
                "validation_context": {"trusted_ca": self.trusted()}
            }
        }});
        listener
    }

    /// The cluster behind `server`.
    pub fn behind(&self, name: &str, upstream: &Upstream) -> Value {
        envoy_config::cluster(&format!("behind {name}"), &support::socket(upstream.address()))
    }
}

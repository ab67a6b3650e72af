//! The filter with another filter before or behind it, in both header modes.

use crate::config;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use support::own_upstream::OwnUpstream;
use support::{Answer, Envoy, Headers, bootstrap, http_filters, post_with, virtual_host};

pub const PLACES: [Place; 2] = [Place::Before, Place::Behind];

/// The place of the other filter, relative to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Before,
    Behind,
}

/// An Envoy with a listener for each place and header mode.
pub struct Orders {
    envoy: Envoy,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Orders {
    pub async fn start(filter: &Value, upstream: &OwnUpstream) -> Self {
        Self::configured(filter, upstream, &[], |_| ()).await
    }

    /// Starts Envoy with more clusters, and with a change of each virtual host.
    pub async fn configured(
        filter: &Value,
        upstream: &OwnUpstream,
        clusters: &[Value],
        change: impl Fn(&mut Value),
    ) -> Self {
        let mut plan = bootstrap(upstream.address, "{}", Headers::Flow);
        let mut listeners = Vec::new();
        for headers in Headers::all() {
            for place in PLACES {
                let mut plan = bootstrap(upstream.address, &config(headers, json!({})), headers);
                change(virtual_host(&mut plan));
                let at = if place == Place::Before { 0 } else { 1 };
                http_filters(&mut plan).insert(at, filter.clone());
                let mut listener = plan["static_resources"]["listeners"][0].take();
                listener["name"] = json!(name(place, headers));
                listeners.push(listener);
            }
        }
        plan["static_resources"]["listeners"] = json!(listeners);
        support::clusters(&mut plan).extend_from_slice(clusters);
        // The replies of other filters have forms that the recording would reject.
        let envoy = Envoy::launch_plain(&plan).await;
        let listeners = envoy.listeners().await;
        Self { envoy, listeners }
    }

    pub async fn post(&self, place: Place, headers: Headers, more: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let url = format!("http://{}/v1/responses", self.listeners[&name(place, headers)]);
        post_with(&url, more, body).await
    }

    pub async fn ask(&self, place: Place, headers: Headers, more: &[(&str, &str)]) -> Answer {
        self.post(place, headers, more, request()).await
    }

    pub fn finish(self) {
        self.envoy.finish();
    }
}

fn name(place: Place, headers: Headers) -> String {
    format!("{place:?} {headers:?}")
}

pub fn request() -> Vec<u8> {
    json!({"model": "m", "input": "hi"}).to_string().into_bytes()
}

pub fn filter(name: &str, config: &str, mut fields: Value) -> Value {
    fields["@type"] = json!(format!("type.googleapis.com/envoy.extensions.filters.http.{config}"));
    json!({"name": name, "typed_config": fields})
}

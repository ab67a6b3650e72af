//! The manifests for Istio and Envoy Gateway, checked against the published schemas, and the configurations of plain Envoy,
//! served by a real Envoy. The control planes serve their manifests themselves in `tests/control_planes`.

mod compose;
mod envoy_config;
mod manifest;
mod mesh;
mod plain_envoy;
mod schemas;
mod world;

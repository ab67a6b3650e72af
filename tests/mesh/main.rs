//! The manifests for Istio, Envoy Gateway and plain Envoy: checked against the published schemas, and run.
//!
//! There is no cluster here. `istio` and `envoy_gateway` translate the manifests into Envoy's configuration as those control
//! planes do, and a real Envoy serves a real request with it. They accept the fields that the manifests use and no
//! others, so that every field is tested.

mod compose;
mod envoy_config;
mod envoy_gateway;
mod gateway_api;
mod istio;
mod manifest;
mod mesh;
mod plain_envoy;

mod schemas;
mod world;

//! The configurations of `envoy/fleet` in a real Envoy.

mod affinity;
mod budget;
mod fallback;
mod prefix_cache;

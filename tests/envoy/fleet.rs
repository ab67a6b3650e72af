//! The configurations of `envoy/fleet` in a real Envoy.

mod affinity;
mod budget;
mod fallback;
mod local_limit;
mod prefix_cache;
mod search;

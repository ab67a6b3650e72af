//! A rate limit service: Envoy's gRPC API, with one budget for each value of the descriptor `team`.

use crate::grpc;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use messages::{Limit, RateLimitRequest, RateLimitResponse, Seconds, Status};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// The fields of `envoy.service.ratelimit.v3` that the service reads and writes.
mod messages {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct RateLimitRequest {
        #[prost(message, repeated, tag = "2")]
        pub descriptors: Vec<Descriptor>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Descriptor {
        #[prost(message, repeated, tag = "1")]
        pub entries: Vec<Entry>,
        #[prost(message, optional, tag = "3")]
        pub hits_addend: Option<Number>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Entry {
        #[prost(string, tag = "2")]
        pub value: String,
    }

    /// A UInt64Value.
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Number {
        #[prost(uint64, tag = "1")]
        pub value: u64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct RateLimitResponse {
        #[prost(int32, tag = "1")]
        pub overall_code: i32,
        #[prost(message, repeated, tag = "2")]
        pub statuses: Vec<Status>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Status {
        #[prost(int32, tag = "1")]
        pub code: i32,
        #[prost(message, optional, tag = "2")]
        pub current_limit: Option<Limit>,
        #[prost(uint32, tag = "3")]
        pub limit_remaining: u32,
        #[prost(message, optional, tag = "4")]
        pub duration_until_reset: Option<Seconds>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Limit {
        #[prost(uint32, tag = "1")]
        pub requests_per_unit: u32,
        #[prost(int32, tag = "2")]
        pub unit: i32,
    }

    /// A Duration.
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Seconds {
        #[prost(int64, tag = "1")]
        pub seconds: i64,
    }
}

const OK: i32 = 1;
const OVER_LIMIT: i32 = 2;
const DAY: i32 = 4;

type Used = Arc<Mutex<BTreeMap<String, u64>>>;

pub struct Service {
    pub address: SocketAddr,
    used: Used,
}

impl Service {
    pub async fn start(budget: u64) -> Self {
        let used = Used::default();
        let state = Arc::clone(&used);
        let handle = async move |body: Bytes| {
            let request = grpc::next_message(&mut body.to_vec()).unwrap();
            let decision = decide(request, budget, &state);
            grpc::reply(futures_util::stream::once(async { decision }))
        };
        let app =
            Router::new().route("/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit", post(handle));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, used }
    }

    /// What a team has used.
    pub fn used(&self, team: &str) -> u64 {
        self.used.lock().unwrap().get(team).copied().unwrap_or_default()
    }
}

fn decide(request: RateLimitRequest, budget: u64, used: &Used) -> RateLimitResponse {
    let mut used = used.lock().unwrap();
    let (mut code, mut left) = (OK, budget);
    for mut descriptor in request.descriptors {
        let hits = descriptor.hits_addend.map_or(1, |hits| hits.value);
        let used = used.entry(descriptor.entries.remove(0).value).or_default();
        if *used >= budget {
            code = OVER_LIMIT;
        }
        *used += hits;
        left = budget.saturating_sub(*used);
    }
    let status = Status {
        code,
        current_limit: Some(Limit { requests_per_unit: u32::try_from(budget).unwrap(), unit: DAY }),
        limit_remaining: u32::try_from(left).unwrap(),
        duration_until_reset: Some(Seconds { seconds: 3600 }),
    };
    RateLimitResponse { overall_code: code, statuses: vec![status] }
}

//! Time of the core alone, natively: `cargo bench --manifest-path benches/Cargo.toml`.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use transponder::config::Config;
use transponder::request::{self, Context, Translated};
use transponder_benches::{Kind, document, request, stream};

fn translated(config: &Config, body: &[u8]) -> Translated {
    let context = Context { config, seed: 7, now: 1, codex: true };
    request::translate(body, &context).expect("a request that can be translated")
}

fn requests(criterion: &mut Criterion) {
    let config = Config::default();
    let mut group = criterion.benchmark_group("request");
    for bytes in [18_000, 120_000, 1_000_000, 10_000_000] {
        let body = request(bytes, true);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(bytes.to_string(), |bencher| bencher.iter(|| translated(&config, &body)));
    }
}

fn replies(criterion: &mut Criterion) {
    const EVENTS: usize = 2000;
    let config = Config::default();
    let mut group = criterion.benchmark_group("reply");
    group.throughput(Throughput::Elements(EVENTS as u64));
    for kind in [Kind::Text, Kind::Reasoning, Kind::Arguments, Kind::CustomInput] {
        for (form, pieces) in [("events", stream(kind, EVENTS)), ("document", vec![document(kind, EVENTS)])] {
            let body = request(18_000, form == "events");
            group.bench_function(format!("{kind:?}/{form}"), |bencher| {
                bencher.iter_batched(
                    || translated(&config, &body).reply,
                    |mut reply| {
                        reply.begin(200);
                        pieces.iter().fold(0, |sum, piece| {
                            let mut out = Vec::new();
                            reply.push(piece, &mut out);
                            sum + out.len()
                        })
                    },
                    BatchSize::SmallInput,
                );
            });
        }
    }
}

criterion_group!(benches, requests, replies);
criterion_main!(benches);

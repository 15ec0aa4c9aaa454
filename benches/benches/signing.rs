//! `signing`: 256 bytes, with a verifier that was keyed once and with one made for each message.

mod quick;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use liveops_bench::traffic::NOW_MS;
use liveops_core::Timestamp;
use liveops_core::signing::{Headers, Secret, Signer, Verifier};

fn signing(c: &mut Criterion) {
    let (body, now) = ([b'x'; 256], Timestamp::from_unix_millis(NOW_MS));
    let secret = Secret::generate([7; 32]);
    let signer = Signer::new(secret.clone()).expect("a good secret");
    let sign = || signer.sign("evt_1234567890", black_box(&body), now).expect("a good id");
    let message = sign();
    let pairs: Vec<(&str, &str)> = message.pairs().collect();
    let keyed = Verifier::new(secret.clone()).expect("a good secret");
    let verify = |verifier: &Verifier| {
        let headers = Headers::from_pairs(pairs.iter().copied());
        verifier.verify(&headers, black_box(&body), now).expect("signed just now")
    };

    let mut group = c.benchmark_group("signing");
    group.throughput(Throughput::Bytes(256));
    group.bench_function("sign", |b| b.iter(sign));
    group.bench_function("verify, keyed once", |b| b.iter(|| verify(&keyed)));
    group.bench_function("verify, fresh", |b| {
        b.iter(|| verify(&Verifier::new(secret.clone()).expect("a good secret")));
    });
    group.finish();
}

criterion_group! { name = benches; config = quick::quick(); targets = signing }
criterion_main!(benches);

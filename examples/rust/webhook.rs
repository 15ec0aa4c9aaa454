//! Signing and verifying alone, after Standard Webhooks, with a secret that is being replaced.
//!
//! ```text
//! cargo run --example webhook
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use liveops_core::signing::{Headers, Key, KeyRing, Secret, Signer, Verifier};
use liveops_core::{Id, Timestamp};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 32 bytes from the system's random generator, in earnest.
    let secret = Secret::generate([7; 32]);
    println!("to hand to the other side: {}\n", secret.to_whsec());

    let now = Timestamp::from_unix_seconds(1_794_052_800);
    let body = br#"{"type":"progression","playerId":"ana","ts":1794052800,"payload":{"deltaXp":120}}"#;
    let signed = Signer::new(secret.clone())?.sign("evt_1", body, now)?;
    signed.pairs().for_each(|(name, value)| println!("{name}: {value}"));

    let verifier = Verifier::new(secret.clone())?;
    let headers = Headers::from_pairs(signed.pairs());
    println!("\nas sent:             {:?}", verifier.verify(&headers, body, now)?.message_id());
    for (what, body, now) in [
        ("another body:       ", &b"{}"[..], now),
        ("ten minutes later:  ", &body[..], now.plus_millis(600_000)),
        ("ten minutes before: ", &body[..], now.minus_millis(600_000)),
    ] {
        if let Err(error) = verifier.verify(&headers, body, now) {
            println!("{what} {error}");
        }
    }

    // For an hour both secrets are good; the newer one signs.
    let next = Secret::generate([8; 32]);
    let ring = KeyRing::new([
        Key::new(Id::new("autumn")?, &secret).not_after(now.plus_millis(3_600_000)),
        Key::new(Id::new("winter")?, &next).not_before(now),
    ])?;
    let old = Verifier::with_ring(ring.clone()).verify(&headers, body, now)?;
    let new = Signer::with_ring(ring).sign("evt_2", body, now)?;
    println!("\nverified with {:?}, signs with {:?}", old.key_id(), new.key_id);
    Ok(())
}

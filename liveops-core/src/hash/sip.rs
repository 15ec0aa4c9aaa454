//! `SipHash` (Aumasson and Bernstein 2012) of bytes that lie in one piece: less work than a hasher has that takes them in pieces.

use super::Key;

/// After all bytes, before the last rounds. `C` rounds a word; `wide` for 128 bits.
#[inline]
fn absorbed<const C: usize>(key: &Key, wide: bool, bytes: &[u8]) -> [u64; 4] {
    let [k0, k1] = [word(key, 0), word(key, 8)];
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d ^ if wide { 0xee } else { 0 },
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let (words, rest) = bytes.as_chunks();
    for word in words {
        take::<C>(&mut v, u64::from_le_bytes(*word));
    }
    let last = match bytes.last_chunk() {
        // The last of eight bytes, of which the first were taken already.
        Some(eight) => u64::from_le_bytes(*eight) >> 1 >> (63 - 8 * rest.len()),
        None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    take::<C>(&mut v, last | (bytes.len() as u64) << 56);
    v
}

/// `SipHash` 1-3.
#[inline]
pub(super) fn sip13(key: &Key, bytes: &[u8]) -> u64 {
    let mut v = absorbed::<1>(key, false, bytes);
    v[2] ^= 0xff;
    rounds::<3>(&mut v);
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

/// `SipHash` 2-4 with 128 bits of output, the first of them the lowest.
#[inline]
pub(super) fn sip24_wide(key: &Key, bytes: &[u8]) -> u128 {
    let mut v = absorbed::<2>(key, true, bytes);
    v[2] ^= 0xee;
    rounds::<4>(&mut v);
    let low = v[0] ^ v[1] ^ v[2] ^ v[3];
    v[1] ^= 0xdd;
    rounds::<4>(&mut v);
    let high = v[0] ^ v[1] ^ v[2] ^ v[3];
    u128::from(high) << 64 | u128::from(low)
}

#[inline]
const fn word(key: &Key, at: usize) -> u64 {
    let k = key;
    u64::from_le_bytes([k[at], k[at + 1], k[at + 2], k[at + 3], k[at + 4], k[at + 5], k[at + 6], k[at + 7]])
}

#[inline]
fn take<const C: usize>(v: &mut [u64; 4], word: u64) {
    v[3] ^= word;
    rounds::<C>(v);
    v[0] ^= word;
}

#[inline]
fn rounds<const N: usize>(v: &mut [u64; 4]) {
    for _ in 0..N {
        v[0] = v[0].wrapping_add(v[1]);
        v[2] = v[2].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[1]);
        v[0] = v[0].wrapping_add(v[3]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use siphasher::sip::SipHasher13;
    use siphasher::sip128::SipHasher24;

    use super::*;

    #[test]
    fn it_is_the_published_hash_at_every_length() {
        let key: Key = *b"a key of 16 byte";
        let bytes: Vec<u8> = (0..200_u8).map(|at| at.wrapping_mul(73) ^ 0x5a).collect();
        for len in 0..bytes.len() {
            let bytes = &bytes[..len];
            assert_eq!(sip13(&key, bytes), SipHasher13::new_with_key(&key).hash(bytes), "{len}");
            assert_eq!(sip24_wide(&key, bytes), SipHasher24::new_with_key(&key).hash(bytes).as_u128(), "{len}");
        }
    }
}

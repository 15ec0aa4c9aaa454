//! HMAC-SHA256 (RFC 2104) begun once for each key.
//!
//! The two states that depend on the key alone are computed when it is read; a message of 256 bytes then takes six
//! compressions instead of eight. The crate `hmac` can do so too, but copies and wipes two hashers with their buffers for
//! each message, which takes as long as the compressions saved: `docs/decisions/0013`. It is what the tests compare with.

use std::{fmt, slice};

use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::mac::Tag;

/// Bytes that SHA-256 takes at once.
const BLOCK: usize = 64;

/// Before the first block (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// A key, taken in: what both hashes are after their first block. Wiped when dropped, never printed.
#[derive(Clone)]
pub(super) struct Keyed {
    inner: Zeroizing<[u32; 8]>,
    outer: Zeroizing<[u32; 8]>,
}

impl Keyed {
    /// Of a key of any length.
    pub(super) fn new(secret: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK]);
        match block.get_mut(..secret.len()) {
            Some(start) => start.copy_from_slice(secret),
            None => block[..32].copy_from_slice(&Zeroizing::new(<[u8; 32]>::from(Sha256::digest(secret)))[..]),
        }
        let mut after = |pad: u8| {
            block.iter_mut().for_each(|byte| *byte ^= pad);
            let mut state = Zeroizing::new(INITIAL);
            compress256(&mut state, slice::from_ref(&*block));
            block.iter_mut().for_each(|byte| *byte ^= pad);
            state
        };
        Self { inner: after(0x36), outer: after(0x5c) }
    }

    /// The MAC of all pieces, one after the other.
    pub(super) fn mac(&self, pieces: &[&[u8]]) -> Tag {
        let mut inner = Hash::after_block(&self.inner);
        for piece in pieces {
            inner.update(piece);
        }
        // The outer hash takes one block: what came out of the inner one, and the padding.
        let mut block = [0; BLOCK / 4];
        block[..8].copy_from_slice(&inner.finish());
        block[8] = 0x8000_0000;
        block[15] = 8 * (64 + 32); // the key's block and the inner hash, in bits
        let mut outer = *self.outer;
        compress256(&mut outer, slice::from_ref(&bytes_of(block)));
        Tag(bytes_of(outer))
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed(..)")
    }
}

/// SHA-256 that goes on behind a first block. Its state is written over by what it takes in, so nothing of the key is
/// left in it.
struct Hash {
    state: [u32; 8],
    /// What is not compressed yet, and room for the padding. Most messages fit in, and are compressed at once.
    waiting: [u8; WAITING_MAX + BLOCK],
    waiting_len: usize,
    /// What is, in bytes, with the first block.
    compressed: u64,
}

const WAITING_MAX: usize = 5 * BLOCK;

impl Hash {
    const fn after_block(state: &[u32; 8]) -> Self {
        Self { state: *state, waiting: [0; WAITING_MAX + BLOCK], waiting_len: 0, compressed: BLOCK as u64 }
    }

    #[inline]
    fn update(&mut self, mut bytes: &[u8]) {
        while bytes.len() > WAITING_MAX - self.waiting_len {
            let (fitting, behind) = bytes.split_at(WAITING_MAX - self.waiting_len);
            self.waiting[self.waiting_len..WAITING_MAX].copy_from_slice(fitting);
            compress256(&mut self.state, self.waiting[..WAITING_MAX].as_chunks().0);
            self.compressed += WAITING_MAX as u64;
            self.waiting_len = 0;
            bytes = behind;
        }
        self.waiting[self.waiting_len..][..bytes.len()].copy_from_slice(bytes);
        self.waiting_len += bytes.len();
    }

    /// Padded as FIPS 180-4, section 5.1.1, says: a one, zeros, and the length in bits at the end of a block.
    #[inline]
    fn finish(&mut self) -> [u32; 8] {
        let bits = 8 * (self.compressed + self.waiting_len as u64);
        let padded_len = (self.waiting_len + 1 + size_of::<u64>()).next_multiple_of(BLOCK);
        let padded = &mut self.waiting[..padded_len];
        padded[self.waiting_len..].fill(0);
        padded[self.waiting_len] = 0x80;
        padded[padded_len - size_of::<u64>()..].copy_from_slice(&bits.to_be_bytes());
        compress256(&mut self.state, padded.as_chunks().0);
        self.state
    }
}

/// Words as SHA-256 writes them.
#[inline]
fn bytes_of<const WORDS: usize, const BYTES: usize>(words: [u32; WORDS]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit as _, Mac as _};

    use super::*;

    #[test]
    fn it_is_the_hmac_of_the_crate() {
        // Up to several times what waits at most, with every length up to a few bytes behind it.
        let bytes: Vec<u8> = (0..1_100_u32).map(|at| (at * 167 % 251) as u8).collect();
        let lengths: Vec<usize> = (0..WAITING_MAX + 2 * BLOCK).chain([639, 640, 641, 960, 1_099]).collect();
        for key_len in [0, 1, 24, 32, 63, 64, 65, 128, 131, 300] {
            let key = &bytes[..key_len];
            let keyed = Keyed::new(key);
            for &len in &lengths {
                let mut theirs = Hmac::<Sha256>::new_from_slice(key).unwrap();
                theirs.update(&bytes[..len]);
                let theirs: [u8; 32] = theirs.finalize().into_bytes().into();
                for cut in [0, len / 3, len / 2, len] {
                    let (a, b) = bytes[..len].split_at(cut);
                    let (b, c) = b.split_at(b.len() / 2);
                    assert_eq!(keyed.mac(&[a, b, c]).0, theirs, "key of {key_len}, {len} bytes cut at {cut}");
                }
            }
        }
    }
}

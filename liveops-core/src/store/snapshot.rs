//! The whole state as bytes that can be written and read without holding them all.

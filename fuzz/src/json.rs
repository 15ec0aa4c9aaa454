//! The strict reader of JSON, held against `serde_json`: it takes what that takes, to the same values, except for keys
//! that come twice, nesting beyond the limit and documents beyond the limit; and it says which of these it was.

use liveops_core::Code;
use liveops_core::json::{Decimal, Limits, Value, parse};

use super::tree::{Tree, is_pointer};

pub fn check(bytes: &[u8]) {
    let theirs = Tree::read(bytes);
    let tight = Limits { bytes_max: 256, depth_max: 3 };
    for limits in [Limits::EVENT, Limits::RULES, tight] {
        let fits = bytes.len() <= limits.bytes_max;
        match (parse(bytes, limits), &theirs) {
            (Ok(ours), Some(theirs)) => {
                assert!(fits && theirs.is_strict(limits), "read beyond its limits");
                assert!(theirs.is(&ours), "read as another value: {ours:?}");
            }
            (Ok(ours), None) => panic!("serde_json refuses what was read as {ours:?}"),
            (Err(error), theirs) => {
                let certain = theirs.as_ref();
                let holds = match error.code {
                    Code::TooLarge => !fits,
                    Code::InvalidUtf8 => fits && std::str::from_utf8(bytes).is_err(),
                    // Of what is no JSON further on, the first fault is told.
                    Code::TooDeep => certain.is_none_or(|theirs| theirs.depth() > limits.depth_max),
                    Code::DuplicateKey => certain.is_none_or(Tree::has_key_twice),
                    Code::Syntax | Code::TrailingData => certain.is_none(),
                    _ => false,
                };
                assert!(holds, "refused without reason: {error:?}");
                assert!(is_pointer(&error.path), "no pointer: {}", error.path);
                assert_eq!(error.limit.is_some(), matches!(error.code, Code::TooLarge | Code::TooDeep));
                let lines = bytes[..error.offset].split(|byte| *byte == b'\n').count();
                assert_eq!(error.line, lines, "{error:?}");
            }
        }
    }
    if let Ok(Value::Decimal(text)) = parse(bytes, Limits::EVENT) {
        decimal(&text);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        decimal(text);
    }
}

/// A decimal prints back to itself, and is a number to everybody.
fn decimal(text: &str) {
    let Some(decimal) = Decimal::parse(text) else { return };
    assert_eq!(Decimal::parse(&decimal.to_string()), Some(decimal), "{text}");
    assert_eq!(Decimal::new(decimal.mantissa(), decimal.scale()), Some(decimal), "{text}");
    assert!(decimal.scale() <= Decimal::SCALE_MAX && (decimal.scale() == 0 || decimal.mantissa() % 10 != 0), "{text}");
    assert_eq!(decimal.to_string().parse::<f64>(), text.parse::<f64>().map(|value| value + 0.0), "{text}");
}

//! What the columns beside a record's bytes say, for look-ups and for people.

use std::borrow::Cow;

use liveops_core::record::Suspicion;
use liveops_core::{Origin, Timestamp};
use serde::Serialize;

/// A time as it is stored.
pub(crate) const fn millis(ts: Timestamp) -> i64 {
    ts.as_unix_millis()
}

/// A name space of commands as it is stored; rows sort as keys do.
pub(crate) const fn origin(origin: Origin) -> i16 {
    match origin {
        Origin::Event => 0,
        Origin::Operator => 1,
    }
}

/// A count as a number of PostgreSQL's, for people: the largest there is, if it is larger.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A value as JSON that `jsonb` takes. PostgreSQL has no text with a NUL in it, and texts of events may hold one: a commit that was
/// refused for it would be refused for ever. People see U+FFFD in its place; the record keeps what came.
pub(crate) fn doc(value: &impl Serialize) -> String {
    // What core types serialize to is always JSON.
    let json = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
    match without_nul(&json) {
        Cow::Borrowed(_) => json,
        Cow::Owned(json) => json,
    }
}

/// A suspicion as JSON, with what detectors said in sentences, as [`liveops_core::Engine::suspicions_ndjson`] has them.
pub(crate) fn suspicion_doc(suspicion: &Suspicion) -> String {
    #[derive(Serialize)]
    struct Told<'s> {
        #[serde(flatten)]
        suspicion: &'s Suspicion,
        sentences: Vec<String>,
    }
    let sentences = suspicion.verdicts().iter().map(|judgement| judgement.verdict.sentence()).collect();
    doc(&Told { suspicion, sentences })
}

/// JSON without the escape of a NUL. A backslash that is itself escaped begins none.
fn without_nul(json: &str) -> Cow<'_, str> {
    const NUL: &str = "\\u0000";
    if !json.contains(NUL) {
        return json.into();
    }
    let mut clean = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        if let Some(behind) = escape.strip_prefix(NUL) {
            clean.push('\u{fffd}');
            rest = behind;
        } else {
            // A backslash and what it escapes are two ASCII characters, as JSON is written.
            let (pair, behind) = escape.split_at_checked(2).unwrap_or((escape, ""));
            clean.push_str(pair);
            rest = behind;
        }
    }
    clean.push_str(rest);
    clean.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_in_a_text_is_replaced_and_nothing_else() {
        assert_eq!(doc(&"plain"), r#""plain""#);
        assert_eq!(doc(&"a\0b\0"), "\"a\u{fffd}b\u{fffd}\"");
        assert_eq!(doc(&"a\\u0000"), r#""a\\u0000""#, "six characters that only look like one");
        assert_eq!(doc(&"\\\0"), "\"\\\\\u{fffd}\"");
        assert_eq!(doc(&"\\\\u0000\0\n\u{1}é"), "\"\\\\\\\\u0000\u{fffd}\\n\\u0001é\"");
        for value in ["\0", "\\", "\\\\\0", "\u{0}\\u0000\\\u{0}"] {
            let json = doc(&value);
            assert_eq!(serde_json::from_str::<String>(&json).ok(), Some(value.replace('\0', "\u{fffd}")), "{json}");
        }
    }

    #[test]
    fn counts_beyond_a_bigint_are_its_largest() {
        assert_eq!((number(7), number(u64::MAX)), (7, i64::MAX));
    }
}

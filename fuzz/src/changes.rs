//! What feeds, journals and replicas are given: bytes that are read are those that would be written, and whatever was read can be
//! worked with.

use std::fmt::Debug;
use std::sync::LazyLock;

use liveops_core::codec::Stable as _;
use liveops_core::error::StoreErrorKind;
use liveops_core::record::{ChangeSet, Header, Horizon, Notice, Told};
use liveops_core::{Code, Command, Record, Rules, Timestamp};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_794_052_800);

pub fn check(bytes: &[u8]) {
    if let Some(changes) = one_form(bytes, ChangeSet::encode, ChangeSet::decode) {
        writes_what_is_read(&changes);
    }
    one_form(bytes, Told::encode, Told::decode);
    one_form(bytes, Notice::encode, Notice::decode);
    if let Some(header) = one_form(bytes, Header::encode, Header::decode) {
        fits_or_not(&header);
    }
    let mut rest = bytes;
    if let Some(command) = Command::take(&mut rest) {
        assert_eq!(command.to_bytes(), bytes[..bytes.len() - rest.len()], "{command:?}");
    }
}

fn one_form<T: Debug>(
    bytes: &[u8],
    encode: impl Fn(&T) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, StoreErrorKind>,
) -> Option<T> {
    match decode(bytes) {
        Ok(value) => {
            assert_eq!(encode(&value), bytes, "{value:?}");
            for end in [0, 1, 2, bytes.len() / 2, bytes.len() - 1] {
                assert!(decode(&bytes[..end]).is_err(), "a part of it is read as well");
            }
            let longer = decode(&[bytes, &[0]].concat());
            assert!(matches!(longer, Err(StoreErrorKind::Corrupt)), "{longer:?}");
            Some(value)
        }
        Err(kind) => {
            assert!(matches!(kind, StoreErrorKind::Corrupt | StoreErrorKind::TooNew), "{kind:?}");
            None
        }
    }
}

fn writes_what_is_read(changes: &ChangeSet) {
    for (key, record) in changes.written() {
        assert_eq!(key.player(), Some(&changes.player));
        let mut bytes = Vec::new();
        record.encode_into(&mut bytes);
        assert_eq!(Record::decode(&bytes).unwrap().encode(), bytes);
    }
    let horizon = Horizon { now: Timestamp::MIN, forgotten_before: changes.forgotten_before };
    assert_eq!(changes.fits(changes.expected, horizon), changes.closes_at > Timestamp::MIN);
    let told = Told::of(&changes.player, &changes.record);
    assert_eq!(Told::decode(&told.encode()).as_ref(), Ok(&told));
    assert_eq!(Notice::decode(&Notice::told_of(changes)), Ok(Notice::Told(told)));
    changes.idle_mark();
}

/// Whatever a store says, rules fit it or are refused; and what then is stored fits them.
fn fits_or_not(header: &Header) {
    static RULES: LazyLock<[Rules; 2]> = LazyLock::new(|| {
        [
            r#""boards": { "xp": { "value": "grantedXp", "keepPeriods": { "daily": 1, "seasonal": 1 } } }"#,
            r#""boards": { "b": { "value": 1, "order": "asc", "keepPeriods": { "daily": 1 } } }, "retiredBoards": ["xp"]"#,
        ]
        .map(|boards| Rules::from_json(&format!(r#"{{ "version": 1, "game": "golden", {boards} }}"#)).unwrap())
    });
    for rules in &*RULES {
        for now in [None, Some(NOW)] {
            match rules.fit(header, now) {
                Ok(fitted) => {
                    assert_eq!(Header::decode(&fitted.encode()).as_ref(), Ok(&fitted));
                    assert_eq!(rules.fit(&fitted, now).as_ref().ok(), Some(&fitted), "once is enough");
                }
                Err(error) => {
                    let known = [Code::BoardIncompatible, Code::StoreMisconfigured, Code::TooLong];
                    assert!(known.contains(&error.code()), "{error}");
                }
            }
        }
    }
}

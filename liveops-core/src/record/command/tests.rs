//! Fingerprints of short events beside those of the bytes that they have everywhere else.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::json::Decimal;
use crate::limits::{ARRAY_LEN_MAX, ID_BYTES_MAX, TEXT_BYTES_MAX};

/// The text that brings an event to a length.
const PADDING: &str = "padding";

fn id() -> impl Strategy<Value = Id> {
    // Around those that are inside the value, too.
    let len = prop_oneof![1..=ID_BYTES_MAX, 20_usize..26];
    (len, any::<[u8; ID_BYTES_MAX]>()).prop_map(|(len, bytes)| {
        let text: String = bytes[..len].iter().map(|byte| char::from(b'!' + byte % 94)).collect();
        Id::new(&text).unwrap()
    })
}

fn scalar() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        4 => (-INTEGER_MAX..=INTEGER_MAX, 0_u32..53).prop_map(|(value, by)| FieldValue::Int(value >> by)),
        2 => any::<bool>().prop_map(FieldValue::Bool),
        4 => id().prop_map(FieldValue::Id),
        2 => ".{0,40}".prop_map(|text| FieldValue::Text(text.into())),
        1 => (any::<i32>(), 0_u8..9)
            .prop_map(|(mantissa, scale)| FieldValue::Decimal(Decimal::new(mantissa.into(), scale).unwrap())),
    ]
}

fn value() -> impl Strategy<Value = FieldValue> {
    let array = prop::collection::vec(scalar(), 0..ARRAY_LEN_MAX / 8);
    prop_oneof![12 => scalar(), 1 => array.prop_map(|values| FieldValue::Array(values.into()))]
}

fn event(player: &PlayerId, ts: i64, kind: &Id, fields: &BTreeMap<Id, FieldValue>) -> Command {
    let payload = Payload::new(fields.clone().into_iter().collect()).unwrap();
    let (id, ts) = (EventId::new("e").unwrap(), Timestamp::from_unix_millis(ts));
    Command::event(Event { id, player: player.clone(), ts, kind: kind.clone(), payload }, ts)
}

/// What a fingerprint is of.
fn content(command: &Command) -> Vec<u8> {
    [command.player.to_bytes(), command.ts.to_bytes(), command.action.to_bytes()].concat()
}

proptest! {
    #[test]
    fn short_events_have_the_fingerprint_of_all_their_bytes(
        (player, kind) in (id(), id()),
        ts in prop_oneof![any::<i64>(), 1_700_000_000_000_i64..1_800_000_000_000],
        mut fields in prop::collection::btree_map(id(), value(), 0..6),
        len in SHORT_BYTES - 4..SHORT_BYTES + 4,
        padded in prop::bool::weighted(0.7),
        key in any::<hash::Key>(),
    ) {
        let player = PlayerId::from(player);
        if padded {
            let padding = Id::new(PADDING).unwrap();
            fields.insert(padding.clone(), FieldValue::Text("".into()));
            let known = content(&event(&player, ts, &kind, &fields)).len();
            let text = "x".repeat(len.saturating_sub(known).min(TEXT_BYTES_MAX));
            fields.insert(padding, FieldValue::Text(text.into()));
        }
        let command = event(&player, ts, &kind, &fields);
        let content = content(&command);
        let mut scratch = vec![7; 3];
        prop_assert_eq!(command.fingerprint(&key, &mut scratch), fingerprint(&key, &content));
        // Both ways are gone, and each where it has to be.
        let is_plain = |value: &FieldValue| !matches!(value, FieldValue::Decimal(_) | FieldValue::Array(_));
        let took_short = scratch == [7; 3];
        if content.len() > SHORT_BYTES || !fields.values().all(is_plain) {
            prop_assert!(!took_short);
        } else if content.len() + ID_BYTES_MAX <= SHORT_BYTES {
            prop_assert!(took_short);
        }
    }
}

//! What names rules with all that was set beside their document.

use super::Rules;
use crate::codec::Stable as _;
use crate::hash::Digest;

impl Rules {
    /// Names everything beside the release ([`super::DECISIONS`]) that decisions depend on: the document but for its
    /// `$schema`, how old and how new commands may be, the population and the thresholds that were set beside it, and the
    /// seed of loot by its commitment. Rules of one identity decide every command alike. Takes as long as hashing the document.
    ///
    /// ```
    /// use liveops_core::Rules;
    ///
    /// let rules = Rules::from_json(r#"{ "version": 1, "game": "emberfall" }"#)?;
    /// assert_eq!(rules.identity(), rules.clone().identity());
    /// assert_ne!(rules.identity(), rules.clone().with_loot_seed([7; 32]).identity());
    /// # Ok::<(), liveops_core::rules::RulesError>(())
    /// ```
    pub fn identity(&self) -> Digest {
        let mut bytes = Vec::new();
        let text = |text: &str, out: &mut Vec<u8>| {
            (text.len() as u64).put(out);
            out.extend_from_slice(text.as_bytes());
        };
        (self.leaves.len() as u64).put(&mut bytes);
        for (path, leaf) in &self.leaves {
            text(path, &mut bytes);
            text(leaf, &mut bytes);
        }
        self.door.limits.past_millis_max.put(&mut bytes);
        self.door.limits.future_millis_max.put(&mut bytes);
        self.population_hash().put(&mut bytes);
        (self.families.len() as u64).put(&mut bytes);
        for rule in &self.families {
            rule.name.put(&mut bytes);
            rule.family.thresholds().to_bits().put(&mut bytes);
        }
        self.loot_commitment().put(&mut bytes);
        Digest::of(&[b"liveops rules identity v1\0", &bytes])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::anomaly::{FamilyDetector, PopulationBuilder, Thresholds};

    /// Journals name their rules by it: it stays what it is.
    #[test]
    fn it_is_the_same_for_ever_and_differs_where_anything_does() {
        let rules = |members: &str| {
            let family = r#""detectors": { "cheats": { "kind": "family" } }"#;
            Rules::from_json(&format!(r#"{{ "version": 1, "game": "golden", {family}{members} }}"#)).unwrap()
        };
        let plain = rules("");
        let thresholds = Thresholds::DEFAULT.with(FamilyDetector::ALL[0], 20.0).unwrap();
        let all = [
            plain.clone(),
            rules(r#", "limits": { "maxPastSeconds": 60 }"#),
            rules(r#", "retiredBoards": ["arena"]"#),
            rules(r#", "door": { "quotas": [ { "per": "ip", "limit": 5, "periodSeconds": 1 } ] }"#),
            plain.clone().with_loot_seed([7; 32]),
            plain.clone().with_loot_seed([8; 32]),
            plain.clone().with_population(PopulationBuilder::new().finish()).unwrap(),
            plain.clone().with_thresholds("cheats", thresholds).unwrap(),
        ];
        let identities: BTreeSet<_> = all.iter().map(Rules::identity).collect();
        assert_eq!(identities.len(), all.len());
        assert_eq!(plain.identity(), rules("").identity());
        let in_another_order =
            r#"{ "game": "golden", "detectors": { "cheats": { "kind": "family" } }, "$schema": "s", "version": 1 }"#;
        assert_eq!(plain.identity(), Rules::from_json(in_another_order).unwrap().identity());
        assert_eq!(plain.identity().to_hex(), "25e72f303c1b8ef81d91102514c1ceb9d5910277ed1606468b2a3e2ac7a69026");
    }
}

//! Against a sorted map.

use super::*;
use crate::board::roster::Roster;
use crate::id::PlayerId;

impl<const LEAF: usize, const FAN: usize> Tree<LEAF, FAN> {
    /// Walks through everything: counts summed again, bounds, order, seats, the chain.
    pub(super) fn verify(&self, roster: &Roster) {
        let mut chain = Vec::new();
        let total = self.verify_inner(self.root, None, None, roster, &mut chain);
        assert_eq!(total, self.len);
        let mut leaf = self.first;
        let mut previous = NONE;
        for expected in chain {
            assert_eq!((leaf, self.leaves[leaf as usize].previous), (expected, previous));
            (previous, leaf) = (leaf, self.leaves[leaf as usize].next);
        }
        assert_eq!(leaf, NONE);
        let used = self.leaves_made as usize - self.leaves_free.len();
        // A sixteenth full on average, but for one or two.
        assert!((self.len as usize + 2 * LEAF) * 16 >= used * LEAF, "{used} leaves for {}", self.len);
    }

    fn verify_inner(
        &self,
        inner: u32,
        from: Option<&Bound>,
        to: Option<&Bound>,
        roster: &Roster,
        chain: &mut Vec<u32>,
    ) -> u64 {
        let node = &self.inners[inner as usize];
        assert!(node.len() < FAN && (node.len() > 0 || inner == self.root));
        node.verify();
        let mut total = 0;
        for at in 0..node.len() {
            let from = if at == 0 { from } else { Some(&node.bounds[at]) };
            let to = if at + 1 < node.len() { Some(&node.bounds[at + 1]) } else { to };
            let child = node.children[at];
            let known =
                if node.level == 1 { self.leaves[child as usize].child } else { self.inners[child as usize].child };
            assert_eq!(known as usize, at);
            let count = if node.level == 1 {
                self.verify_leaf(child, inner, from, to, roster);
                chain.push(child);
                self.leaves[child as usize].len().try_into().unwrap()
            } else {
                assert_eq!(self.inners[child as usize].parent, inner);
                assert_eq!(self.inners[child as usize].level, node.level - 1);
                self.verify_inner(child, from, to, roster, chain)
            };
            assert_eq!(count, u64::from(node.counts[at]));
            total += count;
        }
        assert!(node.children[node.len()..].iter().all(|child| *child == NONE));
        assert!(node.counts[node.len()..].iter().all(|count| *count == 0));
        total
    }

    fn verify_leaf(&self, leaf: u32, parent: u32, from: Option<&Bound>, to: Option<&Bound>, roster: &Roster) {
        let node = &self.leaves[leaf as usize];
        assert!(node.parent == parent && node.len() > 0);
        let slots: Vec<_> = (0..node.len()).map(|at| node.slot(at)).collect();
        let entries: Vec<_> = slots.iter().map(|slot| (node.place(*slot), roster.owner(node.handle(*slot)))).collect();
        assert!(entries.is_sorted_by(|a, b| a < b));
        let (first, last) = (&entries[0], &entries[entries.len() - 1]);
        assert!(from.is_none_or(|from| from.cmp(first.0, Who::Is(&first.1), &first.1.lead(), roster).is_le()));
        assert!(to.is_none_or(|to| to.cmp(last.0, Who::Is(&last.1), &last.1.lead(), roster).is_gt()));
        for slot in slots {
            assert_eq!(self.spot(node.handle(slot)), Some(Spot { leaf, slot }));
        }
        let mut all: Vec<_> = (0..LEAF).map(|at| node.slot(at)).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..LEAF), "each slot once");
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn roster(len: u32) -> Roster {
    let mut roster = Roster::new([3; 16], 0);
    for n in 0..len {
        // Not in the order of their handles. A third are long, and most of these begin with the same 24 bytes.
        let beginning = if n % 3 == 0 { "x".repeat(20 + n as usize / 3 % 10) } else { String::new() };
        let id = PlayerId::new(&format!("{beginning}{:x}", n.wrapping_mul(0x9e37_79b9))).unwrap();
        roster.intern(&id).unwrap();
    }
    roster
}

fn insert<const LEAF: usize, const FAN: usize>(
    tree: &mut Tree<LEAF, FAN>,
    handle: Handle,
    place: Place,
    roster: &Roster,
) {
    let way = tree.way(None, place, Who::Has(handle), roster);
    let aim = way.map(|way| tree.aim(way, place, Who::Has(handle), roster));
    tree.insert(handle, place, aim, roster);
}

fn check<const LEAF: usize, const FAN: usize>(seed: u64, people: u32, steps: u32, height_min: u32, spread: u64) {
    println!("seed {seed}, leaves of {LEAF}, nodes of {FAN}");
    let roster = roster(people);
    let mut random = Random(seed);
    let mut tree = Tree::<LEAF, FAN>::default();
    let mut model = std::collections::BTreeMap::new();
    let mut places: Vec<Option<Place>> = vec![None; people as usize];
    let mut height = 0;
    for step in 0..steps {
        // Growth, a steady board, mass deletion, and once more.
        let phase = u64::from(step) * 6 / u64::from(steps) % 3;
        let handle = random.below(people.into()) as u32;
        let owner = roster.owner(handle);
        let wild = [i64::MIN, -1, 0, 1, i64::MAX][random.below(5) as usize];
        let small = |random: &mut Random, n| random.below(n).cast_signed() - (n / 2).cast_signed();
        let place = [
            if random.below(400) == 0 { wild } else { small(&mut random, spread) },
            if random.below(50) == 0 { small(&mut random, 3) } else { 0 },
            if random.below(400) == 0 { wild } else { small(&mut random, 4) },
        ];
        // Many at one place, told apart by their owners.
        let place = if random.below(4) == 0 { [0; 3] } else { place };
        let remove = random.below(10) < [1, 2, 9][phase as usize];
        let known = tree.spot(handle);
        assert_eq!(known.map(|spot| tree.place(spot)), places[handle as usize]);
        if let Some(old) = places[handle as usize].take() {
            model.remove(&(old, owner.clone()));
        }
        match (known, remove) {
            (Some(spot), true) => tree.remove(spot),
            (None, true) => continue,
            (known, false) => {
                // Most moves are short.
                let near = known.filter(|_| random.below(4) > 0).map(|spot| {
                    let [score, subscore, tie] = tree.place(spot);
                    [score.saturating_add(small(&mut random, 5)), subscore, tie]
                });
                let place = near.unwrap_or(place);
                match known {
                    Some(spot) => {
                        let way = tree.way(Some(spot), place, Who::Has(handle), &roster).unwrap();
                        tree.update(spot, place, tree.aim(way, place, Who::Has(handle), &roster), &roster);
                    }
                    None => insert(&mut tree, handle, place, &roster),
                }
                places[handle as usize] = Some(place);
                model.insert((place, owner.clone()), handle);
            }
        }
        height = height.max(tree.height());
        if step % (steps / 60) != 0 {
            continue;
        }
        tree.verify(&roster);
        let mut spots = tree.spots(0);
        for (position, ((place, owner), handle)) in (0..).zip(&model) {
            let here = spots.next().unwrap();
            assert_eq!((tree.handle(here), tree.rank(here), tree.select(position)), (*handle, position, Some(here)));
            assert_eq!(tree.count_before(*place, Who::Is(owner), &roster), position);
        }
        assert_eq!((spots.next(), tree.select(tree.len())), (None, None));
        let from = random.below(tree.len() + 2);
        assert!(tree.spots(from).eq(tree.spots(0).skip(from as usize)));
        for score in [i64::MIN, -7, 0, 3, i64::MAX] {
            let below = model.keys().take_while(|(place, _)| *place < [score, 0, i64::MIN]).count();
            assert_eq!(tree.count_below([score, 0, i64::MIN]), below as u64);
        }
    }
    assert!(height >= height_min, "{height}");
}

/// Against a sorted map, in trees of small nodes, so that a few thousand entries make a tall one.
#[test]
fn the_tree_is_a_sorted_list() {
    for seed in 1..=4 {
        check::<4, 4>(seed, 900, 24_000, 4, 40);
        check::<4, 5>(seed + 10, 900, 24_000, 3, 1 << 40);
        check::<64, 64>(seed + 20, 3_000, 24_000, 1, 1 << 30);
    }
}

/// The same with millions of steps, four levels of nodes as large as they are in use, and trees taller than any.
#[test]
#[ignore = "slow unless optimised; `cargo xtask test` runs it so"]
fn the_tree_is_a_sorted_list_for_millions_of_steps() {
    check::<4, 4>(100, 40_000, 2_000_000, 6, 2_000);
    check::<4, 64>(101, 300_000, 2_000_000, 3, 1 << 20);
    check::<64, 8>(102, 300_000, 2_000_000, 4, 50);
    check::<64, 64>(103, 600_000, 2_000_000, 2, 1 << 30);
}

/// Trees that are built at once are those that grew, and go on like them.
#[test]
fn a_tree_from_sorted_entries_is_the_tree_that_grew() {
    fn check<const LEAF: usize, const FAN: usize>(len: u32, spread: u64, random: &mut Random) {
        let roster = roster(len.max(1) + 50);
        let mut entries: Vec<(Place, Handle)> = Vec::new();
        let mut grown = Tree::<LEAF, FAN>::default();
        for handle in 0..len {
            let wild = random.below(100) == 0;
            let score = if wild { i64::MAX } else { random.below(spread).cast_signed() };
            let place = [score, 0, random.below(3).cast_signed()];
            entries.push((place, handle));
            insert(&mut grown, handle, place, &roster);
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| roster.owner(a.1).cmp(&roster.owner(b.1))));
        let mut built = Tree::<LEAF, FAN>::from_sorted(&entries, &roster);
        built.verify(&roster);
        for step in 0..100 {
            let order = |tree: &Tree<LEAF, FAN>| {
                tree.spots(0).map(|spot| (tree.handle(spot), tree.place(spot))).collect::<Vec<_>>()
            };
            if step % 20 == 0 {
                assert_eq!(order(&built), order(&grown), "{len} entries, step {step}");
            }
            let handle = random.below((len + 50).into()) as u32;
            let place = [random.below(spread).cast_signed(), 0, 0];
            for tree in [&mut built, &mut grown] {
                match tree.spot(handle) {
                    Some(spot) => tree.remove(spot),
                    None => insert(tree, handle, place, &roster),
                }
            }
            built.verify(&roster);
        }
    }
    let seed = 7;
    println!("seed {seed}");
    let mut random = Random(seed);
    for len in [0, 1, 2, 3, 4, 9, 10, 11, 12, 13, 27, 28, 100, 250] {
        check::<4, 4>(len, 40, &mut random);
        check::<4, 5>(len, 1 << 40, &mut random);
    }
    for len in [47, 48, 49, 48 * 63, 48 * 64, 48 * 64 + 1, 20_000] {
        check::<64, 64>(len, 1 << 30, &mut random);
    }
}

#[test]
fn who_always_comes_last_leaves_full_leaves_behind() {
    let roster = roster(640);
    let mut tree = Tree::<64, 64>::default();
    for handle in 0..640 {
        insert(&mut tree, handle, [handle.into(), 0, 0], &roster);
    }
    assert_eq!(tree.leaves_made, 10);
    tree.verify(&roster);
}

/// Behind those of one score or before those of the next, each better or each worse than the one before.
#[test]
fn who_comes_between_full_leaves_opens_few() {
    let roster = roster(1_192);
    for (behind, towards) in [(0, -1), (0, 1), (64, -1), (64, 1)] {
        for before in [1, -1] {
            let mut tree = Tree::<64, 64>::default();
            for n in 0..64 {
                insert(&mut tree, n, [before * i64::from(n), 0, 0], &roster);
            }
            for n in 64..64 + behind {
                insert(&mut tree, n, [before * (1_000_000 + i64::from(n)), 0, 0], &roster);
            }
            for n in 128..1_128 {
                insert(&mut tree, n, [before * (10_000 + towards * i64::from(n)), 0, 0], &roster);
            }
            tree.verify(&roster);
            assert!(tree.leaves_made <= 40, "{} leaves for {}", tree.leaves_made, tree.len());
        }
    }
}

/// As on a board of a day on which many reach the same few scores.
#[test]
fn who_comes_last_among_equals_leaves_full_leaves_behind() {
    let roster = roster(1_280);
    let mut tree = Tree::<64, 64>::default();
    for handle in 0..1_280 {
        insert(&mut tree, handle, [(handle % 4).into(), 0, handle.into()], &roster);
    }
    assert!(tree.leaves_made <= 24, "{} for 20 full ones", tree.leaves_made);
    tree.verify(&roster);
}

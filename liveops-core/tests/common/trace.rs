//! Seeded traces of commands, with what the model says of each.

use liveops_core::record::Reason;
use liveops_core::{Action, Command, Origin, Ruling, Timestamp, Window};

use super::model::Model;
use super::{
    DAY, FIGHT_MIN, FUTURE, GRACE, INTEGER_MAX, PAST, Rng, START, at, event, kill, operator, payout, progression,
    received,
};

pub enum Step {
    Batch(Vec<Command>),
    Advance(Timestamp),
}

/// A trace, what each command of it must answer, and the model at its end.
pub struct Trace {
    pub steps: Vec<Step>,
    pub told: Vec<String>,
    pub model: Model,
}

impl Trace {
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.steps.iter().flat_map(|step| if let Step::Batch(batch) = step { &batch[..] } else { &[] })
    }
}

/// What a trace may hold.
#[derive(Clone, Copy, PartialEq)]
pub enum Manners {
    /// Anything.
    Hostile,
    /// No command that is refused now and could be taken when it is sent again after later ones: such a command ends
    /// differently when a reply is lost, and may.
    Repeatable,
}

/// Events in time, late, too old and too new; payments for days of every state; honest and dishonest retries; hostile numbers; reviews of what is and what
/// is not suspected; operator's commands under ids that events use; players adjusted, hidden and erased; days that end.
pub fn trace(seed: u64, steps: usize, manners: Manners) -> Trace {
    let mut rng = Rng(seed);
    let mut model = Model::default();
    let (mut now, mut fresh) = (START, 0_u32);
    let mut sent: Vec<Command> = Vec::new();
    let (mut out, mut told) = (Vec::new(), Vec::new());
    for _ in 0..steps {
        now += rng.millis(DAY / 6);
        if rng.below(3) == 0 {
            // Some advances come late, none before the first commands.
            let to = now - rng.millis(GRACE);
            model.advance(to);
            out.push(Step::Advance(at(to)));
        }
        let mut batch = Vec::new();
        for _ in 0..rng.below(150) {
            fresh += 1;
            let command = next(&mut rng, &model, &sent, now, fresh, manners);
            told.push(model.take(&command));
            sent.push(command.clone());
            batch.push(command);
        }
        out.push(Step::Batch(batch));
    }
    Trace { steps: out, told, model }
}

fn next(rng: &mut Rng, model: &Model, sent: &[Command], now: i64, fresh: u32, manners: Manners) -> Command {
    let hostile = manners == Manners::Hostile;
    // Clocks of two doors differ a little.
    let came = now + rng.millis(2_000) - 1_000;
    let name = format!("p{}", rng.below(12).min(rng.below(12)));
    let age_max = if rng.below(4) == 0 { DAY + 2 * GRACE } else { 2_000 };
    let ts = came - rng.millis(age_max);
    let id = format!("c{fresh}");
    let order = |action| received(operator(&id, &name, ts.max(now - 2_000), action), came);
    match rng.below(100) {
        0..12 if !sent.is_empty() => received(rng.of(sent).clone(), came),
        12..16 if !sent.is_empty() && hostile => {
            let earlier = &sent[sent.len() - 1 - usize::try_from(rng.below(sent.len().min(300) as u64)).unwrap()];
            reuse(rng, earlier, came)
        }
        16..26 => {
            let ruling = if rng.below(2) == 0 { Ruling::Release } else { Ruling::Confirm };
            let mut numbers = model.suspicions(&name);
            numbers.push(999_999);
            order(Action::Review { suspicion: *rng.of(&numbers), ruling })
        }
        26..29 => order(Action::SetVisibility { hidden: rng.below(2) == 0 }),
        29 => order(Action::Erase),
        30 if hostile => received(plain(rng, &id, &name, came - PAST - 5_000), came),
        31 if hostile => received(plain(rng, &id, &name, came + FUTURE + 5_000), came),
        32 => received(plain(rng, &id, &name, came + FUTURE / 2), came),
        33..37 => {
            let reason = Reason::new("a correction").unwrap();
            let xp = match rng.below(4) {
                0 if hostile => -rng.millis(2_000),
                1 if hostile && rng.below(4) == 0 => *rng.of(&[INTEGER_MAX, -INTEGER_MAX, INTEGER_MAX - 1_000]),
                _ => rng.millis(150),
            };
            order(Action::Adjust { xp, reason })
        }
        37 if hostile => {
            let delta_xp = *rng.of(&[INTEGER_MAX, INTEGER_MAX - 500, INTEGER_MAX / 2, -1, -INTEGER_MAX, 0]);
            received(progression(&id, &name, ts, delta_xp), came)
        }
        38 => received(event(&id, &name, ts, "progression", vec![]), came),
        39..45 => received(pay(rng, model, &name, hostile), came),
        _ => received(plain(rng, &id, &name, ts), came),
    }
}

/// A payment for a day that is open, closed or dropped, to somebody who stood on the board or not.
fn pay(rng: &mut Rng, model: &Model, name: &str, hostile: bool) -> Command {
    let day = START / DAY - 1 + rng.millis(5);
    let command = payout("xp", Window::Daily, day, name, 1 + rng.below(2));
    if hostile {
        return match rng.below(20) {
            0 => payout("none", Window::Daily, day, name, 1),
            1 => payout("xp", *rng.of(&[Window::Weekly, Window::AllTime]), 0, name, 1),
            _ => command,
        };
    }
    // Refused now, taken later: whoever is hidden may be shown again, and a day that is open will close.
    let mut later = model.clone();
    let refused = later.take(&command).starts_with("refused");
    if refused { received(plain(rng, "instead", name, model.now), model.now) } else { command }
}

/// Something else under an id that was used, perhaps in the other name space.
fn reuse(rng: &mut Rng, earlier: &Command, came: i64) -> Command {
    let (ts, name) = (earlier.ts.as_unix_millis(), earlier.player.as_str());
    let id = earlier.id.id.as_str();
    let flip = rng.below(2) == 0;
    let as_event = (earlier.id.origin == Origin::Event) != flip;
    let hidden = rng.below(2) == 0;
    let command =
        if as_event { progression(id, name, ts, 77) } else { operator(id, name, ts, Action::SetVisibility { hidden }) };
    received(command, came)
}

fn plain(rng: &mut Rng, id: &str, name: &str, ts: i64) -> Command {
    match rng.below(7) {
        6 => event(id, name, ts, "death", vec![]),
        0 => kill(id, name, ts, "hydra", FIGHT_MIN - 100 + rng.millis(1_000)),
        1 => kill(id, name, ts, "ogre", FIGHT_MIN - 100 + rng.millis(1_000)),
        _ => progression(id, name, ts, 10 * rng.millis(5)),
    }
}

//! What constructors refuse, as far as Rust lets anybody write it: of the right types, and refused rather than taken for the
//! nearest that makes sense.

use liveops_core::anomaly::{AlertBudget, DropRate, Family, FamilyDetector, Population, Thresholds};
use liveops_core::board::{Cut, Percent, Tiers};
use liveops_core::hash::unhex;
use liveops_core::intake::Intake;
use liveops_core::progress::{LevelCurve, Ratio, Rounding};
use liveops_core::reward::{Entry, Item, Loot, Pity};
use liveops_core::signing::{Key, KeyRing, Secret};
use liveops_core::window::{Calendar, OffsetChange, Season, Seasons};
use liveops_core::{BoardId, Code, Command, Error, Id, PlayerId, Rules, Timestamp};
use serde_json::Value;

use super::case::{Case, text, time};

pub(crate) fn run(case: &Case) {
    let make = case.text("make");
    for refused in case.need("refused").as_array().unwrap() {
        let given = &refused["with"];
        let answer = match make {
            "leaderboard" | "windowed" => board(given),
            "calendar" => calendar(given),
            "linear" | "exponential" | "polynomial" | "table" | "piecewise" => curve(make, given),
            "progression" => boosts(given),
            "loot" => loot(given),
            "tiers" => tiers(given),
            "secret" => secret(given),
            "verifier" | "signer" => keys(given),
            "intake" => intake(given),
            "dropRate" => drop_rate(given),
            "alertBudget" => alert_budget(given),
            "family" => family(given),
            "adjust" => adjust(given),
            "receiptId" => PlayerId::new(text(&given["player"])).map(drop),
            // Numbers of a type that has no others, words that are enums, and what is taken for the nearest.
            "quota" | "rateLimiter" | "slidingLimiter" | "slidingLog" | "zScore" | "ewma" | "robust" | "cusum"
            | "timeFloor" | "regularity" | "review" | "policy" | "engine" => continue,
            other => panic!("unknown constructor {other}"),
        };
        if let Err(error) = answer {
            assert_eq!(error.code().as_str(), text(&refused["code"]), "{}: {given}", case.name());
        } else {
            assert!(is_left_out(make, given), "{}: {given} is taken", case.name());
        }
    }
}

/// What Rust's types do not let anybody write, or what it takes.
fn is_left_out(make: &str, given: &Value) -> bool {
    let has = |members: &[&str]| members.iter().any(|member| !given[*member].is_null());
    match make {
        "leaderboard" | "windowed" => has(&["order", "operator", "ties", "ranking", "capacity", "windows"]),
        "calendar" => has(&["weekStart"]) || (has(&["utcOffsetChanges"]) && !has(&["utcOffsetMinutes"])),
        "progression" => has(&["atMaxLevel", "boostStacking", "dailyXpCap", "boosts"]),
        "verifier" | "signer" | "intake" => has(&["scheme", "toleranceSeconds", "bodyBytesMax"]) || !has(&["keys"]),
        "receiptId" => has(&["index"]),
        "family" => given["floors"]["hydra"] == 0,
        "exponential" => has(&["rounding"]),
        _ => {
            // A number below what the type holds.
            given.to_string().contains('-')
        }
    }
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// 0 for what the type does not hold.
fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn board(given: &Value) -> Result<(), Error> {
    given["name"].as_str().map_or(Ok(()), |name| BoardId::new(name).map(drop))
}

fn calendar(given: &Value) -> Result<(), Error> {
    let changes = rows(&given["utcOffsetChanges"]).iter();
    let changes: Vec<_> =
        changes.map(|change| OffsetChange { from: time(&change[0]), minutes: int(&change[1]) }).collect();
    let season = |row: &Value| {
        Ok::<_, Error>(Season { label: Id::new(text(&row[0]))?, from: time(&row[1]), until: time(&row[2]) })
    };
    let calendar = Calendar::utc().utc_offsets(int(&given["utcOffsetMinutes"]), &changes)?;
    let calendar = calendar.reset_minute(int(&given["resetMinute"]))?.grace_seconds(int(&given["graceSeconds"]))?;
    calendar.seasons(Seasons::Table(rows(&given["seasons"]).iter().map(season).collect::<Result<_, _>>()?)).map(drop)
}

fn curve(make: &str, given: &Value) -> Result<(), Error> {
    let numbers = |value: &Value| rows(value).iter().map(count).collect();
    let texts = |value: &Value| rows(value).iter().map(|one| text(one).to_owned()).collect::<Vec<_>>();
    let curve = match make {
        "linear" => LevelCurve::linear(count(&given["base"]), count(&given["step"])),
        "exponential" => LevelCurve::exponential(count(&given["base"]), text(&given["growth"]))?,
        "polynomial" => {
            let (coefficients, times) = (texts(&given["coefficients"]), texts(&given["times"]));
            let coefficients: Vec<_> = coefficients.iter().map(String::as_str).collect();
            let times: Vec<_> = times.iter().map(String::as_str).collect();
            let curve = LevelCurve::polynomial(&coefficients)?;
            if times.is_empty() { curve } else { curve.times(&times, Rounding::Floor)? }
        }
        "table" => LevelCurve::table(numbers(&given["values"])),
        _ => {
            let pieces = rows(&given["pieces"]).iter();
            let piece = |piece: &Value| {
                let curve = if let Some(step) = piece[1]["step"].as_u64() {
                    LevelCurve::linear(count(&piece[1]["base"]), step)
                } else {
                    LevelCurve::table(numbers(&piece[1]))
                };
                let curve = if piece[2] == true { curve.cumulative() } else { curve };
                let curve = curve.into_piece(given["cumulative"] == true)?;
                Ok::<_, Error>((u32::try_from(count(&piece[0])).unwrap(), curve))
            };
            LevelCurve::piecewise(pieces.map(piece).collect::<Result<_, _>>()?)
        }
    };
    let curve = if given["cumulative"] == true { curve.cumulative() } else { curve };
    let curve = match given["maxLevel"].as_u64() {
        Some(level) => curve.max_level(u32::try_from(level).unwrap()),
        None => curve,
    };
    curve.compile().map(drop).map_err(Into::into)
}

fn boosts(given: &Value) -> Result<(), Error> {
    rows(&given["boosts"]).iter().try_for_each(|boost| {
        Id::new(text(&boost[0]))?;
        Ratio::parse(text(&boost[3])).map(drop)
    })
}

fn items(value: &Value) -> Result<Vec<Item>, Error> {
    let item = |row: &Value| Item::new(Id::new(text(&row[0]))?, Id::new(text(&row[1]))?, count(&row[2]));
    rows(value).iter().map(item).collect()
}

fn loot(given: &Value) -> Result<(), Error> {
    let entry = |row: &Value| {
        Ok::<_, Error>(Entry { name: Id::new(text(&row[0]))?, weight: count(&row[1]), items: items(&row[2])? })
    };
    let entries = rows(&given["entries"]).iter().map(entry).collect::<Result<_, _>>()?;
    let pity = given["pity"].as_array().map(|pity| Pity {
        entry: Id::new(text(&pity[0])).unwrap(),
        guaranteed_at: u32::try_from(count(&pity[1])).unwrap(),
    });
    Loot::new(entries, vec![], pity).map(drop).map_err(Into::into)
}

fn tiers(given: &Value) -> Result<(), Error> {
    let tier = |tier: &Value| {
        let cut = match tier["percent"].as_str() {
            Some(percent) => Cut::Percent(Percent::parse(percent)?),
            // A rank that no number without a sign is: the core says what it says of 0 then.
            None if int(&tier["ranks"][0]) < 0 => return Err(Code::OutOfRange.into()),
            None => Cut::Ranks { from: count(&tier["ranks"][0]), through: count(&tier["ranks"][1]) },
        };
        Ok::<_, Error>((Id::new(text(&tier["tier"]))?, cut))
    };
    let tiers = rows(&given["tiers"]).iter().map(tier).collect::<Result<Vec<_>, _>>()?;
    Tiers::new(tiers).map(drop).map_err(|error| error.code().into())
}

fn secret(given: &Value) -> Result<(), Error> {
    let made = match (given["whsec"].as_str(), &given["short"]) {
        (Some(whsec), _) => Secret::parse(whsec),
        (None, Value::Bool(true)) => Secret::short(&unhex(text(&given["hex"])).unwrap()),
        (None, _) => Secret::from_bytes(&unhex(text(&given["hex"])).unwrap()),
    };
    made.map(drop).map_err(|error| error.code().into())
}

fn ring(given: &Value) -> Result<Option<KeyRing>, Error> {
    let Some(ids) = given["keys"].as_array() else { return Ok(None) };
    let key = |id: &Value| Ok::<_, Error>(Key::new(Id::new(text(id))?, &Secret::from_bytes(&[7; 32]).unwrap()));
    let keys = ids.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    KeyRing::new(keys).map(Some).map_err(|error| error.code().into())
}

fn keys(given: &Value) -> Result<(), Error> {
    ring(given).map(drop)
}

fn intake(given: &Value) -> Result<(), Error> {
    let rules = Rules::from_json(r#"{"version": 1, "game": "vectors"}"#).unwrap();
    let builder = Intake::builder(rules.door());
    let builder = match ring(given)? {
        Some(ring) => builder.key_ring(ring),
        None => builder,
    };
    builder.build().map(drop)
}

fn drop_rate(given: &Value) -> Result<(), Error> {
    let threshold = given["threshold"].as_f64().unwrap_or(11.5);
    DropRate::new(given["odds"].as_f64().unwrap(), threshold).map(drop).map_err(Into::into)
}

fn alert_budget(given: &Value) -> Result<(), Error> {
    AlertBudget::new(u32::try_from(count(&given["perDay"])).unwrap()).map(drop).map_err(Into::into)
}

fn family(given: &Value) -> Result<(), Error> {
    let mut family = Family::new(Population::default());
    for (boss, floor) in given["floors"].as_object().into_iter().flatten() {
        family.boss(boss, Some(u32::try_from(count(floor)).unwrap()))?;
    }
    for (drop, odds) in given["drops"].as_object().into_iter().flatten() {
        family.drop_odds(drop, odds.as_f64().unwrap())?;
    }
    let robust = given["thresholds"]["robust"].as_f64().unwrap_or(100.0);
    Thresholds::DEFAULT.with(FamilyDetector::Robust, robust).map(drop).map_err(Into::into)
}

fn adjust(given: &Value) -> Result<(), Error> {
    let (id, player) = (text(&given["id"]).parse()?, PlayerId::new(text(&given["player"]))?);
    let xp = int(&given["xp"]);
    Command::adjust(id, player, Timestamp::from_unix_millis(0), xp, text(&given["reason"])).map(drop)
}

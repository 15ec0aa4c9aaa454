//! What an engine knows of its players: of one, and page by page of all.

use std::sync::Arc;

use liveops_core::engine::{Numbered, ScanCursor, ScanPage};
use liveops_core::record::Suspicion;
use liveops_core::{Error, PlayerId};
use napi::Env;
use napi_derive::napi;
use serde::Serialize;
use serde_json::{Value, json};

use crate::command::Command;
use crate::engine::{Engine, at, player_id};
use crate::failure::{OrThrow as _, Result, text};
use crate::rules::Rules;
use crate::verb::Answer;

/// Some of what there is too much of for one answer.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct Texts {
    /// As a JSON array.
    pub items: String,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

/// The same of commands.
#[napi(object, object_from_js = false)]
#[derive(Debug)]
pub struct Commands {
    /// As objects.
    pub items: Vec<Command>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
}

#[napi]
impl Engine {
    /// One player as JSON; none for a stranger.
    #[napi]
    pub fn player(&self, env: Env, later: bool, player: String) -> Result<Answer<Option<String>>> {
        let player = player_id(&player)?;
        self.verb(env, "player", later, move |core| core.player(&player).or_throw()?.as_ref().map(text).transpose())
    }

    /// Some players.
    #[napi]
    pub fn players_page(&self, env: Env, later: bool, cursor: Option<String>, limit: u32) -> Result<Answer<Texts>> {
        self.verb(env, "playersPage", later, move |core| {
            texts(cursor, |after| core.players_page(after, limit as usize))
        })
    }

    /// A player's kept receipts as JSON.
    #[napi]
    pub fn receipts(&self, env: Env, later: bool, player: String) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "receipts", later, move |core| text(&core.receipts(&player).or_throw()?))
    }

    /// Some of them.
    #[napi]
    pub fn receipts_page(
        &self,
        env: Env,
        later: bool,
        player: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Answer<Texts>> {
        let player = player_id(&player)?;
        self.verb(env, "receiptsPage", later, move |core| {
            texts(cursor, |after| core.receipts_page(&player, after, limit as usize))
        })
    }

    /// A player's receipts that can be claimed at a time, oldest first, as JSON.
    #[napi]
    pub fn claimable(&self, env: Env, later: bool, player: String, now: i64) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "claimable", later, move |core| text(&core.claimable(&player, at(now)).or_throw()?))
    }

    /// Hash of a player's newest receipt, in hex.
    #[napi]
    pub fn chain_head(&self, env: Env, later: bool, player: String) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "chainHead", later, move |core| {
            let record = core.record(&player).or_throw()?;
            Ok(record.map(|record| record.chain_head).unwrap_or_default().to_hex())
        })
    }

    /// Why a player has what the player has, as JSON; none for a stranger.
    #[napi]
    pub fn explain(&self, env: Env, later: bool, player: String, now: i64) -> Result<Answer<Option<String>>> {
        let player = player_id(&player)?;
        self.verb(env, "explain", later, move |core| {
            core.explain(&player, at(now)).or_throw()?.as_ref().map(text).transpose()
        })
    }

    /// Everything stored about a player, as JSON.
    #[napi]
    pub fn export_player(&self, env: Env, later: bool, player: String) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "exportPlayer", later, move |core| text(&core.export_player(&player).or_throw()?))
    }

    /// Some of it, as JSON, with where the next page begins.
    #[napi]
    pub fn export_player_page(
        &self,
        env: Env,
        later: bool,
        player: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "exportPlayerPage", later, move |core| {
            let after = cursor.map(|text| text.parse()).transpose().or_throw()?;
            text(&core.export_player_page(&player, after.as_ref(), limit as usize).or_throw()?)
        })
    }

    /// A player's kept suspicions as JSON.
    #[napi]
    pub fn suspicions_of(&self, env: Env, later: bool, player: String) -> Result<Answer<String>> {
        let player = player_id(&player)?;
        self.verb(env, "suspicions", later, move |core| {
            let own = core.suspicions_of(&player).or_throw()?.into_iter();
            let own: Vec<_> = own.map(|(number, suspicion)| suspected(&player, number, &suspicion)).collect();
            text(&own)
        })
    }

    /// Some of everybody's.
    #[napi]
    pub fn suspicions_page(&self, env: Env, later: bool, cursor: Option<String>, limit: u32) -> Result<Answer<Texts>> {
        self.verb(env, "suspicionsPage", later, move |core| {
            texts(cursor, |after| {
                let page = core.suspicions_page(after, limit as usize)?;
                let items = page.items.iter();
                let items = items.map(|(player, number, suspicion)| suspected(player, *number, suspicion)).collect();
                Ok::<_, Error>(ScanPage { items, next: page.next })
            })
        })
    }

    /// Some of them as lines of JSON, each verdict also in words.
    #[napi]
    pub fn suspicions_ndjson_page(
        &self,
        env: Env,
        later: bool,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Answer<Texts>> {
        self.verb(env, "suspicionsNdjsonPage", later, move |core| {
            texts(cursor, |after| core.suspicions_ndjson_page(after, limit as usize))
        })
    }

    /// All of them.
    #[napi]
    pub fn suspicions_ndjson(&self, env: Env, later: bool) -> Result<Answer<String>> {
        self.verb(env, "suspicionsNdjson", later, |core| core.suspicions_ndjson().or_throw())
    }

    /// What new rules would make of the players of now, as JSON.
    #[napi]
    pub fn plan_migration(&self, env: Env, later: bool, rules: &Rules) -> Result<Answer<String>> {
        let rules = Arc::clone(&rules.0);
        self.verb(env, "planMigration", later, move |core| text(&core.plan_migration(&rules).or_throw()?))
    }

    /// Commands for some of the players who are still on another curve.
    #[napi]
    pub fn migrations_page(
        &self,
        env: Env,
        later: bool,
        cursor: Option<String>,
        limit: u32,
        now: i64,
    ) -> Result<Answer<Commands>> {
        self.verb(env, "migrationsPage", later, move |core| {
            let after = cursor.map(|text| text.parse()).transpose().or_throw()?;
            let page = core.migrations_page(after.as_ref(), limit as usize, at(now)).or_throw()?;
            let items = page.items.into_iter().map(Command).collect();
            Ok(Commands { items, next: page.next.map(|next| next.to_string()) })
        })
    }
}

/// A page of a walk, as JSON.
fn texts<T: Serialize>(
    cursor: Option<String>,
    page: impl FnOnce(Option<&ScanCursor>) -> std::result::Result<ScanPage<T>, Error>,
) -> Result<Texts> {
    let after = cursor.map(|text| text.parse()).transpose().or_throw()?;
    let page = page(after.as_ref()).or_throw()?;
    Ok(Texts { items: text(&page.items)?, next: page.next.map(|next| next.to_string()) })
}

fn suspected(player: &PlayerId, number: u64, suspicion: &Suspicion) -> Value {
    let mut told = json!(Numbered { number, suspicion: suspicion.clone() });
    told["playerId"] = json!(player);
    told
}

//! Lists that no single index serves: one short look for each value that is wanted, and the newest of what they find.
//!
//! The words of a search become values first: `names` holds every value of the columns that are searched, once.

use std::{collections::BTreeSet, iter};

use parapet_core::Scope;
use sqlx::{QueryBuilder, Row, Transaction};
use uuid::Uuid;

use super::{Database, Db, reading::narrow};
use crate::{
    EventRecord, IncidentQuery, StoreError,
    choice::{column, containing},
    database::names::Name,
    error::Attempt,
};

type DbRow = <Db as sqlx::Database>::Row;

/// With more values than these, the newest incidents are likely to have one of them, and the list is gone through as it is.
const MOST_VALUES: usize = 200;
/// How many looks are in the first statement and in each later one: what the first find says how far back the others need go.
const LOOKS: (usize, usize) = (8, 50);
/// Each look names all sites and cameras that the reader may see. With more names than these, too, the list is gone through.
const MOST_NAMES: usize = 2_000;
/// Reasons of up to so many characters are names; `incidents_of_long_reason` has the others.
const REASON_CHARACTERS: usize = 600;
/// Columns that a search looks through, and each has an index.
const FIELDS: [&str; 8] = ["site", "node", "camera", "zone", "rule", "label", "reason", "kind"];

/// Incidents that an index finds.
#[derive(Debug)]
pub(super) enum Look {
    /// With all of these values.
    Values(Vec<(&'static str, String)>),
    /// With a long reason like this.
    LongReason(String),
}

impl Look {
    fn push(&self, query: &mut QueryBuilder<Db>) {
        match self {
            Self::Values(values) => {
                for (column, value) in values {
                    query.push(" AND ").push(*column).push(" = ").push_bind(value.clone());
                    if *column == "reason" {
                        query.push(" AND LENGTH(reason) <= 600");
                    }
                }
            }
            Self::LongReason(pattern) => {
                query.push(" AND LENGTH(reason) > 600 AND LOWER(reason) LIKE ").push_bind(pattern.clone());
                query.push(" ESCAPE '\\'");
            }
        }
    }
}

impl Database {
    /// The looks that a list is made of, and what narrows each of them besides; `None` if it is better gone through as
    /// it is.
    pub(super) async fn looks(
        &self,
        wanted: &IncidentQuery,
    ) -> Result<Option<(Vec<Look>, IncidentQuery)>, StoreError> {
        if let Some(words) = wanted.text.as_deref().map(str::trim).filter(|words| !words.is_empty()) {
            if words.parse::<Uuid>().is_ok() {
                return Ok(None);
            }
            let seen = match &wanted.scope {
                Scope::All => 1,
                Scope::Only { sites, cameras } => 1 + sites.len() + cameras.len(),
            };
            let values = self.values_with(words).await?.filter(|values| values.len() * seen <= MOST_NAMES);
            let besides = IncidentQuery { text: None, ..wanted.clone() };
            return Ok(values.map(|values| {
                let values = values.into_iter().map(|value| Look::Values(vec![value]));
                (values.chain([Look::LongReason(containing(words))]).collect(), besides)
            }));
        }
        let Scope::Only { sites, cameras } = &wanted.scope else { return Ok(None) };
        let parts = sites.len() + cameras.len();
        if wanted.site.is_some() || wanted.camera.is_some() || !(2..=MOST_VALUES).contains(&parts) {
            return Ok(None);
        }
        let site = |site: &parapet_core::SiteId| ("site", site.as_str().to_owned());
        let sites = sites.iter().map(|id| Look::Values(vec![site(id)]));
        let cameras = cameras.iter().map(|(of, camera)| {
            let camera = ("camera", camera.as_str().to_owned());
            Look::Values([camera].into_iter().chain(of.as_ref().map(site)).collect())
        });
        Ok(Some((sites.chain(cameras).collect(), IncidentQuery { scope: Scope::All, ..wanted.clone() })))
    }

    /// Values with these words in them; `None` if they are many.
    async fn values_with(&self, words: &str) -> Result<Option<Vec<(&'static str, String)>>, StoreError> {
        let action = "look for the words of a search";
        let rows = sqlx::query::<Db>(
            "SELECT field, value FROM names WHERE LOWER(value) LIKE $1 ESCAPE '\\' UNION ALL SELECT 'kind', code FROM kinds \
             WHERE LOWER(code || ' ' || name_zh || ' ' || name_en) LIKE $1 ESCAPE '\\' LIMIT $2",
        )
        .bind(containing(words))
        .bind(column(MOST_VALUES as u64 + 1))
        .fetch_all(&self.reader)
        .await
        .attempt(action)?;
        if rows.len() > MOST_VALUES {
            return Ok(None);
        }
        let mut values = Vec::with_capacity(rows.len());
        for row in &rows {
            let field: &str = row.try_get("field").attempt(action)?;
            if let Some(known) = FIELDS.into_iter().find(|known| *known == field) {
                values.push((known, row.try_get("value").attempt(action)?));
            }
        }
        Ok(Some(values))
    }

    /// The newest of what the looks find, each once.
    pub(super) async fn newest_of(
        &self,
        looks: &[Look],
        besides: &IncidentQuery,
        limit: usize,
    ) -> Result<Vec<DbRow>, StoreError> {
        let action = "list incidents";
        let mut newest: BTreeSet<(i64, Uuid)> = BTreeSet::new();
        let (first, others) = looks.split_at(looks.len().min(LOOKS.0));
        for part in iter::once(first).chain(others.chunks(LOOKS.1)).filter(|part| !part.is_empty()) {
            let oldest = newest.first().filter(|_| newest.len() == limit).map(|(at, _)| *at);
            let mut query = QueryBuilder::<Db>::new("");
            for (n, look) in part.iter().enumerate() {
                query.push(if n == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
                query.push("SELECT started_at, incident_id FROM incidents");
                narrow(&mut query, besides, besides.cursor);
                if let Some(oldest) = oldest {
                    query.push(" AND started_at >= ").push_bind(oldest);
                }
                look.push(&mut query);
                query
                    .push(" ORDER BY started_at DESC, incident_id DESC LIMIT ")
                    .push_bind(column(limit as u64));
                query.push(") AS look");
            }
            for row in query.build().persistent(false).fetch_all(&self.reader).await.attempt(action)? {
                let at: i64 = row.try_get("started_at").attempt(action)?;
                newest.insert((at, row.try_get("incident_id").attempt(action)?));
                if newest.len() > limit {
                    newest.pop_first();
                }
            }
        }
        if newest.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = QueryBuilder::<Db>::new("SELECT * FROM incidents WHERE incident_id IN (");
        let mut ids = query.separated(", ");
        for (_, id) in newest {
            ids.push_bind(id);
        }
        query.push(") ORDER BY started_at DESC, incident_id DESC");
        query.build().persistent(false).fetch_all(&self.reader).await.attempt(action)
    }
}

/// The names that incidents' rows have by these events.
pub(super) fn names_of<'a>(records: &[&'a EventRecord]) -> BTreeSet<(&'static str, &'a str)> {
    let of = |EventRecord { site, node, event }: &'a EventRecord| {
        let always = [
            ("site", site.as_str()),
            ("node", node.as_str()),
            ("camera", event.camera.as_str()),
            ("rule", event.rule.as_str()),
        ];
        let zone = event.zone.as_ref().map(|zone| ("zone", zone.as_str()));
        let label = event.label.as_ref().map(|label| ("label", label.as_str()));
        always.into_iter().chain(zone).chain(label)
    };
    records.iter().copied().flat_map(of).collect()
}

/// Stores names, which must be in order so that two writers never wait for each other in a circle.
pub(super) async fn keep_names(tx: &mut Transaction<'static, Db>, names: &[Name]) -> Result<(), StoreError> {
    for part in names.chunks(super::ROWS_IN_STATEMENT) {
        let mut query = QueryBuilder::<Db>::new("INSERT INTO names (field, value) ");
        query.push_values(part, |mut row, (field, value)| {
            row.push_bind(*field).push_bind(value);
        });
        query.push(" ON CONFLICT DO NOTHING");
        query.build().persistent(false).execute(&mut **tx).await.attempt("store the names of incidents")?;
    }
    Ok(())
}

/// Lets a search find a verdict's reason.
pub(super) async fn keep_reason(tx: &mut Transaction<'static, Db>, reason: &str) -> Result<(), StoreError> {
    if reason.chars().count() > REASON_CHARACTERS {
        return Ok(());
    }
    keep_names(tx, &[("reason", reason.to_owned())]).await
}

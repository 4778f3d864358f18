//! What a reader may see, as a part of a statement.

use parapet_core::Scope;
use sqlx::QueryBuilder;

use super::Db;

/// Lets the rows of a table with the columns `site` and `camera` through that are in the scope.
pub(super) fn within(query: &mut QueryBuilder<Db>, scope: &Scope) {
    let Scope::Only { sites, cameras } = scope else { return };
    if sites.is_empty() && cameras.is_empty() {
        query.push(" AND FALSE");
        return;
    }
    query.push(" AND (");
    push_sites(query, sites);
    for (n, (site, camera)) in cameras.iter().enumerate() {
        query.push(if n == 0 && sites.is_empty() { "(camera = " } else { " OR (camera = " });
        query.push_bind(camera.as_str().to_owned());
        if let Some(site) = site {
            query.push(" AND site = ").push_bind(site.as_str().to_owned());
        }
        query.push(")");
    }
    query.push(")");
}

/// The same for a table whose rows belong to whole sites.
pub(super) fn within_sites(query: &mut QueryBuilder<Db>, scope: &Scope) {
    let Scope::Only { sites, .. } = scope else { return };
    query.push(" AND ");
    if sites.is_empty() {
        query.push("FALSE");
    }
    push_sites(query, sites);
}

fn push_sites(query: &mut QueryBuilder<Db>, sites: &std::collections::BTreeSet<parapet_core::SiteId>) {
    if sites.is_empty() {
        return;
    }
    query.push("site IN (");
    let mut list = query.separated(", ");
    for site in sites {
        list.push_bind(site.as_str().to_owned());
    }
    query.push(")");
}

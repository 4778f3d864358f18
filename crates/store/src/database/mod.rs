//! The two databases behind one store.
//!
//! SQLite and PostgreSQL agree on every query here: `$1`, `ON CONFLICT`, `RETURNING` and row values mean the same in both.
//! So `queries/` is written once and compiled for each, against the real types of each; what differs are the tables
//! (`migrations/`), how to open, and how a writing transaction begins.

mod names;
pub(crate) mod postgres;
pub(crate) mod sqlite;

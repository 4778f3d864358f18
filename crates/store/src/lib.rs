//! Incidents, cases, evidence index, audit and outbox in SQLite or PostgreSQL.

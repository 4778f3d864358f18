-- Who signs in. Passwords are argon2 hashes (PHC strings); without one, a person comes by another door (OIDC).
CREATE TABLE users (
    name TEXT PRIMARY KEY,
    display_name TEXT NOT NULL,
    password TEXT,
    -- Who they are at the identity provider: its issuer, a space, and its subject.
    subject TEXT UNIQUE,
    enabled BOOLEAN NOT NULL,
    -- A list of `{"role", "site", "camera"}`.
    grants TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER
);

-- Browsers that are signed in. The secret is only in the browser: here is its SHA-256.
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    user_name TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_name);

-- Programs that may call the API. The secret was shown once: here is its SHA-256.
CREATE TABLE tokens (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    grants TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER
);

CREATE INDEX audit_of_actor ON audit (actor, id);
CREATE INDEX audit_of_action ON audit (action, id);

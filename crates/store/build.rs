//! Compiles again when only a migration has changed: `sqlx::migrate!` reads them at compile time.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}

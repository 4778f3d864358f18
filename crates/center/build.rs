//! The page is built by npm (`make setup`). So that the program can be built without it, an empty one stands in, which
//! says what is missing.

use std::{env, fs, path::Path};

const MISSING: &str = "<!doctype html>\n<html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>Parapet</title>\n\
    <h1>网页尚未构建</h1><p>请运行 <code>make setup</code>，然后重新编译。</p>\n\
    <h1 lang=\"en\">The page has not been built</h1><p lang=\"en\">Run <code>make setup</code>, then build again.</p></html>\n";

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    let root = env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let index = Path::new(&root).join("ui/dist/index.html");
    if !index.exists() {
        fs::create_dir_all(index.parent().expect("it has one"))
            .expect("the crate's directory can be written");
        fs::write(&index, MISSING).expect("the crate's directory can be written");
    }
}

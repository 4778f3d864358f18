//! The one program, `parapet`.

fn main() {}

//! What the comparison of roofs is learnt from and measured with:
//! - `learn OUT PAINTED [RENDERED…]` learns the head from a number of painted roofs and from folders of rendered
//!   compounds (of the `train` set only), and writes its weights; `change/src/survey/head.json` is one of these;
//! - `measure [SET=FOLDER…]` prints a Markdown table for each SET: `rendered` (a folder of compounds), `crops` (a folder
//!   with `A`, `B` and `label`), `composites` (the folder `flat_roof`). `head=FILE` before them measures other weights than those that ship.

mod cases;
mod gather;
mod learn;
mod measure;
mod tell;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((command, rest)) if command == "learn" => learn::run(rest),
        Some((command, rest)) if command == "measure" => measure::run(rest),
        _ => Err("usage: roofs learn OUT PAINTED [RENDERED…] | roofs measure [SET=FOLDER…]".into()),
    }
}

//! Pascal VOC XML (Everingham et al., "The Pascal Visual Object Classes Challenge", IJCV 2010). Objects that are marked as
//! difficult are ignored, as in its evaluation.

use roxmltree::{Document, Node, ParsingOptions};

use super::{LabelFile, Labels, between, check_rect, number};
use crate::dataset::problem::{Fault, Problems};

/// Nodes that a label file may have: a million boxes, and no more memory than that.
const NODES: u32 = 20_000_000;

/// Reads the labels of one picture. With `pixels_from_one` the first pixel is 1 and the last one belongs to the box, as
/// in the VOC sets: `xmin 1, xmax 2` are two pixels from the left edge.
pub fn read(text: &str, file: &LabelFile<'_>, pixels_from_one: bool, problems: &mut Problems) -> Labels {
    let mut labels = Labels::default();
    let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
    let document = match Document::parse_with_options(text, options) {
        Ok(document) => document,
        Err(error) => {
            let line = error.pos().row as usize;
            problems.add(
                file.path,
                line,
                Fault::new(format!("not XML: {error}"), "mend or fetch the file anew"),
            );
            return labels;
        }
    };
    let line = |node: Node<'_, '_>| document.text_pos_at(node.range().start).row as usize;
    let root = document.root_element();
    if !root.has_tag_name("annotation") {
        let what = format!("the file is about <{}>", root.tag_name().name());
        problems.add(file.path, line(root), Fault::new(what, "VOC labels are an <annotation>"));
        return labels;
    }
    if let (Some(size), Some((width, height))) = (child(root, "size"), file.size) {
        let said = ["width", "height"].map(|name| child_text(size, name).parse::<u32>().unwrap_or(0));
        // Some programs write 0 × 0 when they do not know.
        if said != [0, 0] && said != [width, height] {
            let what =
                format!("labelled at {} × {}, but the picture has {width} × {height}", said[0], said[1]);
            problems.add(file.path, line(size), Fault::new(what, "use the picture that was labelled"));
        }
    }
    for object in root.children().filter(|node| node.has_tag_name("object")) {
        if let Err(fault) = read_object(object, file, pixels_from_one, &mut labels) {
            problems.add(file.path, line(object), fault);
        }
    }
    labels
}

fn read_object(
    object: Node<'_, '_>,
    file: &LabelFile<'_>,
    pixels_from_one: bool,
    labels: &mut Labels,
) -> Result<(), Fault> {
    let name = child_text(object, "name");
    if name.is_empty() {
        return Err(Fault::new("an object without a name", "add <name>"));
    }
    let meaning = file.classes.meaning(name)?;
    let edges = child(object, "bndbox")
        .ok_or_else(|| Fault::new(format!("the {name} has no box"), "add <bndbox> with its four edges"))?;
    let edge = |name| number(child_text(edges, name), name);
    let first = f64::from(u8::from(pixels_from_one));
    let rect = between(edge("xmin")? - first, edge("ymin")? - first, edge("xmax")?, edge("ymax")?);
    let difficult = match child_text(object, "difficult") {
        "" | "0" => false,
        "1" => true,
        other => {
            return Err(Fault::new(format!("difficult is \"{other}\""), "it is 0 or 1"));
        }
    };
    labels.add(meaning, check_rect(rect, file.size)?, None, difficult);
    Ok(())
}

fn child<'a, 'b>(node: Node<'a, 'b>, name: &str) -> Option<Node<'a, 'b>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn child_text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    child(node, name).and_then(|found| found.text()).unwrap_or_default().trim()
}

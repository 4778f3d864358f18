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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dataset::reader::fixture::with_names, truth::Rect};

    const GOOD: &str = "<annotation>\n<folder>VOC2007</folder>\n<size><width>353</width><height>500</height></size>\n\
        <object><name>dog</name><difficult>0</difficult>\n<bndbox><xmin>48</xmin><ymin>240</ymin><xmax>195</xmax>\
        <ymax>371</ymax></bndbox></object>\n<object>\n<name>person</name><difficult>1</difficult><part><name>head</name>\
        <bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>\
        <bndbox><ymin>12.5</ymin><xmin>8</xmin><xmax>352</xmax><ymax>498</ymax></bndbox></object>\n</annotation>\n";

    #[test]
    fn the_last_pixel_belongs_to_the_box_and_difficult_ones_are_ignored() {
        let (labels, told) = with_names(Some((353, 500)), |file, problems| read(GOOD, file, true, problems));
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(labels.boxes.len(), 2);
        assert_eq!(labels.boxes[0].rect, Rect { x: 47.0, y: 239.0, width: 148.0, height: 132.0 });
        assert_eq!((labels.boxes[1].label.as_str(), labels.boxes[1].ignored), ("person", true));
        let (labels, _) = with_names(None, |file, problems| read(GOOD, file, false, problems));
        assert_eq!(labels.boxes[0].rect, Rect { x: 48.0, y: 240.0, width: 147.0, height: 131.0 });
    }

    #[test]
    fn mistakes_are_told_with_the_line_of_their_object() {
        let bad = GOOD.replace("<xmin>48", "<xmin>abc").replace("<name>person</name>", "");
        let (labels, told) = with_names(Some((350, 500)), |file, problems| read(&bad, file, true, problems));
        assert!(labels.boxes.is_empty());
        assert_eq!(
            told,
            [
                "a:3: labelled at 353 × 500, but the picture has 350 × 500; hint: use the picture that was labelled",
                "a:4: xmin \"abc\" is not a number; hint: give a finite number",
                "a:6: an object without a name; hint: add <name>",
            ]
        );
        let (_, told) = with_names(None, |file, problems| {
            read("<annotation>\n<object>\n</annotation>", file, true, problems)
        });
        assert!(told[0].starts_with("a:3: not XML: "), "{told:?}");
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = "<a>".repeat(200_000);
        let (_, told) = with_names(None, |file, problems| read(&deep, file, true, problems));
        assert_eq!(told.len(), 1, "{told:?}");
    }
}

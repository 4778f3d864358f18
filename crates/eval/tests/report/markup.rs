//! Enough of HTML to check a page: every tag is closed in its order, attributes are quoted, `&` and `<` are escaped.

/// An opening tag.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
}

const VOID: [&str; 4] = ["meta", "input", "br", "link"];

/// All opening tags of `page`, or where it is not well-formed.
pub(crate) fn tags(page: &str) -> Result<Vec<Tag>, String> {
    let mut rest = page.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    let mut open: Vec<String> = Vec::new();
    let mut tags = Vec::new();
    while let Some(at) = rest.find('<') {
        check_text(&rest[..at], open.last())?;
        let end = end_of_tag(&rest[at..]).ok_or_else(|| format!("unclosed: {:.60}", &rest[at..]))?;
        let inside = &rest[at + 1..at + end];
        rest = &rest[at + end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            match open.pop() {
                Some(last) if last == name => continue,
                last => return Err(format!("</{name}> closes {last:?}")),
            }
        }
        let tag = parse(inside)?;
        if !VOID.contains(&tag.name.as_str()) {
            open.push(tag.name.clone());
        }
        if tag.name == "style" {
            rest = &rest[rest.find("</style>").ok_or("style is not closed")?..];
        }
        tags.push(tag);
    }
    if open.is_empty() { Ok(tags) } else { Err(format!("left open: {open:?}")) }
}

/// Index of the `>` that ends the tag at the beginning of `text`, quotes respected.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, letter)| {
        quoted ^= letter == '"';
        (letter == '>' && !quoted).then_some(at)
    })
}

fn parse(inside: &str) -> Result<Tag, String> {
    let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
    if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return Err(format!("no tag: <{inside:.60}>"));
    }
    let mut attributes = Vec::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let attribute = rest[..end].to_owned();
        rest = &rest[end..];
        let value = match rest.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"').ok_or("quote is not closed")?;
                rest = after;
                value
            }
            None if rest.starts_with('=') => return Err(format!("unquoted: {rest:.60}")),
            None => "",
        };
        check_text(value, None)?;
        attributes.push((attribute, value.to_owned()));
    }
    Ok(Tag { name: name.into(), attributes })
}

fn check_text(text: &str, within: Option<&String>) -> Result<(), String> {
    for after in text.split('&').skip(1) {
        let entity = after.split(';').next().unwrap_or("");
        if !["amp", "lt", "gt", "quot"].contains(&entity) {
            return Err(format!("bare & in {within:?}: {after:.40}"));
        }
    }
    Ok(())
}

/// The text directly in each element of that language, the root left out.
pub(crate) fn texts_of(page: &str, language: &str) -> Vec<String> {
    let body = page.split_once("<body>").map_or("", |(_, body)| body);
    (body.split(&format!("lang=\"{language}\">")).skip(1))
        .map(|rest| rest.split('<').next().unwrap_or("").to_owned())
        .collect()
}

/// The page without its base64.
pub(crate) fn without_pictures(page: &str) -> String {
    let mut parts = page.split("data:image/jpeg;base64,");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push_str(
            part.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || "+/=".contains(letter)),
        );
    }
    out
}

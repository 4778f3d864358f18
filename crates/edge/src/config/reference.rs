//! The reference of all options, made from the doc comments of the types that read them.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
};

use serde_json::Value;

use super::Pipeline;

/// JSON Schema of a pipeline file, for editors (as TOML language servers use it) and for the reference page.
pub fn schema() -> Value {
    serde_json::to_value(schemars::schema_for!(Pipeline)).expect("a schema is JSON")
}

/// The reference page: one section for each table, one row for each option.
pub fn reference() -> String {
    let schema = schema();
    let mut page = String::from(
        "# The pipeline file, option by option\n\n\
         Made from the source (`cargo test -p parapet-edge` keeps it so). NAME stands for a name of your choice.\n\
         **Bold** options are required. Paths are relative to the directory of the file.\n",
    );
    table(&mut page, &schema, &schema, "", &homes(&schema));
    page
}

/// The schema that `node` stands for: references followed, `Option` unwrapped.
pub(super) fn resolved<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    if let Some(name) = node["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
        return resolved(root, &root["$defs"][name]);
    }
    if let Some(any) = node["anyOf"].as_array() {
        let present: Vec<&Value> = any.iter().filter(|option| option["type"] != "null").collect();
        if let [only] = present[..] {
            return resolved(root, only);
        }
    }
    if let Some([only]) = node["allOf"].as_array().map(Vec::as_slice) {
        return resolved(root, only);
    }
    node
}

/// Where each table is written: at its shortest path. In other places the page points there.
fn homes(schema: &Value) -> BTreeMap<*const Value, String> {
    let mut homes = BTreeMap::new();
    let mut next = VecDeque::from([(String::new(), schema)]);
    while let Some((path, node)) = next.pop_front() {
        let node = resolved(schema, node);
        homes.entry(std::ptr::from_ref(node)).or_insert_with(|| {
            next.extend(below(schema, node, &path));
            path
        });
    }
    homes
}

/// The tables directly below one.
fn below<'a>(root: &'a Value, node: &'a Value, path: &str) -> Vec<(String, &'a Value)> {
    let mut below = Vec::new();
    for (name, option) in node["properties"].as_object().into_iter().flatten() {
        let inner = resolved(root, option);
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if inner["properties"].is_object() {
            below.push((path, inner));
        } else if let Some(entry) = entry_of(root, inner) {
            match alternatives(entry) {
                Some(choices) => {
                    below.extend(
                        choices.into_iter().map(|(name, inner)| (format!("{path}.NAME.{name}"), inner)),
                    );
                }
                None if entry["properties"].is_object() => below.push((format!("{path}.NAME"), entry)),
                None => {}
            }
        }
    }
    below
}

/// What stands under each name of a table whose names are free.
fn entry_of<'a>(root: &'a Value, node: &'a Value) -> Option<&'a Value> {
    let is_map = node["type"] == "object" && node["additionalProperties"].is_object();
    is_map.then(|| resolved(root, &node["additionalProperties"]))
}

fn table(page: &mut String, root: &Value, node: &Value, path: &str, homes: &BTreeMap<*const Value, String>) {
    let node = resolved(root, node);
    let title = if path.is_empty() { "The file".into() } else { format!("`[{path}]`") };
    if let Some(home) = homes.get(&std::ptr::from_ref(node)).filter(|home| *home != path) {
        let _ = write!(page, "\n## {title}\n\nAs `[{home}]`.\n");
        return;
    }
    let _ = write!(page, "\n## {title}\n\n{}\n\n", paragraph(&node["description"]));
    let required: Vec<&str> =
        node["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut rows = String::new();
    for (name, option) in node["properties"].as_object().into_iter().flatten() {
        let inner = resolved(root, option);
        let is_table = inner["properties"].is_object()
            || entry_of(root, inner)
                .is_some_and(|e| alternatives(e).is_some() || e["properties"].is_object());
        if !is_table {
            row(&mut rows, root, name, option, required.contains(&name.as_str()));
        }
    }
    if !rows.is_empty() {
        page.push_str("| option | type | default | meaning |\n|---|---|---|---|\n");
        page.push_str(&rows);
    }
    for (path, inner) in below(root, node, path) {
        table(page, root, inner, &path, homes);
    }
}

/// The alternatives of an enum whose variants are tables: `{ "variant": content }`.
fn alternatives(node: &Value) -> Option<Vec<(&String, &Value)>> {
    let choices = node["oneOf"].as_array()?;
    choices.iter().map(|choice| choice["properties"].as_object()?.iter().next()).collect()
}

fn row(rows: &mut String, root: &Value, name: &str, option: &Value, required: bool) {
    let name = if required { format!("**`{name}`**") } else { format!("`{name}`") };
    let default = match &option["default"] {
        Value::Null => String::new(),
        value => format!("`{value}`"),
    };
    let kind = kind(root, option);
    let inner = resolved(root, option);
    let meaning = [&option["description"], &inner["description"]].into_iter().find(|d| d.is_string());
    let _ = writeln!(
        rows,
        "| {name} | {kind} | {default} | {} |",
        meaning.map(paragraph).unwrap_or_default().replace('|', "\\|")
    );
}

fn kind(root: &Value, option: &Value) -> String {
    let inner = resolved(root, option);
    if let Some(choices) = inner["oneOf"].as_array() {
        let word = |choice: &Value| match (&choice["const"], choice["properties"].as_object()) {
            (Value::String(word), _) => Some(format!("`\"{word}\"`")),
            (_, Some(table)) => table.keys().next().map(|key| format!("`{{ {key} = … }}`")),
            _ => {
                let words = choice["enum"].as_array()?.iter().filter_map(Value::as_str);
                Some(words.map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "))
            }
        };
        return choices.iter().filter_map(word).collect::<Vec<_>>().join(", ");
    }
    if let Some(words) = inner["enum"].as_array() {
        let words = words.iter().filter_map(Value::as_str).map(|word| format!("`\"{word}\"`"));
        return words.collect::<Vec<_>>().join(", ");
    }
    let simple = |kind: &str| match kind {
        "array" => format!("list of {}", self::kind(root, &inner["items"])),
        "object" => "table".to_owned(),
        "boolean" => "true/false".to_owned(),
        other => other.to_owned(),
    };
    match &inner["type"] {
        Value::String(kind) => simple(kind),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            kinds.map(simple).collect::<Vec<_>>().join(" or ")
        }
        _ => "value".to_owned(),
    }
}

fn paragraph(description: &Value) -> String {
    description.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    /// Set `PARAPET_BLESS=1` to write the files anew.
    fn in_step(name: &str, made: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines").join(name);
        if env::var_os("PARAPET_BLESS").is_some() {
            fs::write(&path, made).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == made,
            "pipelines/{name} is not what the options say; hint: PARAPET_BLESS=1 cargo test -p parapet-edge"
        );
    }

    #[test]
    fn the_reference_page_is_what_the_types_say() {
        in_step("reference.md", &super::reference());
    }

    #[test]
    fn the_json_schema_is_what_the_types_say() {
        in_step("schema.json", &format!("{}\n", serde_json::to_string_pretty(&super::schema()).unwrap()));
    }
}

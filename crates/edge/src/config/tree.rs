//! A parsed TOML file as a tree from which typed values are read. Errors keep their path through the tree and what
//! would have been right, so that the checker can point at them, take the wrong entry out, and read on.

use std::{
    fmt::{self, Write as _},
    ops::Range,
};

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor, value::StrDeserializer,
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub(super) type Node<'i> = Spanned<DeValue<'i>>;

/// One step down the tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// A path as people write it: `cameras.gate.zones.lane.polygon`.
pub(super) fn joined(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => drop(write!(text, ".{key}")),
            Step::Index(index) => drop(write!(text, "[{index}]")),
        }
    }
    text
}

/// What is wrong with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A key or a choice that does not exist.
    Unknown { written: String, expected: &'static [&'static str] },
    /// A table lacks a required key.
    Missing(&'static str),
    /// A choice that needs exactly one alternative has none or several.
    NotOne { found: Vec<String>, expected: &'static [&'static str] },
    /// Anything else, in words.
    Other(String),
}

/// A fault and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadError {
    pub(super) fault: Fault,
    /// From the root; filled on the way out.
    pub(super) path: Vec<Step>,
    /// The key itself is wrong, not its value.
    pub(super) at_key: bool,
}

impl ReadError {
    fn new(fault: Fault) -> Self {
        Self { fault, path: Vec::new(), at_key: false }
    }

    fn below(mut self, step: Step) -> Self {
        self.path.insert(0, step);
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", joined(&self.path), self.fault)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Fault::Other(message.to_string()))
    }
    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Fault::Other(format!("expected {expected}, found {}", in_toml(&found))))
    }
    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Fault::Other(format!("expected {expected}, found {}", in_toml(&found))))
    }
    fn unknown_variant(written: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Fault::Unknown { written: written.to_owned(), expected })
    }
    fn unknown_field(written: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Fault::Unknown { written: written.to_owned(), expected })
    }
    fn missing_field(field: &'static str) -> Self {
        Self::new(Fault::Missing(field))
    }
}

/// What was found, in TOML's words.
fn in_toml(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Map => "a table".into(),
        Unexpected::Seq => "an array".into(),
        Unexpected::Str(text) => format!("\"{text}\""),
        Unexpected::Signed(n) => n.to_string(),
        Unexpected::Unsigned(n) => n.to_string(),
        Unexpected::Float(n) => n.to_string(),
        Unexpected::Bool(b) => b.to_string(),
        other => other.to_string(),
    }
}

/// The entry at `path`: the span of its key, and its value.
pub(super) fn at<'t, 'i>(root: &'t Node<'i>, path: &[Step]) -> Option<(Range<usize>, &'t Node<'i>)> {
    let mut key_span = root.span();
    let mut node = root;
    for step in path {
        node = match (step, node.get_ref()) {
            (Step::Key(key), DeValue::Table(table)) => {
                let (spanned, value) = table.iter().find(|(k, _)| k.get_ref().as_ref() == key)?;
                key_span = spanned.span();
                value
            }
            (Step::Index(index), DeValue::Array(array)) => {
                let value = array.get(*index)?;
                key_span = value.span();
                value
            }
            _ => return None,
        };
    }
    Some((key_span, node))
}

/// Puts a word under `key` of the table at `path`; `false` if there is no such table.
pub(super) fn stand_in(root: &mut Node<'_>, path: &[Step], key: &str) -> bool {
    let mut node = root;
    for step in path {
        let below = match (step, node.get_mut()) {
            (Step::Key(key), DeValue::Table(table)) => table.get_mut(key.as_str()),
            (Step::Index(index), DeValue::Array(array)) => array.get_mut(*index),
            _ => None,
        };
        match below {
            Some(below) => node = below,
            None => return false,
        }
    }
    let DeValue::Table(table) = node.get_mut() else { return false };
    table.insert(Spanned::new(0..0, key.to_owned().into()), Spanned::new(0..0, DeValue::String("x".into())));
    true
}

/// Takes out the deepest table entry on `path`; `false` if there is none.
pub(super) fn remove(root: &mut Node<'_>, path: &[Step]) -> bool {
    let Some(last_key) = path.iter().rposition(|step| matches!(step, Step::Key(_))) else { return false };
    let mut node = root;
    for step in &path[..last_key] {
        node = match (step, node.get_mut()) {
            (Step::Key(key), DeValue::Table(table)) => match table.get_mut(key.as_str()) {
                Some(value) => value,
                None => return false,
            },
            (Step::Index(index), DeValue::Array(array)) => match array.get_mut(*index) {
                Some(value) => value,
                None => return false,
            },
            _ => return false,
        };
    }
    let Step::Key(key) = &path[last_key] else { return false };
    match node.get_mut() {
        DeValue::Table(table) => table.remove(key.as_str()).is_some(),
        _ => false,
    }
}

/// Reads a typed value from a node.
#[derive(Clone, Copy)]
pub(super) struct Reader<'t, 'i>(pub(super) &'t Node<'i>);

impl<'de> Deserializer<'de> for Reader<'_, '_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.0.get_ref() {
            DeValue::String(text) => visitor.visit_str(text),
            DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
                Ok(n) if n >= 0 => visitor.visit_u64(n as u64),
                Ok(n) => visitor.visit_i64(n),
                Err(_) => Err(de::Error::custom(format!("{n} does not fit in 64 bits"))),
            },
            DeValue::Float(n) => match n.as_str().parse() {
                Ok(n) => visitor.visit_f64(n),
                Err(_) => Err(de::Error::custom(format!("{n} is not a number"))),
            },
            DeValue::Boolean(b) => visitor.visit_bool(*b),
            DeValue::Datetime(at) => visitor.visit_str(&at.to_string()),
            DeValue::Array(array) => {
                let mut items = Items { array, next: 0 };
                let value = visitor.visit_seq(&mut items)?;
                match items.next {
                    read if read < array.len() => Err(de::Error::custom(format!(
                        "an array of {} values where {read} are expected",
                        array.len()
                    ))),
                    _ => Ok(value),
                }
            }
            DeValue::Table(table) => visitor.visit_map(Entries { entries: table.iter(), value: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match self.0.get_ref() {
            DeValue::String(name) => visitor.visit_enum(Choice { name, content: None }),
            DeValue::Table(table) if table.len() == 1 => {
                let (key, content) = table.iter().next().expect("a table of one entry has one");
                visitor.visit_enum(Choice { name: key.get_ref(), content: Some(content) })
            }
            DeValue::Table(table) => {
                let found: Vec<String> = table.keys().map(|key| key.get_ref().to_string()).collect();
                // A key that is no alternative is the mistake; without it there may be just one left.
                if let Some(wrong) = found.iter().find(|key| !variants.contains(&key.as_str())) {
                    let mut error: ReadError = de::Error::unknown_variant(wrong, variants);
                    error.at_key = true;
                    return Err(error.below(Step::Key(wrong.clone())));
                }
                Err(ReadError::new(Fault::NotOne { found, expected: variants }))
            }
            _ => Err(de::Error::custom(format!("expected one of: {}", variants.join(", ")))),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

struct Items<'t, 'i> {
    array: &'t toml::de::DeArray<'i>,
    next: usize,
}

impl<'de> SeqAccess<'de> for &mut Items<'_, '_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let Some(node) = self.array.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Reader(node)).map(Some).map_err(|error| error.below(Step::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.array.len() - self.next)
    }
}

struct Entries<'t, 'i, I> {
    entries: I,
    value: Option<(&'t str, &'t Node<'i>)>,
}

impl<'de, 't, 'i: 't, I> MapAccess<'de> for Entries<'t, 'i, I>
where
    I: Iterator<Item = (&'t Spanned<toml::de::DeString<'i>>, &'t Node<'i>)>,
{
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        let key: &str = key.get_ref();
        self.value = Some((key, value));
        let reader: StrDeserializer<'_, ReadError> = key.into_deserializer();
        seed.deserialize(reader).map(Some).map_err(|error| {
            let mut error = error.below(Step::Key(key.to_owned()));
            error.at_key = true;
            error
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        let (key, value) = self.value.take().expect("serde asks for a key before its value");
        seed.deserialize(Reader(value)).map_err(|error| error.below(Step::Key(key.to_owned())))
    }
}

/// One alternative of an enum: `name`, or `[….name]` with its content.
struct Choice<'t, 'i> {
    name: &'t str,
    content: Option<&'t Node<'i>>,
}

impl<'de> EnumAccess<'de> for Choice<'_, '_> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), ReadError> {
        let reader: StrDeserializer<'_, ReadError> = self.name.into_deserializer();
        let value = seed.deserialize(reader).map_err(|mut error| {
            if self.content.is_some() {
                error.at_key = true;
                error.below(Step::Key(self.name.to_owned()))
            } else {
                error
            }
        })?;
        Ok((value, self))
    }
}

impl Choice<'_, '_> {
    fn content<'de, T>(
        &self,
        read: impl FnOnce(Reader<'_, '_>) -> Result<T, ReadError>,
    ) -> Result<T, ReadError>
    where
        T: 'de,
    {
        match self.content {
            Some(node) => read(Reader(node)).map_err(|error| error.below(Step::Key(self.name.to_owned()))),
            None => Err(de::Error::custom(format!("\"{}\" needs a table of its own", self.name))),
        }
    }
}

impl<'de> VariantAccess<'de> for Choice<'_, '_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        match self.content.map(Spanned::get_ref) {
            None => Ok(()),
            Some(DeValue::Table(table)) if table.is_empty() => Ok(()),
            Some(_) => Err(de::Error::custom(format!("\"{}\" takes no options", self.name))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ReadError> {
        match self.content {
            Some(node) => {
                seed.deserialize(Reader(node)).map_err(|error| error.below(Step::Key(self.name.to_owned())))
            }
            None => Err(de::Error::custom(format!("\"{}\" needs a table of its own", self.name))),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ReadError> {
        self.content(|reader| reader.deserialize_any(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.content(|reader| reader.deserialize_any(visitor))
    }
}

/// Parses a file into a tree; every syntax error at once.
pub(super) fn parse(text: &str) -> (Node<'_>, Vec<toml::de::Error>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let span = table.span();
    (Spanned::new(span, DeValue::Table(table.into_inner())), errors)
}

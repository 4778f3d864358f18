//! The figures that a report knows by name: their words in both languages, unit, and which way is better. A figure that
//! is not here is shown as it stands.

use parapet_core::{IncidentKind, Language};

use super::Figure;

mod known;

pub use known::KNOWN;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// Simplified Chinese.
    pub zh: &'static str,
}

impl Text {
    /// The text in `language`.
    pub const fn to(self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::ZhCn => self.zh,
        }
    }
}

/// A text from its English and its Chinese.
pub(crate) const fn text(en: &'static str, zh: &'static str) -> Text {
    Text { en, zh }
}

/// Which quantity a figure is of: how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 0 to 1, written × 100 with one decimal.
    Share,
    /// A score threshold, 0 to 1, two decimals.
    Score,
    /// Seconds.
    Seconds,
    /// How many.
    Count,
    /// How many for each of something.
    Rate,
    /// Times real time.
    Factor,
    /// Megabytes.
    Megabytes,
    /// Not known.
    Plain,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
    /// Neither: a fact.
    Neither,
}

/// A figure that the report knows.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Dotted name, without class or kind.
    pub name: &'static str,
    /// Short name in tables.
    pub label: Text,
    /// What it means, in one line.
    pub meaning: Text,
    /// How it is written.
    pub unit: Unit,
    /// Which way is better.
    pub better: Better,
}

/// A dotted name taken apart: the known figure and the class or kind after it.
pub fn split(name: &str) -> Option<(&'static Known, Option<&str>)> {
    KNOWN.iter().find_map(|known| {
        let rest = name.strip_prefix(known.name)?;
        if rest.is_empty() { Some((known, None)) } else { Some((known, Some(rest.strip_prefix('.')?))) }
    })
}

/// The known figure of that exact name.
pub fn named(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// What a class or a kind of incident is called; its id where it has no other name.
pub fn label_name(label: &str, language: Language) -> String {
    if let Some(kind) = IncidentKind::ALL.into_iter().find(|kind| kind.as_str() == label) {
        return kind.name(language).to_owned();
    }
    if language == Language::En {
        return label.replace('_', " ");
    }
    let chinese = match label {
        "person" => "人",
        "bicycle" => "自行车",
        "car" => "小汽车",
        "motorcycle" => "摩托车",
        "ebike" | "e-bike" => "电动自行车",
        "kick_scooter" | "kick scooter" => "滑板车",
        "bus" => "公交车",
        "truck" => "卡车",
        "van" => "面包车",
        "tricycle" => "三轮车",
        "boat" => "船",
        "bird" => "鸟",
        "cat" => "猫",
        "dog" => "狗",
        "bag" => "包",
        "backpack" => "背包",
        "handbag" => "手提包",
        "suitcase" => "行李箱",
        "umbrella" => "雨伞",
        "chair" => "椅子",
        "building" => "建筑",
        "change" => "变化",
        "goods" => "堆物",
        "stall" => "摊位",
        _ => label,
    };
    chinese.replace('_', " ")
}

/// A number as tables show it, "—" where it is not defined (or not finite).
pub fn number(value: Option<f64>, unit: Unit) -> String {
    let Some(value) = value.filter(|value| value.is_finite()) else {
        return "—".into();
    };
    let decimals = match unit {
        Unit::Share | Unit::Megabytes => 1,
        Unit::Score => 2,
        Unit::Count => usize::from(value.fract() != 0.0),
        Unit::Seconds | Unit::Rate | Unit::Factor | Unit::Plain => match value.abs() {
            large if large >= 100.0 => 0,
            middle if middle >= 10.0 => 1,
            small if small >= 1.0 || small == 0.0 => 2,
            _ => 3,
        },
    };
    let scaled = if unit == Unit::Share { value * 100.0 } else { value };
    let text = format!("{scaled:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.into(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

/// A difference, with its sign.
pub fn difference(value: Option<f64>, unit: Unit) -> String {
    let text = number(value, unit);
    let zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if zero || text.starts_with(['−', '—']) { text } else { format!("+{text}") }
}

/// The interval of a figure (`41.2–47.0`), none where either end is missing.
pub fn interval(figure: &Figure, unit: Unit) -> Option<String> {
    let (low, high) = (figure.low?, figure.high?);
    if !low.is_finite() || !high.is_finite() {
        return None;
    }
    let (low, high) = (number(Some(low), unit), number(Some(high), unit));
    let dash = if low.starts_with('−') || high.starts_with('−') { "…" } else { "–" };
    Some(format!("{low}{dash}{high}"))
}

/// The unit after a number, where it needs one.
pub const fn suffix(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => " s",
        Unit::Megabytes => " MB",
        Unit::Factor => "×",
        Unit::Share | Unit::Score | Unit::Count | Unit::Rate | Unit::Plain => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_split_into_figure_and_class_even_with_dots_in_the_class() {
        let (known, class) = split("detection.ap50.e-bike v1.2").unwrap();
        assert_eq!((known.name, class), ("detection.ap50", Some("e-bike v1.2")));
        assert_eq!(split("detection.ap").unwrap().0.name, "detection.ap");
        assert!(split("detection.apx").is_none());
        assert!(split("detection.ap_tiny").is_none());
    }

    #[test]
    fn what_is_not_defined_is_a_dash_and_zero_is_zero() {
        assert_eq!(number(None, Unit::Share), "—");
        assert_eq!(number(Some(f64::NAN), Unit::Seconds), "—");
        assert_eq!(number(Some(f64::INFINITY), Unit::Rate), "—");
        assert_eq!(number(Some(0.0), Unit::Share), "0.0");
        assert_eq!(number(Some(-0.0001), Unit::Share), "0.0");
        assert_eq!(
            interval(&Figure { value: Some(0.5), low: Some(f64::NAN), high: Some(0.6) }, Unit::Share),
            None
        );
    }

    #[test]
    fn shares_are_written_times_a_hundred_and_differences_with_their_sign() {
        assert_eq!(number(Some(0.4567), Unit::Share), "45.7");
        assert_eq!(difference(Some(0.021), Unit::Share), "+2.1");
        assert_eq!(difference(Some(-1.5), Unit::Seconds), "−1.50");
        assert_eq!(difference(Some(0.0), Unit::Share), "0.0");
        assert_eq!(difference(None, Unit::Share), "—");
    }

    #[test]
    fn every_known_figure_has_words_in_both_languages_and_one_entry() {
        for (index, known) in KNOWN.iter().enumerate() {
            assert!(KNOWN[..index].iter().all(|other| other.name != known.name), "{}", known.name);
            for words in [known.label, known.meaning] {
                assert!(!words.en.is_empty() && !words.zh.is_empty(), "{}", known.name);
            }
            assert!(!known.meaning.zh.is_ascii(), "{}", known.name);
        }
    }
}

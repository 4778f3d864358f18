//! Lists and reports as files: CSV, XLSX and PDF out of one table.

use parapet_core::Language;
use parapet_paper::{PaperError, Press, Template};
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use serde::Serialize;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Number(f64),
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn count(count: u64) -> Self {
        Self::Number(count as f64)
    }

    fn words(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Rows under named columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Csv,
    Xlsx,
    Pdf,
}

impl Form {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pdf => "application/pdf",
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Pdf => "pdf",
        }
    }

    /// So many rows fit: on paper nobody reads more, in a spreadsheet the program gives up.
    pub(crate) fn most_rows(self) -> usize {
        match self {
            Self::Csv | Self::Xlsx => 100_000,
            Self::Pdf => 500,
        }
    }
}

/// A spreadsheet takes text that begins so for a formula.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

impl Table {
    /// With a mark at the front by which Excel knows the encoding. Text that a spreadsheet would take for a formula is quoted.
    pub(crate) fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(|cell| match cell {
                Cell::Text(text) if is_formula(text) => format!("'{text}"),
                cell => cell.words(),
            }))?;
        }
        writer.into_inner().map_err(|error| error.into_error().into())
    }

    pub(crate) fn xlsx(&self) -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        let bold = Format::new().set_bold();
        for (column, name) in (0..).zip(&self.columns) {
            sheet.write_string_with_format(0, column, name, &bold)?;
        }
        for (number, row) in (1..).zip(&self.rows) {
            for (column, cell) in (0..).zip(row) {
                match cell {
                    Cell::Text(text) => sheet.write_string(number, column, text)?,
                    Cell::Number(value) => sheet.write_number(number, column, *value)?,
                };
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        sheet.autofit();
        book.save_to_buffer()
    }

    /// The first rows on paper; `narrowed` says what they were narrowed to.
    pub(crate) fn pdf(
        &self,
        press: &Press,
        language: Language,
        narrowed: &str,
    ) -> Result<Vec<u8>, PaperError> {
        let widest = |column: usize| {
            let lengths = self.rows.iter().filter_map(|row| row.get(column));
            lengths.map(|cell| cell.words().chars().count()).max().unwrap_or(0)
        };
        let columns = self.columns.iter().enumerate();
        let facts = ListFacts {
            language,
            title: &self.title,
            narrowed,
            columns: columns.map(|(index, name)| ListColumn { name, wide: widest(index) > 24 }).collect(),
            rows: self.rows.iter().map(|row| row.iter().map(Cell::words).collect()).collect(),
            more: self.rows.len() >= Form::Pdf.most_rows(),
        };
        press.pdf(Template::List, &facts, Vec::new())
    }
}

#[derive(Serialize)]
struct ListFacts<'a> {
    language: Language,
    title: &'a str,
    narrowed: &'a str,
    columns: Vec<ListColumn<'a>>,
    rows: Vec<Vec<String>>,
    more: bool,
}

#[derive(Serialize)]
struct ListColumn<'a> {
    name: &'a str,
    wide: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            title: "案件".to_owned(),
            columns: vec!["编号".to_owned(), "数量".to_owned()],
            rows: vec![
                vec![Cell::text("AJ2026-000001"), Cell::count(3)],
                vec![Cell::text("=HYPERLINK(\"x\")"), Cell::Number(0.5)],
            ],
        }
    }

    #[test]
    fn a_table_is_the_same_in_every_form() {
        let csv = String::from_utf8(table().csv().unwrap()).unwrap();
        assert_eq!(csv, "\u{feff}编号,数量\nAJ2026-000001,3\n\"'=HYPERLINK(\"\"x\"\")\",0.5\n");
        assert!(table().xlsx().unwrap().starts_with(b"PK"));
        let pdf = table().pdf(&Press::new(), Language::ZhCn, "全部").unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
    }
}

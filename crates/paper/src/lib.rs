//! Typesets what is printed: hand-over orders, reports and lists, as PDF, out of the templates in `templates/`.
//!
//! A template gets its facts as JSON and pictures as files of a name; it reads nothing else. Fonts are the machine's: Chinese
//! needs one that has it (Debian: `fonts-noto-cjk`).

use std::collections::HashMap;

use serde::Serialize;
use typst::{
    Library, LibraryExt, World,
    diag::{FileError, FileResult},
    foundations::{Bytes, Datetime, Duration},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};
use typst_kit::fonts::{self, FontStore};

/// What can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Template {
    /// 《执法交办单》: a hand-over order.
    Order,
    /// A month of all sites.
    Report,
    /// A list of incidents or cases.
    List,
}

impl Template {
    fn text(self) -> &'static str {
        match self {
            Self::Order => include_str!("templates/order.typ"),
            Self::Report => include_str!("templates/report.typ"),
            Self::List => include_str!("templates/list.typ"),
        }
    }
}

/// A picture for a template, by the name under which the facts speak of it.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Its name, with an ending that tells its format (`before.jpg`, `plan.svg`).
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Why something cannot be printed.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// The facts are no JSON.
    #[error("cannot write down the facts for the {template:?}")]
    Facts {
        /// What was to be printed.
        template: Template,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// The template does not fit the facts, or a picture is none.
    #[error("cannot typeset the {template:?}: {reason}")]
    Typeset {
        /// What was to be printed.
        template: Template,
        /// What the typesetter says.
        reason: String,
    },
}

/// A typesetter with its fonts. Making one looks through the machine's fonts, so it is made once.
pub struct Press {
    library: LazyHash<Library>,
    fonts: FontStore,
}

impl std::fmt::Debug for Press {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Press").finish_non_exhaustive()
    }
}

impl Default for Press {
    fn default() -> Self {
        Self::new()
    }
}

impl Press {
    /// With all fonts of the machine.
    pub fn new() -> Self {
        let mut store = FontStore::new();
        store.extend(fonts::system());
        Self { library: LazyHash::new(Library::default()), fonts: store }
    }

    /// The PDF of a template with these facts, whose texts are in the language that they name.
    ///
    /// # Errors
    /// See [`PaperError`].
    pub fn pdf(
        &self,
        template: Template,
        facts: &impl Serialize,
        pictures: Vec<Picture>,
    ) -> Result<Vec<u8>, PaperError> {
        let facts = serde_json::to_vec(facts).map_err(|source| PaperError::Facts { template, source })?;
        let main = Source::new(file("main.typ"), template.text().to_owned());
        let shared = Source::new(file("shared.typ"), include_str!("templates/shared.typ").to_owned());
        let mut files: HashMap<FileId, Bytes> =
            pictures.into_iter().map(|picture| (file(&picture.name), Bytes::new(picture.bytes))).collect();
        files.insert(file("facts.json"), Bytes::new(facts));
        let sheet = Sheet { press: self, main, shared, files };
        let failed = |errors: &[typst::diag::SourceDiagnostic]| {
            let reasons: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
            PaperError::Typeset { template, reason: reasons.join("; ") }
        };
        let document = typst::compile(&sheet).output.map_err(|errors| failed(&errors))?;
        let options = typst_pdf::PdfOptions::default();
        let pdf = typst_pdf::pdf(&document, &options).map_err(|errors| failed(&errors));
        // What the typesetter remembers of one document is of no use for the next.
        typst::comemo::evict(0);
        pdf
    }
}

fn file(name: &str) -> FileId {
    // A name that is no path becomes one that no template asks for.
    let path = VirtualPath::new(name).or_else(|_| VirtualPath::new("unnamed"));
    RootedPath::new(VirtualRoot::Project, path.expect("\"unnamed\" is a path")).intern()
}

/// One document on its way through the press.
struct Sheet<'a> {
    press: &'a Press,
    main: Source,
    shared: Source,
    files: HashMap<FileId, Bytes>,
}

impl World for Sheet<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.press.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.press.fonts.book()
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        let sources = [&self.main, &self.shared];
        let found = sources.into_iter().find(|source| source.id() == id);
        found.cloned().ok_or(FileError::AccessDenied)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        self.files.get(&id).cloned().ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.press.fonts.font(index)
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(language: &str) -> serde_json::Value {
        json!({
            "language": language, "title": "执法交办单", "number": "〔2026〕3号", "case": "AJ2026-000012",
            "issued_at": "2026-11-22 16:05", "issued_by": "王芳", "department": "柳园街道综合执法队", "site": "柳园小区",
            "kind": "疑似楼顶违建", "category": "市容环境", "class_code": "0101", "basis": "《中华人民共和国城乡规划法》第六十四条",
            "place": "3 号楼楼顶", "coordinates": "30.53000, 120.68000 ± 0.5 m", "building": "3 号楼", "area": "32.7 ± 7.6 m²",
            "found_at": "2026-11-22 15:40", "found_by": "drone", "instruction": "责令停止施工", "due": "2026-12-18 17:30",
            "plan": "plan.svg",
            "pictures": [{ "file": "before.jpg", "caption": "之前" }],
            "evidence": [{ "name": "snapshot", "at": "2026-11-22 15:40", "sha256": "ab".repeat(32) }],
        })
    }

    fn pictures() -> Vec<Picture> {
        let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><rect width="200" height="100" fill="#ddd"/></svg>"##;
        vec![
            Picture { name: "plan.svg".to_owned(), bytes: svg.into() },
            Picture { name: "before.jpg".to_owned(), bytes: include_bytes!("test.jpg").to_vec() },
        ]
    }

    #[test]
    fn an_order_is_printed_in_both_languages() {
        let press = Press::new();
        for language in ["zh-CN", "en"] {
            let pdf = press.pdf(Template::Order, &facts(language), pictures()).unwrap();
            assert!(pdf.starts_with(b"%PDF-"), "{language}");
            if let Some(directory) = std::env::var_os("PARAPET_KEEP") {
                std::fs::write(std::path::Path::new(&directory).join(format!("order-{language}.pdf")), &pdf)
                    .unwrap();
            }
        }
    }

    #[test]
    fn what_the_template_lacks_is_named() {
        let error = Press::new().pdf(Template::Order, &json!({}), Vec::new()).unwrap_err();
        assert!(error.to_string().contains("language"), "{error}");
    }
}

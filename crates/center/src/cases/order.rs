//! 《执法交办单》: what an order says, frozen when it is issued, and how it reads in each language.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::tz::TimeZone;
use parapet_core::{
    CameraId, EvidenceRole, IncidentId, KindCode, Language, SiteId, Timestamp,
    geo::Place,
    site::{Name, Site},
};
use parapet_paper::Picture;
use parapet_store::{CaseDetail, DepartmentRow, KindRow, OrderRow, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::plan;

/// What is printed, in no language: names are there in both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OrderDocument {
    pub(crate) case: String,
    pub(crate) site: SiteId,
    #[serde(default)]
    pub(crate) site_name: Name,
    #[serde(default)]
    pub(crate) building_name: Name,
    /// The camera that saw it first.
    #[serde(default)]
    pub(crate) camera: Option<CameraId>,
    /// Names of cameras that have one.
    #[serde(default)]
    pub(crate) camera_names: BTreeMap<String, String>,
    pub(crate) kind: KindCode,
    pub(crate) kind_zh: String,
    pub(crate) kind_en: String,
    pub(crate) category_code: String,
    pub(crate) category_zh: String,
    pub(crate) category_en: String,
    pub(crate) class_code: String,
    pub(crate) basis_zh: String,
    pub(crate) basis_en: String,
    pub(crate) department_zh: String,
    pub(crate) department_en: String,
    pub(crate) place_text: Option<String>,
    pub(crate) place: Option<Place>,
    pub(crate) note: Option<String>,
    /// When the first of its incidents began.
    pub(crate) found_at: Timestamp,
    /// Who saw it.
    pub(crate) found_by: Vec<String>,
    pub(crate) evidence: Vec<OrderEvidence>,
}

/// A file of evidence that an order names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OrderEvidence {
    pub(crate) incident: IncidentId,
    pub(crate) role: EvidenceRole,
    pub(crate) at: Timestamp,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// Pictures on the paper: what there was before, and what is there.
const PRINTED: [EvidenceRole; 4] =
    [EvidenceRole::Before, EvidenceRole::Annotated, EvidenceRole::After, EvidenceRole::Snapshot];
/// At most so many of them.
const PICTURES: usize = 4;

/// What an order about a case says now: the document of a [`NewOrder`](parapet_store::NewOrder).
///
/// # Errors
/// When the store fails.
pub async fn document(
    store: &Store,
    detail: &CaseDetail,
    kind: &KindRow,
    department: &DepartmentRow,
) -> Result<serde_json::Value, StoreError> {
    let document = OrderDocument::of(store, detail, kind, department).await?;
    Ok(serde_json::to_value(document).unwrap_or_default())
}

impl OrderDocument {
    /// What is known of a case now.
    async fn of(
        store: &Store,
        detail: &CaseDetail,
        kind: &KindRow,
        department: &DepartmentRow,
    ) -> Result<Self, StoreError> {
        let case = &detail.case;
        let site = store.sites().await?.into_iter().find(|row| row.site == case.site);
        let building = case.place.as_ref().and_then(|place| place.building.as_ref());
        let drawn = site.as_ref().and_then(|row| row.plan.as_ref()).and_then(drawn);
        let building = drawn.as_ref().zip(building).and_then(|(site, id)| site.building(id));
        let site_name = site.map(|row| Name { zh: Some(row.name_zh), en: Some(row.name_en) });
        let mut document = Self {
            case: case.number.to_string(),
            site: case.site.clone(),
            site_name: site_name.unwrap_or_default(),
            building_name: building.map(|building| building.name.clone()).unwrap_or_default(),
            camera: case.camera.clone(),
            camera_names: BTreeMap::new(),
            kind: case.kind.clone(),
            kind_zh: kind.name_zh.clone(),
            kind_en: kind.name_en.clone(),
            category_code: kind.category_code.clone(),
            category_zh: kind.category_zh.clone(),
            category_en: kind.category_en.clone(),
            class_code: kind.class_code.clone(),
            basis_zh: kind.basis_zh.clone(),
            basis_en: kind.basis_en.clone(),
            department_zh: department.name_zh.clone(),
            department_en: department.name_en.clone(),
            place_text: case.place_text.clone(),
            place: case.place.clone(),
            note: case.note.clone(),
            found_at: case.opened_at,
            found_by: Vec::new(),
            evidence: Vec::new(),
        };
        for id in &detail.incidents {
            let Some(incident) = store.incident(*id).await? else { continue };
            document.found_at = document.found_at.min(incident.incident.since);
            for row in std::iter::once(&incident.incident).chain(&incident.sightings) {
                let camera = row.camera.to_string();
                if !document.found_by.contains(&camera) {
                    document.found_by.push(camera);
                }
            }
            document.evidence.extend(incident.evidence.iter().map(|stored| OrderEvidence {
                incident: *id,
                role: stored.item.role,
                at: stored.at,
                bytes: stored.item.bytes,
                sha256: stored.item.sha256.clone(),
            }));
        }
        for row in store.cameras().await? {
            let id = row.camera.to_string();
            if row.site == case.site
                && document.found_by.contains(&id)
                && let Some(name) = row.name
            {
                document.camera_names.insert(id, name);
            }
        }
        Ok(document)
    }

    /// Where it is on the site's plan as that is now, as SVG.
    pub(crate) async fn plan(&self, store: &Store, language: Language) -> Result<Option<String>, StoreError> {
        let row = store.sites().await?.into_iter().find(|row| row.site == self.site);
        let site = row.and_then(|row| row.plan).as_ref().and_then(drawn);
        Ok(site.and_then(|site| plan::drawing(&site, self.place.as_ref(), self.camera.as_ref(), language)))
    }

    /// The pictures that go on the paper.
    pub(crate) fn pictures(&self) -> impl Iterator<Item = &OrderEvidence> {
        let of = |role: EvidenceRole| self.evidence.iter().filter(move |item| item.role == role);
        PRINTED.into_iter().flat_map(of).take(PICTURES)
    }
}

/// A site's plan, if it can be read: plans are checked when they come.
fn drawn(plan: &serde_json::Value) -> Option<Site> {
    Site::from_geojson(&plan.to_string()).ok()
}

/// Everything on the paper as text, in one language. What the template calls it is its name here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Facts {
    pub(crate) language: Language,
    pub(crate) number: String,
    pub(crate) case: String,
    pub(crate) issued_at: String,
    pub(crate) issued_by: String,
    pub(crate) department: String,
    pub(crate) site: String,
    pub(crate) kind: String,
    pub(crate) category: String,
    pub(crate) class_code: String,
    pub(crate) basis: String,
    pub(crate) place: String,
    pub(crate) coordinates: String,
    pub(crate) building: String,
    pub(crate) area: String,
    pub(crate) found_at: String,
    pub(crate) found_by: String,
    pub(crate) instruction: String,
    pub(crate) due: String,
    pub(crate) plan: Option<String>,
    pub(crate) pictures: Vec<FactsPicture>,
    pub(crate) evidence: Vec<FactsEvidence>,
}

/// A picture on the paper.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FactsPicture {
    pub(crate) file: String,
    pub(crate) caption: String,
}

/// A line of the list of evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct FactsEvidence {
    pub(crate) name: String,
    pub(crate) at: String,
    pub(crate) sha256: String,
}

/// Of two texts the one in a language, or the other where that is empty.
pub(crate) fn either<'a>(language: Language, zh: &'a str, en: &'a str) -> &'a str {
    let (first, second) = if language == Language::ZhCn { (zh, en) } else { (en, zh) };
    if first.is_empty() { second } else { first }
}

fn role_name(role: EvidenceRole, language: Language) -> &'static str {
    let (zh, en) = match role {
        EvidenceRole::Snapshot => ("抓拍原图", "Snapshot"),
        EvidenceRole::Annotated => ("标注图", "Annotated"),
        EvidenceRole::Before => ("此前", "Before"),
        EvidenceRole::After => ("此后", "After"),
        EvidenceRole::Clip => ("视频", "Clip"),
    };
    either(language, zh, en)
}

/// A time as people write it, to the minute.
pub(crate) fn written(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

impl Facts {
    pub(crate) fn new(
        order: &OrderRow,
        document: &OrderDocument,
        language: Language,
        zone: &TimeZone,
    ) -> Self {
        let words = |zh: &str, en: &str| either(language, zh, en).to_owned();
        let number = match (order.number.year_and_serial(), language) {
            (Some((year, serial)), Language::ZhCn) => format!("执交〔{year}〕{serial}号"),
            _ => order.number.to_string(),
        };
        let place = document.place.as_ref();
        let coordinates = place.map_or_else(String::new, |place| {
            let point = place.position.point;
            let (latitude, longitude) = (point.latitude, point.longitude);
            let mut text = format!("{latitude:.6}, {longitude:.6}");
            let _ = write!(text, " ± {:.1} m (WGS84)", place.position.uncertainty_meters);
            text
        });
        let pictures = document.pictures().enumerate().map(|(index, item)| FactsPicture {
            file: format!("picture-{index}.jpg"),
            caption: format!("{} · {}", role_name(item.role, language), written(item.at, zone)),
        });
        let evidence = document.evidence.iter().map(|item| FactsEvidence {
            name: role_name(item.role, language).to_owned(),
            at: written(item.at, zone),
            sha256: item.sha256.clone(),
        });
        Self {
            language,
            number,
            case: document.case.clone(),
            issued_at: written(order.issued_at, zone),
            issued_by: order.issued_by.clone(),
            department: words(&document.department_zh, &document.department_en),
            site: document.site_name.or_id(language, document.site.as_str()).to_owned(),
            kind: words(&document.kind_zh, &document.kind_en),
            category: words(&document.category_zh, &document.category_en),
            class_code: document.class_code.clone(),
            basis: words(&document.basis_zh, &document.basis_en),
            place: document.place_text.clone().or_else(|| document.note.clone()).unwrap_or_default(),
            coordinates,
            building: place.and_then(|place| place.building.as_ref()).map_or_else(String::new, |id| {
                document.building_name.or_id(language, id.as_str()).to_owned()
            }),
            area: place
                .and_then(|place| place.area_square_meters)
                .map_or_else(String::new, |area| format!("{area:.1} m²")),
            found_at: written(document.found_at, zone),
            found_by: document
                .found_by
                .iter()
                .map(|id| document.camera_names.get(id).unwrap_or(id).as_str())
                .collect::<Vec<_>>()
                .join(either(language, "、", ", ")),
            instruction: order.instruction.clone().unwrap_or_default(),
            due: order.due.map(|due| written(due, zone)).unwrap_or_default(),
            plan: None,
            pictures: pictures.collect(),
            evidence: evidence.collect(),
        }
    }

    /// The pictures under the names that the facts give them; one that cannot be had is left out of the facts.
    pub(crate) fn keep_pictures(&mut self, files: Vec<Option<Vec<u8>>>) -> Vec<Picture> {
        let mut kept = Vec::new();
        let mut files = files.into_iter();
        self.pictures.retain(|picture| match files.next().flatten() {
            Some(bytes) => {
                kept.push(Picture { name: picture.file.clone(), bytes });
                true
            }
            None => false,
        });
        kept
    }

    /// The same as a page; `plan` is a drawing of ours, as SVG.
    pub(crate) fn html(&self, picture: &[String], plan: Option<String>) -> String {
        let words = |zh: &'static str, en: &'static str| either(self.language, zh, en);
        let title = words("执法交办单", "Hand-over order");
        let rows = [
            (words("承办单位", "To"), &self.department),
            (words("案件编号", "Case"), &self.case),
            (words("交办时间", "Issued"), &self.issued_at),
            (words("交办人", "By"), &self.issued_by),
            (words("办理期限", "To be done by"), &self.due),
            (words("问题类别", "Kind"), &self.kind),
            (words("类别代码", "Code"), &self.class_code),
            (words("小区", "Site"), &self.site),
            (words("楼栋", "Building"), &self.building),
            (words("地点", "Place"), &self.place),
            (words("坐标", "Coordinates"), &self.coordinates),
            (words("面积", "Area"), &self.area),
            (words("发现时间", "Found"), &self.found_at),
            (words("来源", "Source"), &self.found_by),
            (words("法律依据", "Legal basis"), &self.basis),
            (words("交办要求", "What is to be done"), &self.instruction),
        ];
        let hint = words(
            "事件由系统自动识别，为疑似线索，须经人工核实。",
            "Incidents are raised by a program: each is a suspicion that a person has to check.",
        );
        let page = maud::html! {
            (maud::DOCTYPE)
            html lang=(if self.language == Language::ZhCn { "zh-CN" } else { "en" }) {
                head {
                    meta charset="utf-8";
                    title { (title) " " (self.number) }
                    link rel="stylesheet" href="/print.css";
                }
                body {
                    h1 { (title) }
                    p.number { (self.number) }
                    table {
                        @for (name, value) in rows {
                            tr { th { (name) } td { @if value.is_empty() { "—" } @else { (value) } } }
                        }
                    }
                    div.pictures {
                        @for (shown, address) in self.pictures.iter().zip(picture) {
                            figure { img src=(address) alt=(shown.caption); figcaption { (shown.caption) } }
                        }
                    }
                    @if let Some(plan) = plan {
                        h2 { (words("位置图", "Plan")) }
                        div.plan { (maud::PreEscaped(plan)) }
                    }
                    @if !self.evidence.is_empty() {
                        h2 { (words("证据清单", "Evidence")) }
                        table {
                            @for item in &self.evidence {
                                tr { td { (item.name) } td { (item.at) } td { code { (item.sha256) } } }
                            }
                        }
                    }
                    p.hint { (hint) }
                }
            }
        };
        page.into_string()
    }
}

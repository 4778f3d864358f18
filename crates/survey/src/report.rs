//! What a comparison says, as it is written: versioned, in JSON, each length with its unit.

use std::fmt;

use parapet_change::survey::Refusal;
use parapet_core::{
    BuildingId, Language, Point, SiteId, Timestamp,
    geo::{GeoPoint, Position},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of [`SurveyReport`] that this program writes.
pub const REPORT_VERSION: u32 = 1;

/// Two flights over a site compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveyReport {
    /// [`REPORT_VERSION`].
    pub version: u32,
    /// The site.
    pub site: SiteId,
    /// The earlier flight.
    pub before: FlightSummary,
    /// The later flight.
    pub after: FlightSummary,
    /// Every building of the site, in the site's order.
    pub roofs: Vec<RoofOutcome>,
    /// What has changed, the surest first.
    pub findings: Vec<Finding>,
}

/// A flight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlightSummary {
    /// Its name.
    pub name: String,
    /// When its first picture was taken, if known.
    #[schemars(with = "Option<String>")]
    pub from: Option<Timestamp>,
    /// When its last picture was taken, if known.
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// Pictures with telemetry.
    pub pictures: usize,
    /// Pictures that were looked at.
    pub looked_at: usize,
    /// Why the flight as a whole cannot be compared.
    pub refused: Option<Reason>,
}

/// One building's roof.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoofOutcome {
    /// The building.
    pub building: BuildingId,
    /// Whether it was judged.
    pub state: RoofState,
    /// Both looks at the whole roof on one grid, for a slider.
    pub pictures: Option<RoofPictures>,
}

/// Whether a roof was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RoofState {
    /// It was.
    Judged {
        /// Share of the roof that was seen in both flights, 0..=1.
        share: f32,
        /// Looks before.
        looks_before: usize,
        /// Looks after.
        looks_after: usize,
        /// Median distance of common corners after registration, metres; the worst of the looks.
        residual_meters: f32,
        /// Distance between where the two flights' telemetry puts the roof, metres.
        flights_apart_meters: f32,
    },
    /// It was not.
    NotJudged {
        /// Why.
        reason: Reason,
    },
}

/// Why a roof or a flight is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reason {
    /// The flight has no picture with telemetry.
    NoTelemetry,
    /// The flight was flown elsewhere.
    OtherPlace {
        /// From the site to its nearest picture, metres.
        meters: f32,
    },
    /// No picture shows enough of the roof.
    NotSeen {
        /// Of the roof, at most.
        share: f32,
    },
    /// The roof is seen only from the side.
    TooOblique {
        /// From straight down, at least.
        degrees: f32,
    },
    /// Nothing is to be seen.
    Blank {
        /// Standard deviation of brightness, levels of 255.
        contrast: f32,
    },
    /// Fog, blur or a dirty lens.
    TooFoggy {
        /// Sharpness relative to the other flight.
        sharpness: f32,
    },
    /// There is nothing on the roof to hold on to.
    TooFewFeatures {
        /// Corners.
        found: u32,
        /// Corners that are needed.
        wanted: u32,
    },
    /// The flights do not show the same roof there.
    NotSamePlace {
        /// Corners that agree.
        inliers: u32,
    },
    /// The flights agree too roughly or only in a part of the roof.
    TooRough,
    /// More of the roof has changed than a comparison can mean.
    TooMuchChanged {
        /// Share of the roof.
        share: f32,
    },
}

impl Reason {
    /// One sentence for people.
    pub fn text(&self, language: Language) -> String {
        match (self, language) {
            (Self::NoTelemetry, Language::ZhCn) => "没有可用的位姿数据".into(),
            (Self::NoTelemetry, Language::En) => "no usable telemetry".into(),
            (Self::OtherPlace { meters }, Language::ZhCn) => {
                format!("飞行地点不在本小区，相距 {meters:.0} 米")
            }
            (Self::OtherPlace { meters }, Language::En) => {
                format!("flown elsewhere, {meters:.0} m from the site")
            }
            (Self::NotSeen { share }, Language::ZhCn) => format!("屋顶只拍到 {:.0}%", share * 100.0),
            (Self::NotSeen { share }, Language::En) => {
                format!("no picture shows more than {:.0} % of the roof", share * 100.0)
            }
            (Self::TooOblique { degrees }, Language::ZhCn) => format!("拍摄过斜，偏离垂直 {degrees:.0} 度"),
            (Self::TooOblique { degrees }, Language::En) => {
                format!("seen only from the side, {degrees:.0}° from straight down")
            }
            (Self::Blank { .. }, Language::ZhCn) => "画面空白".into(),
            (Self::Blank { .. }, Language::En) => "the pictures are blank".into(),
            (Self::TooFoggy { sharpness }, Language::ZhCn) => {
                format!("雾大或模糊，清晰度只有另一次飞行的 {:.0}%", sharpness * 100.0)
            }
            (Self::TooFoggy { sharpness }, Language::En) => {
                format!("fog or blur: {:.0} % of the other flight's sharpness", sharpness * 100.0)
            }
            (Self::TooFewFeatures { .. }, Language::ZhCn) => "屋顶纹理太少，无法对齐".into(),
            (Self::TooFewFeatures { .. }, Language::En) => {
                "too little texture on the roof to align it".into()
            }
            (Self::NotSamePlace { .. }, Language::ZhCn) => "两次飞行拍到的不是同一个屋顶".into(),
            (Self::NotSamePlace { .. }, Language::En) => "the flights do not show the same roof here".into(),
            (Self::TooRough, Language::ZhCn) => "两次飞行的画面对不齐".into(),
            (Self::TooRough, Language::En) => {
                "the flights' pictures cannot be laid on each other well enough".into()
            }
            (Self::TooMuchChanged { share }, Language::ZhCn) => {
                format!("屋顶 {:.0}% 都不一样，无法判断（施工、积雪或错误的位姿）", share * 100.0)
            }
            (Self::TooMuchChanged { share }, Language::En) => format!(
                "{:.0} % of the roof differs: building works, snow or a wrong pose, not single structures",
                share * 100.0
            ),
        }
    }
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotSeen { share } => Self::NotSeen { share },
            Refusal::Blank { contrast } => Self::Blank { contrast },
            Refusal::TooFoggy { sharpness } => Self::TooFoggy { sharpness },
            Refusal::TooFewFeatures { found, wanted } => {
                Self::TooFewFeatures { found: found as u32, wanted: wanted as u32 }
            }
            Refusal::NotSamePlace { inliers, .. } => Self::NotSamePlace { inliers: inliers as u32 },
            Refusal::TooLocal { .. } | Refusal::TooRough { .. } => Self::TooRough,
        }
    }
}

/// Pictures of a whole roof, as paths relative to the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoofPictures {
    /// Before.
    pub before: String,
    /// After, laid on the other pixel by pixel.
    pub after: String,
}

/// What a finding is, as far as one comparison can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there before.
    New,
    /// Something was there, and there is more of it or it has been finished.
    Grown,
    /// It is not there any more.
    Removed,
}

impl Change {
    /// As it is written in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grown => "grown",
            Self::Removed => "removed",
        }
    }

    /// For people.
    pub fn text(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::New, Language::ZhCn) => "新增",
            (Self::New, Language::En) => "new",
            (Self::Grown, Language::ZhCn) => "扩建",
            (Self::Grown, Language::En) => "grown",
            (Self::Removed, Language::ZhCn) => "已拆除",
            (Self::Removed, Language::En) => "removed",
        }
    }
}

/// A finding's id: the same whenever the same two flights are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct FindingId(#[schemars(with = "String")] pub Uuid);

impl FindingId {
    /// The id that these parts always give.
    pub(crate) fn derive(parts: &[&str]) -> Self {
        const NAMESPACE: Uuid = Uuid::from_u128(0x7061_7261_7065_742d_7375_7276_6579_2d31);
        Self(Uuid::new_v5(&NAMESPACE, parts.join("\u{1f}").as_bytes()))
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A structure that is new, has grown or is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// The building on which it stands.
    pub building: BuildingId,
    /// What it is.
    pub change: Change,
    /// Its middle, with the standard deviation of the place.
    pub position: Position,
    /// Its outline on the earth; the last corner joins the first.
    pub polygon: Vec<GeoPoint>,
    /// Its outline in the roof's pictures, normalized.
    pub outline: Vec<Point>,
    /// Its area, square metres.
    pub area_m2: f32,
    /// Standard deviation of the area, square metres.
    pub area_error_m2: f32,
    /// How likely it is a true one, 0..=1; calibrated on flights that were held back.
    pub confidence: f32,
    /// Looks of the later flight in which it could be seen.
    pub looks_asked: usize,
    /// Looks in which it is.
    pub looks_seen: usize,
    /// Pictures of it.
    pub crops: Option<Crops>,
}

/// Pictures of one finding, as paths relative to the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crops {
    /// Before.
    pub before: String,
    /// After, laid on the other pixel by pixel.
    pub after: String,
}

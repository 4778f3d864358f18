//! What is wrong with a record of telemetry, in words for the people who fly.

use std::time::Duration;

use parapet_core::Language;

/// One finding about a stretch of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct TelemetryProblem {
    /// What it is.
    pub trouble: Trouble,
    /// Beginning of the stretch, from the beginning of the recording.
    pub from: Duration,
    /// Its end.
    pub to: Duration,
    /// How many samples it holds.
    pub samples: usize,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trouble {
    /// An entry that cannot be read: no position in it, or a wrong checksum.
    Unreadable,
    /// No position, or latitude and longitude 0: the drone had no satellites.
    NoPosition,
    /// Neither a height above the take-off place nor, with a known ground, an altitude.
    NoHeight,
    /// No angles of the camera.
    NoDirection,
    /// A height above the ground that no survey has, metres.
    ImpossibleHeight(f64),
    /// A camera that looks up, degrees.
    LooksUp(f64),
    /// Time that goes back.
    TimeBackwards,
    /// A way that no drone flies in the time between two samples: metres.
    Jump(f64),
    /// The position stands still to the last digit, but the drone moves.
    Frozen,
    /// Nothing was written for a while.
    Gap,
    /// Positions are written with so few digits: metres of the last one. Used, but not sharper than that.
    Coarse(f64),
    /// Too little is left to interpolate.
    TooFew,
    /// No angles of the camera: it is assumed to look where the drone flies, as the options say.
    AssumedDirection,
    /// A still that a program turned upside down after the flight; its pose is turned with it.
    UpsideDown,
    /// A still that a program saved again after the flight: if it was cropped or turned, its places are wrong.
    Edited,
}

impl Trouble {
    /// Whether the stretch has no poses because of it.
    pub fn loses_poses(self) -> bool {
        !matches!(self, Self::Coarse(_) | Self::AssumedDirection | Self::UpsideDown | Self::Edited)
    }

    /// What it is and what follows.
    fn text(self, language: Language) -> String {
        match language {
            Language::En => match self {
                Self::Unreadable => "the entry is damaged or has no position".to_owned(),
                Self::NoPosition => "no satellite position".to_owned(),
                Self::NoHeight => {
                    "no height above the take-off place; state the ground's altitude".to_owned()
                }
                Self::NoDirection => {
                    "no gimbal angles; this drone does not write them, or not with this setting".to_owned()
                }
                Self::ImpossibleHeight(meters) => {
                    format!("a height of {meters:.0} m above the ground cannot be")
                }
                Self::LooksUp(degrees) => format!("the camera looks {degrees:.0}° up"),
                Self::TimeBackwards => "time goes backwards".to_owned(),
                Self::Jump(meters) => format!("the position jumps by {meters:.0} m"),
                Self::Frozen => "the position stands still while the drone moves".to_owned(),
                Self::Gap => "no telemetry".to_owned(),
                Self::Coarse(meters) => {
                    format!("positions are written in steps of {meters:.0} m only: places are no sharper")
                }
                Self::TooFew => "too few samples are left for a track".to_owned(),
                Self::AssumedDirection => {
                    "no gimbal angles; the camera is assumed to look where the drone flies".to_owned()
                }
                Self::UpsideDown => {
                    "turned by 180° in Windows Photo Viewer after the flight; the pose is turned with it"
                        .to_owned()
                }
                Self::Edited => {
                    "saved again by a program after the flight; if it was cropped or turned, places are wrong"
                        .to_owned()
                }
            },
            Language::ZhCn => match self {
                Self::Unreadable => "该条数据损坏或没有位置".to_owned(),
                Self::NoPosition => "没有卫星定位".to_owned(),
                Self::NoHeight => "没有相对起飞点的高度；请给出地面海拔".to_owned(),
                Self::NoDirection => "没有云台角度：该机型或该设置不记录云台角度".to_owned(),
                Self::ImpossibleHeight(meters) => format!("离地高度 {meters:.0} 米不可能"),
                Self::LooksUp(degrees) => format!("相机上仰 {degrees:.0}°"),
                Self::TimeBackwards => "时间倒退".to_owned(),
                Self::Jump(meters) => format!("位置跳变 {meters:.0} 米"),
                Self::Frozen => "飞机在动，位置却一直不变".to_owned(),
                Self::Gap => "没有遥测数据".to_owned(),
                Self::Coarse(meters) => format!("位置记录的最小单位为 {meters:.0} 米，定位精度不会更高"),
                Self::TooFew => "剩余数据太少，无法形成航迹".to_owned(),
                Self::AssumedDirection => "没有云台角度；假定相机朝飞行方向".to_owned(),
                Self::UpsideDown => "飞行后在“Windows 照片查看器”中旋转了 180°；位姿已随之修正".to_owned(),
                Self::Edited => "飞行后被软件另存过；若经裁剪或旋转，定位会出错".to_owned(),
            },
        }
    }
}

impl TelemetryProblem {
    /// One line: when, how many, what, and what was done about it.
    pub fn text(&self, language: Language) -> String {
        let what = self.trouble.text(language);
        let (from, to) = (clock(self.from), clock(self.to));
        let when = if from == to { from } else { format!("{from}–{to}") };
        let follows = match (language, self.trouble.loses_poses(), self.samples) {
            (_, false, _) => "",
            (Language::En, true, 0) => "; no poses",
            (Language::En, true, _) => "; not used",
            (Language::ZhCn, true, 0) => "；无位姿",
            (Language::ZhCn, true, _) => "；未采用",
        };
        match language {
            Language::En => {
                let samples = match self.samples {
                    0 => String::new(),
                    1 => " (1 sample)".to_owned(),
                    n => format!(" ({n} samples)"),
                };
                format!("{when}{samples}: {what}{follows}")
            }
            Language::ZhCn => {
                let samples = match self.samples {
                    0 => String::new(),
                    n => format!("（{n} 条）"),
                };
                format!("{when}{samples}：{what}{follows}")
            }
        }
    }
}

/// Minutes and seconds, as a player shows them.
fn clock(at: Duration) -> String {
    let tenths = at.as_millis() / 100;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

/// What was found in a record.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TelemetryReport {
    /// Samples in the record.
    pub samples: usize,
    /// Those that poses are made of.
    pub used: usize,
    /// What is wrong, in the order of time.
    pub problems: Vec<TelemetryProblem>,
}

impl TelemetryReport {
    /// The problems, a line each; empty when there are none.
    pub fn text(&self, language: Language) -> String {
        self.problems.iter().map(|p| p.text(language)).collect::<Vec<_>>().join("\n")
    }

    /// Whether a problem of this kind was found.
    pub fn has(&self, kind: impl Fn(&Trouble) -> bool) -> bool {
        self.problems.iter().any(|p| kind(&p.trouble))
    }

    /// Adds a problem that spans this stretch.
    pub(crate) fn add(&mut self, trouble: Trouble, from: Duration, to: Duration, samples: usize) {
        self.problems.push(TelemetryProblem { trouble, from, to, samples });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_when_what_and_what_follows() {
        let problem = TelemetryProblem {
            trouble: Trouble::Jump(512.3),
            from: Duration::from_secs(72),
            to: Duration::from_millis(75_540),
            samples: 35,
        };
        assert_eq!(
            problem.text(Language::En),
            "1:12.0–1:15.5 (35 samples): the position jumps by 512 m; not used"
        );
        assert_eq!(problem.text(Language::ZhCn), "1:12.0–1:15.5（35 条）：位置跳变 512 米；未采用");
        let gap = TelemetryProblem { trouble: Trouble::Gap, samples: 0, ..problem };
        assert_eq!(gap.text(Language::En), "1:12.0–1:15.5: no telemetry; no poses");
    }
}

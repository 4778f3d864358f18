//! Refusals and failures as problem details (RFC 9457), for people in both languages.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use parapet_core::{
    CaseId, Status,
    case::{CaseError, CaseStep},
};
use parapet_paper::PaperError;
use parapet_store::StoreError;
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

use crate::{archive::ArchiveError, caller::seconds, evidence::EvidenceError, uploads::UploadError};

/// Why a request was not answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Name of the kind of problem (a URN).
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The same for programs: `not_found`, `conflict`, …
    pub(crate) code: String,
    /// In a few words (English).
    pub(crate) title: String,
    /// HTTP status.
    pub(crate) status: u16,
    /// What happened here (English).
    pub(crate) detail: String,
    /// What happened here, for people.
    pub(crate) messages: Messages,
}

/// A text in both languages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Messages {
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    pub(crate) zh_cn: String,
    /// English.
    pub(crate) en: String,
}

/// What can go wrong with a request.
#[derive(Debug)]
pub(crate) enum ApiError {
    NotFound,
    Invalid {
        field: &'static str,
        hint: &'static str,
    },
    Body(String),
    AlreadyJudged(Status),
    NoEvidence,
    Evidence(EvidenceError),
    NoPicture,
    NodeUnreachable,
    /// What a node says to being set up.
    Setup {
        status: StatusCode,
        code: &'static str,
        zh: String,
        en: String,
    },
    Foreign,
    SignInNeeded,
    SignInFailed,
    Locked(Duration),
    TooMany(Duration),
    Forbidden,
    Sealed,
    Csrf,
    NameTaken,
    LastAdministrator,
    Claimed(String),
    AlreadyFiled(CaseId),
    Case(CaseError),
    CaseChanged,
    AlreadyHeld,
    Held,
    DeletionAsked,
    SamePerson,
    PeopleOnly,
    Upload(UploadError),
    Paper(PaperError),
    Unprintable,
    Archive(ArchiveError),
    Store(StoreError),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoCase(_) | StoreError::NoIncident(_) | StoreError::NoDeletion(_) => Self::NotFound,
            StoreError::Held(_) => Self::Held,
            StoreError::NothingToDelete(_) => Self::NoEvidence,
            StoreError::DeletionAsked(_) => Self::DeletionAsked,
            StoreError::SamePerson(_) => Self::SamePerson,
            StoreError::AlreadyFiled { case, .. } => Self::AlreadyFiled(case),
            StoreError::Transition { from, .. } => Self::AlreadyJudged(from),
            StoreError::Case(error) => Self::Case(error),
            StoreError::CaseChanged(_) => Self::CaseChanged,
            StoreError::CannotMerge { .. } => Self::Invalid { field: "into", hint: "open, same site" },
            error => Self::Store(error),
        }
    }
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        Self::Upload(error)
    }
}

impl From<EvidenceError> for ApiError {
    fn from(error: EvidenceError) -> Self {
        Self::Evidence(error)
    }
}

/// Why a deed to a case is refused, for people.
fn refusal(error: CaseError) -> (String, String) {
    let zh = match error {
        CaseError::NotNow { step, .. } => {
            format!("案件现处于“{}”环节，不能进行此操作；请刷新后再看", step_name(step).0)
        }
        CaseError::Suspended => "案件已挂起，请先恢复".to_owned(),
        CaseError::NoReason(_) => "此操作须填写理由".to_owned(),
        CaseError::NoDepartment => "派遣须指定承办单位".to_owned(),
        CaseError::NoAllowance => "延期须填写时长".to_owned(),
        CaseError::NoOtherCase => "并案须指定另一个案件".to_owned(),
        CaseError::NobodyAbove => "案件已在最高层级".to_owned(),
    };
    (zh, error.to_string())
}

/// A step for people, in Chinese and English.
pub(super) fn step_name(step: CaseStep) -> (&'static str, &'static str) {
    match step {
        CaseStep::Reported => ("上报", "reported"),
        CaseStep::Accepted => ("立案", "accepted"),
        CaseStep::Dispatched => ("派遣", "dispatched"),
        CaseStep::Handled => ("处置", "handled"),
        CaseStep::Verified => ("核查", "verified"),
        CaseStep::Closed => ("结案", "closed"),
        CaseStep::Rejected => ("不予立案", "rejected"),
        CaseStep::Merged => ("并案", "merged"),
    }
}

pub(super) fn status_name(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::New => ("待核查", "to check"),
        Status::Confirmed => ("已确认", "confirmed"),
        Status::Dismissed => ("已排除", "dismissed"),
        Status::Filed => ("已立案", "filed"),
        Status::Dispatched => ("已派遣", "dispatched"),
        Status::Handled => ("已处置", "handled"),
        Status::Verified => ("已核查", "verified"),
        Status::Closed => ("已结案", "closed"),
    }
}

impl ApiError {
    fn parts(&self) -> (StatusCode, &'static str, &'static str, String, String) {
        match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not_found",
                "Not found",
                "没有这项内容".to_owned(),
                "there is no such thing".to_owned(),
            ),
            Self::Invalid { field, hint } => (
                StatusCode::BAD_REQUEST,
                "invalid",
                "Invalid request",
                format!("参数 {field} 无效；应为：{hint}"),
                format!("{field} is not valid; hint: {hint}"),
            ),
            Self::Body(text) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_body",
                "Invalid body",
                format!("请求内容无效：{text}"),
                format!("the body is not valid: {text}"),
            ),
            Self::AlreadyJudged(status) => {
                let (zh, en) = status_name(*status);
                (
                    StatusCode::CONFLICT,
                    "already_judged",
                    "Already judged",
                    format!("此事件已由他人判定为“{zh}”"),
                    format!("somebody has already judged this incident: {en}"),
                )
            }
            Self::Claimed(by) => (
                StatusCode::CONFLICT,
                "claimed",
                "Somebody else looks at it",
                format!("{by} 正在核查此事件"),
                format!("{by} is looking at this incident"),
            ),
            Self::AlreadyFiled(case) => (
                StatusCode::CONFLICT,
                "already_filed",
                "Already filed",
                format!("此事件已归入案件 {case}"),
                format!("this incident is a part of case {case} already"),
            ),
            Self::Case(error) => {
                let (zh, en) = refusal(*error);
                (StatusCode::CONFLICT, "case_refused", "Not possible now", zh, en)
            }
            Self::CaseChanged => (
                StatusCode::CONFLICT,
                "case_changed",
                "Just changed",
                "案件刚被他人更改，请刷新后再操作".to_owned(),
                "somebody has just changed this case; look again".to_owned(),
            ),
            Self::AlreadyHeld => (
                StatusCode::CONFLICT,
                "already_held",
                "Already held",
                "证据已处于保全状态".to_owned(),
                "the evidence is held already".to_owned(),
            ),
            Self::Held => (
                StatusCode::CONFLICT,
                "held",
                "Held",
                "证据已被保全，或所属案件尚未结案，不能删除".to_owned(),
                "a hold or an open case keeps the evidence; it cannot be deleted".to_owned(),
            ),
            Self::DeletionAsked => (
                StatusCode::CONFLICT,
                "deletion_asked",
                "Already asked for",
                "已有人申请删除此事件的证据，等待另一人批准".to_owned(),
                "somebody has asked for this deletion already; it waits for another person".to_owned(),
            ),
            Self::SamePerson => (
                StatusCode::CONFLICT,
                "same_person",
                "Two people needed",
                "删除证据须由两人完成：请由申请人以外的人批准".to_owned(),
                "deleting evidence takes two people: somebody other than who asked must approve".to_owned(),
            ),
            Self::Sealed => (
                StatusCode::FORBIDDEN,
                "sealed",
                "Sealed",
                "此摄像机画面含隐私区域，视频无法打码，原始视频已封存，仅具备解封权限的人员（审计员、管理员）可查看".to_owned(),
                "parts of what this camera sees are private and cannot be hidden in a clip, so it is sealed: only those \
                 who may unseal (auditors, administrators) see it"
                    .to_owned(),
            ),
            Self::PeopleOnly => (
                StatusCode::FORBIDDEN,
                "people_only",
                "People only",
                "删除证据须由本人登录后操作，不能使用程序令牌".to_owned(),
                "only people who have signed in may delete evidence, not programs".to_owned(),
            ),
            Self::Upload(UploadError::TooLarge) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "picture_too_large",
                "Picture too large",
                "图片超过 10 MB".to_owned(),
                "the picture is larger than 10 MB".to_owned(),
            ),
            Self::Upload(UploadError::NoPicture) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "no_picture_file",
                "Not a picture",
                "文件不是可读取的 JPEG 或 PNG 图片".to_owned(),
                "the file is no JPEG or PNG picture that can be read".to_owned(),
            ),
            Self::Upload(UploadError::Changed(_)) => (
                StatusCode::BAD_GATEWAY,
                "evidence_mismatch",
                "Picture does not match",
                "图片与登记的校验值不符，未予显示".to_owned(),
                "the picture does not match the hash under which it was kept, so it is not shown".to_owned(),
            ),
            Self::Upload(UploadError::Disk { .. }) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "cache_failed",
                "Cannot keep a picture",
                "中心无法读写图片，请检查磁盘".to_owned(),
                "the center cannot read or write a picture; check the disk".to_owned(),
            ),
            Self::Paper(_) | Self::Unprintable | Self::Archive(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "unprintable",
                "Cannot be printed",
                "无法生成文件，请联系管理员".to_owned(),
                "the document cannot be made; an administrator finds the reason in the log".to_owned(),
            ),
            Self::NoEvidence => (
                StatusCode::NOT_FOUND,
                "no_evidence",
                "No such evidence",
                "此事件尚无这项证据".to_owned(),
                "this incident has no such evidence (yet)".to_owned(),
            ),
            Self::Evidence(EvidenceError::Gone) => (
                StatusCode::GONE,
                "evidence_gone",
                "Evidence deleted",
                "节点已按保存期限删除此证据".to_owned(),
                "the node has deleted this evidence at the end of its retention".to_owned(),
            ),
            Self::Evidence(EvidenceError::Deleted(deleted)) => (
                StatusCode::GONE,
                "evidence_deleted",
                "Evidence deleted",
                format!(
                    "此证据已删除：{} 申请，{} 批准，{}",
                    deleted.asked_by, deleted.approved_by, deleted.at
                ),
                format!(
                    "this evidence was deleted by {} and {} on {}",
                    deleted.asked_by, deleted.approved_by, deleted.at
                ),
            ),
            Self::Evidence(EvidenceError::Mismatch { .. }) => (
                StatusCode::BAD_GATEWAY,
                "evidence_mismatch",
                "Evidence does not match",
                "证据文件与登记的校验值不符，未予显示".to_owned(),
                "the file does not match the hash that was registered for it, so it is not shown".to_owned(),
            ),
            Self::Evidence(EvidenceError::Unreachable(_)) | Self::NodeUnreachable => (
                StatusCode::BAD_GATEWAY,
                "node_unreachable",
                "Node unreachable",
                "无法从节点读取，节点可能离线".to_owned(),
                "the node cannot be reached; it may be offline".to_owned(),
            ),
            Self::Evidence(EvidenceError::Cache { .. }) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "cache_failed",
                "Cannot keep a copy",
                "中心无法保存证据副本，请检查磁盘空间".to_owned(),
                "the center cannot keep a copy of the evidence; check the disk".to_owned(),
            ),
            Self::NoPicture => (
                StatusCode::SERVICE_UNAVAILABLE,
                "no_picture",
                "No picture",
                "此摄像机目前没有画面".to_owned(),
                "this camera has no picture at the moment".to_owned(),
            ),
            Self::Setup { status, code, zh, en } => {
                (*status, *code, "Setup refused", zh.clone(), en.clone())
            }
            Self::Foreign => (
                StatusCode::FORBIDDEN,
                "foreign_origin",
                "Foreign origin",
                "拒绝来自其他网站的请求；如经代理访问，请在 public_hosts 中登记主机名".to_owned(),
                "the request comes from another site or for another host; behind a proxy, list the host in public_hosts".to_owned(),
            ),
            Self::SignInNeeded => (
                StatusCode::UNAUTHORIZED,
                "sign_in_needed",
                "Sign-in needed",
                "请先登录".to_owned(),
                "sign in first".to_owned(),
            ),
            Self::SignInFailed => (
                StatusCode::UNAUTHORIZED,
                "sign_in_failed",
                "Sign-in failed",
                "用户名或密码错误".to_owned(),
                "the name or the password is wrong".to_owned(),
            ),
            Self::Locked(wait) => (
                StatusCode::TOO_MANY_REQUESTS,
                "locked",
                "Locked",
                format!("密码错误次数过多，请在 {} 秒后重试", seconds(*wait)),
                format!("too many wrong passwords; try again in {} s", seconds(*wait)),
            ),
            Self::TooMany(wait) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "Too many requests",
                format!("操作过于频繁，请在 {} 秒后重试", seconds(*wait)),
                format!("too many changes; try again in {} s", seconds(*wait)),
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "forbidden",
                "Forbidden",
                "您没有此操作的权限；如有需要请联系管理员".to_owned(),
                "you may not do this; an administrator can allow it".to_owned(),
            ),
            Self::Csrf => (
                StatusCode::FORBIDDEN,
                "csrf",
                "Not from the page",
                "请求缺少页面校验码，请刷新页面后重试".to_owned(),
                "the request does not carry the session's x-parapet-csrf; load the page again".to_owned(),
            ),
            Self::NameTaken => (
                StatusCode::CONFLICT,
                "name_taken",
                "Name taken",
                "此用户名已被使用".to_owned(),
                "this name is taken".to_owned(),
            ),
            Self::LastAdministrator => (
                StatusCode::CONFLICT,
                "last_administrator",
                "Last administrator",
                "这是最后一位可登录的管理员，请先指定另一位".to_owned(),
                "this is the last administrator who can sign in; make another one first".to_owned(),
            ),
            Self::Store(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "store_failed",
                "Database failed",
                "中心的数据库出错，请联系管理员".to_owned(),
                "the center's database failed; an administrator finds the reason in its log".to_owned(),
            ),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match &self {
            Self::Store(error) => {
                error!(error = error as &dyn std::error::Error, "a request failed in the database");
            }
            Self::Archive(error) => {
                error!(error = error as &dyn std::error::Error, "an archive cannot be written");
            }
            Self::Paper(error) => {
                error!(error = error as &dyn std::error::Error, "a document cannot be printed");
            }
            Self::Upload(error @ (UploadError::Disk { .. } | UploadError::Changed(_))) => {
                error!(error = error as &dyn std::error::Error, "a picture cannot be kept or shown");
            }
            Self::Evidence(error @ (EvidenceError::Mismatch { .. } | EvidenceError::Cache { .. })) => {
                error!(error = error as &dyn std::error::Error, "evidence cannot be shown");
            }
            _ => {}
        }
        let (status, code, title, zh_cn, en) = self.parts();
        let retry_after = match &self {
            Self::Locked(wait) | Self::TooMany(wait) => Some(HeaderValue::from(seconds(*wait))),
            _ => None,
        };
        let problem = Problem {
            kind: format!("urn:parapet:problem:{code}"),
            code: code.to_owned(),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: en.clone(),
            messages: Messages { zh_cn, en },
        };
        let mut response = (status, Json(problem)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        response
    }
}

//! Why something cannot be set up, as problem details for people in both languages.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The node does not let itself be set up.
    Off,
    /// There is no such thing.
    NotFound,
    /// Somebody changed the file meanwhile.
    Changed,
    /// The text has mistakes.
    Problems,
    /// As much of this as there may be is under way.
    Busy,
    /// A camera lets nobody in.
    CameraPassword,
    /// A camera does not answer in time.
    CameraSilent,
    /// Nothing answers at the address of a camera.
    CameraUnreachable,
    /// A camera has no stream of this path.
    CameraNoStream,
    /// A stream cannot be shown.
    CameraNoVideo,
    /// What answers speaks no ONVIF.
    CameraNotUnderstood,
    /// It cannot be done; in Chinese and English.
    Refused { zh: String, en: String },
    /// The disk; in English.
    Failed(String),
}

impl Refusal {
    pub(crate) fn refused(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Refused { zh: zh.into(), en: en.into() }
    }

    fn parts(self) -> (StatusCode, &'static str, String, String) {
        match self {
            Self::Off => (
                StatusCode::CONFLICT,
                "setup_off",
                "此节点未开启远程设置；请在其配置文件中设置 [node.setup] enabled = true 并重启".into(),
                "this node does not let itself be set up; set [node.setup] enabled = true in its pipeline file, and restart it".into(),
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "not_found",
                "没有这项内容".into(),
                "there is no such thing".into(),
            ),
            Self::Changed => (
                StatusCode::CONFLICT,
                "setup_changed",
                "配置文件已被他人更改，请重新载入后再保存".into(),
                "somebody has changed the pipeline file; load it again".into(),
            ),
            Self::Problems => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "setup_problems",
                "配置有错误，未保存".into(),
                "the pipeline file has mistakes and was not saved".into(),
            ),
            Self::Busy => (
                StatusCode::CONFLICT,
                "setup_busy",
                "节点正忙，请稍候再试".into(),
                "the node is at work on another one; try again soon".into(),
            ),
            Self::CameraPassword => camera("camera_password", "用户名或密码错误", "the user or the password is wrong"),
            Self::CameraSilent => camera("camera_silent", "摄像机未在时限内应答", "the camera did not answer in time"),
            Self::CameraUnreachable => {
                camera("camera_unreachable", "此地址无法连接，请检查地址和端口", "nothing answers there; check address and port")
            }
            Self::CameraNoStream => {
                camera("camera_no_stream", "摄像机上没有此路径的视频流", "the camera has no stream of this path")
            }
            Self::CameraNoVideo => camera(
                "camera_no_video",
                "视频流无法解码（应为 H.264 或 H.265）",
                "the stream cannot be decoded; it should be H.264 or H.265",
            ),
            Self::CameraNotUnderstood => camera(
                "camera_not_understood",
                "此地址有应答，但不是可用的 ONVIF 设备",
                "something answers there, but no ONVIF device that can be used",
            ),
            Self::Refused { zh, en } => (StatusCode::UNPROCESSABLE_ENTITY, "setup_refused", zh, en),
            Self::Failed(en) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "setup_failed",
                format!("节点无法读写文件：{en}"),
                en,
            ),
        }
    }
}

fn camera(code: &'static str, zh: &str, en: &str) -> (StatusCode, &'static str, String, String) {
    (StatusCode::UNPROCESSABLE_ENTITY, code, zh.to_owned(), en.to_owned())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, zh, en) = self.parts();
        let body = json!({
            "title": code, "code": code, "status": status.as_u16(), "detail": en,
            "messages": { "zh-CN": zh, "en": en },
        });
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

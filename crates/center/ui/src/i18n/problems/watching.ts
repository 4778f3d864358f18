/** What a camera's status says: connections and pictures (`ingest`), visits, domes and panics (`edge`), and what the libraries that read cameras say most. */
import type { Wordings } from "./wording";

export const watching: Wordings = {
  // The connection.
  "no answer": "没有应答",
  "no answer to SETUP": "摄像机没有应答 SETUP 请求",
  "no answer to PLAY": "摄像机没有应答 PLAY 请求",
  "it offers no pictures": "这个地址不提供视频",
  "data comes, but no picture can be decoded": "有数据传来，但解码不出画面",
  "nothing comes any more": "不再有数据传来",
  "the machine's clock was set; connecting anew for right times": "本机的时钟被调整，正在重新连接以校正时间",
  "software decodes from now on, not hardware": "今后改用软件解码，不用硬件",
  "{path} is {width} × {height} pixels, the first picture {first_width} × {first_height}": "{path} 为 {width} × {height} 像素，第一张图片为 {first_width} × {first_height}",
  "one size for one camera": "同一台摄像机的图片尺寸应一致",
  "out of memory": "内存不足",

  // What watches.
  "the recording is over": "录像已播放完",
  "panic without a message": "程序异常，没有说明",
  "no picture came within {seconds} s": "{seconds} 秒内没有画面传来",
  "pictures come, but none could be looked at": "有画面传来，但都没能分析",
  "on patrol: looked at every {every} s at the latest": "轮巡中：最迟每 {every} 秒查看一次",
  "on patrol: looked at every {promised} s at the latest instead of every {every} s, for more is configured than the machine can look at":
    "轮巡中：最迟每 {promised} 秒查看一次，达不到要求的 {every} 秒，因为轮巡的摄像机超出了本机的能力",

  // Domes.
  'does not come back to preset "{preset}"': "没有回到预置位“{preset}”",
  "it looks {degrees}° beside it ({across}° {right:way}, {along}° {down:way})": "朝向偏离 {degrees}°（{right} {across}°，{down} {along}°）",
  "its view does not look like its reference pictures": "画面与它的参考图不符",
  '"{url}" is no address of a dome': "“{url}”不是球机的地址",
  "http://HOST/onvif/device_service": "应如 http://主机/onvif/device_service",
  "cannot read the password of the dome from {path}": "无法从 {path} 读取球机的密码",
  "the environment has no variable {name}": "没有环境变量 {name}",
  "it should hold the password of the dome": "其中应为球机的密码",
  "cannot make an HTTP client": "无法建立 HTTP 客户端",
  "cannot ask the dome at {url} ({action})": "无法向球机 {url} 发送请求（{action}）",
  "is it switched on, and is the address right?": "请确认球机已通电，地址正确",
  "the dome lets nobody in ({action})": "球机拒绝登录（{action}）",
  "check username and password of an ONVIF user with PTZ rights": "请检查用户名和密码，应为有云台控制权限的 ONVIF 用户",
  "the dome refuses {action}: {reason}": "球机拒绝了 {action}：{reason}",
  "`parapet dome presets` lists what it has": "可用 `parapet dome presets` 列出它的预置位",
  "cannot understand the dome's answer to {action}: {what:answer}": "无法理解球机对 {action} 的应答：{what}",
  "does the address lead to an ONVIF service?": "请确认地址指向 ONVIF 服务",
  "the dome has no {what:lack}": "球机没有{what}",
  "it must have a PTZ service and a media profile with a PTZ configuration": "球机应有 PTZ 服务，以及带 PTZ 配置的媒体配置",

  // RTSP, as `retina` says it.
  "Unable to connect to RTSP server: {reason:system}": "无法连接摄像机的 RTSP 服务：{reason}",
  "Error reading from RTSP peer: {reason:system}": "无法从摄像机读取数据：{reason}",
  "Error writing to RTSP peer: {reason:system}": "无法向摄像机发送数据：{reason}",
  "{status} response to {method} CSeq={number}: {reason:refusal}": "摄像机对 {method} 请求应答 {status}：{reason}",
  "RTSP framing error: {reason}": "RTSP 数据的格式不对：{reason}",
  "Received interleaved data on unassigned channel {number}": "收到没有约定的通道 {number} 的数据",

  // Everything else, as GStreamer says it.
  "Could not open resource for reading and writing": "无法打开视频源",
  "Could not open resource for reading": "无法打开视频源",
  "Could not read from resource": "无法从视频源读取数据",
  "Could not write to resource": "无法向视频源发送数据",
  "Resource not found": "找不到视频源",
  "Not found": "找不到视频源",
  "Not authorized to access resource": "无权访问视频源",
  Unauthorized: "用户名或密码不被接受",
  "Resource busy or not available": "视频源被占用或不可用",
  "The server closed the connection": "对方断开了连接",
  "GStreamer encountered a general resource error": "视频源出错",
  "Internal data stream error": "视频流出错",
  "GStreamer encountered a general stream error": "视频流出错",
  "Could not decode stream": "无法解码视频流",
  "Could not demultiplex stream": "无法解复用视频流",
  "Could not determine type of stream": "无法判断视频流的类型",
  "The stream is in the wrong format": "视频流的格式不对",
  "The stream is of a different type than handled by this element": "视频流的类型不符",
  "There is no codec present that can handle the stream's type": "没有可用的解码器",
  "This stream contains no valid or supported streams": "其中没有可用的视频流",
  "Your GStreamer installation is missing a plug-in": "GStreamer 缺少插件",
  "{what:message} ({cause:cause})": "{what}（详情：{cause}）",
};

/** What `{right:way}` and `{down:way}` may be. */
export const ways: Wordings = { right: "偏右", left: "偏左", down: "偏下", up: "偏上" };

/** What a dome may lack. */
export const lacks: Wordings = {
  "PTZ service": "云台（PTZ）服务",
  "media profile that turns it": "能控制云台的媒体配置",
};

/** What may be wrong with a dome's answer. */
export const answers: Wordings = {
  "it has {count} bytes": "应答太长，有 {count} 字节",
  "HTTP status {status}": "HTTP 状态 {status}",
  "its time has no {name}": "它的时间没有 {name}",
  "it has no PTZStatus": "其中没有 PTZStatus",
};

/** Why a picture among others is none. */
export const pictures: Wordings = { "the picture is empty": "图片是空的" };

/** Why a camera refuses. */
export const refusals: Wordings = {
  "Received Unauthorized after trying digest auth": "用户名或密码不被接受",
  "Authentication requested and no credentials supplied": "需要用户名和密码，但没有设置",
  "Unauthorized without WWW-Authenticate header": "需要登录，但没有说明方式",
  "Unexpected RTSP response status": "请求没有被接受",
};

/** What GStreamer says behind its message. */
export const causes: Wordings = {
  "streaming stopped, reason {reason}": "数据流中断，{reason}",
  "Failed to connect. ({reason})": "连接失败，{reason}",
};

/** Why the network failed. */
export const network: Wordings = {
  "Connection refused (os error 111)": "对方拒绝连接",
  "Connection reset by peer (os error 104)": "对方断开了连接",
  "Broken pipe (os error 32)": "连接已断开",
  "Connection timed out (os error 110)": "连接超时",
  "No route to host (os error 113)": "找不到通往对方的路由",
  "Network is unreachable (os error 101)": "网络不可达",
  "failed to lookup address information: {reason}": "无法解析主机名（{reason}）",
  "EOF while expecting response to {method} CSeq {number}": "对方没有应答 {method} 请求就断开了连接",
  "Server failed to respond to keepalive {number} within {time}": "对方在 {time} 内没有应答保活请求",
  "error sending request for url ({url}): client error (Connect): tcp connect error: {reason:system}": "{reason}",
  "error sending request for url ({url}): client error (Connect): dns error: {reason:system}": "{reason}",
  "error sending request for url ({url}): operation timed out": "没有应答",
};

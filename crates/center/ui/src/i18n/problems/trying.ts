/** Why a trial of a draft comes to nothing: models and runtimes (`infer`), recordings (`ingest`), what `edge` makes of them. */
import type { Wordings } from "./wording";

export const trying: Wordings = {
  "the camera is not in the file": "配置文件里没有这台摄像机",
  "the recording is broken": "录像已损坏",
  "nothing comes out of the recording any more": "录像读到一半没有画面了",
  'camera "{camera}" has no model': "摄像机“{camera}”没有模型",
  "name one that the file has under [models]": "请指定文件 [models] 下的一个模型",
  "cannot start the thread of the camera": "无法启动摄像机的线程",
  "cannot read the picture {path}": "无法读取图片 {path}",

  // The model.
  'cannot load model "{model}" with provider {provider}': "无法用 {provider} 载入模型“{model}”",
  "is the file an ONNX model of an opset that ONNX Runtime 1.24 knows?": "请确认文件是 ONNX Runtime 1.24 支持的 ONNX 模型",
  'it needs a build of ONNX Runtime for CUDA, CUDA and cuDNN; provider = "auto" does without them': '需要支持 CUDA 的 ONNX Runtime，以及 CUDA 和 cuDNN；改为 provider = "auto" 就不需要',
  "it offers no device for {provider} on this machine": "它在本机上没有可供 {provider} 使用的设备",
  'provider = "cpu" may run it': '可以试试 provider = "cpu"',
  'model "{model}" has no {kind:tensor} "{name}"': "模型“{model}”没有{kind}“{name}”",
  'its {kind:tensor}s are "{names}", correct its manifest': "它的{kind}有“{names}”，请改正模型清单",
  'cannot start the thread of model "{model}"': "无法启动模型“{model}”的线程",
  "run `parapet models fetch {model}`": "请运行 `parapet models fetch {model}`",
  'the weights "{path}" are missing': "找不到权重“{path}”",
  '"{model}/model.toml" says where they come from': "“{model}/model.toml”中写有来源",
  'cannot read the weights "{path}"': "无法读取权重“{path}”",
  'the weights "{path}" have the sha256 {found}, but the manifest says {expected}': "权重“{path}”的 sha256 为 {found}，与模型清单中的 {expected} 不符",
  "get the file again, or correct the manifest if you changed the model": "请重新获取文件；如果换了模型，请改正模型清单",
  "ONNX Runtime's library is not there (tried {paths})": "找不到 ONNX Runtime 的库文件（已尝试 {paths}）",
  "run `make setup`, or set ORT_DYLIB_PATH to a libonnxruntime.so of version 1.24 or newer": "请运行 `make setup`，或把 ORT_DYLIB_PATH 设为 1.24 或更新版本的 libonnxruntime.so",
  'cannot use "{path}" as ONNX Runtime': "“{path}”不能用作 ONNX Runtime",
  "run `make setup`, it must be version 1.24 or newer": "请运行 `make setup`，版本须为 1.24 或更新",
  "the OpenVINO provider's library is not there (tried {paths})": "找不到 OpenVINO 的库文件（已尝试 {paths}）",
  'install onnxruntime-ep-openvino and set PARAPET_OPENVINO_EP to its {library}, or choose provider = "cpu"': '请安装 onnxruntime-ep-openvino，并把 PARAPET_OPENVINO_EP 设为其中的 {library}，或改为 provider = "cpu"',
  'cannot use the OpenVINO provider "{path}"': "无法使用 OpenVINO“{path}”",
  'provider = "cpu" does without it': '改为 provider = "cpu" 就不需要它',
  'the model has no output "{name}"': "模型没有输出“{name}”",
  "compare [family] in its manifest with the ONNX file": "请对照模型清单中的 [family] 与 ONNX 文件",
  'output "{name}" has the shape {found} where {expected:shape} was expected': "输出“{name}”的形状为 {found}，应为 {expected}",
  "check the family, its strides and the number of classes in the manifest": "请检查模型清单中的 family、strides 和类别数",
  'output "{name}" holds numbers of another kind than the family gives': "输出“{name}”的数值类型与模型的 family 不符",
  "the model answers with class {class}, but its manifest names {classes}": "模型给出了第 {class} 类，而模型清单只有 {classes} 类",
  "complete `classes`": "请补全 `classes`",
  "the model's thread panicked: {reason}": "模型的线程异常：{reason}",
  "the model's thread panicked: without a message": "模型的线程异常",
  "the model answered for another number of pictures": "模型给出的结果与图片数不符",
  "cannot run the model: {reason}": "无法运行模型：{reason}",
  'output "{name}" holds {kind}, which no family reads': "输出“{name}”的类型为 {kind}，没有 family 能读取",
  "export the model with float outputs": "请导出输出为浮点数的模型",
  "the model is behind and shed this frame": "模型来不及计算，丢弃了这一帧",
  "the inference engine has stopped": "推理引擎已停止",
  'cannot run the model on frame {number} of camera "{camera}"': "无法用模型分析摄像机“{camera}”的第 {number} 帧",

  // The recording.
  "the source is not set up right: {problems}": "视频源设置有误：{problems}",
  "cannot read the camera's password or passphrase from {from:secret}": "无法从 {from} 读取摄像机的密码或口令",
  'there is no pattern "{name}"': "没有图案“{name}”",
  "see `gst-inspect-1.0 videotestsrc`; ball, smpte and snow are usual": "见 `gst-inspect-1.0 videotestsrc`，常用的有 ball、smpte、snow",
  "it has 10 to 79 characters, the same on both sides": "应为 10 到 79 个字符，双方一致",
  "write it into the first line of that file, readable for this user only": "请写在该文件的第一行，只允许本用户读取",
  "set it, or name a file instead": "请设置该变量，或改用文件",
  "cannot start GStreamer: {reason}": "无法启动 GStreamer：{reason}",
  "run `make setup`": "请运行 `make setup`",
  'GStreamer has no element "{element}"': "GStreamer 缺少组件“{element}”",
  "apt install {package}": "请运行 apt install {package}",
  "apt install gstreamer1.0-libav gstreamer1.0-plugins-bad": "请运行 apt install gstreamer1.0-libav gstreamer1.0-plugins-bad",
  "apt install gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav": "请运行 apt install gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav",
  "no decoder for {format}": "没有 {format} 的解码器",
  "check the path and its permissions": "请检查路径和读取权限",
  "{path} holds no video that can be read ({detail})": "{path} 里没有可读的视频（{detail}）",
  "play it with ffprobe to see what it is": "可用 ffprobe 查看它是什么",
  "no JPEG or PNG pictures at {path}": "{path} 没有 JPEG 或 PNG 图片",
  "check the directory or pattern": "请检查文件夹或通配符",
  "cannot put the pipeline together: {reason}": "无法建立视频处理流程：{reason}",
  "this is a defect of Parapet, please report it": "这是 Parapet 的缺陷，请反馈",
  "cannot start a thread: {reason:system}": "无法启动线程：{reason}",
  "raise the limit of processes (ulimit -u)": "请提高进程数上限（ulimit -u）",
  "another program has it open": "已被其他程序占用",
  "the connection broke; see the network": "连接中断，请检查网络",
  "is this a video?": "请确认这是视频",
  "the data is damaged, or of a kind that GStreamer does not read": "数据已损坏，或是 GStreamer 不能读的格式",
  "check username and password_file or password_env": "请检查 username 以及 password_file 或 password_env",
  "check the path in the address": "请检查地址中的路径",
  "check address and port, and that the camera is on": "请检查地址和端口，并确认摄像机已通电",
};

/** What `{kind:tensor}` may be. */
export const tensors: Wordings = { input: "输入", output: "输出" };

/** What `{expected:shape}` may be. */
export const shapes: Wordings = {
  "[{rows}, {columns}] for each picture": "每张图片 [{rows}, {columns}]",
  "a batch of more than {count} pictures": "一批多于 {count} 张图片",
};

/** Where a password should have come from. */
export const secrets: Wordings = {
  "the passphrase of SRT": "SRT 口令",
  "the environment variable {name}": "环境变量 {name}",
  "{path} ({reason:system})": "{path}（{reason}）",
};

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { detail, speak, speakOfCameras, TABLES, told } from ".";
import { CRATES, isProse, printed, sourceOf, sourcesIn, stringsIn } from "./rust.fixture";

const PARTS = ["core", "analytics", "change", "infer", "ingest", "bus", "edge"];
/** Marks of a source that says what is wrong with options, or with the values that they hold. */
const SAYS = /fn problems\(|\bProblem::new\(|\b(?:Config)?Problem \{|serde\(try_from|Error::custom|Deserialize<'de> for|impl Checker</;
/** Sources with such marks whose texts no pipeline file brings up, and why. */
const OTHERS: Record<string, string> = {
  "core/src/geometry/bbox.rs": "boxes are not written in the file",
  "core/src/incident.rs": "titles of incidents",
  "core/src/ledger.rs": "the chains of signed rows",
  "edge/src/config/problem.rs": "how a problem is printed on a terminal",
};
/** Sources without such marks: what a manifest's weights lack, and what stops a trial. */
const MORE = ["core/src/detection.rs", "edge/src/setup/trial.rs", "infer/src/manifest/weights.rs", "edge/src/assembly.rs", "infer/src/engine.rs", "infer/src/runtime.rs", "infer/src/family/tensor.rs", "infer/src/session.rs", "ingest/src/error.rs"];
/** Marks of a source that says how a camera is. */
const TELLS = /\bHealthEvent::|\bNotice::Failed\(|\bWatchNote \{/;
/** Sources with such marks that say it elsewhere, and where. */
const ELSEWHERE: Record<string, string> = {
  "edge/src/analyze.rs": "on a terminal",
  "ingest/src/glance.rs": "in refusals, which the node tells in Chinese, too",
  "ingest/src/recording.rs": "in what becomes of a clip",
  "ingest/src/flight/pictures.rs": "in what becomes of a drone's survey",
};
/** Sources without such marks: what the ones with them pass on. */
const PASSED_ON = ["edge/src/onvif/message.rs", "edge/src/onvif/mod.rs", "edge/src/patrol/mod.rs", "ingest/src/connection/branches.rs", "ingest/src/images.rs"];
const all = PARTS.flatMap((part) => sourcesIn(`${part}/src`));
/** Sources of what a camera's status says, and a trial. */
const OF_CAMERAS = new Set([...all.filter((path) => TELLS.test(sourceOf(path)) && !(path in ELSEWHERE)), ...PASSED_ON, ...MORE]);
const SOURCES = [...new Set([...all.filter((path) => SAYS.test(sourceOf(path)) && !(path in OTHERS)), ...OF_CAMERAS])];
/** Texts of those sources that are not shown where a file is set up or a camera's status stands, and why. */
const NOT_SHOWN: Record<string, string> = {
  "a polygon of {0} corners has no inside; hint: give at least 3 different corners": "outlines of a site",
  "the polygon has no area; hint: its corners lie on one line": "outlines of a site",
  "no video is kept for {from} to {to}; hint: raise preroll_seconds, or ask sooner": "clips of incidents",
  "cannot read the recording for a clip": "clips of incidents",
  "cannot write {}: {source}; hint: check free space and permissions": "clips of incidents",
  "cannot make {}: {detail}; hint: check free space, and that `make setup` ran": "clips of incidents",
  "cannot read the address of the store from {}": "the node's start",
  "environment variable {0} is not set; hint: set it to the store's address, or use store_file": "the node's start",
  "no store is named; hint: one of store, store_file and store_env": "the node's start",
  "do not write a password into an address; set it as the password of the camera": "a refusal, which the node tells in Chinese, too",
  "the time should be longer than 0 and at most 6 hours": "a refusal, which the node tells in Chinese, too",
  "nothing was recorded in this time": "a refusal, which the node tells in Chinese, too",
  "application/soap+xml; charset=utf-8": "what a dome is told of a question",
};
/** Texts that only join others: what they look like with others in them. */
const JOINED: Record<string, string[]> = {
  "{message}; hint: {hint}": [],
  "{field}: {problem}; hint: {hint}": [],
  "line {line}: {}": [],
  "{text}\n  {p}": [],
  '{} mistake(s) in the manifest "{}":{}': [],
  '{what} "{written}"': [],
  "unknown field": ["unknown field `⟨1⟩`, expected one of `⟨2⟩`, `⟨3⟩`"],
  "unknown key": ['unknown key "⟨1⟩"'],
  "unknown value": ['unknown value "⟨1⟩"'],
  "a table": ["expected a string, found a table"],
  "an array": ["expected a string, found an array"],
  "srt://192.168.1.20:9000; everything else has options of its own": ["it looks like ⟨1⟩; everything else has options of its own"],
  "the passphrase of SRT": ["cannot read the camera's password or passphrase from the passphrase of SRT"],
  "the environment variable {name}": ["cannot read the camera's password or passphrase from the environment variable ⟨1⟩"],
  "[{}, {}] for each picture": ['output "⟨1⟩" has the shape ⟨2⟩ where [⟨3⟩, ⟨4⟩] for each picture was expected'],
  "a batch of more than {item} pictures": ['output "⟨1⟩" has the shape ⟨2⟩ where a batch of more than ⟨3⟩ pictures was expected'],
  "without a message": ["the model's thread panicked: without a message"],
  "{detail}; software decodes from now on, not hardware": ["software decodes from now on, not hardware"],
  "{first}; hint: {hint}": [],
  "{url}: {error}; hint: {}": [],
  'does not come back to preset "{preset}": {why}': ['does not come back to preset "⟨1⟩"'],
  "media profile that turns it": ["the dome has no media profile that turns it"],
  "HTTP status {status}": ["cannot understand the dome's answer to ⟨1⟩: HTTP status ⟨2⟩"],
  "it has {} bytes": ["cannot understand the dome's answer to ⟨1⟩: it has ⟨2⟩ bytes"],
  "its time has no {name}": ["cannot understand the dome's answer to ⟨1⟩: its time has no ⟨2⟩"],
  "it has no PTZStatus": ["cannot understand the dome's answer to ⟨1⟩: it has no PTZStatus"],
  "PTZ service": ["the dome has no PTZ service"],
  "the picture is empty": ["⟨1⟩ holds no video that can be read (the picture is empty)"],
};
/** Arguments that are texts themselves, by source. */
const SAMPLES: Record<string, Record<string, string>> = {
  "bus/src/config.rs": { what: "client key" },
  "edge/src/config/check.rs": { what: "user name" },
  "edge/src/config/tree.rs": { expected: "a string" },
  "edge/src/dome/mod.rs": { across: "right", along: "down" },
  "edge/src/onvif/mod.rs": { what: "PTZ service" },
  "infer/src/engine.rs": { kind: "output" },
};

/** The messages of a source, each with its hints, as they are printed. */
function textsOf(path: string): string[][] {
  const shown = stringsIn(sourceOf(path)).filter((text) => isProse(text) && !(text in NOT_SHOWN));
  return shown.flatMap((text) => JOINED[text]?.map((joined) => [joined]) ?? [printed(text, SAMPLES[path]).split("; hint: ")]);
}

/** Words that no option is named by: where one is left, a part of a text was not said in Chinese. */
const ENGLISH = /(?<![-\w])(an|the|is|are|be|it|its|of|to|in|on|at|and|or|not|with|without|from|for|as|must|may|cannot|has|have|that|which)(?![-\w])/i;
/** What may hold such a word as a name, and places. */
const QUOTED = /`[^`]*`|\{\w+\}/g;

/** The texts of a source that have no Chinese. */
function missingOf(path: string): string[] {
  const say = OF_CAMERAS.has(path) ? speakOfCameras : speak;
  const missing = textsOf(path).flatMap(([message = "", ...hints]) => [...(whole(message, say) === null ? [message] : []), ...hints.filter((hint) => whole(hint) === null)]);
  return missing.filter((text) => /[A-Za-z]/.test(text));
}

/** A text in Chinese, if all of it is: what stood in places was the signs of arguments, and nothing else. */
function whole(text: string, say = speak): string | null {
  const said = say(text);
  if (!said || said.kept.some((argument) => /[A-Za-z]/.test(argument)) || ENGLISH.test(said.text.replace(QUOTED, ""))) return null;
  return said.text;
}

describe.each(SOURCES)("what %s says", (path) => {
  it("is said in Chinese, every word of it", () => {
    expect(missingOf(path)).toEqual([]);
  });
});

describe("a text that somebody adds", () => {
  const source = `
    // "not a text; hint: this is a comment"
    fn problems(&self, out: &mut Vec<String>) {
        tracing::warn!(camera = %self.id(), "only the log says so");
        out.push(format!("{} of the cameras \\
            are upside down; hint: turn \\"{name}\\" round", n));
        let limit = self.limit.expect("why it cannot fail");
    }
    #[cfg(test)]
    mod tests { const SAMPLE: &str = "is no text of the program"; }`;

  it("is found where it stands, and nothing else", () => {
    expect(stringsIn(source)).toEqual(['{} of the cameras are upside down; hint: turn "{name}" round']);
  });
  it("has no Chinese, and that fails the test of its source", () => {
    expect(printed("{} of the cameras are {how:?}")).toBe("⟨1⟩ of the cameras are ⟨2⟩");
    expect(whole("⟨1⟩ of the cameras are ⟨2⟩")).toBeNull();
    // A text that an older one with a place would swallow is no less new.
    expect(whole("there is no camera that looks ⟨1⟩")).toBeNull();
  });
});

describe("what an option is", () => {
  const schema = JSON.parse(readFileSync(join(CRATES, "../pipelines/schema.json"), "utf8")) as Schema;
  const sentences = describedIn(schema);

  it("is said in Chinese for every option", () => {
    expect(sentences.size).toBeGreaterThan(250);
    expect([...sentences].filter((sentence) => whole(sentence) === null)).toEqual([]);
  });
});

describe("the tables", () => {
  it("leave nothing untested that is not there", () => {
    const texts = new Set(SOURCES.flatMap((path) => stringsIn(sourceOf(path))));
    expect(Object.keys({ ...NOT_SHOWN, ...JOINED }).filter((text) => !texts.has(text))).toEqual([]);
    expect(Object.keys(OTHERS).filter((path) => !SAYS.test(sourceOf(path)))).toEqual([]);
    expect(Object.keys(ELSEWHERE).filter((path) => !TELLS.test(sourceOf(path)))).toEqual([]);
  });
  it("keep the places of each text, and the names in it", () => {
    for (const table of Object.values(TABLES))
      for (const [english, chinese] of Object.entries(table)) {
        for (const [, name] of chinese.matchAll(/\{(\w+)\}/g)) expect(english, chinese).toMatch(new RegExp(`\\{${name}[:}]`));
        expect(chinese.replace(QUOTED, "")).not.toMatch(ENGLISH);
        expect(chinese.replace(QUOTED, "") || "0", english).toMatch(/\p{Script=Han}|\d/u);
      }
  });
});

interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  type?: string | string[];
  $ref?: string;
  $defs?: Record<string, Schema>;
}

/** The first sentences that the checker tells of options (`describe` in `edge/src/config/check.rs`). */
function describedIn(root: Schema): Set<string> {
  const resolved = (node: Schema): Schema => {
    const named = node.$ref && root.$defs?.[node.$ref.replace("#/$defs/", "")];
    if (named) return resolved(named);
    const present = node.anyOf?.filter((one) => one.type !== "null") ?? node.allOf ?? [];
    return present.length === 1 ? resolved(present[0] as Schema) : node;
  };
  const sentences = new Set<string>();
  const seen = new Set<Schema>();
  const visit = (node: Schema) => {
    const inner = resolved(node);
    const text = (node.description ?? inner.description)?.split(/\s+/).join(" ");
    const sentence = text?.split(/(?<=\. )/)[0]?.trimEnd().replace(/\.+$/, "");
    // As the node does: "JPEG quality" begins with a name.
    if (sentence) sentences.add(/^.\p{Lu}/u.test(sentence) ? sentence : sentence.charAt(0).toLowerCase() + sentence.slice(1));
    if (seen.has(inner)) return;
    seen.add(inner);
    const choices = inner.oneOf?.flatMap((choice) => Object.values(choice.properties ?? {})) ?? [];
    const others = [inner.items, inner.additionalProperties].filter((other) => typeof other === "object");
    [...Object.values(inner.properties ?? {}), ...choices, ...others].forEach(visit);
  };
  visit(root);
  return sentences;
}

describe("what `parapet check` says of a file with ten mistakes", () => {
  const printedThere = readFileSync(join(CRATES, "edge/tests/snapshots/check__ten_mistakes_are_named_at_once_each_with_a_hint.snap"), "utf8");
  const problems = [...printedThere.matchAll(/^error: (?:[\w.[\]]+: )?(.+)\n(?:[^=\n]*\n|.*\|.*\n)*? *= hint: (.+)$/gm)].map(([, message = "", hint = ""]) => told({ message, hint }, "zh-CN"));

  it("is said in Chinese, with its hints", () => {
    expect(problems.flatMap(({ message, hint }) => [message.language, hint?.language]).every((language) => language === "zh-CN")).toBe(true);
    expect(problems.map(({ message, hint }) => `${message.text} · ${hint?.text}`)).toMatchInlineSnapshot(`
      [
        "“Gate House”不是有效的名称 · 1 到 64 个字符，可用 a-z、0-9、“-”和“_”，以字母或数字开头",
        "其他机器不用令牌就能访问 0.0.0.0:8091 · 加上 token_file = "…"，或改为监听 127.0.0.1",
        "没有模型“defualt” · 是不是要写“default”？",
        "0 超出范围 · 应为大于 0 的数字",
        "没有“fire_lain”这个取值 · 是不是要写“fire_lane”？",
        "第 1 条边与第 3 条边相交 · 请沿轮廓依次列出各个角点",
        "没有“limt_seconds”这一项 · 是不是要写“limit_seconds”？",
        "时长为 0 时，凡经过的都会报警 · 允许停留的时长，单位为秒：60 即一分钟",
        "这台摄像机没有区域“lnae” · 是不是要写“lane”？",
        "指定了不止一个视频源：rtsp、file · 只保留其中一项",
        "找不到 DIR/yard.mp4 · 路径从配置文件所在的文件夹算起",
      ]
    `);
  });
});

describe("what the libraries say", () => {
  it.each([
    ["unclosed table, expected `]`", "表名缺少结尾的“]”，应为：`]`"],
    ["unexpected key or value, expected newline, `#`", "这里多了名称或值，应为：换行、`#`"],
    ["invalid date, expected a two-digit month (MM)", "日期的写法不对，应为：两位月份（MM）"],
    ["invalid offset, expected `Z`, +OFFSET, -OFFSET", "时区偏移的写法不对，应为：`Z`、+偏移或 -偏移"],
    ["duplicate key", "名称重复"],
    ["cannot extend value of type string with a dotted key", "不能用带点的名称扩充已有的值（类型为 string）"],
    ["expected u16, found 70000", "应为：整数（0 到 65535）；实际：70000"],
    ['expected a boolean, found "yes"', '应为：true 或 false；实际："yes"'],
    ["expected struct ZoneConfig, found an array", "应为：表；实际：数组"],
    ["invalid length 1, expected tuple struct Point with 2 elements", "应为：2 个值的数组；实际有 1 个值"],
    ["invalid socket address syntax", "地址的写法不对，应为 IP:端口，如 127.0.0.1:8091"],
    ["failed to parse day in date: expected two digit day, but found end of input", "日期或时间的写法不对，应如 2026-10-01 或 2026-10-01T08:00:00+08:00"],
    ["cannot read /etc/token: Permission denied (os error 13)", "无法读取 /etc/token：没有权限"],
    ["add limit_seconds = …: how long a bike may stand", "加上 limit_seconds = …：车辆允许停放的时长"],
  ])("%s", (english, chinese) => expect(speak(english)?.text).toBe(chinese));
});

describe("what no table has", () => {
  it("is told in English, and no half of it in Chinese", () => {
    const { message, hint } = told({ message: "expected a moon, found 3", hint: "keep one of them" }, "zh-CN");
    expect(message).toEqual({ text: "expected a moon, found 3", language: "en" });
    expect(hint).toEqual({ text: "只保留其中一项", language: "zh-CN" });
    expect(speak("add moon = …: what shines at night")).toBeNull();
    expect(detail("the moon: is in the way", "zh-CN")).toEqual([{ text: "the moon: is in the way", language: "en" }]);
  });
});

describe("a page in English", () => {
  it("has what the node said", () => {
    expect(told({ message: "nothing is chosen", hint: "remove it" }, "en")).toEqual({ message: { text: "nothing is chosen", language: "en" }, hint: { text: "remove it", language: "en" } });
  });
});

describe("a manifest with several mistakes", () => {
  it("is told mistake by mistake, each with its hint", () => {
    const lines = ["line 2: format 3 is not known; hint: this program reads format 1", "line 9: unknown field `shape`, expected one of `size`, `pad`"];
    const message = `2 mistake(s) in the manifest "models/toy/model.toml":\n  ${lines.join("\n  ")}`;
    const hint = "see models/README.md for the format of manifests";
    expect(told({ message, hint }, "zh-CN").hint?.text).toBe("清单的格式见 models/README.md");
    expect(told({ message, hint }, "zh-CN").message.text).toMatchInlineSnapshot(`"模型清单“models/toy/model.toml”有 2 处错误：第 2 行 不认识格式 3（本程序只读格式 1）；第 9 行 没有“shape”这一项，可选：size、pad"`);
  });
});

/** A status or a trial in Chinese, in one. */
const said = (text: string) =>
  detail(text, "zh-CN")
    .map((words) => words.text)
    .join("");

describe("why a trial came to nothing", () => {
  it.each([
    ['cannot load model "m" with provider cpu; hint: is the file an ONNX model of an opset that ONNX Runtime 1.24 knows?: bad protobuf', "无法用 cpu 载入模型“m”（请确认文件是 ONNX Runtime 1.24 支持的 ONNX 模型）：bad protobuf"],
    ["cannot read the picture a.png; hint: JPEG or PNG: No such file or directory (os error 2)", "无法读取图片 a.png（应为 JPEG 或 PNG）：文件不存在"],
  ])("%s", (english, chinese) => expect(said(english)).toBe(chinese));
});

describe("what a camera's status says", () => {
  it.each([
    ["no answer; hint: check address and port, and that the camera is on", "没有应答（请检查地址和端口，并确认摄像机已通电）"],
    ["data comes, but no picture can be decoded; software decodes from now on, not hardware", "有数据传来，但解码不出画面；今后改用软件解码，不用硬件"],
    ["the machine's clock was set; connecting anew for right times", "本机的时钟被调整，正在重新连接以校正时间"],
    ["Unable to connect to RTSP server: Connection refused (os error 111); hint: check address and port, and that the camera is on", "无法连接摄像机的 RTSP 服务：对方拒绝连接（请检查地址和端口，并确认摄像机已通电）"],
    ["Error reading from RTSP peer: Connection reset by peer (os error 104); hint: the connection broke; see the network", "无法从摄像机读取数据：对方断开了连接（连接中断，请检查网络）"],
    ["401 response to DESCRIBE CSeq=2: Received Unauthorized after trying digest auth; hint: check username and password_file or password_env", "摄像机对 DESCRIBE 请求应答 401：用户名或密码不被接受（请检查 username 以及 password_file 或 password_env）"],
    ["Could not open resource for reading and writing (Failed to connect. (Generic error)); hint: check address and port, and that the camera is on", "无法打开视频源（详情：连接失败，Generic error）（请检查地址和端口，并确认摄像机已通电）"],
    ["cannot read lobby.mp4: No such file or directory (os error 2); hint: check the path and its permissions", "无法读取 lobby.mp4：文件不存在（请检查路径和读取权限）"],
    ['the source is not set up right: test.pattern: there is no pattern "moon"; hint: see `gst-inspect-1.0 videotestsrc`; ball, smpte and snow are usual', "视频源设置有误：test.pattern: 没有图案“moon”（见 `gst-inspect-1.0 videotestsrc`，常用的有 ball、smpte、snow）"],
    ['model "m": threads must be at least 1; hint: threads = 1, or no core; bf16 needs the OpenVINO provider; hint: precision = "fp32"', "模型“m”：threads 至少为 1（改为 threads = 1，或去掉 core）；bf16 只能由 OpenVINO 计算（改为 precision = \"fp32\"）"],
    ["on patrol: looked at every 30 s at the latest", "轮巡中：最迟每 30 秒查看一次"],
    ["on patrol: looked at every 45 s at the latest instead of every 30 s, for more is configured than the machine can look at", "轮巡中：最迟每 45 秒查看一次，达不到要求的 30 秒，因为轮巡的摄像机超出了本机的能力"],
    [
      'does not come back to preset "gate": it looks 19.8° beside it (19.0° left, 5.5° down); does not come back to preset "roof": its view does not look like its reference pictures',
      "没有回到预置位“gate”：朝向偏离 19.8°（偏左 19.0°，偏下 5.5°）；没有回到预置位“roof”：画面与它的参考图不符",
    ],
    [
      'does not come back to preset "gate": cannot ask the dome at http://10.0.0.9/onvif (GetStatus); hint: is it switched on, and is the address right?: error sending request for url (http://10.0.0.9/onvif): client error (Connect): tcp connect error: No route to host (os error 113)',
      "没有回到预置位“gate”：无法向球机 http://10.0.0.9/onvif 发送请求（GetStatus）（请确认球机已通电，地址正确）：找不到通往对方的路由",
    ],
    ['does not come back to preset "gate": the dome lets nobody in (GotoPreset); hint: check username and password of an ONVIF user with PTZ rights', "没有回到预置位“gate”：球机拒绝登录（GotoPreset）（请检查用户名和密码，应为有云台控制权限的 ONVIF 用户）"],
  ])("%s", (english, chinese) => {
    expect(said(english)).toBe(chinese);
    expect(detail(english, "zh-CN").map((words) => words.language)).not.toContain("en");
    expect(detail(english, "en")).toEqual([{ text: english, language: "en" }]);
  });

  it.each(["index out of bounds: the len is 3 but the index is 5", "failed to lock the door", "the list is empty", "expected a moon, found 3", "Option not supported"])("stays as it is where no table has it: %s", (text) => {
    expect(detail(text, "zh-CN")).toEqual([{ text, language: "en" }]);
  });

  it("has its hint in Chinese also behind words that are not the program's own", () => {
    expect(detail("454 is what I say; hint: check the path in the address", "zh-CN")).toEqual([
      { text: "454 is what I say", language: "en" },
      { text: "（请检查地址中的路径）", language: "zh-CN" },
    ]);
  });
});

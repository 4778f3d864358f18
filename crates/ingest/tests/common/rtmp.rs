//! An RTMP server of a few lines: it answers `connect`, `createStream` and `play`, and sends the tags of an FLV file,
//! all at once (RTMP 1.0 specification, 5.2 to 5.4 and 7.2; AMF0). Every player gets them anew; then it is silent.

use std::{
    collections::HashMap,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

const SET_CHUNK_SIZE: u8 = 1;
const COMMAND: u8 = 20;
/// Larger than any message here.
const CHUNK: u32 = 0x00ff_ffff;

pub(crate) struct RtmpServer {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    player: Arc<Mutex<Option<TcpStream>>>,
    thread: Option<JoinHandle<()>>,
}

impl RtmpServer {
    pub(crate) fn start(flv: &Path) -> Self {
        let tags = tags_of(&std::fs::read(flv).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stopped, player) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let thread = std::thread::Builder::new().name("rtmp-server".into()).spawn({
            let (stopped, player) = (Arc::clone(&stopped), Arc::clone(&player));
            move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    if stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    *player.lock().unwrap() = stream.try_clone().ok();
                    // A player that leaves is no fault of the server.
                    let _ = serve(stream, &tags);
                }
            }
        });
        Self { address, stopped, player, thread: Some(thread.unwrap()) }
    }

    pub(crate) fn url(&self) -> String {
        format!("rtmp://{}/live/drone1", self.address)
    }
}

impl Drop for RtmpServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(stream) = self.player.lock().unwrap().take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the listener.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Type, time and body of each tag of an FLV file.
fn tags_of(flv: &[u8]) -> Vec<(u8, u32, Vec<u8>)> {
    let (mut tags, mut rest) = (Vec::new(), flv.get(13..).unwrap_or_default());
    while let [kind, a, b, c, t0, t1, t2, t3, ..] = *rest {
        let size = u32::from_be_bytes([0, a, b, c]) as usize;
        let Some(body) = rest.get(11..11 + size) else { break };
        tags.push((kind, u32::from_be_bytes([t3, t0, t1, t2]), body.to_vec()));
        rest = rest.get(11 + size + 4..).unwrap_or_default();
    }
    tags
}

fn serve(mut stream: TcpStream, tags: &[(u8, u32, Vec<u8>)]) -> io::Result<()> {
    let mut hello = [0; 1537];
    stream.read_exact(&mut hello)?;
    let mut answer = vec![3];
    answer.extend([0; 1536]);
    answer.extend(&hello[1..]);
    stream.write_all(&answer)?;
    stream.read_exact(&mut hello[1..])?;
    send(&mut stream, SET_CHUNK_SIZE, 0, 0, &CHUNK.to_be_bytes())?;
    let mut incoming = Incoming { chunk: 128, headers: HashMap::new() };
    loop {
        let (kind, body) = incoming.message(&mut stream)?;
        if kind != COMMAND {
            continue;
        }
        let length = usize::from(u16::from_be_bytes([body[1], body[2]]));
        let name = String::from_utf8_lossy(&body[3..3 + length]).into_owned();
        let number = body.get(3 + length..3 + length + 9).unwrap_or(&[0; 9]).to_vec();
        let status = |code: &str| object(&[("level", "status"), ("code", code)]);
        match name.as_str() {
            "connect" => {
                let parts = [text("_result"), number, object(&[]), status("NetConnection.Connect.Success")];
                send(&mut stream, COMMAND, 0, 0, &parts.concat())?;
            }
            "createStream" => {
                let one = [&[0][..], &1f64.to_be_bytes()].concat();
                send(&mut stream, COMMAND, 0, 0, &[text("_result"), number, vec![5], one].concat())?;
            }
            "play" => {
                let parts = [text("onStatus"), vec![0; 9], vec![5], status("NetStream.Play.Start")];
                send(&mut stream, COMMAND, 0, 1, &parts.concat())?;
                for (kind, time, body) in tags {
                    send(&mut stream, *kind, *time, 1, body)?;
                }
            }
            _ => {}
        }
    }
}

/// One message in one chunk.
fn send(stream: &mut TcpStream, kind: u8, time: u32, id: u32, body: &[u8]) -> io::Result<()> {
    let mut chunk = vec![3];
    chunk.extend(&time.to_be_bytes()[1..]);
    chunk.extend(&(body.len() as u32).to_be_bytes()[1..]);
    chunk.push(kind);
    chunk.extend(id.to_le_bytes());
    chunk.extend(body);
    stream.write_all(&chunk)
}

fn text(value: &str) -> Vec<u8> {
    [&[2][..], &(value.len() as u16).to_be_bytes(), value.as_bytes()].concat()
}

fn object(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = vec![3];
    for (name, value) in fields {
        // Names have no type of their own.
        bytes.extend(&text(name)[1..]);
        bytes.extend(text(value));
    }
    bytes.extend([0, 0, 9]);
    bytes
}

/// Puts messages together of their chunks.
struct Incoming {
    chunk: usize,
    /// Length and type of the last message of each chunk stream, and what of it has come.
    headers: HashMap<u8, (usize, u8, Vec<u8>)>,
}

impl Incoming {
    fn message(&mut self, stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
        loop {
            let mut basic = [0];
            stream.read_exact(&mut basic)?;
            let (format, id) = (basic[0] >> 6, basic[0] & 0x3f);
            let mut header = [0; 11];
            let header = &mut header[..[11, 7, 3, 0][usize::from(format)]];
            stream.read_exact(header)?;
            let (length, kind, body) = self.headers.entry(id).or_default();
            if header.len() >= 7 {
                *length = u32::from_be_bytes([0, header[3], header[4], header[5]]) as usize;
                *kind = header[6];
            }
            let mut part = vec![0; (*length - body.len()).min(self.chunk)];
            stream.read_exact(&mut part)?;
            body.extend(part);
            if body.len() == *length {
                let (kind, body) = (*kind, std::mem::take(body));
                if kind == SET_CHUNK_SIZE {
                    self.chunk = u32::from_be_bytes([body[0], body[1], body[2], body[3]]) as usize;
                }
                return Ok((kind, body));
            }
        }
    }
}

//! A server on a free port, and a caller that sees every byte.

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use axum::Router;
use mainstay_web::{
    middleware::{RequestLog, Stack, StackSettings},
    server::{Drained, ServerSettings, serve},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

/// What stops a test that hangs; it decides none.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

impl Server {
    pub(crate) async fn start(router: Router) -> Self {
        Self::start_with(router, StackSettings::default(), ServerSettings::default()).await
    }

    pub(crate) async fn start_with(
        router: Router,
        stack: StackSettings,
        server: ServerSettings,
    ) -> Self {
        Self::start_logging(router, stack, server, None).await
    }

    pub(crate) async fn start_logging(
        router: Router,
        stack: StackSettings,
        server: ServerSettings,
        log: Option<RequestLog>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stack = Stack::new(router, stack, log);
        let ended = tokio::spawn(serve(vec![listener], stack, server, async {
            let _ = stopped.await;
        }));
        Self { address, stop, ended }
    }

    pub(crate) async fn connect(&self) -> Caller {
        Caller::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, request: &str) -> Answer {
        let mut caller = self.connect().await;
        caller.send(request).await;
        caller.answer().await
    }

    /// A GET with these header lines.
    pub(crate) async fn get(&self, path: &str, headers: &[&str]) -> Answer {
        self.ask(&get(path, headers)).await
    }

    /// Begins the shutdown; the handle ends with it.
    pub(crate) fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.ended
    }
}

/// The text of a GET that names localhost as its host.
pub(crate) fn get(path: &str, headers: &[&str]) -> String {
    let mut text = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n");
    for line in headers {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text + "\r\n"
}

/// The calling end of one connection.
pub(crate) struct Caller {
    stream: TcpStream,
    received: VecDeque<u8>,
}

impl Caller {
    fn new(stream: TcpStream) -> Self {
        Self { stream, received: VecDeque::new() }
    }

    pub(crate) async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).await.unwrap();
    }

    /// As [`Self::send`], where the server may have closed already.
    pub(crate) async fn try_send(&mut self, text: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(text.as_ref()).await
    }

    /// One answer: to a request other than HEAD, framed by content-length, by chunks,
    /// or by nothing where its status has no body.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.head().await;
        let body = self.body(&head).await;
        Answer { body, ..head }
    }

    /// The status and headers of one answer, nothing of its body.
    pub(crate) async fn head(&mut self) -> Answer {
        let head = String::from_utf8(self.until(b"\r\n\r\n").await).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect();
        Answer { status, headers, body: Vec::new() }
    }

    async fn body(&mut self, head: &Answer) -> Vec<u8> {
        if let Some(length) = head.header("content-length") {
            return self.exactly(length.parse().unwrap()).await;
        }
        let mut body = Vec::new();
        if head.header("transfer-encoding") == Some("chunked") {
            loop {
                let size = String::from_utf8(self.until(b"\r\n").await).unwrap();
                let size = usize::from_str_radix(size.trim(), 16).unwrap();
                body.extend(self.exactly(size).await);
                self.until(b"\r\n").await;
                if size == 0 {
                    break;
                }
            }
        }
        body
    }

    /// Everything until the server closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await > 0 {}
        self.received.drain(..).collect()
    }

    /// Whether the server closes without another byte.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.rest().await.is_empty()
    }

    async fn until(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            let found = self.received.make_contiguous().windows(end.len()).position(|it| it == end);
            if let Some(position) = found {
                return self.received.drain(..position + end.len()).collect();
            }
            let so_far = String::from_utf8_lossy(self.received.make_contiguous()).into_owned();
            assert!(self.fill().await > 0, "the server closed after {so_far:?}");
        }
    }

    async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count {
            assert!(self.fill().await > 0, "the server closed within a body");
        }
        self.received.drain(..count).collect()
    }

    /// Reads what is there; a reset counts as an end.
    async fn fill(&mut self) -> usize {
        let mut buffer = [0; 16 * 1024];
        let read = timeout(PATIENCE, self.stream.read(&mut buffer)).await;
        let count = read.expect("the server neither answers nor closes").unwrap_or(0);
        self.received.extend(&buffer[..count]);
        count
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The member `code` of an error's body, whose shape is checked on the way.
    pub(crate) fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        let members: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        for member in ["code", "message", "details", "hint"] {
            assert!(members.contains(&member), "{body}");
        }
        assert_eq!(members.len(), 4);
        body["code"].as_str().unwrap().to_owned()
    }

    /// That the headers of every answer are on this one.
    pub(crate) fn assert_guarded(&self) {
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"), "{self:?}");
        assert_eq!(self.header("x-frame-options"), Some("DENY"));
        assert_eq!(self.header("referrer-policy"), Some("strict-origin-when-cross-origin"));
        assert_eq!(self.header("cross-origin-resource-policy"), Some("same-origin"));
        assert!(self.header("content-security-policy").is_some());
        assert!(self.header("x-request-id").is_some_and(|id| id.len() >= 8));
        assert_eq!(self.header("strict-transport-security"), None);
    }
}

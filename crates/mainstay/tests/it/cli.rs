//! The binary, from a command line: what it prints, what it leaves, how it ends.

mod access;
mod audit;
mod built_in;
mod check;
mod dev;
mod migrate;
mod new;
mod seed;
mod serve;
mod token;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

use crate::database;

/// What a command that has ended printed.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The binary, without settings from whoever runs the tests; where it serves as in
/// production there is no mail server.
pub(crate) fn mainstay(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mainstay"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MAINSTAY_") {
            command.env_remove(name);
        }
    }
    command.env("MAINSTAY_AUTH__CONFIRM_EMAIL", "false");
    if let Some(url) = args.iter().find_map(|arg| database::url_of(Path::new(arg))) {
        command.env("MAINSTAY_DATABASE__URL", url);
    }
    command.args(args).stdin(Stdio::null());
    command
}

pub(crate) fn run(args: &[&str]) -> Ended {
    end_of(&mut mainstay(args))
}

/// The entries of a folder's audit log that such options choose, the latest first.
pub(crate) fn audited(folder: &Path, options: &[&str]) -> Vec<serde_json::Value> {
    let folder = folder.to_str().expect("UTF-8");
    let told = run(&[&["audit", folder, "--json"], options].concat());
    assert_eq!(told.code, Some(0), "{}", told.err);
    let told: serde_json::Value = serde_json::from_str(&told.out).expect("JSON");
    told["entries"].as_array().expect("an array").clone()
}

pub(crate) fn end_of(command: &mut Command) -> Ended {
    let output = command.output().expect("the binary starts");
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// An application folder of these files.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (path, text) in files {
        write(directory.path(), path, text);
    }
    directory
}

fn write(directory: &Path, path: &str, text: &str) {
    let path = directory.join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    fs::write(path, text).expect("written");
}

pub(crate) fn text(directory: &TempDir) -> &str {
    directory.path().to_str().expect("UTF-8")
}

/// A server that was started by a command, and is killed with the value.
pub(crate) struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    /// What it printed before it was ready.
    began: String,
    url: String,
}

impl Server {
    /// Starts it on a free port and waits until it says where it is.
    pub(crate) fn start(command: &str, directory: &Path) -> Self {
        let directory = directory.to_str().expect("UTF-8");
        let mut child = mainstay(&[command, directory, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let mut server = Self { child, out, began: String::new(), url: String::new() };
        let line = loop {
            let line = server.line();
            server.began.push_str(&line);
            if line.contains(" is served on ") {
                break line;
            }
        };
        server.url = line.trim().rsplit(' ').next().expect("a word").to_owned();
        server
    }

    /// The next line it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        if self.out.read_line(&mut line).expect("readable") == 0 {
            let mut err = String::new();
            let mut stderr = self.child.stderr.take().expect("piped");
            let _ = stderr.read_to_string(&mut err);
            panic!("the server ended: {}{err}", self.began);
        }
        line
    }

    /// Reads what it prints until a line is this.
    fn until(&mut self, wanted: &str) {
        while self.line().trim() != wanted {}
    }

    /// What it answers to GET: its head and its body.
    pub(crate) fn get(&self, path: &str, headers: &str) -> String {
        self.send("GET", path, headers, "")
    }

    /// What it answers to a request with this body: its head and its body.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let address = self.url.strip_prefix("http://").expect("a URL");
        let mut socket = TcpStream::connect(address).expect("it listens");
        let host = match headers.starts_with("Host:") {
            true => String::new(),
            false => format!("Host: {address}\r\n"),
        };
        let length = match body {
            "" => String::new(),
            body => format!("Content-Length: {}\r\n", body.len()),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{length}{headers}\r\n{body}"
        );
        socket.write_all(request.as_bytes()).expect("written");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Asks it to stop as an operator's system does, and returns how it ended.
    pub(crate) fn stop(mut self) -> Ended {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(asked.expect("kill").success());
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).expect("UTF-8");
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut err).expect("UTF-8");
        let code = self.child.wait().expect("it ends").code();
        Ended { code, out, err }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_cannot_be_asked_for_ends_with_2() {
    for args in [
        &["serv"][..],
        &[],
        &["token"],
        &["dev", "--listen", "nowhere"],
        &["check", "/no/such/folder"],
        &["check", "/"],
    ] {
        let ended = run(args);
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.err);
        assert!(ended.out.is_empty() && !ended.err.is_empty(), "{args:?}");
    }
    let ended = run(&["--help"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.out.contains("mainstay new blog"));
    assert_eq!(run(&["--version"]).out.trim(), concat!("mainstay ", env!("CARGO_PKG_VERSION")));
}

//! One run of `wrk`: a Lua script that sends prepared requests for random rows, and
//! the figures it prints when it is done.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail};

/// Connections of one run, where nothing else is asked.
pub(crate) const CONNECTIONS: u32 = 64;

/// How many requests a thread prepares, each for a random row.
const PREPARED: u32 = 4096;

/// What is sent. `path` and `body` may hold one `%` pattern for the row's number.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
    /// Lua that makes the row's number, from `math.random`.
    pub(crate) row: String,
}

/// What came of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Answers per second.
    pub(crate) per_second: f64,
    /// The median time to the answer, in microseconds.
    pub(crate) p50_us: f64,
    /// The time 99 of 100 answers took at most, in microseconds.
    pub(crate) p99_us: f64,
}

impl Load {
    fn script(&self) -> String {
        let mut headers = String::new();
        for (name, value) in &self.headers {
            headers.push_str(&format!("[{name:?}] = {value:?}, "));
        }
        if self.body.is_some() {
            headers.push_str("[\"Content-Type\"] = \"application/json\"");
        }
        let path = lua(&self.path);
        let body = self.body.as_deref().map_or_else(|| "nil".into(), lua);
        format!(
            r#"local threads = 0
setup = function(thread)
  thread:set("seed", os.time() * 8 + threads)
  threads = threads + 1
end
local prepared, at = {{}}, 0
init = function(args)
  math.randomseed(seed)
  local headers = {{ {headers} }}
  headers["Host"] = wrk.headers["Host"]
  for i = 1, {PREPARED} do
    local row = {row}
    prepared[i] = wrk.format({method:?}, {path}, headers, {body})
  end
end
request = function()
  at = at % {PREPARED} + 1
  return prepared[at]
end
done = function(summary, latency)
  local lost = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    lost.status, lost.connect + lost.read + lost.write + lost.timeout))
end
"#,
            row = self.row,
            method = self.method,
        )
    }

    /// Starts a run of so many seconds over so many connections.
    pub(crate) fn start(
        &self,
        address: &str,
        script: &Path,
        seconds: u32,
        connections: u32,
    ) -> anyhow::Result<Run> {
        fs::write(script, self.script())?;
        let child = Command::new("wrk")
            .args(["--threads", "2", "--connections", &connections.to_string()])
            .args(["--duration", &format!("{seconds}s"), "--timeout", "30s", "--script"])
            .arg(script)
            .arg(format!("http://{address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting wrk")?;
        Ok(Run { child, what: format!("{} {}", self.method, self.path) })
    }
}

/// A Lua expression for text with at most one pattern for the row's number.
fn lua(text: &str) -> String {
    if text.contains('%') {
        format!("string.format([[{text}]], row)")
    } else {
        format!("[[{text}]]")
    }
}

/// A run under way.
#[derive(Debug)]
pub(crate) struct Run {
    child: Child,
    what: String,
}

impl Run {
    /// Waits for its end. A single answer that is not a success fails the run.
    pub(crate) fn finish(self) -> anyhow::Result<Sample> {
        let output = self.child.wait_with_output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let result = printed.lines().find_map(|line| line.strip_prefix("RESULT "));
        let Some(result) = result else {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("wrk gave no result for {}\n{printed}{said}", self.what);
        };
        sample(result).with_context(|| format!("{}: {result}", self.what))
    }
}

fn sample(result: &str) -> anyhow::Result<Sample> {
    let figures = result.split(' ').map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [requests, duration_us, p50_us, p99_us, refused, lost] = figures[..] else {
        bail!("six figures are expected");
    };
    if refused + lost > 0.0 {
        bail!("of {requests} requests {refused} were refused and {lost} had no answer");
    }
    if requests == 0.0 {
        bail!("nothing was answered");
    }
    Ok(Sample { per_second: requests / duration_us * 1e6, p50_us, p99_us })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_line_becomes_a_sample() {
        let sample = sample("3000 2000000 640 1200 0 0").unwrap();
        assert_eq!((sample.per_second, sample.p50_us, sample.p99_us), (1500.0, 640.0, 1200.0));
    }

    #[test]
    fn a_failed_request_fails_the_run() {
        for (line, told) in [
            ("3000 2000000 640 1200 1 0", "of 3000 requests 1 were refused and 0 had no answer"),
            ("3000 2000000 640 1200 0 2", "of 3000 requests 0 were refused and 2 had no answer"),
        ] {
            assert_eq!(sample(line).unwrap_err().to_string(), told);
        }
        assert!(sample("0 2000000 0 0 0 0").is_err());
    }
}

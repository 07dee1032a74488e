//! `mainstay serve`: an app in production.

use mainstay_core::{Colour, LogFormat, LogLevel, Settings};
use mainstay_web::middleware::{LogEntry, LogPolicy, RequestEvent};
use tracing_subscriber::filter::LevelFilter;

use super::{
    Failure,
    arguments::ServerArguments,
    block_on,
    output::Output,
    panel::{panel, plain},
    print_warnings,
    request_line::request_line,
};
use crate::{App, running::stop_signal};

pub(super) fn run(arguments: &ServerArguments, output: &Output) -> Result<(), Failure> {
    let mut app = App::load(&arguments.dir)?;
    write_log(app.settings(), output);
    print_warnings(&app.loaded, output);
    if let Some(address) = arguments.listen {
        app = app.listen(address);
    }
    let app = record_requests(app, output);
    block_on(async {
        let stop = stop_signal().map_err(crate::StartError::from)?;
        let running = app.start().await?;
        let changes = running.schema_changes();
        if changes.created && !changes.steps.is_empty() {
            tracing::info!(tables = changes.steps.len(), "the database was empty and is made");
        }
        output.print(&if output.terminal {
            panel(&running, output.style)
        } else {
            plain(&running)
        });
        stop.await;
        tracing::info!("stopping: requests under way are finished first");
        let drained = running.close().await;
        if drained.connections_cut > 0 {
            tracing::warn!(
                connections = drained.connections_cut,
                "cut off after the time to drain"
            );
        }
        Ok(())
    })
}

/// In a terminal a line for each request; in a pipe the slow and failed ones, as
/// events of the log.
fn record_requests(app: App, output: &Output) -> App {
    if output.terminal {
        return print_requests(app, output);
    }
    let slow_ms = app.settings().log.slow_ms;
    app.record_requests(LogPolicy::SlowAndFailed { slow_ms }, |entry| match entry {
        LogEntry::Request(event) => log_request(&event),
        LogEntry::Lost(count) => tracing::warn!(count, "requests were too many to record"),
    })
}

/// A line for each request in a terminal; in a pipe for slow and failed ones alone.
pub(super) fn print_requests(app: App, output: &Output) -> App {
    let policy = match output.terminal {
        true => LogPolicy::All,
        false => LogPolicy::SlowAndFailed { slow_ms: app.settings().log.slow_ms },
    };
    let output = *output;
    app.record_requests(policy, move |entry| match entry {
        LogEntry::Request(event) => output.print(&request_line(&event, output.style)),
        LogEntry::Lost(count) => {
            output.print(&format!("… {count} requests were too many to show"));
        }
    })
}

fn log_request(event: &RequestEvent) {
    let RequestEvent { method, path, status, duration_us, request_id, bytes } = event;
    tracing::warn!(
        %method,
        path,
        status = status.as_u16(),
        duration_us,
        request_id = request_id.as_str(),
        bytes,
        "{}",
        if status.is_server_error() { "a request failed" } else { "a request was slow" },
    );
}

/// Sends the log to the standard error.
pub(super) fn write_log(settings: &Settings, output: &Output) {
    let level = match settings.log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .with_ansi(output.error_colour() == Colour::Ansi)
        .with_target(false);
    // Where a log is written to already, that of whoever set it up is the right one.
    let _ = match settings.log.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

//! The commands that open the database: `dev`, `serve`, `seed`.

use std::net::SocketAddr;

use mainstay_core::LogLevel;
use mainstay_web::{
    ServerTiming,
    middleware::{LogEntry, LogPolicy},
};
use tokio::runtime::Runtime;

use super::{
    Failure,
    arguments::{FolderArguments, ServerArguments},
    load,
    output::Output,
    report::count,
    request_line::request_line,
};
use crate::{
    StartError,
    app::App,
    reload::{Reloaded, Reloader},
    running::{Running, stop_signal},
    seed::{SeedError, Seeded},
    watch::Changes,
};

/// `mainstay dev`: serves, watches the folder, and says what it does.
pub(super) fn dev(arguments: &ServerArguments, output: &Output) -> Result<(), Failure> {
    let app = load(&arguments.dir, output)?;
    start_log(LogLevel::Warn);
    let policy = if output.terminal {
        LogPolicy::All
    } else {
        LogPolicy::SlowAndFailed { slow_ms: app.settings().log.slow_ms }
    };
    let timing = if output.terminal { ServerTiming::On } else { ServerTiming::Off };
    let app = recorded(listening(app.development(), arguments.listen), policy, *output)
        .server_timing(timing);
    runtime()?.block_on(async {
        let stop = stop_signal().map_err(StartError::from)?;
        let running = app.start().await?;
        tell_steps(&running.schema_changes().steps, output);
        if running.schema_changes().created {
            tell_seeded(&running.seed().await, output);
        }
        panel(&running, output);
        tokio::select! {
            () = follow(running.reloader(), output) => {}
            () = stop => {}
        }
        running.close().await;
        Ok(())
    })
}

/// `mainstay serve`: serves until it is told to stop.
pub(super) fn serve(arguments: &ServerArguments, output: &Output) -> Result<(), Failure> {
    let app = load(&arguments.dir, output)?;
    let log = &app.settings().log;
    start_log(log.level);
    let policy = if output.terminal {
        LogPolicy::All
    } else {
        LogPolicy::SlowAndFailed { slow_ms: log.slow_ms }
    };
    let app = recorded(listening(app, arguments.listen), policy, *output);
    runtime()?.block_on(async {
        let stop = stop_signal().map_err(StartError::from)?;
        let running = app.start().await?;
        tell_steps(&running.schema_changes().steps, output);
        output.print(&format!("serving on {}", running.url()));
        stop.await;
        output.print("stopping: requests under way may finish");
        let drained = running.close().await;
        if drained.connections_cut > 0 {
            let cut = count(drained.connections_cut, "connection");
            output.warning(&format!("{cut} did not finish in time and had to be cut"));
        }
        Ok(())
    })
}

/// `mainstay seed`: loads the rows of `seed/`.
pub(super) fn seed(arguments: &FolderArguments, output: &Output) -> Result<(), Failure> {
    let app = load(&arguments.dir, output)?.development();
    start_log(LogLevel::Warn);
    let seeded = runtime()?.block_on(async {
        let running = app.listen(SocketAddr::from(([127, 0, 0, 1], 0))).start().await?;
        let seeded = running.seed().await;
        running.close().await;
        Ok::<_, Failure>(seeded)
    })?;
    match seeded {
        Ok(seeded) if arguments.json => {
            let files: Vec<_> = seeded
                .files
                .iter()
                .map(|file| {
                    serde_json::json!({
                        "file": file.file, "model": file.model, "rows": file.rows,
                        "inserted": file.inserted, "updated": file.updated,
                        "skipped": file.skipped,
                    })
                })
                .collect();
            output.print(&serde_json::json!(files).to_string());
            Ok(())
        }
        Ok(seeded) => {
            tell_files(&seeded, output);
            Ok(())
        }
        Err(SeedError::Mistakes(mistakes)) => Err(StartError::Mistakes(mistakes).into()),
        Err(error) => Err(Failure::App(error.to_string())),
    }
}

fn listening(app: App, listen: Option<SocketAddr>) -> App {
    match listen {
        Some(address) => app.listen(address),
        None => app,
    }
}

/// The app with its requests printed, as a person reads them.
fn recorded(app: App, policy: LogPolicy, output: Output) -> App {
    app.record_requests(policy, move |entry| match entry {
        LogEntry::Request(event) => output.print(&request_line(&event, output.style)),
        LogEntry::Lost(lost) => output.note(&format!("{lost} requests were too many to be shown")),
    })
}

/// Follows the folder for as long as there are changes.
async fn follow(mut reloader: Reloader, output: &Output) {
    let mut changes = match Changes::watch(reloader.watched()) {
        Ok(changes) => changes,
        Err(error) => {
            output.warning(&format!("changes of the folder go unnoticed: {error}"));
            return std::future::pending().await;
        }
    };
    while changes.next().await {
        match reloader.reload().await {
            Reloaded::Unchanged => {}
            Reloaded::Served(anew) => {
                if !anew.warnings.is_empty() {
                    let colour = output.error_colour();
                    let found =
                        mainstay_core::render_diagnostics(&anew.warnings, &anew.files, colour);
                    output.complain(&found);
                }
                tell_steps(&anew.steps, output);
                for setting in &anew.after_restart {
                    output.note(&format!("{setting} counts from the next start on"));
                }
                output.print(&output.style.green("the app is as its files say now"));
            }
            Reloaded::Refused(StartError::Mistakes(mistakes)) => {
                output.complain(&mistakes.render(output.error_colour()));
                output.note("the app goes on as it last was");
            }
            Reloaded::Refused(error) => {
                output.error(&error.to_string());
                output.note("the app goes on as it last was");
            }
        }
    }
}

/// Where the app is and what opens it.
fn panel(running: &Running, output: &Output) {
    let (url, style) = (running.url(), output.style);
    if !output.terminal {
        return output.print(&format!("serving on {url}"));
    }
    let name = &running.settings().app.name;
    output.print("");
    output.print(&format!("  {}  {}", style.bold(&style.green("mainstay")), style.bold(name)));
    output.print("");
    for (label, value) in [
        ("app", url.clone()),
        ("rest", format!("{url}/rest/v1")),
        ("api", format!("{url}/openapi.json")),
        ("anon key", running.anon_key()),
        ("service key", running.service_key()),
    ] {
        output.print(&format!("  {} {}", style.dim(&format!("{label:<12}")), style.cyan(&value)));
    }
    output.print("");
    output.print(&style.dim("  Changes of the folder are served as they are saved. Ctrl-C stops."));
    output.print("");
}

fn tell_steps(steps: &[String], output: &Output) {
    for step in steps {
        output.print(&format!("{} {step}", output.style.green("database:")));
    }
}

fn tell_seeded(seeded: &Result<Seeded, SeedError>, output: &Output) {
    match seeded {
        Ok(seeded) => tell_files(seeded, output),
        Err(SeedError::Mistakes(mistakes)) => {
            output.complain(&mistakes.render(output.error_colour()));
        }
        Err(error) => output.error(&error.to_string()),
    }
}

fn tell_files(seeded: &Seeded, output: &Output) {
    for file in &seeded.files {
        let mut told = format!("{} new", file.inserted);
        if file.updated > 0 {
            told.push_str(&format!(", {} as the file says", file.updated));
        }
        if file.skipped > 0 {
            told.push_str(&format!(", {} left alone: the model has rows", file.skipped));
        }
        output.print(&format!("{} {}: {told}", output.style.green("seed:"), file.file));
    }
}

fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::App(format!("the server cannot be set up: {error}")))
}

/// Sends what the rooms below log to the standard error. A panic is told once, by
/// whoever handles it.
fn start_log(level: LogLevel) {
    let _ = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::new(level.as_str()))
        .try_init();
}

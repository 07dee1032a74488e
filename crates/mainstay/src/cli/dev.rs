//! `mainstay dev`: an app while it is being written.

use mainstay_core::render_diagnostics;
use mainstay_mail::Mail;
use mainstay_web::ServerTiming;

use super::{
    Failure,
    arguments::ServerArguments,
    block_on,
    output::Output,
    panel::{panel, plain},
    print_mistakes, print_warnings,
    serve::{print_requests, write_log},
};
use crate::{
    App, Running, SchemaChanges, StartError,
    reload::{Reloaded, Reloader, ServedAnew},
    running::stop_signal,
    seed::SeedError,
    watch::Changes,
};

pub(super) fn run(arguments: &ServerArguments, output: &Output) -> Result<(), Failure> {
    let mut app = App::load(&arguments.dir)?.development();
    write_log(app.settings(), output);
    print_warnings(&app.loaded, output);
    if let Some(address) = arguments.listen {
        app = app.listen(address);
    }
    if output.terminal {
        app = app.server_timing(ServerTiming::On);
    }
    let app = print_requests(app, output);
    let here = *output;
    let app = app.show_mails(move |mail| print_mail(mail, &here));
    block_on(async {
        let stop = stop_signal().map_err(StartError::from)?;
        let running = app.start().await?;
        print_changes(running.schema_changes(), output);
        print_seeded(&running, output);
        output.print(&if output.terminal {
            panel(&running, output.style)
        } else {
            plain(&running)
        });
        let reloader = running.reloader();
        tokio::select! {
            () = stop => {}
            () = follow(reloader, output) => {}
        }
        running.close().await;
        Ok(())
    })
}

/// Shows a mail that would be sent, as one reads it.
fn print_mail(mail: &Mail, output: &Output) {
    let indented: Vec<String> = mail.text.lines().map(|line| format!("  {line}")).collect();
    let head = output.style.bold(&format!("mail to {}: {}", mail.to, mail.subject));
    output.print(&format!("{head}\n{}", indented.join("\n")));
}

fn print_changes(changes: &SchemaChanges, output: &Output) {
    if changes.created && !(changes.steps.is_empty() && changes.built_in.is_empty()) {
        output.print("made the database:");
    }
    for file in &changes.built_in {
        let step = format!("Mainstay's own tables ({file})");
        output.print(&format!("  {} {step}", output.style.green("+")));
    }
    for step in &changes.steps {
        output.print(&format!("  {} {step}", output.style.green("+")));
    }
}

fn print_seeded(running: &Running, output: &Output) {
    match running.seeded() {
        None => {}
        Some(Ok(seeded)) => {
            for file in &seeded.files {
                output.print(&format!("  {} {file}", output.style.green("+")));
            }
        }
        Some(Err(error)) => {
            match error {
                SeedError::Mistakes(mistakes) => print_mistakes(mistakes, output),
                error => output.error(&error.to_string()),
            }
            output.note("not all of seed/ is loaded; `mainstay seed` loads it once it is mended");
        }
    }
}

/// Goes over to what the folder says whenever that changes; never returns.
async fn follow(mut reloader: Reloader, output: &Output) {
    let mut changes = match Changes::watch(reloader.watched()) {
        Ok(changes) => changes,
        Err(error) => {
            output.warning(&format!(
                "the folder cannot be watched ({error}): start again to have changes served"
            ));
            return std::future::pending().await;
        }
    };
    // First of all without being told: what was changed between the start and the watch
    // would go unnoticed.
    loop {
        let look = reloader.read();
        if !changes.is_quiet().await {
            continue;
        }
        tell(reloader.reload(look).await, output);
        if !changes.next().await {
            return std::future::pending().await;
        }
    }
}

fn tell(reloaded: Reloaded, output: &Output) {
    match reloaded {
        Reloaded::Unchanged => {}
        Reloaded::Pending(files) => tell_pending(&files, output),
        Reloaded::Served(anew) => tell_served(&anew, output),
        Reloaded::Refused(error) => {
            match &error {
                StartError::Mistakes(mistakes) => print_mistakes(mistakes, output),
                error => output.error(&error.to_string()),
            }
            output.note("the app goes on as it was");
        }
    }
}

fn tell_pending(files: &[String], output: &Output) {
    for file in files {
        output.print(&format!("{file}  {}", output.style.yellow("pending")));
    }
    output.note("`mainstay dev` applies migrations when a model changes, or when it starts again");
}

fn tell_served(anew: &ServedAnew, output: &Output) {
    if !anew.warnings.is_empty() {
        let colour = output.error_colour();
        output.complain(&render_diagnostics(&anew.warnings, &anew.files, colour));
    }
    output.print(&output.style.green("reloaded"));
    for step in &anew.steps {
        output.print(&format!("  {} {step}", output.style.green("+")));
    }
    if !anew.after_restart.is_empty() {
        let sections = anew.after_restart.join(", ");
        output.note(&format!("what changed in {sections} counts from the next start on"));
    }
}

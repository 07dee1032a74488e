//! `mainstay new`, and that what it makes works.

use std::{fs, process::Command};

use super::{Server, end_of, folder, mainstay, run, text};

#[test]
fn a_new_app_is_served_as_it_is_and_git_sees_only_its_sources() {
    let directory = folder(&[]);
    let made = end_of(mainstay(&["new", "blog"]).current_dir(directory.path()));
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    let app = directory.path().join("blog");
    assert!(app.join(".git").is_dir() == made.out.contains("initialised git"), "{}", made.out);

    let server = Server::start("dev", &app);
    assert!(server.began.contains("seed/posts.json: 3 rows, 3 new"), "{}", server.began);
    let posts = server.get("/rest/v1/posts?select=title,author(handle)&order=title", "");
    let listed = concat!(
        r#"[{"title":"The long way round by the canal","author":{"handle":"tomas"}},"#,
        r#"{"title":"What a stopped clock is telling you","author":{"handle":"mira"}}]"#,
    );
    assert!(posts.ends_with(listed), "a draft is its author's alone: {posts}");
    assert!(server.get("/", "").contains("<title>blog</title>"));
    assert_eq!(server.stop().code, Some(0));

    let seen = Command::new("git").arg("-C").arg(&app).args(["status", "--short"]).output();
    if let Ok(seen) = seen {
        let seen = String::from_utf8(seen.stdout).expect("UTF-8");
        assert!(!seen.contains(".mainstay"), "{seen}");
    }
    let path = app.to_str().expect("UTF-8");
    let checked = run(&["check", path]);
    assert_eq!((checked.code, checked.err.as_str()), (Some(0), ""));
    assert!(checked.out.starts_with("no mistakes in 2 models"));
    let workflow = fs::read_to_string(app.join(".github/workflows/check.yml")).expect("made");
    for step in workflow.lines().filter_map(|line| line.trim().strip_prefix("run: mainstay ")) {
        let arguments: Vec<&str> = step.split(' ').collect();
        let ended = end_of(mainstay(&arguments).current_dir(&app));
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{step}");
    }
    assert!(workflow.contains("mainstay access --check"));
}

#[test]
fn a_folder_that_is_not_empty_is_left_alone() {
    let directory = folder(&[("notes.txt", "mine")]);
    let refused = run(&["new", text(&directory)]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("is not empty"), "{}", refused.err);
    assert_eq!(fs::read_dir(directory.path()).expect("there").count(), 1);
}

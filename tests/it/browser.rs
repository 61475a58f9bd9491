//! The pages in a browser (Chromium, headless): none complains, none reaches out, the script makes tables sort and filter, and without it every
//! table is there. Where there is no Chromium the test says so and passes; the CI installs one.
#![expect(clippy::print_stdout, reason = "a skipped test says why")]

use crate::served::{World, context};
use privet::base::write_atomic;
use privet::job::{Ended, report_exposure, report_record, report_retention, run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What Chromium is called.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// A page that does all that no page of ours may.
const LOUD: &str = "<!doctype html><title>t</title><img src=\"http://x.example/a.png\" alt=\"\"><script>console.error('loud')</script>";

/// A page after the browser had it.
struct Seen {
    /// The document as it stands in the end.
    dom: String,
    /// Lines on its console.
    console: Vec<String>,
    /// What it asked the network for. The browser's own requests have no origin and are left out.
    asked: Vec<String>,
}

fn browser() -> Option<&'static str> {
    let is_there = |name: &&&str| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    NAMES.iter().find(is_there).copied()
}

/// Opens `page` with a profile and a log in `dir`.
fn open(browser: &str, page: &Path, dir: &Path, more: &[&str]) -> Seen {
    let name = page.file_name().expect("a name").to_string_lossy().into_owned();
    let log = dir.join(format!("{name}-{}.json", more.len()));
    let Output { status, stdout, stderr } = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--enable-logging=stderr", "--v=0", "--timeout=60000", "--host-resolver-rules=MAP * ~NOTFOUND"])
        .arg(format!("--user-data-dir={}", dir.join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .args(more)
        .arg("--dump-dom")
        .arg(format!("file://{}", page.display()))
        .env("HOME", dir)
        .output()
        .expect("a browser");
    let told = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{told}");
    let log: Value = serde_json::from_slice(&std::fs::read(&log).expect("a log")).expect("the browser closed its log");
    let begun = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"].as_u64().expect("the kind of event");
    let events = log["events"].as_array().expect("events").iter().filter(|event| event["type"] == begun);
    let foreign = |event: &&Value| {
        let (url, initiator) = (event["params"]["url"].as_str(), event["params"]["initiator"].as_str());
        url.is_some_and(|url| !url.starts_with("file://") && !url.starts_with("data:")) && initiator != Some("not an origin")
    };
    Seen {
        dom: String::from_utf8(stdout).expect("UTF-8"),
        console: told.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect(),
        asked: events.filter(foreign).map(|event| event["params"].to_string()).collect(),
    }
}

fn folder(ended: &Ended) -> PathBuf {
    PathBuf::from(ended.json["reports"].as_str().expect("a folder"))
}

#[test]
fn pages_are_quiet_reach_nothing_and_read_without_their_script() {
    let Some(browser) = browser() else { return println!("skipped: there is no {}", NAMES.join(", no ")) };
    let dir = tempfile::tempdir().expect("a directory");
    // First, that a page which does all of it would be caught.
    let loud = dir.path().join("loud.html");
    write_atomic(&loud, LOUD.as_bytes()).expect("written");
    let seen = open(browser, &loud, dir.path(), &[]);
    assert_eq!((seen.console.len(), seen.asked.len()), (1, 1), "{:?} {:?}", seen.console, seen.asked);

    let world = World::new(240, 6);
    let _served = world.serve(&[]);
    let loaded = world.load();
    run(&loaded, &context(&[])).expect("ended");
    let pages = [
        ("retention.html", folder(&report_retention(&loaded, &context(&[]), None).expect("ended"))),
        ("record.html", folder(&report_record(&loaded, &context(&[])).expect("ended"))),
        ("exposure.html", folder(&report_exposure(&loaded, &context(&[]), None).expect("ended"))),
    ];
    for (name, folder) in pages {
        let page = folder.join(name);
        let written = std::fs::read_to_string(&page).expect("a page");
        let tables = written.matches("<table>").count();
        assert!(tables > 2, "{name}");
        let seen = open(browser, &page, dir.path(), &[]);
        assert!(seen.console.is_empty(), "{name}: {:?}", seen.console);
        assert!(seen.asked.is_empty(), "{name}: {:?}", seen.asked);
        assert_eq!(seen.dom.matches("<table>").count(), tables, "{name}");
        // The script ran: heads are buttons, and long tables have a filter.
        assert!(seen.dom.contains("<button type=\"button\">"), "{name}");
        assert!(seen.dom.contains("<input type=\"search\">"), "{name}");

        let still = open(browser, &page, dir.path(), &["--blink-settings=scriptEnabled=false"]);
        assert!(still.console.is_empty() && still.asked.is_empty(), "{name}: {:?} {:?}", still.console, still.asked);
        assert!(!still.dom.contains("<button") && !still.dom.contains("<input"), "{name}: no script ran");
        assert_eq!(still.dom.matches("<table>").count(), tables, "{name}");
        assert_eq!(still.dom.matches("<tr>").count(), written.matches("<tr>").count(), "{name}");
        assert_eq!(still.dom.matches("<svg ").count(), written.matches("<svg ").count(), "{name}: pictures need no script");
    }
}

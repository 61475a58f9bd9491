//! The pages in a browser (Chromium, headless): none complains, none reaches out, the script makes tables sort and filter, and without it every
//! table is there; each page fits a telephone. Where there is no Chromium the test says so and passes; the CI installs one.
#![expect(clippy::print_stdout, reason = "a skipped test says why")]

use crate::sample::REPORTS;
use crate::served::{World, context};
use privet::base::write_atomic;
use privet::job::{Ended, report_exposure, report_record, report_registers, report_retention, run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What Chromium is called.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// A page that does all that no page of ours may.
const LOUD: &str = "<!doctype html><title>t</title><img src=\"http://x.example/a.png\" alt=\"\"><script>console.error('loud')</script>";

/// What a person does to the longest table of a page: sort it by its last column, downwards, and filter it by the first word of its first cell.
/// What came of it is written into the page's title.
const USED: &str = "<script>
const table = [...document.querySelectorAll('.scroll table')].sort((a, b) => b.rows.length - a.rows.length)[0];
const last = table.tHead.rows[0].cells.length - 1;
const before = [...table.tBodies[0].rows].map((row) => row.textContent);
const button = table.tHead.rows[0].cells[last].querySelector('button');
button.click(); button.click();
const told = [table.tHead.rows[0].cells[last].getAttribute('aria-sort')];
const figure = (row) => parseFloat(row.cells[last].textContent.replace(/,/g, '').replace('\\u2212', '-'));
const rows = [...table.tBodies[0].rows];
const key = (row) => row.cells[last].textContent.trim();
const isDown = table.tHead.rows[0].cells[last].classList.contains('n')
  ? (a, b) => !(figure(a) < figure(b)) : (a, b) => key(a).localeCompare(key(b), 'en') >= 0;
told.push(rows.every((row, n) => n === 0 || isDown(rows[n - 1], row)));
button.click();
told.push([...table.tBodies[0].rows].every((row, n) => row.textContent === before[n]));
const input = table.closest('.scroll').previousElementSibling.querySelector('input');
input.value = rows[0].cells[0].textContent.trim().split(' ')[0];
input.dispatchEvent(new Event('input'));
const left = rows.filter((row) => !row.hidden);
told.push(left.length > 0 && left.every((row) => row.textContent.includes(input.value)));
input.value = 'nothing has these words in it';
input.dispatchEvent(new Event('input'));
told.push(rows.every((row) => row.hidden));
document.title = told.join(' ');
</script>";
/// Measures whether anything makes the page wider than the window.
const FITS: &str = "<script>document.title = [window.innerWidth, document.documentElement.scrollWidth].join(' ');</script>";
/// How many rows a table has that can be filtered.
const FILTERED: usize = 8;
/// Events of requests, holds and breaches.
const EVENTS: [&str; 4] = ["request", "hold", "breach", "recipient"];

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

/// What a script of ours says of `page` when it has done to it what `script` says: a copy without the policy that keeps all other scripts out.
fn driven(browser: &str, page: &Path, dir: &Path, script: &str, more: &[&str]) -> String {
    let written = std::fs::read_to_string(page).expect("a page");
    let (head, rest) = written.split_once("<meta http-equiv=\"Content-Security-Policy\"").expect("a policy");
    let (_, rest) = rest.split_once('>').expect("its end");
    let copy = dir.join("driven.html");
    write_atomic(&copy, format!("{head}{}", rest.replace("</body>", &format!("{script}</body>"))).as_bytes()).expect("written");
    let seen = open(browser, &copy, dir, more);
    assert!(seen.console.is_empty(), "{:?}", seen.console);
    let (_, rest) = seen.dom.split_once("<title>").expect("a title");
    rest.split_once("</title>").expect("its end").0.to_owned()
}

/// Where pictures of the pages are wanted, to be looked at: at two widths, by day and by night.
fn shoot(browser: &str, page: &Path, dir: &Path) {
    let Some(to) = std::env::var_os("PRIVET_SHOTS").map(PathBuf::from) else { return };
    let name = page.file_stem().expect("a name").to_string_lossy().into_owned();
    for width in [400, 1200] {
        for (light, flags) in [("light", &[][..]), ("dark", &["--blink-settings=preferredColorScheme=0"][..])] {
            let shot = to.join(format!("{name}-{width}-{light}.png"));
            let status = Command::new(browser)
                .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND"])
                .arg(format!("--user-data-dir={}", dir.join("profile").display()))
                .arg(format!("--window-size={width},6000"))
                .arg(format!("--screenshot={}", shot.display()))
                .args(flags)
                .arg(format!("file://{}", page.display()))
                .env("HOME", dir)
                .output()
                .expect("a browser")
                .status;
            assert!(status.success() && shot.exists(), "{}", shot.display());
        }
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
    for register in EVENTS {
        let events = format!("{}/fixtures/sample/registers/{register}.csv", env!("CARGO_MANIFEST_DIR"));
        let (code, _, told) = world.run(&[register, "import", &events]);
        assert_eq!(code, 0, "{told}");
    }
    let night = run(&loaded, &context(&[])).expect("ended");
    let mut pages = vec![
        folder(&night).join("index.html"),
        folder(&report_registers(&loaded, &context(&[]), None).expect("ended")).join("registers.html"),
        folder(&report_retention(&loaded, &context(&[]), None).expect("ended")).join("retention.html"),
        folder(&report_record(&loaded, &context(&[])).expect("ended")).join("record.html"),
        folder(&report_exposure(&loaded, &context(&[]), None).expect("ended")).join("exposure.html"),
    ];
    // Pages that need more than a night has to tell: an erasure that was applied, people who were asked.
    pages.extend(REPORTS.map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("reports/sample/{name}/{name}.html"))));
    for page in pages {
        let name = page.file_name().expect("a name").to_string_lossy().into_owned();
        let written = std::fs::read_to_string(&page).expect("a page");
        let tables = written.matches("<table>").count();
        assert!(tables > 1, "{name}");
        shoot(browser, &page, dir.path());
        let seen = open(browser, &page, dir.path(), &[]);
        assert!(seen.console.is_empty(), "{name}: {:?}", seen.console);
        assert!(seen.asked.is_empty(), "{name}: {:?}", seen.asked);
        assert_eq!(seen.dom.matches("<table>").count(), tables, "{name}");
        // The script ran: heads are buttons, and long tables have a filter.
        assert!(seen.dom.contains("<button type=\"button\">"), "{name}");
        let is_long = written.split("<table>").skip(1).any(|table| {
            let body = table.split_once("<tbody>").map_or("", |(_, rest)| rest.split("</tbody>").next().unwrap_or_default());
            body.matches("<tr>").count() >= FILTERED
        });
        assert_eq!(seen.dom.contains("<input type=\"search\">"), is_long, "{name}");
        assert!(is_long || name == "erasure.html", "{name}");
        if is_long {
            let used = driven(browser, &page, dir.path(), USED, &[]);
            assert_eq!(used, "descending true true true true", "{name}: sorted, put back, filtered, filtered away");
        }
        let wide = driven(browser, &page, dir.path(), FITS, &["--window-size=500,900"]);
        let [window, page_width] = wide.split(' ').map(|n| n.parse::<u32>().expect("a width")).collect::<Vec<_>>()[..] else {
            panic!("{wide}")
        };
        assert!(page_width <= window, "{name}: {page_width} of {window} pixels");

        // The page as it is where its script does not run. (A browser whose scripts are off cannot tell what it shows.)
        let (head, rest) = written.split_once("<script>").expect("a script");
        let bare = dir.path().join(format!("bare-{name}"));
        write_atomic(&bare, format!("{head}{}", rest.split_once("</script>").expect("its end").1).as_bytes()).expect("written");
        let still = open(browser, &bare, dir.path(), &[]);
        assert!(still.console.is_empty() && still.asked.is_empty(), "{name}: {:?} {:?}", still.console, still.asked);
        assert!(!still.dom.contains("<button") && !still.dom.contains("<input"), "{name}: no script ran");
        assert_eq!(still.dom.matches("<table>").count(), tables, "{name}");
        assert_eq!(still.dom.matches("<tr>").count(), written.matches("<tr>").count(), "{name}");
        assert_eq!(still.dom.matches("<svg ").count(), written.matches("<svg ").count(), "{name}: pictures need no script");
    }
}

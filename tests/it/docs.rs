//! The guides, followed to the letter: every command on a page is run, in the order of the page, and must end and say what the page says.
//!
//! What a page holds to:
//!
//! - Commands stand in fenced blocks ` ```console `, each behind `$ `; a line that ends in `\` goes on. They run in `sh`, in a directory
//!   that is empty when the page begins, with this build's `privet` in the path. `cargo run --` is that program, too.
//! - The lines below a command are what it prints, on both outputs. `…` stands for what varies: in a line for any characters, as a line
//!   of its own for any lines. Where there are none, nothing is compared.
//! - A command ends with 0, or `$ echo $?` follows it and tells with what.
//! - A command that ends in ` &` serves until the page ends; what is below it is its first line. Ports from 7701 on stand for free ones.
//! - A fenced block with a name behind its language, such as ` ```toml privet.toml `, is the file that the reader writes.
//! - `<!-- begins with: reports/sample -->` copies that folder of the project into the directory.
//! - `<!-- not run: why -->` in front of a block leaves it out; [`NOT_RUN`] has all there are.

mod page;
mod reader;

use page::{Step, read};
use reader::Reader;
use std::path::PathBuf;
use std::process::Command;

/// The pages, each followed by a test of its own.
const PAGES: [&str; 7] =
    ["README.md", "SECURITY.md", "docs/officer.md", "docs/operator.md", "docs/reference.md", "docs/scale.md", "docs/tutorial.md"];
/// The blocks that are not run: the page, and the first command.
const NOT_RUN: [(&str, &str); 1] = [("README.md", "cargo test")];

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(project().join(name)).expect("a page")
}

/// Follows a page from its first line to its last.
fn follow(name: &str) {
    let steps = read(&page(name)).unwrap_or_else(|e| panic!("{name}:{e}"));
    assert!(steps.iter().any(|step| matches!(step, Step::Run { .. })), "{name} has a command to run");
    let wrong = Reader::new().follow(&steps);
    assert!(wrong.is_empty(), "{name}: {} commands went otherwise\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn readme() {
    follow("README.md");
}

#[test]
fn security() {
    follow("SECURITY.md");
}

#[test]
fn officer() {
    follow("docs/officer.md");
}

#[test]
fn reference() {
    follow("docs/reference.md");
}

#[test]
fn operator() {
    follow("docs/operator.md");
}

#[test]
fn scale() {
    follow("docs/scale.md");
}

#[test]
fn tutorial() {
    follow("docs/tutorial.md");
}

#[test]
fn every_page_is_followed_and_few_commands_are_left_out() {
    let mut pages = vec!["README.md".to_owned()];
    pages.extend(project().join("SECURITY.md").exists().then(|| "SECURITY.md".to_owned()));
    for entry in std::fs::read_dir(project().join("docs")).into_iter().flatten() {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        pages.extend(name.strip_suffix(".md").map(|name| format!("docs/{name}.md")));
    }
    pages.sort();
    assert_eq!(pages, PAGES, "a page without a test");
    let mut left_out = Vec::new();
    for name in &pages {
        for step in read(&page(name)).unwrap_or_else(|e| panic!("{name}:{e}")) {
            if let Step::Skip { command } = step {
                left_out.push((name.clone(), command));
            }
        }
    }
    assert_eq!(left_out, NOT_RUN.map(|(page, command)| (page.to_owned(), command.to_owned())));
}

#[test]
fn what_a_text_calls_a_command_is_one() {
    let help = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_privet")).args(words).arg("--help").output().expect("a process");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let mut wrong = Vec::new();
    let mut seen = 0;
    for name in PAGES {
        let text = page(name);
        for span in text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2)) {
            let Some(rest) = span.strip_prefix("privet ") else { continue };
            seen += 1;
            let words: Vec<&str> = rest.split_whitespace().collect();
            let is_word = |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
            let verb: Vec<&str> = words.iter().take_while(is_word).copied().collect();
            let flags = words.iter().filter(|word| word.starts_with("--"));
            match help(&verb) {
                Some(page) => wrong.extend(flags.filter(|flag| !page.contains(**flag)).map(|flag| format!("{name}: `{span}`: {flag}"))),
                None => wrong.push(format!("{name}: `{span}`")),
            }
        }
    }
    assert!(wrong.is_empty() && seen > 0, "{wrong:#?}");
}

#[test]
fn the_reference_has_every_verb() {
    let help = Command::new(env!("CARGO_BIN_EXE_privet")).arg("--help").output().expect("a process");
    let help = String::from_utf8(help.stdout).expect("text");
    let (_, commands) = help.split_once("Commands:\n").expect("the verbs");
    let verbs = commands.lines().take_while(|line| !line.is_empty()).filter_map(|line| {
        let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?;
        name.split_whitespace().next()
    });
    let reference = page("docs/reference.md");
    let (missing, named): (Vec<&str>, Vec<&str>) = verbs.partition(|verb| !reference.contains(&format!("`privet {verb}")));
    assert!(missing.is_empty() && named.len() > 20, "{missing:?}");
}

#[test]
fn the_operators_guide_has_a_runbook_for_each_exit_code() {
    let help = Command::new(env!("CARGO_BIN_EXE_privet")).arg("--help").output().expect("a process");
    let help = String::from_utf8(help.stdout).expect("text");
    let (_, codes) = help.split_once("Exit codes:\n").expect("the codes");
    let words = codes.lines().take_while(|line| !line.is_empty()).flat_map(str::split_whitespace);
    let codes: Vec<u8> = words.filter_map(|word| word.parse().ok()).filter(|code| *code != 0).collect();
    let guide = page("docs/operator.md");
    let missing: Vec<&u8> = codes.iter().filter(|code| !guide.contains(&format!("\n### {code}: "))).collect();
    assert!(missing.is_empty() && codes.len() == 15, "{missing:?} of {codes:?}");
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn what_a_page_links_to_and_cites_is_there() {
    let mut wrong = Vec::new();
    let (mut links, mut cited) = (0, 0);
    for name in PAGES {
        let text = page(name);
        let prose: String = text.split("```").step_by(2).collect();
        let folder = project().join(name).parent().expect("a folder").to_owned();
        for target in prose.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            links += 1;
            let (file, place) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { project().join(name) } else { folder.join(file) };
            let headings = || std::fs::read_to_string(&path).unwrap_or_default();
            let is_there = path.exists()
                && (place.is_empty()
                    || headings().lines().any(|line| line.starts_with('#') && anchor(line.trim_start_matches('#')) == place));
            if !is_there {
                wrong.push(format!("{name}: {target}"));
            }
        }
        // `src/FILE.rs` is a file, and `src/FILE.rs::NAME` a function in it.
        for span in prose.split('`').skip(1).step_by(2).filter(|span| ["src/", "tests/"].iter().any(|root| span.starts_with(root))) {
            cited += 1;
            let (file, function) = span.split_once("::").unwrap_or((span, ""));
            let code = std::fs::read_to_string(project().join(file)).unwrap_or_default();
            if code.is_empty() || !(function.is_empty() || code.contains(&format!("fn {function}("))) {
                wrong.push(format!("{name}: {span}"));
            }
        }
    }
    assert!(wrong.is_empty() && links > 10 && cited > 10, "{links} links, {cited} places: {wrong:#?}");
}

#[test]
fn a_page_is_read_as_it_says() {
    let text = "<!-- begins with: reports/sample -->\n\n```toml a/b.toml\nx = 1\n```\n\n<!-- not run: it would call itself -->\n```console\n$ cargo test\n```\n\
                \n- In a list:\n  ```console\n  $ one \\\n    two\n  1 …\n  $ echo $?\n  11\n  $ three &\n  ```\n";
    let run = |line, command: &str, code, output: &[&str]| Step::Run {
        line,
        command: command.to_owned(),
        code,
        output: output.iter().map(|&line| line.to_owned()).collect(),
    };
    let steps = [
        Step::Begin { folder: "reports/sample".to_owned() },
        Step::Write { name: "a/b.toml".to_owned(), text: "x = 1\n".to_owned() },
        Step::Skip { command: "cargo test".to_owned() },
        run(14, "one two", 11, &["1 …"]),
        run(19, "three &", 0, &[]),
    ];
    assert_eq!(read(text).expect("a page"), steps);
    for (text, told) in [
        ("text\n\n    privet run\n", "3: a command outside"),
        ("```sh\nprivet run\n```\n", "2: a command outside"),
        ("```console\nwhat?\n```\n", "2: an output of no command"),
        ("```console\n$ a\n$ echo $?\nmany\n```\n", "3: one exit code"),
        ("```console\n$ cd a\n```\n", "2: a command cannot change"),
        ("```console\n$ a\n", "1: a block without an end"),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.starts_with(told), "{text}: {error}");
    }
    // A reason is wanted.
    assert!(matches!(read("<!-- not run:  -->\n```console\n$ a\n```\n").expect("a page")[..], [Step::Run { .. }]));
}

#[test]
fn what_goes_otherwise_is_told() {
    let follow = |text: &str| Reader::new().follow(&read(text).expect("a page")).len();
    assert_eq!(follow("```text a\n1\n2\n3\n```\n```console\n$ cat a\n1\n…\n3\n$ cat a\n1\n…\n$ cat a; false\n$ echo $?\n1\n```\n"), 0);
    for wrong in [
        "$ false",
        "$ true\n$ echo $?\n1",
        "$ echo a\nb",
        "$ echo a\na\nb",
        "$ echo abc\na…d",
        "$ echo 'a\nb'\na",
        "$ privet nonsense\n…",
        "$ sh -c 'echo told >&2'\nother",
    ] {
        assert_eq!(follow(&format!("```console\n{wrong}\n```\n")), 1, "{wrong}");
    }
}

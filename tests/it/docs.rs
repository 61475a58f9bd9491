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

use privet::base::{create_private_dir, write_atomic};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The pages, each followed by a test of its own.
const PAGES: [&str; 3] = ["README.md", "docs/operator.md", "docs/tutorial.md"];
/// The blocks that are not run: the page, and the first command.
const NOT_RUN: [(&str, &str); 1] = [("README.md", "cargo test")];
/// What begins a command that stands where nobody would run it.
const COMMANDS: [&str; 4] = ["$ ", "privet ", "cargo ", "sudo "];
/// What stands for whatever varies.
const ANY: char = '…';
/// The first of the ports that stand for free ones, and how many there are.
const PORTS: (u16, u16) = (7701, 9);

/// A thing to do on a page.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Run it; it ends with `code`, and prints `output` where that says anything.
    Run { line: usize, command: String, code: i32, output: Vec<String> },
    /// Leave this file.
    Write { name: String, text: String },
    /// Copy this folder of the project.
    Begin { folder: String },
    /// A block that is not run, by its first command.
    Skip { command: String },
}

/// Reads a page.
fn read(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let mut lines = text.lines().zip(1..).peekable();
    let mut skip = false;
    while let Some((line, number)) = lines.next() {
        if let Some(folder) = between(line, "<!-- begins with: ", " -->") {
            steps.push(Step::Begin { folder: folder.to_owned() });
        }
        let Some(info) = line.trim_start().strip_prefix("```") else {
            if COMMANDS.iter().any(|c| line.strip_prefix("    ").is_some_and(|l| l.trim_start().starts_with(c))) {
                return Err(format!("{number}: a command outside of a console block"));
            }
            skip = between(line, "<!-- not run: ", " -->").is_some_and(|why| !why.trim().is_empty());
            continue;
        };
        let indent = line.len() - line.trim_start().len();
        let mut block = Vec::new();
        loop {
            let Some((line, number)) = lines.next() else { return Err(format!("{number}: a block without an end")) };
            if line.trim() == "```" {
                break;
            }
            block.push((line.get(indent..).unwrap_or_default(), number));
        }
        match info.split_once(' ').map_or((info, ""), |(language, name)| (language, name.trim())) {
            ("console", "") if skip => {
                let first = block.iter().find_map(|(line, _)| line.strip_prefix("$ ")).ok_or(format!("{number}: no command"))?;
                steps.push(Step::Skip { command: first.to_owned() });
            }
            ("console", "") => steps.extend(commands(&block)?),
            (_, "") => {
                if let Some((_, number)) = block.iter().find(|(line, _)| COMMANDS.iter().any(|c| line.starts_with(c))) {
                    return Err(format!("{number}: a command outside of a console block"));
                }
            }
            (_, name) => {
                let text: String = block.iter().flat_map(|(line, _)| [line, "\n"]).collect();
                steps.push(Step::Write { name: name.to_owned(), text });
            }
        }
        skip = false;
    }
    Ok(steps)
}

/// The commands of a console block.
fn commands(block: &[(&str, usize)]) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut lines = block.iter();
    while let Some((text, number)) = lines.next() {
        if let Some(first) = text.strip_prefix("$ ") {
            let mut command = first.to_owned();
            while let Some(part) = command.strip_suffix('\\') {
                let (next, _) = lines.next().ok_or(format!("{number}: it goes on nowhere"))?;
                command = format!("{part}{}", next.trim_start());
            }
            if command.starts_with("cd ") {
                return Err(format!("{number}: a command cannot change the directory of the next"));
            }
            steps.push(Step::Run { line: *number, command, code: 0, output: Vec::new() });
        } else if let Some(Step::Run { output, .. }) = steps.last_mut() {
            output.push(text.trim_end().to_owned());
        } else {
            return Err(format!("{number}: an output of no command"));
        }
    }
    let mut told: Vec<Step> = Vec::new();
    for step in steps {
        match (told.last_mut(), step) {
            (Some(Step::Run { code, .. }), Step::Run { line, command, output, .. }) if command == "echo $?" => {
                let said = output.first().and_then(|said| said.parse().ok()).filter(|_| output.len() == 1);
                *code = said.ok_or(format!("{line}: one exit code is told"))?;
            }
            (_, step) => told.push(step),
        }
    }
    Ok(told)
}

fn between<'t>(line: &'t str, before: &str, after: &str) -> Option<&'t str> {
    line.trim().strip_prefix(before)?.strip_suffix(after)
}

/// Whether `line` is what the page says.
fn is_line(page: &str, line: &str) -> bool {
    let Some((before, rest)) = page.split_once(ANY) else { return page == line };
    let Some(left) = line.strip_prefix(before) else { return false };
    left.char_indices().map(|(at, _)| at).chain([left.len()]).any(|at| is_line(rest, &left[at..]))
}

/// Whether `lines` are what the page says.
fn is_output(page: &[String], lines: &[&str]) -> bool {
    match page.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if *first == ANY.to_string() => (0..=lines.len()).any(|n| is_output(rest, &lines[n..])),
        Some((first, rest)) => lines.split_first().is_some_and(|(line, others)| is_line(first, line.trim_end()) && is_output(rest, others)),
    }
}

/// A reader with a directory of their own, and what they have started.
struct Reader {
    dir: tempfile::TempDir,
    ports: Vec<(u16, u16)>,
    serving: Vec<Child>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        for child in &mut self.serving {
            let ended = rustix::process::kill_process(rustix::process::Pid::from_child(child), rustix::process::Signal::TERM);
            assert!(ended.is_ok() && child.wait().is_ok(), "what a page started ends");
        }
    }
}

impl Reader {
    fn new() -> Self {
        // All at once, so that they are not the same.
        let listeners: Vec<_> = (0..PORTS.1).map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
        let free = listeners.iter().map(|l| l.local_addr().expect("an address").port());
        Self { dir: tempfile::tempdir().expect("a directory"), ports: (PORTS.0..).zip(free).collect(), serving: Vec::new() }
    }

    /// A text of the page with this reader's ports.
    fn here(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (page, here)| {
            text.replace(&format!("127.0.0.1:{page}"), &format!("127.0.0.1:{here}"))
                .replace(&format!("port = {page}"), &format!("port = {here}"))
        })
    }

    /// What was printed, with the page's ports.
    fn as_on_page(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.ports.iter().fold(text, |text, (page, here)| text.replace(&format!("127.0.0.1:{here}"), &format!("127.0.0.1:{page}")))
    }

    fn shell(&self, command: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_privet"));
        let folder = program.parent().expect("a folder").display();
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("exec 2>&1; {}", self.here(&command.replace("cargo run -- ", "privet "))));
        shell.env_clear().env("PATH", format!("{folder}:/usr/local/bin:/usr/bin:/bin")).env("LC_ALL", "C.UTF-8");
        shell.env("HOME", self.dir.path()).env("PWD", self.dir.path()).current_dir(self.dir.path());
        shell.stdin(Stdio::null()).stdout(Stdio::piped());
        shell
    }

    /// Runs a command: its exit code, and what it printed.
    fn run(&mut self, command: &str) -> (i32, String) {
        let Some(serving) = command.strip_suffix(" &") else {
            let output = self.shell(command).output().expect("a process");
            return (output.status.code().unwrap_or(-1), self.as_on_page(&output.stdout));
        };
        let mut child = self.shell(&format!("exec {serving}")).spawn().expect("a process");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        self.serving.push(child);
        (0, self.as_on_page(line.as_bytes()))
    }

    /// Does what a page says; what went otherwise.
    fn follow(&mut self, steps: &[Step]) -> Vec<String> {
        let mut wrong = Vec::new();
        for step in steps {
            match step {
                Step::Begin { folder } => copy(&project().join(folder), &self.dir.path().join(folder)),
                Step::Write { name, text } => {
                    let path = self.dir.path().join(name);
                    create_private_dir(path.parent().expect("a folder")).expect("made");
                    write_atomic(&path, self.here(text).as_bytes()).expect("written");
                }
                Step::Skip { .. } => {}
                Step::Run { line, command, code, output } => {
                    let (ended, printed) = self.run(command);
                    let lines: Vec<&str> = printed.lines().collect();
                    if ended != *code || !(output.is_empty() || is_output(output, &lines)) {
                        let page = output.join("\n");
                        wrong.push(format!("{line}: $ {command}\n--- page: {code}\n{page}\n--- here: {ended}\n{printed}"));
                    }
                }
            }
        }
        wrong
    }
}

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Copies a folder with all in it.
fn copy(from: &Path, to: &Path) {
    create_private_dir(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (path, to) = (entry.as_ref().expect("an entry").path(), to.join(entry.as_ref().expect("an entry").file_name()));
        if path.is_dir() { copy(&path, &to) } else { write_atomic(&to, &std::fs::read(&path).expect("a file")).expect("written") }
    }
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
fn operator() {
    follow("docs/operator.md");
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

//! Somebody who does what a page says, in a directory of their own.

use super::page::{Step, is_output};
use super::project;
use privet::base::{create_private_dir, write_atomic};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The first of the ports that stand for free ones, and how many there are.
const PORTS: (u16, u16) = (7701, 9);

/// A reader with a directory of their own, and what they have started.
pub(super) struct Reader {
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
    pub(super) fn new() -> Self {
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
    pub(super) fn follow(&mut self, steps: &[Step]) -> Vec<String> {
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

/// Copies a folder with all in it.
fn copy(from: &Path, to: &Path) {
    create_private_dir(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (path, to) = (entry.as_ref().expect("an entry").path(), to.join(entry.as_ref().expect("an entry").file_name()));
        if path.is_dir() { copy(&path, &to) } else { write_atomic(&to, &std::fs::read(&path).expect("a file")).expect("written") }
    }
}

//! The command line as a process: exit code, standard output and standard error together.

use crate::raw::{self, Raw, Verdict};
use privet::base::Handle;
use privet::model::{Address, Contact, Phone, PostalForm, PostalInfo};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A directory with a process's whole world in it.
struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    /// One that `privet init` has filled.
    fn started() -> Self {
        let world = Self::new();
        assert!(world.command(&["init", "."]).output().expect("a process").status.success());
        world
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Changes `from` to `to` in privet.toml.
    fn edit(&self, from: &str, to: &str) {
        let path = self.path().join("privet.toml");
        let text = std::fs::read_to_string(&path).expect("a configuration");
        assert!(text.contains(from), "the template has `{from}`");
        privet::base::write_atomic(&path, text.replace(from, to).as_bytes()).expect("written");
    }

    /// The process, with nothing in its environment.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_privet"));
        command.args(args).env_clear().current_dir(self.path()).stdin(Stdio::null());
        command
    }

    /// What a run showed, with this world's directory left out.
    fn run(&self, args: &[&str]) -> String {
        shown(&mut self.command(args)).replace(&self.path().display().to_string(), "[DIR]")
    }
}

/// Exit code, standard output and standard error of `command`.
fn shown(command: &mut Command) -> String {
    let output = command.output().expect("a process");
    let mut all = format!("exit: {}\n", output.status.code().expect("an exit code"));
    for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
        write!(all, "----- {name}\n{}", String::from_utf8_lossy(bytes)).expect("a string");
    }
    all
}

#[test]
fn help_pages() {
    let pages: &[&[&str]] = &[
        &["--help"],
        &["-h"],
        &["init", "--help"],
        &["check", "--help"],
        &["pull", "--help"],
        &["pull", "dns", "--help"],
        &["diff", "--help"],
        &["validate", "--help"],
        &["consent", "--help"],
        &["consent", "import", "--help"],
        &["request", "--help"],
        &["request", "import", "--help"],
        &["request", "add", "--help"],
        &["request", "show", "--help"],
        &["subject", "--help"],
        &["subject", "find", "--help"],
        &["subject", "export", "--help"],
        &["subject", "erase", "--help"],
        &["consent", "add", "--help"],
        &["consent", "show", "--help"],
        &["plan", "--help"],
        &["show", "--help"],
        &["approve", "--help"],
        &["apply", "--help"],
        &["reconcile", "--help"],
        &["rollback", "--help"],
        &["run", "--help"],
        &["report", "--help"],
        &["report", "protection", "--help"],
        &["report", "exposure", "--help"],
        &["report", "run", "--help"],
        &["verify", "--help"],
        &["mock", "--help"],
        &["mock", "synth", "--help"],
        &["demo", "--help"],
        &["registries", "--help"],
        &["simulate", "--help"],
        &["schema", "--help"],
        &["config", "--help"],
        &["config", "show", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
        &["store", "--help"],
        &["store", "move", "--help"],
        &["frame", "--help"],
        &["frame", "decode", "--help"],
    ];
    let world = World::new();
    for page in pages {
        let name = format!("help_{}", page.join("_").replace("_--help", "").replace('-', ""));
        insta::assert_snapshot!(name, world.run(page));
    }
}

/// The verbs that `--help` lists, each with the verbs above it, to any depth.
fn verbs(world: &World, above: &[String]) -> Vec<Vec<String>> {
    let words: Vec<&str> = above.iter().map(String::as_str).chain(["-h"]).collect();
    let help = world.run(&words);
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    let mut all = Vec::new();
    for line in list.lines().take_while(|line| !line.is_empty()) {
        // Words further in go on with what stands above them.
        let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')).and_then(|rest| rest.split(' ').next()) else {
            continue;
        };
        let mut verb = above.to_vec();
        verb.push(name.to_owned());
        all.extend(verbs(world, &verb));
        all.push(verb);
    }
    all
}

#[test]
fn every_verb_has_a_manual_page_and_stands_in_every_completion_script() {
    let world = World::new();
    let told = world.run(&["man", "pages", "--format", "json"]);
    assert!(told.starts_with("exit: 0\n"), "{told}");
    let mut verbs = verbs(&world, &[]);
    verbs.push(Vec::new());
    assert!(verbs.len() > 40, "{verbs:?}");
    let mut pages: Vec<String> = std::fs::read_dir(world.path().join("pages"))
        .expect("pages")
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    pages.sort();
    let mut wanted: Vec<String> = verbs
        .iter()
        .map(|verb| format!("{}.1", ["privet".to_owned()].into_iter().chain(verb.iter().cloned()).collect::<Vec<_>>().join("-")))
        .collect();
    wanted.sort();
    assert_eq!(pages, wanted);
    for page in &pages {
        let text = std::fs::read_to_string(world.path().join("pages").join(page)).expect("a page");
        assert!(text.contains(".TH ") && text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{page}: {text}");
        assert!(text.contains(r"\-\-config"), "{page} has what every verb takes");
    }
    let apply = std::fs::read_to_string(world.path().join("pages/privet-apply.1")).expect("a page");
    insta::assert_snapshot!("man_apply", apply.replace(env!("CARGO_PKG_VERSION"), "[VERSION]"));
    for shell in ["bash", "zsh", "fish"] {
        let script = world.run(&["completions", shell]);
        for verb in verbs.iter().filter_map(|verb| verb.last()) {
            assert!(script.contains(verb.as_str()), "{shell} does not complete {verb}");
        }
    }
}

#[test]
fn usage_errors_end_with_2_on_standard_error() {
    let world = World::new();
    let wrong: &[&[&str]] = &[
        &[],
        &["pul"],
        &["pull", "--registy", "x"],
        &["diff", "--format", "xml"],
        &["mock"],
        &["mock", "synth", "--out", "x", "--change-rate", "2"],
        &["demo", "--contacts", "3"],
        &["run", "-v", "-q"],
        &["schema", "contact"],
    ];
    let all: Vec<String> = wrong.iter().map(|args| format!("$ privet {}\n{}", args.join(" "), world.run(args))).collect();
    assert!(all.iter().all(|shown| shown.contains("\nexit: 2\n----- stdout\n----- stderr\n")), "{all:#?}");
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn init_leaves_private_files_and_overwrites_none() {
    let world = World::new();
    insta::assert_snapshot!("init", world.run(&["init", "here"]));
    let mode = |name: &str| std::fs::metadata(world.path().join(name)).expect(name).permissions().mode() & 0o777;
    assert_eq!([mode("here"), mode("here/secrets"), mode("here/privet.toml")], [0o700, 0o700, 0o600]);
    let before = std::fs::read(world.path().join("here/privet.toml")).expect("a configuration");
    insta::assert_snapshot!("init_again", world.run(&["init", "here"]));
    assert_eq!(std::fs::read(world.path().join("here/privet.toml")).expect("a configuration"), before);
}

#[test]
fn the_example_of_init_has_every_column() {
    let shown = World::started().run(&["validate"]);
    assert!(shown.starts_with("exit: 0\n") && shown.contains("3 objects, 0 errors, 0 warnings"), "{shown}");
}

#[test]
fn config_show_says_where_each_value_came_from() {
    let world = World::started();
    world.edit("state = \"state\"\n", "");
    let mut command = world.command(&["config", "show", "--origin", "--config", "privet.toml"]);
    insta::assert_snapshot!("config_show", shown(command.env("PRIVET_REPORTS", "/srv/reports")));
    let flag = world.run(&["config", "show", "--origin", "--state", "elsewhere"]);
    assert!(flag.lines().any(|l| l.starts_with("state = \"elsewhere\"") && l.ends_with("# --state")), "{flag}");
    let json = world.command(&["config", "show", "--origin", "--format", "json"]).output().expect("a process");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["gates.min_rows_share"]["origin"], "privet.toml:39");
    assert_eq!(json["state"]["origin"], "default");
}

#[test]
fn row_44_an_unknown_registry_names_the_nearest() {
    let world = World::started();
    insta::assert_snapshot!(world.run(&["pull", "--registry", "exampel"]));
}

#[test]
fn every_fault_of_a_configuration_is_told_at_once() {
    let world = World::started();
    world.edit("share = 0.5 ", "share = 5 ");
    world.edit("client_id", "clientid");
    world.edit("{ file = \"secrets/example.password\" }", "\"correct horse battery\"");
    let shown = world.run(&["check"]);
    assert!(!shown.contains("horse"), "the secret is not repeated: {shown}");
    insta::assert_snapshot!("faults_of_a_configuration", shown);
    let json = world.command(&["check", "--format", "json"]).output().expect("a process");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["exit"], 2);
    assert_eq!(json["problems"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_weakened_limit_and_a_secret_in_the_environment_are_warned_of() {
    let world = World::started();
    world.edit("{ file = \"secrets/example.password\" }", "{ env = \"EPP_PASSWORD\" }");
    world.edit("# [registries.example.limits]", "[registries.example.limits]\nsessions = 100 #");
    let mut command = world.command(&["config", "show"]);
    let shown = shown(command.env("EPP_PASSWORD", "correct horse"));
    assert!(!shown.contains("horse"), "{shown}");
    let talk = shown.split("----- stderr\n").nth(1).expect("talk");
    insta::assert_snapshot!("warnings", talk);
}

#[test]
fn the_json_log_holds_warnings_and_errors() {
    let world = World::started();
    world.edit("min_rows_share = 0.6", "min_rows_share = 0.1");
    let output = world.command(&["pull", "--registry", "other", "--log", "json"]).output().expect("a process");
    let shown = world.command(&["config", "show", "--log", "json"]).output().expect("a process");
    let stderr = [output.stderr, shown.stderr].concat();
    let lines: Vec<serde_json::Value> =
        stderr.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).expect("JSON")).collect();
    let told: Vec<_> = lines.iter().map(|l| (l["level"].as_str(), l["id"].as_str())).collect();
    assert_eq!(told, [(Some("ERROR"), Some("E-cli-001")), (Some("WARN"), Some("E-config-012"))]);
    assert!(lines.iter().all(|l| l["timestamp"].as_str().is_some_and(|t| t.ends_with('Z'))));
}

#[test]
fn a_missing_configuration_says_how_to_make_one() {
    insta::assert_snapshot!(World::new().run(&["diff"]));
}

#[test]
fn completions_know_the_verbs() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish"] {
        let shown = world.run(&["completions", shell]);
        assert!(shown.starts_with("exit: 0\n") && shown.contains("synth"), "{shell}");
    }
}

#[test]
fn schemas_are_json() {
    let output = World::new().command(&["schema"]).output().expect("a process");
    let all: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(all["problem"]["title"], "Problem");
    assert_eq!(all["profile"]["title"], "Profile");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::new();
    let mut child = world.command(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn a_full_disk_behind_standard_output_is_told() {
    let world = World::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let output = world.command(&["schema"]).stdout(full).stderr(Stdio::piped()).output().expect("a process");
    assert_eq!(output.status.code(), Some(33));
    assert!(String::from_utf8_lossy(&output.stderr).contains("E-cli-002"));
}

#[test]
fn a_bundled_registry_tells_how_to_reach_it_and_ends_on_a_signal() {
    let world = World::new();
    let mut child = world.command(&["mock", "--state", "registry"]).stdout(Stdio::piped()).spawn().expect("a process");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let told: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let keys: Vec<&str> = told.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["address", "server_name", "ca", "cert", "key", "user", "password_file"]);
    let address: std::net::SocketAddr = told["address"].as_str().expect("a text").parse().expect("an address");
    std::net::TcpStream::connect(address).expect("somebody listens");
    let mode =
        |name: &str| std::fs::metadata(world.path().join(told[name].as_str().expect("a path"))).expect(name).permissions().mode() & 0o777;
    assert_eq!([mode("key"), mode("password_file")], [0o600, 0o600]);
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("sent");
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[test]
fn a_wrong_knob_is_told_before_anything_is_served() {
    let shown = World::new().run(&["mock", "--state", "registry", "--knob", "latency=30"]);
    assert!(shown.starts_with("exit: 2\n----- stdout\n----- stderr\nerror: E-mock-010"), "{shown}");
}

#[test]
fn a_registry_that_is_strict_says_so_by_what_it_refuses() {
    let world = World::new();
    let profile = privet::policy::profile("eurid").expect("a profile");
    // Whether the registry takes these letters is a guess.
    let mut contact = Contact::bare(Handle::new("GUESSED-1"));
    let addr = Address { city: "Roma".into(), cc: "IT".into(), ..Address::default() };
    contact.postal = vec![PostalInfo { form: PostalForm::Loc, name: Some("\u{5317}\u{4eac}".into()), org: None, addr: Some(addr) }];
    contact.voice = Some(Phone { number: "+39.06123456".into(), ext: None });
    contact.email = Some("a@example.org".into());
    for (key, value) in [("type", "registrant"), ("lang", "en"), ("naturalPerson", "true")] {
        contact.properties.set(key, value);
    }
    let refused = |more: &[&str]| {
        let args = [&["mock", "--profile", "eurid", "--state", "registry"], more].concat();
        let mut child = world.command(&args).stdout(Stdio::piped()).spawn().expect("a process");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let told: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let mut raw = Raw::to(&told, world.path(), &profile);
        let taken = Verdict::of(&raw.say(&raw::create(&profile, &contact))).taken;
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("sent");
        child.wait().expect("an end");
        !taken
    };
    assert!(!refused(&[]), "a guess refuses nothing");
    assert!(refused(&["--strict-unknown"]));
    assert!(refused(&["--strict-unknown", "--knob", "strict_unknown=off"]), "the flag has the last word");
}

#[test]
fn what_synth_makes_can_be_configured_with() {
    let world = World::new();
    let output = world.command(&["mock", "synth", "--out", "made", "--contacts", "50", "--format", "json"]).output().expect("a process");
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(made["registries"].as_array().is_some_and(|r| !r.is_empty()), "{made}");
    assert!(world.path().join("made/truth/differences.csv").is_file());
    let shown = world.run(&["config", "show", "--config", "made/privet.toml"]);
    assert!(shown.starts_with("exit: 0\n") && shown.ends_with("----- stderr\n"), "no error and no warning: {shown}");
}

#[test]
fn frames_are_decoded_from_a_pipe_and_from_a_file() {
    let world = World::new();
    let frame = r#"<epp xmlns="urn:ietf:params:xml:ns:epp-1.0"><response><result code="1000"><msg>Done</msg></result><trID><svTRID>S-1</svTRID></trID></response></epp>"#;
    let mut child = world.command(&["frame", "decode", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
    child.stdin.take().expect("its input").write_all(frame.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("an end");
    let piped: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let keys: Vec<&str> = piped.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["typed", "unknown", "raw"]);
    let length = u32::try_from(frame.len() + 4).expect("a short frame").to_be_bytes();
    privet::base::write_atomic(&world.path().join("frame"), &[&length, frame.as_bytes()].concat()).expect("written");
    let output = world.command(&["frame", "decode", "--length-prefixed", "frame"]).output().expect("a process");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&output.stdout).expect("JSON"), piped);
    insta::assert_snapshot!("no_frame", world.run(&["frame", "decode", "-"]));
}

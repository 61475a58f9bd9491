//! What every bench needs: processor time and memory of a process, children, medians, and an honest word about the machine.

use serde_json::{Value, json};
use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Anything that ends a bench. A bench that cannot measure says so and fails; it never prints a figure instead.
pub type Outcome<T> = Result<T, Box<dyn Error>>;

/// Ticks of `/proc/self/stat` in a second: Linux's USER_HZ, which is 100 on every architecture that Rust runs on.
const TICKS: f64 = 100.0;

/// Processor time of this process so far, user and system, all its threads.
pub fn cpu() -> Outcome<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field is the command in parentheses, which may hold blanks.
    let behind = stat.rsplit_once(')').ok_or("no command in /proc/self/stat")?.1;
    let fields: Vec<&str> = behind.split_whitespace().collect();
    let tick = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).ok_or("no times in /proc/self/stat");
    Ok(Duration::from_secs_f64((tick(11)? + tick(12)?) / TICKS))
}

/// The most resident memory this process has had, in MiB.
pub fn peak_mib() -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// The median; of none, NaN.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// Runs `command` to its end and reads the JSON on the last line of its output.
pub fn json_of(command: &mut Command) -> Outcome<Value> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{:?} ended with {}", command.get_program(), output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(serde_json::from_str(text.lines().last().ok_or("a child printed nothing")?)?)
}

/// This program as a child.
pub fn myself() -> Outcome<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

/// A child that serves until it is dropped, and the JSON line it began with.
pub struct Server {
    child: Child,
    /// What it said.
    pub said: Value,
}

impl Server {
    /// Starts `command` and waits for its line. It is to end when its standard input does.
    pub fn start(command: &mut Command) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        match serde_json::from_str(&line) {
            Ok(said) => Ok(Self { child, said }),
            Err(e) => {
                child.kill()?;
                Err(format!("the server did not come up: {e}").into())
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if self.child.wait().is_err() {
            eprintln!("a server could not be waited for");
        }
    }
}

/// The machine and its load, as they are now.
pub fn machine() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).map_or("unknown", |l| l.trim_start_matches([' ', '\t', ':']));
    let memory = read("/proc/meminfo");
    let kib: f64 = memory.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0);
    let load = read("/proc/loadavg");
    json!({
        "processor": model,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory_gib": (kib / 1024.0 / 1024.0).round(),
        "load": load.split_whitespace().next().and_then(|l| l.parse::<f64>().ok()),
    })
}

/// Makes `dir` anew and empty.
pub fn fresh(dir: &Path) -> Outcome<()> {
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    Ok(fs::create_dir_all(dir)?)
}

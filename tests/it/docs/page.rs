//! A page as what there is to do on it.

/// What begins a command that stands where nobody would run it.
const COMMANDS: [&str; 4] = ["$ ", "privet ", "cargo ", "sudo "];
/// What stands for whatever varies.
const ANY: char = '…';

/// A thing to do on a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
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
pub(super) fn read(text: &str) -> Result<Vec<Step>, String> {
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
pub(super) fn is_output(page: &[String], lines: &[&str]) -> bool {
    match page.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if *first == ANY.to_string() => (0..=lines.len()).any(|n| is_output(rest, &lines[n..])),
        Some((first, rest)) => lines.split_first().is_some_and(|(line, others)| is_line(first, line.trim_end()) && is_output(rest, others)),
    }
}

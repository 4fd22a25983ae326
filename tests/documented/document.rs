//! What a reader of a Markdown file types.

use std::path::Path;

/// What is done with a block.
#[derive(Debug)]
pub enum Step {
    /// Its commands are run.
    Run(String),
    /// It is saved as a file.
    Save { file: String, text: String },
    /// Its commands are not run here.
    LeaveOut { text: String, reason: String },
}

/// A Markdown file.
#[derive(Debug)]
pub struct Document {
    /// Its path in the project.
    pub file: String,
    /// Its blocks of commands and files, in order.
    pub steps: Vec<Step>,
    /// Commands in its text.
    pub mentions: Vec<String>,
}

/// Whether a program is installed here.
fn is_there(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

impl Document {
    pub fn read(file: &Path, text: &str) -> Self {
        let mut document = Self { file: file.display().to_string(), steps: Vec::new(), mentions: Vec::new() };
        let mut lines = text.lines();
        let mut before = "";
        while let Some(line) = lines.next() {
            if let Some(language) = line.strip_prefix("```") {
                let block: String =
                    lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
                document.add(language, before, block);
            } else {
                document.mention(line);
            }
            before = if line.is_empty() { before } else { line };
        }
        document
    }

    fn add(&mut self, language: &str, before: &str, text: String) {
        let comment = |key: &str| before.strip_prefix("<!-- ")?.strip_prefix(key)?.strip_suffix(" -->");
        let is_shell = ["sh", "bash", "shell", "console", "zsh"].contains(&language);
        assert!(!is_shell || language == "sh", "{}: a block of {language}: write sh", self.file);
        if let Some(file) = comment("file: ") {
            self.steps.push(Step::Save { file: file.to_owned(), text });
        } else if is_shell {
            let missing = comment("needs: ").filter(|program| !is_there(program));
            let reason =
                comment("not run: ").map(str::to_owned).or_else(|| Some(format!("{} is not installed", missing?)));
            self.steps.push(match reason {
                Some(reason) => Step::LeaveOut { text, reason },
                None => Step::Run(text),
            });
        }
    }

    fn mention(&mut self, line: &str) {
        let spans = line.split('`').skip(1).step_by(2);
        let is_command = |span: &&str| ["hearth ", "cargo "].iter().any(|program| span.starts_with(program));
        self.mentions.extend(spans.filter(is_command).map(str::to_owned));
    }
}

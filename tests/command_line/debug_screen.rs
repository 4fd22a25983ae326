//! `hearth debug` on a whole terminal, driven as a person does: keys go into a pseudo-terminal, and a terminal in memory shows what is seen.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::debug::scenario_file;

/// Nothing takes so long but what never comes.
const MOST_WAIT: Duration = Duration::from_secs(60);

fn lines(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

struct Screen {
    parser: vt100::Parser,
    output: Receiver<Vec<u8>>,
    input: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    /// All that has been written.
    written: Vec<u8>,
}

impl Screen {
    fn start(scenario: &Path, (rows, cols): (u16, u16), variables: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_hearth"));
        command.args(["debug".as_ref(), scenario.as_os_str()]);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        variables.iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let input = pair.master.take_writer().unwrap();
        let (sender, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let parser = vt100::Parser::new(lines(rows), lines(cols), 0);
        Self { parser, output, input, child, master: pair.master, written: Vec::new() }
    }

    fn text(&self) -> String {
        self.parser.screen().contents()
    }

    /// Waits until what is seen is so.
    #[track_caller]
    fn wait(&mut self, what: &str, is_so: impl Fn(&vt100::Screen) -> bool) {
        let since = Instant::now();
        while !is_so(self.parser.screen()) {
            match self.output.recv_timeout(Duration::from_millis(50)) {
                Ok(bytes) => {
                    self.written.extend(&bytes);
                    self.parser.process(&bytes);
                }
                Err(RecvTimeoutError::Timeout) if since.elapsed() < MOST_WAIT => {}
                Err(error) => panic!("{what} is not seen ({error}):\n{}", self.text()),
            }
        }
    }

    /// Waits until a text is seen.
    #[track_caller]
    fn sees(&mut self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text));
    }

    fn press(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Types a command.
    #[track_caller]
    fn say(&mut self, command: &str) {
        self.press(":");
        self.press(command);
        let first: String = command.chars().take(12).collect();
        self.sees(&format!(":{first}"));
        self.press("\r");
    }

    /// Waits until the program has ended, and all that it has written is seen.
    #[track_caller]
    fn end(&mut self) -> ExitStatus {
        let since = Instant::now();
        loop {
            while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(50)) {
                self.written.extend(&bytes);
                self.parser.process(&bytes);
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(since.elapsed() < MOST_WAIT, "it does not end:\n{}", self.text());
        }
    }

    /// The terminal is as it was before.
    #[track_caller]
    fn is_given_back(&self) {
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{}", self.text());
        #[cfg(unix)]
        if let Some(modes) = self.master.get_termios() {
            let flags = format!("{:?}", modes.local_flags);
            assert!(flags.contains("ECHO") && flags.contains("ICANON"), "{flags}");
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_run_is_stopped_looked_at_changed_branched_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_file(folder.path());
    let mut screen = Screen::start(&scenario, (40, 130), &[]);
    screen.sees("? lists the keys");
    assert!(screen.parser.screen().alternate_screen());
    screen.sees("node-1");
    // To a condition, which is typed behind the key for it.
    screen.press("u");
    screen.sees(":run until ");
    screen.press("queue > 0\r");
    screen.sees("queue > 0: holds");
    screen.sees("main  2 s");
    screen.press("2");
    screen.sees("in the queue");
    screen.press("4");
    screen.sees("the container of invocation 1 is up");
    screen.press("d");
    screen.sees("node_allocation place about invocation 4 of index:");
    screen.press("5");
    screen.sees("saw free_core: node-0");
    screen.press("i0\r");
    screen.sees("invocation 0 of resize: completed");
    screen.press("b");
    screen.press("other\r");
    screen.sees("branch other begins where main is, at 3 s");
    screen.sees("other (2 branches)");
    screen.press("v");
    screen.press("keep_alive=no-keep-alive\r");
    screen.sees("from 3 s on, keep_alive is no-keep-alive");
    // The keys that step; `g` begins a command, which is left again.
    screen.press("s");
    screen.sees("> step");
    screen.press("t");
    screen.sees("> step date");
    screen.press("g");
    screen.sees(":run to ");
    screen.press("\x1b");
    screen.wait("no command", |screen| !screen.contents().contains(":run to "));
    // Panes by their numbers, the policy of the next slot, and the pane after that.
    screen.press("6");
    screen.sees("dispatched ");
    screen.press("3");
    screen.sees("container  function");
    screen.press("5o");
    screen.sees("admission: always");
    screen.press("\t");
    screen.sees("dispatched ");
    screen.press("c");
    screen.sees("AT ITS END");
    screen.press("[");
    screen.sees("on branch main, at 3 s");
    screen.press("c");
    screen.sees("nothing is left to happen");
    screen.press("m");
    screen.sees("other against main: of 8 that completed in both");
    screen.press("7");
    screen.sees("starts      6 cold, 2 warm");
    screen.press("?");
    screen.sees("run until a condition holds");
    screen.press("\x1b");
    screen.wait("no help", |screen| !screen.contents().contains("run until a condition holds"));
    // What is wrong is said, and nothing else comes of it.
    screen.say("run until quueue > 3");
    screen.sees("expected a condition: did you mean");
    screen.say("quit");
    let status = screen.end();
    assert!(status.success(), "{status:?}");
    screen.is_given_back();
}

#[test]
fn ctrl_c_pauses_what_runs_and_ends_what_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = super::debug::endless_scenario(folder.path());
    let mut screen = Screen::start(&scenario, (30, 100), &[]);
    screen.sees("? lists the keys");
    screen.press("c");
    screen.sees("RUNS");
    screen.press("\x03");
    screen.sees(": paused");
    screen.press("c");
    screen.sees("RUNS");
    screen.press("p");
    screen.wait("another pause", |screen| screen.contents().matches(": paused").count() == 2);
    screen.press("\x03");
    let status = screen.end();
    assert_eq!(status.exit_code(), 130);
    screen.is_given_back();
}

#[test]
#[cfg(unix)]
fn a_signal_from_outside_gives_the_terminal_back() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_file(folder.path());
    let mut screen = Screen::start(&scenario, (30, 100), &[]);
    screen.sees("? lists the keys");
    let process = screen.child.process_id().unwrap();
    let killed = std::process::Command::new("kill").args(["-TERM", &process.to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(screen.end().exit_code(), 130);
    screen.is_given_back();
}

/// Every size, down to one in which hardly anything can be seen.
#[test]
fn small_terminals_show_what_they_can() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_file(folder.path());
    for (rows, cols) in [(1, 1), (2, 10), (5, 30), (8, 40), (12, 60)] {
        let mut screen = Screen::start(&scenario, (rows, cols), &[]);
        screen.wait("anything", |screen| screen.alternate_screen() && !screen.contents().trim().is_empty());
        screen.press("s");
        if cols >= 10 {
            screen.wait("a date", |screen| screen.contents().contains("main  0 s"));
        }
        // Any key leaves the help.
        screen.press("?x");
        screen.press("u");
        screen.press("queue > 0\r");
        if cols >= 30 {
            screen.sees("main  2 s");
        }
        screen.press("q");
        assert!(screen.end().success(), "{rows} x {cols}");
        screen.is_given_back();
    }
}

#[test]
fn a_terminal_that_becomes_another_size_is_drawn_anew() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_file(folder.path());
    let mut screen = Screen::start(&scenario, (30, 130), &[]);
    screen.sees("? lists the keys");
    screen.master.resize(PtySize { rows: 10, cols: 50, pixel_width: 0, pixel_height: 0 }).unwrap();
    screen.parser.screen_mut().set_size(lines(10), lines(50));
    screen.press("s");
    screen.sees("main  0 s");
    screen.press("1");
    screen.wait("the tabs", |screen| screen.contents().lines().nth(1).is_some_and(|line| line.contains("1 nodes")));
    screen.press("q");
    assert!(screen.end().success());
}

/// The codes of colours in what was written.
fn colours(written: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(written);
    let codes = text.split("\x1b[").skip(1).filter_map(|rest| rest.split_once('m')).map(|(code, _)| code);
    let is_colour = |code: &&str| {
        code.split(';').any(|part| matches!(part.parse::<u32>(), Ok(30..=38 | 40..=48 | 90..=97 | 100..=107)))
    };
    codes
        .filter(|code| code.chars().all(|letter| letter.is_ascii_digit() || letter == ';'))
        .filter(is_colour)
        .map(str::to_owned)
        .collect()
}

#[test]
fn without_colours_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = scenario_file(folder.path());
    for (variables, is_coloured) in [(vec![], true), (vec![("NO_COLOR", "1")], false)] {
        let mut screen = Screen::start(&scenario, (30, 100), &variables);
        screen.sees("? lists the keys");
        screen.say("fly");
        screen.sees("unknown command \"fly\"");
        screen.press("q");
        screen.end();
        let colours = colours(&screen.written);
        assert_eq!(!colours.is_empty(), is_coloured, "{colours:?}");
    }
}

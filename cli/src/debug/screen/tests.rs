//! What cannot be seen from outside of the program: a terminal is given back whatever goes wrong.

use std::env;
use std::io::Read;
use std::num::NonZeroU16;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Taken;
use super::keys::{KEYS, Wish, wish};

/// Is set where the test starts itself again.
const IS_TO_PANIC: &str = "HEARTH_TEST_IS_TO_PANIC";

#[test]
fn a_panic_gives_the_terminal_back_and_is_seen() {
    if env::var_os(IS_TO_PANIC).is_some() {
        let _taken = Taken::take().unwrap();
        panic!("on purpose");
    }
    let size = PtySize { rows: 40, cols: 150, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env::current_exe().unwrap());
    let name = format!("{}::a_panic_gives_the_terminal_back_and_is_seen", module_path!().split_once("::").unwrap().1);
    command.args(["--exact", &name, "--nocapture"]);
    command.env(IS_TO_PANIC, "1");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let (mut reader, mut written) = (pair.master.try_clone_reader().unwrap(), Vec::new());
    // The end of a terminal that nobody has any more is an error on some systems.
    let _ = reader.read_to_end(&mut written);
    assert!(!child.wait().unwrap().success());
    let lines = |number| NonZeroU16::new(number).unwrap();
    let mut parser = vt100::Parser::new(lines(40), lines(150), 0);
    parser.process(&written);
    assert!(String::from_utf8_lossy(&written).contains("\x1b[?1049h"), "it never had the terminal to itself");
    assert!(!parser.screen().alternate_screen() && !parser.screen().hide_cursor());
    assert!(parser.screen().contents().contains("on purpose"), "{}", parser.screen().contents());
    let modes = format!("{:?}", pair.master.get_termios().unwrap().local_flags);
    assert!(modes.contains("ECHO") && modes.contains("ICANON"), "{modes}");
}

#[test]
fn help_lists_the_keys_that_there_are() {
    for (keys, does) in KEYS {
        let letters = keys.split([' ', ',']).filter(|key| key.chars().count() == 1 && key.is_ascii());
        for key in letters.filter_map(|key| key.chars().next()) {
            let pressed = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
            assert!(wish(&pressed).is_some(), "{key:?}: {does}");
        }
    }
    let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(wish(&control_c), Some(Wish::Stop));
    let control_s = KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL);
    assert_eq!(wish(&control_s), None, "a key of the terminal");
}

//! What keys mean.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::InputRequest;

/// What a key asks for while no command is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Do this.
    Do(&'static str),
    /// Begin a command with this.
    Type(&'static str),
    /// Show the pane of this number.
    Pane(usize),
    NextPane,
    PreviousPane,
    /// Move what is seen by so many lines.
    Scroll(isize),
    /// By so many screens.
    Page(isize),
    /// To its begin, or its end.
    Edge(isize),
    /// The next branch, or the one before.
    Branch(isize),
    /// The policy of the next slot.
    NextSlot,
    Help,
    Quit,
    /// Pause, or end.
    Stop,
}

/// The keys and what they do, as help shows them.
pub const KEYS: [(&str, &str); 19] = [
    ("s", "step by an event"),
    ("d", "step to the next decision of a policy"),
    ("t", "step by all of the next date"),
    ("c", "run on, to the end or a breakpoint"),
    ("u", "run until a condition holds"),
    ("g", "run to a date"),
    ("p, Ctrl-C", "pause what runs"),
    ("i", "look at an invocation"),
    ("v", "set another policy, from now on"),
    ("b", "branch: another future that begins here"),
    ("[ ]", "the branch before, the next branch"),
    ("m", "compare all branches"),
    ("1 … 7, Tab", "the panes"),
    ("o", "the policy of the next slot"),
    ("↑ ↓ PgUp PgDn", "move in a pane (also Home, End, k, j)"),
    (": or Enter", "type a command; ↑ brings earlier ones back"),
    ("Esc", "leave a command, or this help"),
    ("?", "this help"),
    ("q", "quit (Ctrl-C, too, while nothing runs)"),
];

/// Whether it is Ctrl-C.
pub fn is_stop(key: &KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char('c' | 'C'))
}

/// What a key asks for while no command is typed; nothing of many keys.
pub fn wish(key: &KeyEvent) -> Option<Wish> {
    if is_stop(key) {
        return Some(Wish::Stop);
    }
    if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return None;
    }
    Some(match key.code {
        KeyCode::Char('s') => Wish::Do("step"),
        KeyCode::Char('d') => Wish::Do("step decision"),
        KeyCode::Char('t') => Wish::Do("step date"),
        KeyCode::Char('c') => Wish::Do("run"),
        KeyCode::Char('m') => Wish::Do("compare"),
        KeyCode::Char('u') => Wish::Type("run until "),
        KeyCode::Char('g') => Wish::Type("run to "),
        KeyCode::Char('i') => Wish::Type("invocation "),
        KeyCode::Char('v') => Wish::Type("set "),
        KeyCode::Char('b') => Wish::Type("branch "),
        KeyCode::Char(':') | KeyCode::Enter => Wish::Type(""),
        KeyCode::Char(number @ '1'..='9') => Wish::Pane(number as usize - '1' as usize),
        KeyCode::Tab => Wish::NextPane,
        KeyCode::BackTab => Wish::PreviousPane,
        KeyCode::Up | KeyCode::Char('k') => Wish::Scroll(-1),
        KeyCode::Down | KeyCode::Char('j') => Wish::Scroll(1),
        KeyCode::PageUp => Wish::Page(-1),
        KeyCode::PageDown => Wish::Page(1),
        KeyCode::Home => Wish::Edge(-1),
        KeyCode::End => Wish::Edge(1),
        KeyCode::Char('[') => Wish::Branch(-1),
        KeyCode::Char(']') => Wish::Branch(1),
        KeyCode::Char('o') => Wish::NextSlot,
        KeyCode::Char('?') => Wish::Help,
        KeyCode::Char('q') => Wish::Quit,
        KeyCode::Char('p') => Wish::Stop,
        _ => return None,
    })
}

/// What a key does to a command that is typed; nothing of many keys.
pub fn edit(key: &KeyEvent) -> Option<InputRequest> {
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('a') if is_control => InputRequest::GoToStart,
        KeyCode::Char('e') if is_control => InputRequest::GoToEnd,
        KeyCode::Char('u') if is_control => InputRequest::DeleteLine,
        KeyCode::Char('k') if is_control => InputRequest::DeleteTillEnd,
        KeyCode::Char('w') if is_control => InputRequest::DeletePrevWord,
        KeyCode::Char(letter) if !is_control => InputRequest::InsertChar(letter),
        KeyCode::Backspace => InputRequest::DeletePrevChar,
        KeyCode::Delete => InputRequest::DeleteNextChar,
        KeyCode::Left if is_control => InputRequest::GoToPrevWord,
        KeyCode::Right if is_control => InputRequest::GoToNextWord,
        KeyCode::Left => InputRequest::GoToPrevChar,
        KeyCode::Right => InputRequest::GoToNextChar,
        KeyCode::Home => InputRequest::GoToStart,
        KeyCode::End => InputRequest::GoToEnd,
        _ => return None,
    })
}

//! How the screen looks: at the top where it is, then a pane and what has been said, at the bottom what is typed.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use super::keys::KEYS;
use super::state::{PANES, Said, State};
use crate::debug::text;

/// From so many columns on the pane and what has been said are beside each other.
const WIDE: u16 = 110;
/// With fewer lines there is no room for what has been said.
const LOW: u16 = 9;
/// With fewer lines there are no frames.
const VERY_LOW: u16 = 6;

/// The colours, or what stands for them where there are none.
struct Theme(bool);

impl Theme {
    fn coloured(&self, colour: Color, otherwise: Modifier) -> Style {
        if self.0 { Style::new().fg(colour) } else { Style::new().add_modifier(otherwise) }
    }

    fn command(&self) -> Style {
        self.coloured(Color::Cyan, Modifier::BOLD)
    }

    fn problem(&self) -> Style {
        self.coloured(Color::Red, Modifier::REVERSED)
    }

    fn running(&self) -> Style {
        self.coloured(Color::Yellow, Modifier::BOLD)
    }

    fn bar() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    fn header() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }
}

/// Draws all of it.
pub fn draw(frame: &mut Frame<'_>, state: &mut State) {
    let theme = Theme(state.has_colours);
    let area = frame.area();
    let tabs = u16::from(area.height >= VERY_LOW);
    let rows = [Constraint::Length(1), Constraint::Length(tabs), Constraint::Min(0), Constraint::Length(1)];
    let [top, names, middle, bottom] = Layout::vertical(rows).areas(area);
    frame.render_widget(Paragraph::new(status(state, top.width)).style(Theme::bar()), top);
    frame.render_widget(Paragraph::new(tab_line(state)), names);
    if area.height < LOW {
        draw_pane(frame, state, middle, area.height >= VERY_LOW);
    } else {
        let halves = [Constraint::Percentage(60), Constraint::Percentage(40)];
        let [pane, said] = match area.width >= WIDE {
            true => Layout::horizontal(halves).areas(middle),
            false => Layout::vertical(halves).areas(middle),
        };
        draw_pane(frame, state, pane, true);
        draw_said(frame, state, said, &theme);
    }
    draw_bottom(frame, state, bottom, &theme);
    if state.is_helping {
        draw_help(frame, area);
    }
}

fn status(state: &State, width: u16) -> String {
    let status = state.branches.status();
    let (date, requests) = match state.running {
        Some(Some((date, requests))) => (date, requests),
        _ => (status.date, status.requests),
    };
    let how = match (&state.running, &status.failure, status.has_ended) {
        (Some(_), _, _) => " RUNS",
        (None, Some(_), _) => " STOPPED",
        (None, None, true) => " AT ITS END",
        _ => "",
    };
    let branches = state.branches.names().count();
    let of = if branches > 1 { format!(" ({branches} branches)") } else { String::new() };
    let first = format!(" {}{of}  {}{how}", state.branches.name(), text::seconds(date));
    let rest = format!("  event {}  {requests} requests  {} wait  {} run", status.events, status.queue, status.running);
    if first.chars().count() + rest.chars().count() <= usize::from(width) { first + &rest } else { first }
}

fn tab_line(state: &State) -> Line<'static> {
    let tab = |(position, name): (usize, &&'static str)| {
        let style = if position == state.pane { Theme::bar() } else { Style::new() };
        [Span::styled(format!(" {} {name} ", position + 1), style), Span::raw(" ")]
    };
    Line::from_iter(PANES.iter().enumerate().flat_map(tab))
}

fn frame_of(title: String, is_framed: bool) -> Block<'static> {
    if is_framed { Block::new().borders(Borders::TOP).title(title) } else { Block::new() }
}

fn draw_pane(frame: &mut Frame<'_>, state: &mut State, area: Rect, is_framed: bool) {
    let name = PANES.get(state.pane).copied().unwrap_or_default();
    let height = usize::from(area.height.saturating_sub(u16::from(is_framed)));
    state.height = height;
    state.scroll = state.scroll.min(state.lines().len().saturating_sub(height.max(1)));
    let (lines, scroll) = (state.lines(), state.scroll);
    let seen = lines.iter().skip(scroll).take(height);
    let title = if lines.len() > height {
        format!(" {name} ({}–{} of {}) ", scroll + 1, (scroll + height).min(lines.len()), lines.len())
    } else {
        format!(" {name} ")
    };
    let is_header = |position: usize| position == 0 && scroll == 0 && lines.len() > 1;
    let line = |(position, line): (usize, &String)| {
        let style = if is_header(position) { Theme::header() } else { Style::new() };
        Line::styled(line.clone(), style)
    };
    let shown: Vec<Line<'_>> = seen.enumerate().map(line).collect();
    frame.render_widget(Paragraph::new(shown).block(frame_of(title, is_framed)), area);
}

fn draw_said(frame: &mut Frame<'_>, state: &State, area: Rect, theme: &Theme) {
    let width = usize::from(area.width).max(1);
    let mut lines = Vec::new();
    for said in &state.said {
        let (text, style) = match said {
            Said::Command(line) => (format!("> {line}"), theme.command()),
            Said::Answer(line) => (line.clone(), Style::new()),
            Said::Problem(line) => (line.clone(), theme.problem()),
        };
        // What is wider than the screen goes on in the next line, so that the last lines are seen whatever they are.
        let letters: Vec<char> = text.chars().collect();
        if letters.is_empty() {
            lines.push(Line::default());
        }
        lines.extend(letters.chunks(width).map(|part| Line::styled(part.iter().collect::<String>(), style)));
    }
    let height = usize::from(area.height.saturating_sub(1));
    let seen = lines.split_off(lines.len().saturating_sub(height));
    frame.render_widget(Paragraph::new(seen).block(frame_of(" said ".to_owned(), true)), area);
}

fn draw_bottom(frame: &mut Frame<'_>, state: &State, area: Rect, theme: &Theme) {
    if let Some(input) = &state.input {
        let width = usize::from(area.width.saturating_sub(2));
        let scroll = input.visual_scroll(width);
        let shown: String = input.value().chars().skip(scroll).take(width).collect();
        frame.render_widget(Paragraph::new(format!(":{shown}")).style(theme.command()), area);
        let column = 1 + input.visual_cursor().saturating_sub(scroll);
        let column = area.x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX));
        frame.set_cursor_position(Position::new(column.min(area.right().saturating_sub(1)), area.y));
        return;
    }
    let low = frame.area().height < LOW;
    let last = state.said.iter().rev().find(|said| !matches!(said, Said::Command(_))).filter(|_| low);
    let (text, style) = match (&state.running, last) {
        (Some(_), _) => ("runs … p pauses".to_owned(), theme.running()),
        (None, Some(Said::Problem(line))) => (line.clone(), theme.problem()),
        (None, Some(Said::Answer(line))) => (line.clone(), Style::new()),
        _ => (
            "s step  d decision  c run  u until  b branch  v set  m compare  : command  ? keys  q quit".to_owned(),
            Style::new(),
        ),
    };
    frame.render_widget(Paragraph::new(text).style(style), area);
}

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let lines: Vec<Line<'_>> = KEYS.iter().map(|(key, does)| Line::raw(format!(" {key:<14} {does}"))).collect();
    let width = lines.iter().map(Line::width).max().unwrap_or_default() + 3;
    let fits = |wanted: usize, there: u16| u16::try_from(wanted).unwrap_or(u16::MAX).min(there);
    let (width, height) = (fits(width, area.width), fits(lines.len() + 2, area.height));
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" keys ")), place);
}

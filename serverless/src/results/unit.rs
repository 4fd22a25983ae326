//! What a number is, and how people read it: the one place where quantities become text for people.

/// What a number is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// How many of something.
    Count,
    /// A number without unit.
    Plain,
    /// A part of a whole, from 0 to 1; shown in percent.
    Share,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes in each second.
    BytesPerSecond,
    /// Bytes over seconds.
    ByteSeconds,
    /// GiB over seconds, as providers bill them.
    GibSeconds,
    /// Cores over seconds.
    CoreSeconds,
    /// In each second.
    PerSecond,
    /// Floating-point operations, or operations per second.
    Work,
    /// Joules.
    Joules,
    /// Money, in the currency of the prices.
    Money,
}

impl Unit {
    /// The base unit, as files name it; empty for mere numbers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count | Self::Plain | Self::Share => "",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "bytes_per_second",
            Self::ByteSeconds => "byte_seconds",
            Self::GibSeconds => "gib_seconds",
            Self::CoreSeconds => "core_seconds",
            Self::PerSecond => "per_second",
            Self::Work => "flop",
            Self::Joules => "joules",
            Self::Money => "currency",
        }
    }

    /// A value with three significant digits and a unit that suits it.
    pub fn shown(self, value: f64) -> String {
        let (sign, size) = if value < 0.0 { ("-", -value) } else { ("", value) };
        let text = match self {
            Self::Count | Self::Plain => plain(size),
            Self::Share => format!("{:.2} %", 100.0 * size),
            Self::Seconds => duration(size),
            Self::Bytes => bytes(size),
            Self::BytesPerSecond => format!("{}/s", bytes(size)),
            Self::ByteSeconds => byte_seconds(size),
            Self::GibSeconds => format!("{} GiB·s", plain(size)),
            Self::CoreSeconds => format!("{} core·s", three_digits(size)),
            Self::PerSecond => format!("{}/s", plain(size)),
            Self::Work => work(size),
            Self::Joules => joules(size),
            Self::Money => money(size),
        };
        format!("{sign}{text}")
    }

    /// A value as a remark beside another: shares with one decimal.
    pub fn remarked(self, value: f64) -> String {
        match self {
            Self::Share => format!("{:.1} %", 100.0 * value),
            _ => self.shown(value),
        }
    }

    /// A difference of two values, without sign if it is positive: those of shares are in percentage points.
    pub fn shown_difference(self, value: f64) -> String {
        match self {
            Self::Share => format!("{:.2} pp", 100.0 * value),
            _ => self.shown(value),
        }
    }

    /// Seconds of the unit in which an even axis of times up to a greatest has round numbers, and the unit.
    pub fn of_even_times(greatest: f64) -> (f64, &'static str) {
        match greatest {
            s if s > 4.0 * 86_400.0 => (86_400.0, "d"),
            s if s > 4.0 * 3_600.0 => (3_600.0, "h"),
            s if s > 240.0 => (60.0, "min"),
            s if s > 1.0 => (1.0, "s"),
            _ => (1e-3, "ms"),
        }
    }

    /// A number at the mark of an axis: as short as can be.
    pub fn on_axis(self, value: f64) -> String {
        match self {
            Self::Count | Self::Plain if value.abs() >= 1e5 => format!("{value:.0e}"),
            Self::Count | Self::Plain | Self::Money => trimmed(value),
            Self::Share => format!("{} %", trimmed(100.0 * value)),
            _ => match self.shown(value).split_once(' ') {
                Some((number, unit)) => format!("{} {unit}", number.parse().map_or(number.to_owned(), trimmed)),
                None => self.shown(value),
            },
        }
    }
}

/// A number with at most three decimals.
pub fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn plain(value: f64) -> String {
    if value.fract() == 0.0 && value < 1e15 { format!("{value}") } else { format!("{value:.3}") }
}

/// An amount of work with three significant digits.
fn work(amount: f64) -> String {
    let units = [("Tf", 1e12), ("Gf", 1e9), ("Mf", 1e6), ("kf", 1e3)];
    match units.iter().find(|(_, size)| amount >= *size) {
        Some((unit, size)) => format!("{} {unit}", three_digits(amount / size)),
        None => format!("{} f", three_digits(amount)),
    }
}

/// A time with three significant digits and a unit that suits it.
fn duration(seconds: f64) -> String {
    match seconds {
        0.0 => "0 s".to_owned(),
        s if s < 1e-3 => format!("{} us", three_digits(s * 1e6)),
        s if s < 1.0 => format!("{} ms", three_digits(s * 1e3)),
        s if s < 120.0 => format!("{} s", three_digits(s)),
        s if s < 7200.0 => format!("{} min", three_digits(s / 60.0)),
        s => format!("{} h", three_digits(s / 3600.0)),
    }
}

/// An amount of bytes with three significant digits.
fn bytes(amount: f64) -> String {
    let units = [("EB", 1e18), ("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match units.iter().find(|(_, size)| amount >= *size) {
        Some((unit, size)) => format!("{} {unit}", three_digits(amount / size)),
        None if amount.fract() == 0.0 => format!("{amount} B"),
        None => format!("{} B", three_digits(amount)),
    }
}

/// Memory over time with three significant digits.
fn byte_seconds(amount: f64) -> String {
    format!("{}·s", bytes(amount))
}

/// An amount of money: two decimals, or as many as it takes for three significant digits.
fn money(amount: f64) -> String {
    let decimals = if amount > 0.0 && amount < 1.0 { (2.0 - amount.log10().floor()).min(15.0) as usize } else { 2 };
    format!("{amount:.decimals$}")
}

/// An amount of energy with three significant digits.
fn joules(amount: f64) -> String {
    let units = [("TJ", 1e12), ("GJ", 1e9), ("MJ", 1e6), ("kJ", 1e3)];
    match units.iter().find(|(_, size)| amount >= *size) {
        Some((unit, size)) => format!("{} {unit}", three_digits(amount / size)),
        None => format!("{} J", three_digits(amount)),
    }
}

/// A number with three significant digits, or all before the point.
fn three_digits(value: f64) -> String {
    let decimals = match value {
        v if v < 10.0 => 2,
        v if v < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_three_digits_and_a_unit_that_suits() {
        let times: Vec<String> = [0.0, 2.5e-6, 0.25, 12.34, 300.0, 86_400.0].into_iter().map(duration).collect();
        assert_eq!(times, ["0 s", "2.50 us", "250 ms", "12.3 s", "5.00 min", "24.0 h"]);
        assert_eq!([12.0, 1234.0, 5e9].map(bytes), ["12 B", "1.23 kB", "5.00 GB"]);
        assert_eq!([0.0, 0.5, 123.456e3].map(joules), ["0.00 J", "0.50 J", "123 kJ"]);
        let amounts = [0.0, 2e-7, 0.0012345, 0.25, 1.5, 1234.5].map(money);
        assert_eq!(amounts, ["0.00", "0.000000200", "0.00123", "0.250", "1.50", "1234.50"]);
    }

    #[test]
    fn differences_of_shares_are_in_points() {
        assert_eq!(
            (Unit::Share.shown(-0.0651), Unit::Share.shown_difference(-0.0651)),
            ("-6.51 %".into(), "-6.51 pp".into())
        );
        assert_eq!(Unit::Seconds.shown_difference(-0.25), "-250 ms");
    }

    #[test]
    fn numbers_of_axes_are_short() {
        let cases = [
            (Unit::Seconds, 0.5, "500 ms"),
            (Unit::Seconds, 10.0, "10 s"),
            (Unit::Share, 0.25, "25 %"),
            (Unit::Bytes, 4e9, "4 GB"),
            (Unit::BytesPerSecond, 2.5e8, "250 MB/s"),
            (Unit::ByteSeconds, 2.5e12, "2.5 TB·s"),
            (Unit::CoreSeconds, 1.5, "1.5 core·s"),
            (Unit::Work, 1e10, "10 Gf"),
            (Unit::Plain, 1000.0, "1000"),
            (Unit::Count, 250_000.0, "2e5"),
        ];
        for (unit, value, text) in cases {
            assert_eq!(unit.on_axis(value), text);
        }
    }
}

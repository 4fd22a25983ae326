//! Node allocation that brings down the process that it is in, for the tests of what contains that. The parameter `how` says what it
//! does, in the call of `place` that `at` counts to; before and after it goes the simplest way that works. On opening, the library
//! does what the environment variable `HEARTH_TEST_INITIALISER` says.

#![cfg(unix)]
// What it does is what must not be done.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, io, process, thread};

use hearth_policy_api::*;

/// Node allocation that brings down the process.
pub const DESTROYS: PolicyDescriptor = PolicyDescriptor::node_allocation::<Destroys>();

export_policies!(DESTROYS);

/// Goes to the first node with a free core, until it is to do something else.
#[derive(Debug)]
pub struct Destroys {
    how: &'static str,
    at: u64,
    calls: u64,
    bomb: Option<Bomb>,
}

parameters! {
    /// What it does.
    pub struct Ways {
        /// what it does
        how: word(
            "well", "exit", "exit_3", "exit_at_once", "abort", "no_memory_there", "stack", "panic_twice", "memory", "thread_exit", "alarm",
            "kill", "print", "close_output", "close_all", "elsewhere", "fork", "slow", "ignore_interrupt", "hang", "hang_in_new",
            "exit_in_new", "hang_in_drop", "abort_in_drop", "hang_in_thread_local", "panic_in_thread_local", "hang_at_exit", "thread_aborts",
            "thread_panics", "own_hook", "variable", "process_number", "slow_clock"
        ) = "well";
        /// in which call of place
        at: integer(1..=1000000) = 20;
    }
}

/// Panics when it is dropped.
#[derive(Debug)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the second panic");
    }
}

/// What happens when the thread ends.
struct AtEnd(&'static str);

impl Drop for AtEnd {
    fn drop(&mut self) {
        match self.0 {
            "hang_in_thread_local" => hang(),
            _ => panic!("in the destructor of a thread-local"),
        }
    }
}

thread_local! {
    static AT_END: RefCell<Option<AtEnd>> = const { RefCell::new(None) };
}

fn hang() -> ! {
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

extern "C" fn hang_at_exit() {
    hang()
}

/// Needs more of the stack than there is.
fn stack(depth: u64) -> u64 {
    let here = black_box([depth; 1024]);
    if black_box(depth) == u64::MAX { here[0] } else { stack(depth + 1) + here[1] }
}

fn destroy(how: &'static str, bomb: &mut Option<Bomb>) {
    // SAFETY: nothing of this is safe; it is what the host has to bear.
    unsafe {
        match how {
            "exit" => process::exit(0),
            "exit_3" => process::exit(3),
            "exit_at_once" => libc::_exit(0),
            "abort" => process::abort(),
            "no_memory_there" => black_box(std::ptr::null_mut::<u64>()).write_volatile(1),
            "stack" => drop(black_box(stack(0))),
            "panic_twice" => {
                let _bomb = bomb.insert(Bomb);
                let _second = Bomb;
                panic!("the first panic");
            }
            "memory" => drop(black_box(vec![0_u8; 1 << 46])),
            "thread_exit" => libc::pthread_exit(std::ptr::null_mut()),
            "alarm" => {
                libc::raise(libc::SIGALRM);
            }
            "kill" => {
                libc::raise(libc::SIGKILL);
            }
            "print" => println!("{{this is no JSON}}"),
            "close_output" => drop(libc::close(1)),
            "close_all" => (3..1024).for_each(|file| {
                libc::close(file);
            }),
            "elsewhere" => drop(env::set_current_dir("/")),
            "fork" => drop(libc::fork()),
            "slow" => thread::sleep(Duration::from_millis(5)),
            "ignore_interrupt" => {
                libc::signal(libc::SIGINT, libc::SIG_IGN);
                hang()
            }
            "hang" => hang(),
            "hang_at_exit" => drop(libc::atexit(hang_at_exit)),
            "hang_in_thread_local" | "panic_in_thread_local" => {
                AT_END.with_borrow_mut(|at_end| *at_end = Some(AtEnd(how)));
            }
            "thread_aborts" => {
                thread::spawn(|| {
                    thread::sleep(Duration::from_millis(6));
                    process::abort()
                });
                // It is another thread that does it, between two calls or in one.
                thread::sleep(Duration::from_millis(5));
            }
            "thread_panics" => drop(thread::spawn(|| panic!("in a thread of the policy"))),
            "own_hook" => std::panic::set_hook(Box::new(|_| process::abort())),
            "variable" => env::set_var("HEARTH_PLUGIN_PATH", "/nowhere"),
            _ => {}
        }
    }
}

impl Policy for Destroys {
    const NAME: &'static str = "destroys";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DESCRIPTION: &'static str = "node allocation that brings down the process that it is in";
    type Parameters = Ways;

    fn new(ways: Ways, _context: &PolicyContext) -> Result<Self, PolicyError> {
        match ways.how {
            "hang_in_new" => hang(),
            "exit_in_new" => process::exit(0),
            how => Ok(Self { how, at: ways.at, calls: 0, bomb: None }),
        }
    }
}

impl NodeAllocation for Destroys {
    fn place(&mut self, _request: &RequestView, cluster: &ClusterView<'_>) -> Placement {
        self.calls += 1;
        if self.calls == self.at || (self.how == "slow" && self.calls > self.at) {
            destroy(self.how, &mut self.bomb);
        }
        let free: Vec<u32> = cluster.free_core.iter().collect();
        let number = match self.how {
            "process_number" => process::id() as usize,
            // It moves on every third second.
            "slow_clock" => {
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as usize / 3)
            }
            _ => 0,
        };
        number.checked_rem(free.len()).and_then(|place| free.get(place)).copied().into()
    }
}

impl Drop for Destroys {
    fn drop(&mut self) {
        match self.how {
            "hang_in_drop" => hang(),
            "abort_in_drop" => process::abort(),
            _ => {}
        }
    }
}

/// Runs when the library is opened.
extern "C" fn initialise() {
    match env::var("HEARTH_TEST_INITIALISER").as_deref() {
        Ok("hang") => hang(),
        Ok("abort") => process::abort(),
        Ok("print") => {
            use io::Write;
            let _ = writeln!(io::stdout(), "from an initialiser");
        }
        _ => {}
    }
}

#[used]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".init_array"))]
static INITIALISE: extern "C" fn() = initialise;

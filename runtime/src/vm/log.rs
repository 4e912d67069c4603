//! The logs of the process: which are wanted, and writing them.
//!
//! Statistics are the sum over all VMs of the process. They are written when the process ends, however it does short of
//! being killed: by a handler of the C library's `atexit`, which also runs after [`std::process::exit`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use metatrace_defs::Program;
use metatrace_trace::{TextWriter, Trace};

use super::Shared;
use super::options::{LogFiles, OptionError, Options};
use super::stats::Stats;

/// The logs of the process.
struct Logs {
    files: LogFiles,
    vms: Mutex<Vec<Arc<Shared>>>,
    traces: Mutex<Traces>,
}

/// The log of traces.
struct Traces {
    file: Option<File>,
    /// By the address of their program.
    writers: BTreeMap<usize, TextWriter<'static>>,
}

static LOGS: OnceLock<Result<Logs, OptionError>> = OnceLock::new();

fn logs() -> Result<&'static Logs, OptionError> {
    let made = LOGS.get_or_init(|| {
        let files = LogFiles::from_env()?;
        let file = match files.traces.as_deref() {
            None | Some("-") => None,
            Some(file) => Some(File::create(file).map_err(|e| cannot_write(file, &e))?),
        };
        if files.stats.is_some() {
            // SAFETY: the handler is a plain function that does not unwind.
            unsafe { libc::atexit(at_exit) };
        }
        Ok(Logs {
            files,
            vms: Mutex::default(),
            traces: Mutex::new(Traces { file, writers: BTreeMap::new() }),
        })
    });
    made.as_ref().map_err(OptionError::clone)
}

fn cannot_write(file: &str, error: &io::Error) -> OptionError {
    OptionError::new(format!("METATRACE_LOG: cannot write `{file}`: {error}"))
}

extern "C" fn at_exit() {
    finish();
}

/// Writes the statistics that `METATRACE_LOG` asks for, as they are now. At the end of the process they are written
/// anyway.
pub fn finish() {
    let Some(Ok(logs)) = LOGS.get() else { return };
    let Some(file) = logs.files.stats.as_deref() else { return };
    let mut stats = Stats::default();
    for vm in lock(&logs.vms).iter() {
        stats.sum(&vm.stats());
    }
    stats.merge_points_interpreted += NATIVE.load(Relaxed);
    let json = stats.to_json();
    let written =
        if file == "-" { io::stderr().write_all(json.as_bytes()) } else { std::fs::write(file, json) };
    if let Err(error) = written {
        eprintln!("{}", cannot_write(file, &error));
    }
}

/// Registers a VM: whether merge points are to be counted.
///
/// # Errors
/// A mistake in `METATRACE_LOG`.
pub fn register(vm: &Arc<Shared>) -> Result<bool, OptionError> {
    let logs = logs()?;
    let counting = logs.files.stats.is_some();
    if counting {
        lock(&logs.vms).push(vm.clone());
    }
    Ok(counting)
}

/// What [`counting`] found: 0 if it was not asked yet, 1 for no, 2 for yes.
static COUNTING: AtomicU8 = AtomicU8::new(0);

/// Merge points passed by native code.
static NATIVE: AtomicU64 = AtomicU64::new(0);

/// Whether native code is to count its merge points with [`count_merge_point`]. Portals ask when they are entered.
#[inline(always)]
pub fn counting() -> bool {
    COUNTING.load(Relaxed) != 1 && find_counting()
}

/// Reads the environment: a mistake in it ends the process.
#[cold]
#[inline(never)]
fn find_counting() -> bool {
    if COUNTING.load(Relaxed) == 0 {
        Options::from_env().unwrap_or_else(|error| refuse(&error));
        let logs = logs().unwrap_or_else(|error| refuse(&error));
        COUNTING.store(if logs.files.stats.is_some() { 2 } else { 1 }, Relaxed);
    }
    COUNTING.load(Relaxed) == 2
}

/// Counts a merge point passed by native code.
#[inline]
pub fn count_merge_point() {
    NATIVE.fetch_add(1, Relaxed);
}

/// Whether traces are logged.
pub fn wants_traces() -> bool {
    matches!(LOGS.get(), Some(Ok(logs)) if logs.files.traces.is_some())
}

/// Appends to the log of traces. The log as a whole parses back.
pub fn write_trace(program: &'static Program, title: &str, trace: &Trace) {
    let Some(Ok(logs)) = LOGS.get() else { return };
    let Some(file) = logs.files.traces.as_deref() else { return };
    let log = &mut *lock(&logs.traces);
    let text =
        log.writers.entry(std::ptr::from_ref(program) as usize).or_insert_with(|| TextWriter::new(program));
    let text = text.write(title, trace);
    let written = match &mut log.file {
        Some(file) => file.write_all(text.as_bytes()),
        None if file == "-" => io::stderr().write_all(text.as_bytes()),
        None => return,
    };
    if let Err(error) = written {
        eprintln!("{}; no more traces are logged", cannot_write(file, &error));
        log.file = None;
    }
}

/// Ends the process because of a mistake in its environment.
pub fn refuse(error: &OptionError) -> ! {
    eprintln!("{error}");
    std::process::exit(2)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
